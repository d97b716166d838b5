"""One connection: order, pipelining, and what ends it."""

import socket
import struct
from time import monotonic

import pytest

from codec.messages.api_versions import ApiVersionsRequest, ApiVersionsResponse
from codec.messages.fetch import FetchRequest, FetchResponse
from codec.messages.metadata import MetadataRequest, MetadataResponse

HELLO = ApiVersionsRequest()


def frame(body):
    return struct.pack(">i", len(body)) + body


def header(api_key, version, correlation_id=1):
    return struct.pack(">hhih", api_key, version, correlation_id, -1)


def closed(wire):
    try:
        return wire.sock.recv(100) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (struct.pack(">i", -1), "request_malformed"),
        (struct.pack(">i", (100 << 20) + 1), "request_malformed"),
        (frame(b""), "request_malformed"),
        (frame(b"\x00\x03"), "request_malformed"),
        (frame(header(3, 9) + b"\x00\xff"), "request_malformed"),
        (frame(header(3, 14)), "request_malformed"),
        (frame(header(0, 2)), "request_malformed"),
        (frame(header(999, 0)), "request_malformed"),
        (frame(header(4, 0)), "request_malformed"),
        (frame(header(-1, 0)), "request_malformed"),
        (frame(header(18, -1)), None),
        (frame(header(18, 99) + b"\x00"), None),
    ],
)
def test_what_cannot_be_read_ends_this_connection_only(running, sent, reason):
    good, bad = running.wire(), running.wire()
    bad.sock.sendall(sent)
    if reason is None:
        assert bad.sock.recv(100)[8:10] == b"\x00\x23"
        assert running.logged == []
    else:
        assert closed(bad)
        assert [(event, v["reason"]) for event, v in running.logged] == [
            ("embedded_connection_closed", reason)
        ]
    assert good.ask(HELLO, 0, ApiVersionsResponse).error_code == 0


def test_a_client_that_just_leaves_is_not_worth_a_line(running):
    wire = running.wire()
    wire.ask(HELLO, 0, ApiVersionsResponse)
    wire.sock.sendall(b"\x00\x00")
    wire.close()
    running.wire().ask(HELLO, 0, ApiVersionsResponse)
    assert running.logged == []


def test_pipelined_requests_are_answered_in_order(running):
    wire = running.wire()
    for _ in range(50):
        wire.send(HELLO, 0)
        wire.send(MetadataRequest(topics=None), 1)
    kinds = [type(wire.receive()).__name__ for _ in range(100)]
    assert kinds == ["ApiVersionsResponse", "MetadataResponse"] * 50


def test_a_frame_may_arrive_byte_by_byte(running):
    wire = running.wire()
    for byte in frame(header(18, 0)):
        wire.sock.sendall(bytes([byte]))
    assert wire.sock.recv(6)[4:] == b"\x00\x00"


def test_a_parked_fetch_holds_up_its_own_connection_and_no_other(running):
    running.on_hub(lambda cluster: cluster.create_topic("t"))
    kind = FetchRequest.FetchTopic
    asked = kind.FetchPartition(partition=0, fetch_offset=0, partition_max_bytes=1)
    wish = FetchRequest(max_wait_ms=500, min_bytes=1, topics=[kind(topic="t", partitions=[asked])])
    parked, other = running.wire(), running.wire()
    began = monotonic()
    parked.send(wish, 12)
    parked.send(HELLO, 0)
    other.ask(HELLO, 0, ApiVersionsResponse)
    assert monotonic() - began < 0.4
    assert isinstance(parked.receive(), FetchResponse)
    assert monotonic() - began > 0.4
    assert isinstance(parked.receive(), ApiVersionsResponse)


def test_who_does_not_read_hangs_nobody(running):
    running.on_hub(lambda cluster: cluster.create_topic("t", 5000, 1))
    deaf, other = running.wire(), running.wire()
    deaf.sock.settimeout(0.5)

    def flood():
        while True:
            deaf.send(MetadataRequest(topics=None), 1)

    with pytest.raises(TimeoutError):
        flood()
    assert other.ask(HELLO, 0, ApiVersionsResponse).error_code == 0
    assert len(other.ask(MetadataRequest(topics=None), 1, MetadataResponse).topics) == 1


def test_half_an_hour_of_silence_is_cut_short(start):
    running = start(connection_idle_seconds=0.2)
    began = monotonic()
    assert closed(running.wire())
    assert 0.1 < monotonic() - began < 3
    assert running.logged == []


def test_many_idle_connections_do_no_harm(running):
    idle = [running.wire() for _ in range(300)]
    assert running.wire().ask(HELLO, 0, ApiVersionsResponse).error_code == 0
    assert idle[-1].ask(HELLO, 0, ApiVersionsResponse).error_code == 0


def test_a_reset_is_survived(running):
    wire = running.wire()
    wire.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wire.send(MetadataRequest(topics=None), 1)
    wire.close()
    assert running.wire().ask(HELLO, 0, ApiVersionsResponse).error_code == 0
