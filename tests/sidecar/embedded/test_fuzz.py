"""Malformed requests by the thousand: the process lives, and good clients notice nothing."""

import contextlib
import random
import socket
import struct
from time import monotonic

import pytest

import codec
from codec.api_keys import ApiKey
from codec.headers import request_header
from codec.messages.metadata import MetadataRequest, MetadataResponse
from codec.messages.produce import ProduceRequest, ProduceResponse
from codec.registry import SUPPORTED
from codec.schema import Kind
from sidecar.embedded.handlers.table import HANDLERS

REQUESTS = 24_000
PER_CONNECTION = 40
# A request that waits is not malformed, and would only make the test slow.
WAITING = (ApiKey.FETCH, ApiKey.JOIN_GROUP, ApiKey.SYNC_GROUP)


def malformed(rng, seeds):
    """A frame: random bytes behind a good header, or a good request that was damaged."""
    key = rng.choice(list(HANDLERS))
    version = rng.randint(HANDLERS[key].min_version, HANDLERS[key].max_version)
    if rng.random() < 0.5:
        body = rng.randbytes(rng.randrange(0, 80))
    else:
        damaged = bytearray(seeds[key, version])
        for _ in range(rng.randint(1, 4)):
            if damaged:
                damaged[rng.randrange(len(damaged))] = rng.choice((0, 1, 127, 128, 255))
        body = bytes(damaged[: rng.randint(0, len(damaged))]) + rng.randbytes(rng.randrange(3))
    if key in WAITING:
        body = body[: rng.randrange(0, 12)]
    head = request_header(key, version, rng.randrange(1 << 31), "fuzz")
    return struct.pack(">i", len(head) + len(body)) + head + body


def seeds(batch):
    """A request of each API and version, as a client would send it, mostly of defaults."""
    made = {}
    for key, handler in HANDLERS.items():
        for version in range(handler.min_version, handler.max_version + 1):
            message = SUPPORTED[key].request()
            if key is ApiKey.PRODUCE:
                message = produce(batch)
            made[key, version] = codec.encode(message, version)
    return made


NUMBERS = (-1, 0, 1, 2, 3, 7, 127, 32767, 2**31 - 1, -(2**31), 2**63 - 1, -(2**63))
TEXTS = ("", "t", "g", "x", "consumer", "range", "a b", "\udcff", "y" * 300)
BLOBS = (b"", b"\x00", b"\xff" * 70)
BITS = {Kind.INT8: 8, Kind.INT16: 16, Kind.INT32: 32, Kind.INT64: 64}


def strange(rng, kind, element, batches):
    """A value that can be encoded and that no client would send."""
    if kind in BITS:
        half = 1 << (BITS[kind] - 1)
        return max(-half, min(half - 1, rng.choice(NUMBERS)))
    if kind is Kind.ARRAY:
        many = range(rng.choice((0, 1, 1, 2)))
        if isinstance(element, Kind):
            return [strange(rng, element, None, batches) for _ in many]
        return [strange(rng, Kind.STRUCT, element, batches) for _ in many]
    if kind is Kind.STRUCT:
        fields = element.FIELDS
        return element(**{f.name: strange(rng, f.kind, f.element, batches) for f in fields})
    choices = {
        Kind.STRING: TEXTS,
        Kind.BYTES: BLOBS + batches,
        Kind.UUID: (bytes(16), b"x" * 16),
        Kind.BOOLEAN: (False, True),
    }
    return rng.choice(choices[kind])


def make_topic(cluster):
    """Some of the requests delete it."""
    if "t" not in {topic.name for topic in cluster.topics}:
        cluster.create_topic("t", 2)


@pytest.mark.slow
def test_strange_but_readable_requests_harm_nobody(start, batch, capfd):
    running = start(connection_idle_seconds=0.02, min_session_timeout_ms=0)
    rng = random.Random(21)
    batches = (batch(b"good"), batch(b"good", producer=(1, 0, 0)), batch(b"x", attributes=0x7F))
    host, port = running.bootstrap_servers.split(",")[0].split(":")
    for _ in range(1000):
        running.on_hub(make_topic)
        requests = []
        for _ in range(8):
            key = rng.choice(list(HANDLERS))
            version = rng.randint(HANDLERS[key].min_version, HANDLERS[key].max_version)
            message = strange(rng, Kind.STRUCT, SUPPORTED[key].request, batches)
            head = request_header(key, version, 1, "fuzz")
            body = codec.encode(message, version)
            requests.append(struct.pack(">i", len(head) + len(body)) + head + body)
        # A JoinGroup may rightly wait longer than anybody here.
        gone = contextlib.suppress(ConnectionResetError, BrokenPipeError, TimeoutError)
        with gone, socket.create_connection((host, int(port)), timeout=0.3) as sock:
            sock.sendall(b"".join(requests))
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(65536):
                pass
    answer = running.wire().ask(MetadataRequest(topics=None), 1, MetadataResponse)
    assert len(answer.brokers) == 3
    assert capfd.readouterr().err == ""


def produce(batch):
    kind = ProduceRequest.TopicProduceData
    data = kind.PartitionProduceData(index=0, records=batch(b"good"))
    return ProduceRequest(acks=-1, topic_data=[kind(name="t", partition_data=[data])])


@pytest.mark.slow
def test_malformed_requests_harm_nobody(start, batch, capfd):
    running = start(max_request_bytes=1 << 20)
    running.on_hub(lambda cluster: cluster.create_topic("t", 1))
    rng, known = random.Random(20), seeds(batch)
    good = running.wire()
    stored, slowest = 0, 0.0
    address = good.sock.getpeername()
    for _ in range(REQUESTS // PER_CONNECTION):
        _barrage(address, [malformed(rng, known) for _ in range(PER_CONNECTION)])
        began = monotonic()
        answer = good.ask(produce(batch), 9, ProduceResponse)
        assert answer.responses[0].partition_responses[0].error_code == 0
        slowest = max(slowest, monotonic() - began)
        stored += 1
    assert slowest < 2
    assert running.cluster.records("t", 0).count >= stored
    names = {t.name for t in good.ask(MetadataRequest(topics=None), 1, MetadataResponse).topics}
    assert "t" in names
    assert {v["reason"] for _, v in running.logged} <= {
        "request_malformed",
        "produce_without_acks_refused",
    }
    assert capfd.readouterr().err == ""


def _barrage(address, requests):
    """Send each request; a new connection after each that ended its own."""
    left = list(requests)
    while left:
        with socket.create_connection(address, timeout=5) as sock:
            while left:
                try:
                    sock.sendall(left.pop())
                    if not sock.recv(1 << 16):
                        break
                except ConnectionResetError:
                    break
                except BrokenPipeError:
                    break
