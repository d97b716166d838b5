"""Malformed and truncated frames without end, each a function of the random generator given.

An item is (kind, bytes, last). What is `last` can only be the end of a connection: after it the
peer cannot know where the next frame begins.
"""

import base64
import functools
import itertools
import json
from collections.abc import Callable, Iterator
from random import Random
from struct import pack
from typing import Any, NamedTuple

import codec
from codec.api_keys import FLEXIBLE_SINCE, ApiKey
from codec.frames import frame
from codec.headers import request_header
from codec.messages.sasl_authenticate import SaslAuthenticateRequest
from codec.messages.sasl_handshake import SaslHandshakeRequest
from codec.primitives import uvarint, write_tags
from codec.registry import SUPPORTED, is_flexible
from codec.schema import Kind
from tests.support.messages import batch, produce, request, sized

MARK = "mark"
"""The text in every string of a seed, so that it can be found and broken."""
FRAME_LIMIT = 100 * 1024 * 1024
UNAUTHENTICATED_LIMIT = 64 * 1024
# These may rightly be answered late, and a late answer is no malformed frame: they are only cut.
_WAITING = (ApiKey.FETCH, ApiKey.JOIN_GROUP, ApiKey.SYNC_GROUP)
_CREDENTIALS = (ApiKey.SASL_HANDSHAKE, ApiKey.SASL_AUTHENTICATE, ApiKey.API_VERSIONS)
_HOSTILE_INTEGERS = (
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\x80\x00\x00\x00",
    b"\x00\x98\x96\x80",
    b"\xff\xff",
    b"\xff\xfe",
    b"\x7f\xff",
    b"\x80\x00",
    b"\xff" * 8,
    b"\x7f" + b"\xff" * 7,
)
_VARINT_BOMBS = (
    b"\xff" * 4 + b"\x07",
    b"\xff" * 4 + b"\x0f",
    b"\xff" * 5 + b"\x01",
    b"\x80" * 4 + b"\x00",
    b"\x80" * 10,
    b"\xff" * 60,
    b"\x81\x80\x80\x08",
)
_BROKEN_TEXT = (b"\xff\xfe\xfd\xfc", b"\xc0\xaf\xc0\xaf", b"\xed\xa0\x80x", b"\xf8\x88\x80\x80")


class Item(NamedTuple):
    """One malformed frame, or bytes that are none."""

    kind: str
    data: bytes
    last: bool = False


# Seeds: one good request of every API in every version.


def _filled(declared: Any) -> Any:
    """A struct with something in every field."""
    return declared(**{f.name: _value(f.kind, f.element) for f in declared.FIELDS})


def _value(kind: Kind, element: Any) -> Any:
    if kind is Kind.ARRAY:
        inner = element if isinstance(element, Kind) else Kind.STRUCT
        return [_value(inner, element) for _ in range(2)]
    if kind is Kind.STRUCT:
        return _filled(element)
    known: dict[Kind, Any] = {
        Kind.STRING: MARK,
        Kind.BYTES: b"some bytes",
        Kind.UUID: bytes(range(16)),
        Kind.BOOLEAN: False,
    }
    return known.get(kind, 1)


@functools.cache
def seeds() -> list[tuple[ApiKey, int, bytes]]:
    """(api key, version, body) of everything the codec has a layout for."""
    made = []
    for key, api in SUPPORTED.items():
        message = _filled(api.request)
        if key is ApiKey.PRODUCE:
            message = produce({MARK: {0: batch(2)}, "b" + MARK: {1: batch(), 7: None}})
        made += [
            (key, version, codec.encode(message, version))
            for version in range(api.min_version, api.max_version + 1)
        ]
    return made


# Damage: a body in, a broken body out.


def _cut(rng: Random, body: bytes) -> bytes:
    return body[: rng.randrange(max(1, len(body)))]


def _flipped(rng: Random, body: bytes) -> bytes:
    damaged = bytearray(body or b"\0")
    for _ in range(rng.randint(1, 6)):
        damaged[rng.randrange(len(damaged))] = rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))
    return bytes(damaged)


def _over(body: bytes, position: int, piece: bytes) -> bytes:
    return body[:position] + piece + body[position + len(piece) :]


def _miscounted(rng: Random, body: bytes) -> bytes:
    return _over(body, rng.randrange(len(body) + 1), rng.choice(_HOSTILE_INTEGERS))


def _varint_bombed(rng: Random, body: bytes) -> bytes:
    return _over(body, rng.randrange(len(body) + 1), rng.choice(_VARINT_BOMBS))


