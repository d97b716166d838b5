"""The parsers, each as a function of bytes that raises only when there is a defect."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, Final
from unittest.mock import patch

import jwt
from google.protobuf.message import DecodeError as ProtobufDecodeError

import codec
from codec.api_keys import ApiKey
from codec.consumer_protocol import rewrite_assignment, rewrite_subscription
from codec.headers import read_request_header, response_body_start
from codec.messages.heartbeat import HeartbeatRequest
from codec.messages.sasl_authenticate import SaslAuthenticateRequest
from codec.messages.sasl_handshake import SaslHandshakeRequest
from codec.records.batch import read_batch_headers
from codec.records.rewrite import records_of, rewrite_records
from codec.registry import request_class, response_class
from rest_bridge import tenant_bodies, translate
from rest_bridge.errors import Refusal
from rest_bridge.v2 import bodies
from rest_bridge.v2 import tenant_bodies as v2_tenant_bodies
from sidecar.api import convert
from sidecar.control.bearer_tokens import BadKeys, BearerTokens, keys_from
from sidecar.control.tokens import TokenAuthority
from sidecar.dataplane.actions import Close, LookUp, RenewKeys, ToClient
from sidecar.dataplane.sasl import Logins, bearer_token
from sidecar.dataplane.session import Session
from sidecar.faults.broken_broker import BrokenBroker
from sidecar.faults.duplicate_messages import DuplicateMessages
from sidecar.faults.message_corruption import FetchMessageCorruption, ProduceMessageCorruption
from sidecar.gen.kafka.chaos.v1.interceptor_pb2 import Interceptor, Scope
from sidecar.gen.kafka.chaos.v1.user_mapping_pb2 import UserMapping
from sidecar.model.errors import DomainError
from sidecar.model.identity import (
    AuthenticationFailed,
    Identity,
    KeysUnavailable,
    KeyUnknown,
    Proof,
)
from sidecar.model.oauth import OAuth
from sidecar.net.relay import Relay
from sidecar.net.requests import request_reader
from sidecar.net.responses import response_reader
from sidecar.state.mirror import FIELDS, Mirror
from tests.codec.test_rewriting import Keep, Prefix
from tests.support import bearer as provider
from tests.support.bearer import jwk, key_set
from tests.support.fast_lane import Socket
from tests.support.messages import frames, request
from tests.support.sessions import Client, interceptor, striking, tenant

RECORD_LIMIT: Final = 1 << 20
_KEYS: Final = keys_from(key_set(jwk("ES256", "one"), jwk("EdDSA", "two", alg="EdDSA")))
SIGNER: Final = jwt.PyJWS()
BEARER: Final = BearerTokens(lambda: _KEYS, OAuth(jwks_url="", audiences=("kafka",)))
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


def bearer(data: bytes) -> None:
    """What a first byte says: 0: a JWK set, 1: claims, which are signed; else a whole message."""
    with contextlib.suppress(BadKeys, AuthenticationFailed):
        if data[:1] == b"\0":
            keys_from(data[1:])
            return
        if data[:1] == b"\1":
            found = SIGNER.encode(data[1:], provider.key("ES256"), "ES256", headers={"kid": "one"})
        else:
            found, _ = bearer_token(data)
        shown = BEARER.verify(found, 1500.0)
        assert shown.seconds > 0
        assert 0 < len(shown.principal) <= 512


_SHOWN: Final[dict[str, Proof | AuthenticationFailed]] = {
    "al": Proof(Identity("al", "teamA"), 60.0),
    "soon": Proof(Identity("al", "teamA"), 2.0),
    "eve": Proof(Identity("eve"), 60.0),
    "late": AuthenticationFailed("the token has expired"),
    "key": KeyUnknown("signed with a key that is not known"),
    "none": KeysUnavailable("keys could not be fetched yet"),
}
"""What passwords and bearer tokens show; nothing else is one."""


def _shown(token: str, now: float) -> Proof:
    found = _SHOWN.get(token, AuthenticationFailed("it is not a token"))
    if isinstance(found, Proof):
        return found
    raise found


def _login_message(mechanism: str, word: str) -> bytes:
    if mechanism == "PLAIN":
        return b"\0user\0" + word.encode()
    return b"n,,\x01auth=Bearer " + word.encode() + b"\x01\x01"


def login(data: bytes) -> None:
    """A client that shows who it is, in any order and again: a byte for the rules, then pieces.

    The byte of a piece says what is done: 0 to 7 a message of SASL, with headers or bare, and how;
    its own bytes are a message, or choose one.
    """
    rules = data[0] if data else 0
    client = Client(secured=True)
    longest = 4.0 if rules & 1 else 0.0
    client.shared.logins = Logins(
        plain=_shown, bearer=_shown if rules & 2 else None, longest=longest
    )
    client.session = live = Session(client.shared, connection_id=7, broker_id=2)
    who: Identity | None = None
    asked = answered = 0
    for (from_client, piece), kind in zip(_pieces(data[1:]), _kinds(data[1:]), strict=True):
        if not from_client:
            client.now += len(piece) / 2
            continue
        actions = _says(client, kind, piece)
        asked += 1
        answered += sum(len(frames(a.chunks)) for a in actions if isinstance(a, ToClient))
        assert answered <= asked
        assert not any(isinstance(action, RenewKeys) for action in actions)
        known = live.peer.identity
        assert who is None or known == who
        who = known
        assert who is None or who in [p.identity for p in _SHOWN.values() if isinstance(p, Proof)]
        if live.expires is not None:
            assert who is not None
            assert live.expires <= client.now + (longest or 60.0)
        if any(isinstance(action, Close) for action in actions):
            return


def _kinds(data: bytes) -> Iterator[int]:
    """The first bytes of `_pieces`."""
    pos = 0
    while pos + 3 <= len(data):
        yield data[pos] >> 1
        pos += 3 + int.from_bytes(data[pos + 1 : pos + 3])


def _says(client: Client, kind: int, piece: bytes) -> list[Any]:
    """One request, and once more where newer keys are to be looked for."""
    mechanism = "OAUTHBEARER" if kind & 8 else "PLAIN"
    word = list(_SHOWN)[piece[0] % len(_SHOWN)] if piece else ""
    version = kind >> 4 & 3
    frame: bytes | memoryview = piece
    match kind & 7:
        case 0:
            frame = request(SaslHandshakeRequest(mechanism=mechanism), version & 1)
        case 1:
            message = _login_message(mechanism, word)
            frame = request(SaslAuthenticateRequest(auth_bytes=message), min(version, 2))
        case 2:
            frame = request(SaslAuthenticateRequest(auth_bytes=piece), min(version, 2))
        case 3:
            frame = _login_message(mechanism, word)
        case 4:
            frame = request(SaslAuthenticateRequest(auth_bytes=b"\x01"), min(version, 2))
        case 5:
            frame = b"\x01"
        case 6:
            frame = request(HeartbeatRequest(), 0)
    actions = client.sends_frame(frame)
    if any(isinstance(action, RenewKeys) for action in actions):
        assert len(actions) == 1
        actions = client.sends_frame(frame, looked_up=True)
    return actions


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
        login,
        bearer,
        rest,
        grpc,
        stored,
    )
}
