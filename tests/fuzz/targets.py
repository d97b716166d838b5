"""The parsers, each as a function of bytes that raises only when there is a defect."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, Final
from unittest.mock import patch

from google.protobuf.message import DecodeError as ProtobufDecodeError

import codec
from codec.api_keys import ApiKey
from codec.consumer_protocol import rewrite_assignment, rewrite_subscription
from codec.headers import read_request_header, response_body_start
from codec.records.batch import read_batch_headers
from codec.records.rewrite import records_of, rewrite_records
from codec.registry import request_class, response_class
from rest_bridge import tenant_bodies, translate
from rest_bridge.errors import Refusal
from rest_bridge.v2 import bodies
from rest_bridge.v2 import tenant_bodies as v2_tenant_bodies
from sidecar.api import convert
from sidecar.control.tokens import TokenAuthority
from sidecar.dataplane.actions import LookUp, ToClient
from sidecar.faults.broken_broker import BrokenBroker
from sidecar.faults.duplicate_messages import DuplicateMessages
from sidecar.faults.message_corruption import FetchMessageCorruption, ProduceMessageCorruption
from sidecar.gen.kafka.chaos.v1.interceptor_pb2 import Interceptor, Scope
from sidecar.gen.kafka.chaos.v1.user_mapping_pb2 import UserMapping
from sidecar.model.errors import DomainError
from sidecar.model.identity import AuthenticationFailed
from sidecar.net.relay import Relay
from sidecar.net.requests import request_reader
from sidecar.net.responses import response_reader
from sidecar.state.mirror import FIELDS, Mirror
from tests.codec.test_rewriting import Keep, Prefix
from tests.support.fast_lane import Socket
from tests.support.messages import frames
from tests.support.sessions import Client, interceptor, striking, tenant

RECORD_LIMIT: Final = 1 << 20
TOKENS: Final = TokenAuthority(b"a key that only the fuzzer knows, 32+")


def _messages() -> Iterator[tuple[int, bool, int]]:
    for key in ApiKey:
        for is_request in (True, False):
            try:
                kind: Any = (request_class if is_request else response_class)(key)
            except codec.UnsupportedVersion:
                continue
            for version in kind.VERSIONS:
                yield key, is_request, version


MESSAGES: Final = tuple(_messages())
"""All there are: key, whether it is the request, version."""


def decode(data: bytes) -> None:
    """A body: two bytes choose the message; what is accepted reads the same when written."""
    key, is_request, version = MESSAGES[int.from_bytes(data[:2]) % len(MESSAGES)]
    body = data[2:]
    read = codec.decode_request if is_request else codec.decode_response
    try:
        message = read(key, version, body)
    except codec.CodecError:
        return
    if not is_request:
        version = codec.response_version(key, version, body)
    again = codec.encode(message, version)
    assert read(key, version, again) == message


def rewrite(data: bytes) -> None:
    """A body as above, rewritten: with hooks that change nothing it stays as it is."""
    key, is_request, version = MESSAGES[int.from_bytes(data[:2]) % len(MESSAGES)]
    body = data[2:]
    rewriting = codec.rewrite_request if is_request else codec.rewrite_response
    with contextlib.suppress(codec.CodecError):
        assert b"".join(rewriting(key, version, body, Keep(same=True))) == body
    with contextlib.suppress(codec.CodecError):
        rewriting(key, version, body, Prefix())


def records(data: bytes) -> None:
    """A blob of record batches: read, and rewritten with and without a change."""
    with contextlib.suppress(codec.CodecError):
        for header in read_batch_headers(data):
            for _ in records_of(data, header, RECORD_LIMIT):
                pass
    for keep_offsets in (True, False):
        with contextlib.suppress(codec.CodecError):
            same = rewrite_records(
                data, lambda record: [record], keep_offsets=keep_offsets, limit=RECORD_LIMIT
            )
            assert same is data
        with contextlib.suppress(codec.CodecError):
            made = rewrite_records(
                data,
                lambda record: [record._replace(value=b"x")],
                keep_offsets=keep_offsets,
                limit=RECORD_LIMIT,
            )
            list(read_batch_headers(made))


def headers(data: bytes) -> None:
    """The head of a frame, and the blobs of the classic consumer protocol."""
    with contextlib.suppress(codec.CodecError):
        read_request_header(data)
    for key in (ApiKey.API_VERSIONS, ApiKey.METADATA, ApiKey.FETCH):
        with contextlib.suppress(codec.CodecError):
            response_body_start(key, 12, data)
    for blob in (rewrite_subscription, rewrite_assignment):
        with contextlib.suppress(codec.CodecError):
            blob(data, lambda name: b"t." + name)


def _faults() -> list[Any]:
    every = [
        interceptor(50, name="election"),
        striking(DuplicateMessages(rate_in_percent=50, target="PRODUCE"), name="twice"),
        striking(ProduceMessageCorruption(rate_in_percent=50), name="corrupt"),
        striking(FetchMessageCorruption(rate_in_percent=50), name="corrupt-fetch"),
        striking(BrokenBroker(rate_in_percent=20), name="broken"),
    ]
    return every


CLIENTS: Final[tuple[Callable[[], Client], ...]] = (
    Client,
    lambda: Client(secured=True),
    tenant,
    lambda: Client(*_faults()),
    lambda: tenant(*_faults()),
    lambda: tenant(interceptor(50), oracle=True),
)


def _pieces(data: bytes) -> Iterator[tuple[bool, bytes]]:
    """Whether from the client, and what: a byte for the side, two for the length, then so much."""
    pos = 0
    while pos + 3 <= len(data):
        size = int.from_bytes(data[pos + 1 : pos + 3])
        yield data[pos] & 1 == 0, data[pos + 3 : pos + 3 + size]
        pos += 3 + size


def session(data: bytes) -> None:
    """Whole frames from both sides, in any order: a byte chooses the client, then pieces."""
    client = CLIENTS[data[0] % len(CLIENTS)]() if data else Client()
    asked = answered = 0
    for from_client, piece in _pieces(data[1:]):
        if from_client:
            asked += 1
            actions = client.sends_frame(piece)
            if any(isinstance(action, LookUp) for action in actions):
                actions = client.sends_frame(piece, looked_up=True)
        else:
            actions = client.broker_answers(piece)
        answered += sum(len(frames(a.chunks)) for a in actions if isinstance(a, ToClient))
        assert answered <= asked


def lane(data: bytes) -> None:
    """Bytes from both sides, cut anywhere, through the readers of a relay."""
    client = CLIENTS[2 + data[0] % (len(CLIENTS) - 2)]() if data else Client()
    near, far = Socket(), Socket()
    closes: list[Any] = []
    relay = Relay(
        near, far, client.session, 1 << 20, lambda ids: None, lambda report: None, closes.append
    )
    from_client, from_broker = request_reader(relay), response_reader(relay)
    relay.client.on_readable, relay.broker.on_readable = from_client, from_broker
    # No loop runs here: what would be watched or asked for later never comes.
    with (
        patch("sidecar.net.side.Side.watch", lambda side, reading: None),
        patch("sidecar.net.held.gevent", SimpleNamespace(spawn=lambda *_: None)),
    ):
        for is_client, piece in _pieces(data[1:]):
            side, read = (near, from_client) if is_client else (far, from_broker)
            side.given = piece
            while side.given and not (relay.done.is_set() or relay.ending):
                before = len(side.given)
                read()
                if len(side.given) == before:
                    break
        relay.stop()


def token(data: bytes) -> None:
    """A SASL/PLAIN password."""
    with contextlib.suppress(AuthenticationFailed):
        TOKENS.verify(data.decode(errors="surrogateescape"), 1_700_000_000)


def rest(data: bytes) -> None:
    """A body of the REST API, for every resource of both dialects."""
    readers: tuple[Callable[[], Any], ...] = (
        lambda: translate.lifetime_from(data),
        lambda: translate.interceptor_from("i", Scope(), data),
        lambda: translate.resolve_request_from(data),
        lambda: tenant_bodies.user_mapping_from("v", None, data),
        lambda: tenant_bodies.topic_mapping_from("v", "t", data),
        lambda: bodies.interceptor_from(data),
        lambda: bodies.deleted_scope_from(data),
        lambda: bodies.resolve_request_from(data),
        lambda: bodies.token_request_from(data),
        lambda: v2_tenant_bodies.virtual_cluster_from(data),
        lambda: v2_tenant_bodies.alias_topic_from(data),
        lambda: v2_tenant_bodies.service_account_from(data),
        lambda: v2_tenant_bodies.group_from(data),
        lambda: v2_tenant_bodies.placed_name_from(data),
    )
    for read in readers:
        with contextlib.suppress(Refusal):
            made = read()
            if isinstance(made, tuple) and isinstance(made[0], Interceptor):
                with contextlib.suppress(DomainError):
                    convert.interceptor_from_proto(made[0])


def grpc(data: bytes) -> None:
    """A message of the gRPC API, behind protobuf's own parser."""
    with contextlib.suppress(ProtobufDecodeError, DomainError):
        convert.interceptor_from_proto(Interceptor.FromString(data))
    with contextlib.suppress(ProtobufDecodeError, DomainError):
        convert.user_mapping_from_proto(UserMapping.FromString(data))


def stored(data: bytes) -> None:
    """A record of the store's topic: key and value, cut at the first zero byte."""
    key, _, text = data.partition(b"\0")
    mirror = Mirror(time.time, lambda key, cause: None)
    mirror.take([(key.decode(errors="replace"), text.decode(errors="replace"))])
    fields = mirror.fields(FIELDS)
    assert mirror.missing(_snapshot(fields)).get("", None) is None


def _snapshot(fields: dict[str, Any]) -> Any:
    return SimpleNamespace(**fields)


TARGETS: Final[dict[str, Callable[[bytes], None]]] = {
    each.__name__: each
    for each in (
        decode,
        rewrite,
        records,
        headers,
        session,
        lane,
        token,
        rest,
        grpc,
        stored,
    )
}