def _tag_section(rng: Random) -> bytes:
    count = rng.choice((3, 200, 2000))
    good = write_tags((n, b"x" * (n % 3)) for n in range(10_000, 10_000 + count))
    return rng.choice(
        (
            good,
            good[: len(good) // 2],
            uvarint(count) + b"\x00\x00" * count,
            b"\x01\x00" + b"\xff\xff\xff\xff\x07",
            b"\xff\xff\xff\xff\x07" + good,
        )
    )


def _tag_bombed(rng: Random, body: bytes) -> bytes:
    return (body[:-1] if rng.random() < 0.7 else _cut(rng, body)) + _tag_section(rng)


def _not_text(rng: Random, body: bytes) -> bytes:
    return body.replace(MARK.encode(), rng.choice(_BROKEN_TEXT))


def _extended(rng: Random, body: bytes) -> bytes:
    return body + rng.randbytes(rng.randint(1, 200))


_DAMAGES: dict[str, Callable[[Random, bytes], bytes]] = {
    "truncated": _cut,
    "mutated bytes": _flipped,
    "hostile counts": _miscounted,
    "varint bomb": _varint_bombed,
    "tag bomb": _tag_bombed,
    "invalid UTF-8": _not_text,
    "surplus bytes": _extended,
}


def _sized(head: bytes, body: bytes) -> bytes:
    return b"".join(frame(head, body))


def damaged(rng: Random) -> Item:
    """A good request that something happened to."""
    key, version, body = rng.choice(seeds())
    kind = "truncated" if key in _WAITING else rng.choice(list(_DAMAGES))
    head = request_header(key, version, rng.randrange(1 << 31), "storm")
    return Item(kind, _sized(head, _DAMAGES[kind](rng, body)))


def readable(rng: Random) -> Item:
    """A request with something in it that the rules forbid, or leave open, and brokers put up with.

    It goes all the way: renamed, forwarded, answered, and renamed again.
    """
    while (seed := rng.choice(seeds()))[0] in _WAITING:
        pass
    key, version, body = seed
    kind = rng.choice(("invalid UTF-8", "surplus bytes"))
    head = request_header(key, version, rng.randrange(1 << 31), rng.choice(("storm", "\udcff\n")))
    return Item(kind, _sized(head, _DAMAGES[kind](rng, body)))


def random_body(rng: Random) -> Item:
    """Random bytes behind a good header, of APIs and versions offered and not offered."""
    key = rng.choice(list(FLEXIBLE_SINCE))
    version = rng.randint(0, 20)
    body = rng.randbytes(rng.randrange(8) if key in _WAITING else rng.randrange(120))
    name = rng.choice((None, "", "storm", "x" * 300))
    head = request_header(key, version, rng.randrange(1 << 31), name)
    return Item("random body", _sized(head, body))


def garbage_header(rng: Random) -> Item:
    """A frame that does not even begin well."""
    key, version = rng.choice((*FLEXIBLE_SINCE, -1, 99, 30000, -32768)), rng.randint(-3, 30)
    start = pack(">hhi", key, version, rng.randrange(1 << 31))
    data = rng.choice(
        (
            b"",
            rng.randbytes(rng.randint(1, 60)),
            start[: rng.randint(1, 8)],
            start + pack(">h", rng.choice((-2, -32768, 32767, 5))),
            start + b"\x00\x04\xff\xfe\xc0\x80" + rng.randbytes(rng.randrange(30)),
            start + b"\xff\xff" + _tag_section(rng),
        )
    )
    return Item("garbage header", sized(data))


def absurd_api_versions(rng: Random) -> Item:
    """ApiVersions of versions nobody has, or of good ones with anything behind the header."""
    version = rng.choice((0, 1, 2, 3, 4, 5, 99, 32767, -1, -32768))
    head = pack(">hhih", ApiKey.API_VERSIONS, version, rng.randrange(1 << 31), -1)
    tags = b"\0" if is_flexible(ApiKey.API_VERSIONS, version) else b""
    return Item("ApiVersions", _sized(head + tags, rng.randbytes(rng.randrange(60))))


def misplaced_sasl(rng: Random) -> Item:
    """SaslAuthenticate where none was agreed on, with anything in it."""
    version = rng.randint(0, 2)
    head = request_header(ApiKey.SASL_AUTHENTICATE, version, rng.randrange(1 << 31), "storm")
    return Item("SASL out of turn", _sized(head, rng.randbytes(rng.randrange(80))))


def wrong_size(limit: int) -> Callable[[Random], Item]:
    """Sizes that no frame may have, or that more is promised than comes."""

    def make(rng: Random) -> Item:
        size = rng.choice((-1, -(2**31), 2**31 - 1, limit + 1, 0x16030100, 60_000, limit, 9))
        come = b"" if rng.random() < 0.3 else rng.randbytes(rng.choice((1, 5, 2000)))
        size = size if size < 0 or size > len(come) else len(come) + 7
        return Item("frame size", pack(">i", size) + come, last=True)

    return make


def cut_off(rng: Random) -> Item:
    """The connection ends inside a good frame."""
    key, version, body = rng.choice(seeds())
    whole = _sized(request_header(key, version, 1, "storm"), body)
    return Item("closed inside a frame", whole[: rng.randrange(1, len(whole))], last=True)


_OTHERS = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"POST /admin/vclusters/v1 HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(64)),
    b"SSH-2.0-OpenSSH_9.9\r\n",
    b"\r\n\r\n\0\0\0",
)


