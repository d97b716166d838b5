"""Whatever the bytes, decoding gives a message or DecodeError, in bounded time and memory."""

import random
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import codec
from codec.api_keys import ApiKey
from codec.messages.find_coordinator import FindCoordinatorRequest
from codec.messages.metadata import MetadataRequest, MetadataResponse
from codec.primitives import uvarint
from tests.codec.test_rewriting import Keep, Prefix
from tests.codec.vectors import Vector, distinct_bodies

VECTORS = distinct_bodies()
LARGEST_UVARINT = b"\xff\xff\xff\xff\x07"
BOUNDED = settings(max_examples=3000, derandomize=True, deadline=None, database=None)


def decodes(vector: Vector, body: bytes) -> bool:
    """Whether this is a valid body; any other error than DecodeError fails the test."""
    try:
        message = vector.decode(body)
    except codec.DecodeError:
        return False
    # What was accepted can be written, and then reads as the same.
    version = codec.response_version(vector.key, vector.version, body)
    if vector.is_request:
        version = vector.version
    again = codec.encode(message, version)
    assert vector.decode(again) == message
    return True


@contextmanager
def bounded(seconds: float, kilobytes: int) -> Iterator[None]:
    """Assert that the block takes no more time, and no more memory at its peak."""
    tracemalloc.start()
    begin = time.process_time()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert time.process_time() - begin < seconds
    assert peak < kilobytes * 1024


@pytest.mark.parametrize("profile", ["DEF", "MIN", "ONE", "TWO", "NUL", "UTAG"])
def test_every_cut_is_refused(profile: str) -> None:
    tried = 0
    for vector in VECTORS:
        if vector.profile != profile:
            continue
        for end in range(len(vector.body)):
            tried += 1
            with pytest.raises(codec.DecodeError):
                vector.decode(vector.body[:end])
    assert tried > 3000


@BOUNDED
@given(
    vector=st.sampled_from(VECTORS),
    changes=st.lists(
        st.tuples(st.integers(0, 4000), st.sampled_from([0, 1, 2, 0x7F, 0x80, 0xFE, 0xFF])),
        min_size=1,
        max_size=6,
    ),
)
def test_changed_bytes(vector: Vector, changes: list[tuple[int, int]]) -> None:
    body = bytearray(vector.body)
    for position, value in changes:
        if body:
            body[position % len(body)] = value
    decodes(vector, bytes(body))


@BOUNDED
@given(vector=st.sampled_from(VECTORS), body=st.binary(max_size=200))
def test_any_bytes(vector: Vector, body: bytes) -> None:
    decodes(vector, body)


@BOUNDED
@given(
    vector=st.sampled_from(VECTORS),
    at=st.integers(0, 4000),
    cut=st.integers(0, 8),
    inserted=st.binary(max_size=12),
)
def test_inserted_and_removed_bytes(vector: Vector, at: int, cut: int, inserted: bytes) -> None:
    at %= len(vector.body) + 1
    decodes(vector, vector.body[:at] + inserted + vector.body[at + cut :])


@BOUNDED
@given(vector=st.sampled_from(VECTORS), at=st.integers(0, 4000), value=st.integers(0, 255))
def test_rewriting_changed_bytes(vector: Vector, at: int, value: int) -> None:
    body = bytearray(vector.body)
    if body:
        body[at % len(body)] = value
    valid = decodes(vector, bytes(body))
    try:
        kept = vector.rewrite(Keep(same=True), bytes(body))
        vector.rewrite(Prefix(), bytes(body))
    except codec.DecodeError:
        assert not valid
        return
    if valid:
        assert vector.decode(kept) == vector.decode(bytes(body))


def test_errors_name_message_and_version() -> None:
    with pytest.raises(codec.DecodeError, match="MetadataRequest v9: topics has count 6"):
        codec.decode_request(3, 9, b"\x07\x00")
    with pytest.raises(codec.DecodeError, match="MetadataResponse v9: it ends too early"):
        codec.decode_response(3, 9, b"")
    with pytest.raises(codec.EncodeError, match="MetadataRequest v0"):
        codec.encode(MetadataRequest(topics=None), 0)


def test_changed_bits_of_every_body() -> None:
    # Not all of them are refused, else the tests above would assert less than they seem to.
    rng = random.Random(0)
    accepted = 0
    for vector in VECTORS:
        for _ in range(3):
            body = bytearray(vector.body or b"?")
            body[rng.randrange(len(body))] ^= 1 << rng.randrange(8)
            accepted += decodes(vector, bytes(body))
    assert 6000 < accepted < 8000 < 3 * len(VECTORS)


def _metadata_request(version: int, body: bytes) -> Callable[[], object]:
    return partial(codec.decode_request, ApiKey.METADATA, version, body)