def other_protocol(rng: Random) -> Item:
    """A peer that does not mean us."""
    return Item("other protocol", rng.choice(_OTHERS) + rng.randbytes(rng.randrange(20)), last=True)


# SASL that fails.


def _encoded_json(value: Any) -> bytes:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")


def _token(rng: Random) -> bytes:
    claims = _encoded_json({"username": "a", "vcluster": "b", "exp": 1 << 62})
    some = base64.urlsafe_b64encode(rng.randbytes(32)).rstrip(b"=")
    heads: tuple[Any, ...] = (
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "HS256", "b64": False, "crit": ["b64"]},
        {"alg": "RS256"},
        {"alg": ["HS256"]},
        {"alg": None, "kid": 7},
        [],
        "HS256",
    )
    signed = b".".join((_encoded_json(rng.choice(heads)), claims, some))
    return rng.choice(
        (
            signed,
            signed.rsplit(b".", 1)[0] + b".",
            rng.randbytes(40).replace(b"\0", b"."),
            b"not a token",
            b".." + some,
            b"A" * 9000,
            b"\xff\xfe",
            b"." * 1000,
            base64.urlsafe_b64encode(b"[" * 5000) + b"." + claims + b"." + some,
            b"",
        )
    )


def _plain(rng: Random) -> bytes:
    token = _token(rng)
    return rng.choice(
        (b"\0user\0" + token, token, b"\0" * rng.randrange(1, 60), b"\0\0" + token, b"\0user\0")
    )


def _handshake(version: int, mechanism: str) -> bytes:
    return sized(request(SaslHandshakeRequest(mechanism=mechanism), version))


def wrong_mechanism(rng: Random) -> Item:
    """A mechanism that is not offered, or none."""
    names = ("SCRAM-SHA-256", "GSSAPI", "", "plain", "x" * 30000, "PLAIN\0", "\u2028\udcff\n")
    return Item("wrong mechanism", _handshake(rng.randint(0, 1), rng.choice(names)))


def bad_credentials(rng: Random) -> Item:
    """A good handshake, and then no good token. Two frames, of which the second is malformed."""
    if rng.random() < 0.3:
        return Item("bare token", _handshake(0, "PLAIN") + sized(_plain(rng)), last=True)
    request_ = SaslAuthenticateRequest(auth_bytes=_plain(rng))
    data = _handshake(1, "PLAIN") + sized(request(request_, rng.randint(0, 2)))
    return Item("bad token", data, last=True)


def large(rng: Random) -> Item:
    """A megabyte of nothing in particular behind a good header."""
    key = rng.choice((ApiKey.PRODUCE, ApiKey.METADATA, ApiKey.OFFSET_COMMIT, ApiKey.CREATE_TOPICS))
    head = request_header(key, SUPPORTED[key].max_version - 1, 1, "storm")
    byte = bytes([rng.choice((0, 1, 2, 127, 128, 255))])
    return Item("large", _sized(head, byte * rng.randrange(1 << 18, 1 << 20)))


Maker = Callable[[Random], Item]

# A maker and its weight. Those whose frames are answered keep a connection alive for the others.
_BEFORE: tuple[tuple[Maker, int], ...] = (
    (absurd_api_versions, 35),
    (misplaced_sasl, 35),
    (damaged, 10),
    (random_body, 10),
    (garbage_header, 6),
    (wrong_size(UNAUTHENTICATED_LIMIT), 3),
    (cut_off, 3),
    (other_protocol, 2),
    (wrong_mechanism, 2),
    (bad_credentials, 3),
)
_AFTER: tuple[tuple[Maker, int], ...] = (
    (readable, 400),
    (damaged, 220),
    (random_body, 50),
    (misplaced_sasl, 220),
    (absurd_api_versions, 220),
    (garbage_header, 30),
    (wrong_size(FRAME_LIMIT), 15),
    (cut_off, 10),
    (large, 1),
)


def _stream(makers: tuple[tuple[Maker, int], ...], rng: Random) -> Iterator[Item]:
    functions, weights = zip(*makers, strict=True)
    while True:
        for make in rng.choices(functions, weights, k=100):
            yield make(rng)


def before_authentication(seed: str) -> Iterator[Item]:
    """What strangers send, for ever; the first connections meet every API in every version."""
    rng = Random(seed)
    return itertools.chain(_everything(rng), _stream(_BEFORE, rng))


def after_authentication(seed: str) -> Iterator[Item]:
    """What those send who are let in, for ever; every API, version and damage comes first."""
    rng = Random(seed)
    return itertools.chain(_everything(rng), _stream(_AFTER, rng))


def _everything(rng: Random) -> Iterator[Item]:
    """Each seed with each damage, once."""
    for key, version, body in seeds():
        for kind, damage in _DAMAGES.items():
            if key in _WAITING and kind != "truncated":
                continue
            head = request_header(key, version, rng.randrange(1 << 31), "storm")
            yield Item(kind, _sized(head, damage(rng, body)))