BOMBS = {
    "count": _metadata_request(8, b"\x7f\xff\xff\xff" + bytes(1000)),
    "negative count": _metadata_request(8, b"\x80\x00\x00\x00" + bytes(1000)),
    "compact count": _metadata_request(9, LARGEST_UVARINT + bytes(1000)),
    "integers": partial(
        codec.decode_response,
        ApiKey.METADATA,
        9,
        bytes(4) + b"\x01\x00" + bytes(4) + b"\x02" + bytes(3) + b"\x01\x00\x02"
        + bytes(14) + LARGEST_UVARINT + bytes(1000),
    ),
    "varint without end": _metadata_request(9, b"\xff" * 200_000),
    "varint of five bytes above 2^31-1": _metadata_request(9, b"\xff\xff\xff\xff\x0f" + bytes(99)),
    "varint padded to six bytes": _metadata_request(9, b"\x81\x80\x80\x80\x80\x00" + bytes(99)),
    "tags": _metadata_request(9, b"\x01\x00\x00\x00" + LARGEST_UVARINT + bytes(1000)),
    "tags out of order": _metadata_request(9, b"\x01\x00\x00\x00\x02\x05\x00\x04\x00"),
    "tag twice": _metadata_request(9, b"\x01\x00\x00\x00\x02\x05\x00\x05\x00"),
    "tag size": _metadata_request(9, b"\x01\x00\x00\x00\x01\x05" + LARGEST_UVARINT + bytes(99)),
    "string": partial(codec.decode_request, 10, 3, LARGEST_UVARINT + bytes(1000)),
    "null for a string": partial(codec.decode_request, 10, 3, b"\x00\x00\x00"),
    "negative string": partial(codec.decode_request, 10, 2, b"\xff\xfe\x00\x00"),
    "null for an array": partial(codec.decode_request, 10, 4, b"\x00\x00\x00"),
    "blob": partial(codec.decode_request, 36, 2, LARGEST_UVARINT + bytes(1000)),
    "negative blob": partial(codec.decode_request, 36, 1, b"\x80\x00\x00\x00" + bytes(1000)),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_bombs(name: str) -> None:
    with pytest.raises(codec.DecodeError):  # Compiles, which is not to be measured.
        BOMBS[name]()
    with bounded(0.05, 32), pytest.raises(codec.DecodeError):
        BOMBS[name]()


def test_a_known_tag_must_be_as_long_as_it_says() -> None:
    # FetchRequest v12: cluster_id in tag 0, one byte too few and one too many.
    head = bytes(4 * 3 + 1 + 8 + 4) + b"\x01\x01\x01"
    assert codec.decode_request(1, 12, head + b"\x01\x00\x03\x03ab") is not None
    for tag in (b"\x00\x02\x03ab", b"\x00\x04\x03ab\x00"):
        with pytest.raises(codec.DecodeError, match="tag 0"):
            codec.decode_request(1, 12, head + b"\x01" + tag + bytes(9))


def test_memory_stays_in_proportion_to_the_frame() -> None:
    count = 20_000
    body = uvarint(count + 1) + b"\x01\x00" * count + b"\x01\x00\x00\x00"
    with bounded(2.0, len(body) * 100 // 1024):
        message = codec.decode_request(3, 9, body)
    assert isinstance(message, MetadataRequest)
    assert message.topics
    assert len(message.topics) == count


def test_strings_have_javas_limit() -> None:
    for length, fits in ((0x7FFF, True), (0x8000, False)):
        body = uvarint(length + 1) + b"x" * length + b"\x00\x00"
        if fits:
            message = codec.decode_request(10, 3, body)
            assert codec.encode(message, 3) == body
            continue
        with pytest.raises(codec.DecodeError):
            codec.decode_request(10, 3, body)
        for version in (2, 3):
            with pytest.raises(codec.EncodeError):
                codec.encode(FindCoordinatorRequest(key="x" * length), version)


@pytest.mark.parametrize("version", [2, 3])
def test_bytes_that_are_not_utf8_survive(version: int) -> None:
    topic = MetadataResponse.MetadataResponseTopic
    body = codec.encode(MetadataResponse(topics=[topic(name="a?b")]), version + 7)
    body = body.replace(b"?", b"\xff")
    message = codec.decode_response(3, version + 7, body)
    assert isinstance(message, MetadataResponse)
    assert message.topics[0].name == "a\udcffb"
    assert codec.encode(message, version + 7) == body
    with pytest.raises(codec.DecodeError):
        codec.decode_response(3, version + 7, body[:-1])


@pytest.mark.parametrize("asked", range(5))
def test_api_versions_falls_back_to_version_0(asked: int) -> None:
    body = bytes.fromhex("0023 00000001 0012 0000 0004")
    message = codec.decode_response(ApiKey.API_VERSIONS, asked, body)
    assert [(k.api_key, k.min_version, k.max_version) for k in message.api_keys] == [(18, 0, 4)]  # type: ignore[attr-defined]
    assert codec.response_version(ApiKey.API_VERSIONS, asked, b"head" + body, 4) == 0
    assert codec.encode(message, 0) == body
    assert codec.response_version(ApiKey.METADATA, asked, body) == asked


def test_api_versions_reads_other_errors_in_the_asked_version() -> None:
    # INVALID_REQUEST, as for a client name that is not allowed.
    message = codec.decode_response(ApiKey.API_VERSIONS, 3, bytes.fromhex("002a 01 00000000 00"))
    assert message.error_code == 42  # type: ignore[attr-defined]
    assert message.trailing == b""
