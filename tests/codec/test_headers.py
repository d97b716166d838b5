"""Headers of requests and responses."""

from collections import Counter

import pytest

from codec.api_keys import FLEXIBLE_SINCE, ApiKey, is_flexible
from codec.errors import CodecError, DecodeError, EncodeError
from codec.headers import (
    RequestHeader,
    read_request_header,
    request_header,
    response_body_start,
    response_correlation_id,
    response_header,
)
from codec.registry import SUPPORTED
from tests.codec.vectors import HEADER_KEY, RELEASES, Vector, all_vectors

HEADERS = [v for release in RELEASES for v in all_vectors(release) if v.key == HEADER_KEY]


def test_no_vector_is_left_out() -> None:
    assert Counter((v.is_request, v.version) for v in HEADERS) == {
        (True, 0): 3,
        (True, 1): 6,
        (True, 2): 6,
        (False, 0): 2,
        (False, 1): 2,
    }


@pytest.mark.parametrize("vector", [v for v in HEADERS if v.is_request and v.version > 0], ids=str)
def test_request_headers_of_java(vector: Vector) -> None:
    # They are of Metadata v9, whatever their own version.
    version = {1: 8, 2: 9}[vector.version]
    client_id = vector.values["clientId"]
    frame = vector.body[:2] + version.to_bytes(2, "big") + vector.body[4:]
    expected = RequestHeader(3, version, 0x01020304, client_id, len(frame))
    assert read_request_header(frame + b"body") == expected
    assert request_header(3, version, 0x01020304, client_id) == frame


@pytest.mark.parametrize("vector", [v for v in HEADERS if v.is_request and v.version == 0], ids=str)
def test_request_headers_without_client_id(vector: Vector) -> None:
    frame = bytes([0, ApiKey.CONTROLLED_SHUTDOWN, 0, 0]) + vector.body[4:]
    expected = RequestHeader(ApiKey.CONTROLLED_SHUTDOWN, 0, 0x01020304, None, len(frame))
    assert read_request_header(frame + b"body") == expected
    assert request_header(ApiKey.CONTROLLED_SHUTDOWN, 0, 0x01020304, "left out") == frame


@pytest.mark.parametrize("vector", [v for v in HEADERS if not v.is_request], ids=str)
def test_response_headers_of_java(vector: Vector) -> None:
    version = 8 + vector.version
    assert response_header(3, version, 0x01020304) == vector.body
    assert response_body_start(3, version, vector.body + b"body") == len(vector.body)
    assert response_correlation_id(vector.body) == 0x01020304


def test_versions_of_headers() -> None:
    for key, api in SUPPORTED.items():
        for version in range(api.min_version, api.max_version + 1):
            flexible = version >= api.flexible_since
            assert is_flexible(key, version) == flexible
            if (key, version) != (ApiKey.CONTROLLED_SHUTDOWN, 0):
                assert len(request_header(key, version, 1, "ab")) == 12 + flexible
            tagged = flexible and key is not ApiKey.API_VERSIONS
            assert len(response_header(key, version, 1)) == 4 + tagged


def test_every_key_has_a_name_and_a_first_flexible_version() -> None:
    assert [key.value for key in ApiKey] == list(range(93))
    assert set(FLEXIBLE_SINCE) == set(ApiKey)
    assert ApiKey.PRODUCE == 0
    assert ApiKey.DELETE_SHARE_GROUP_OFFSETS == 92


def test_a_header_is_read_in_the_middle_of_a_buffer() -> None:
    frame = request_header(ApiKey.FETCH, 12, 5, "é")
    header = read_request_header(b"1234" + frame, 4)
    assert header == RequestHeader(1, 12, 5, "é", 4 + len(frame))
    assert read_request_header(memoryview(frame)) == header._replace(body_start=len(frame))


def test_tags_of_headers_are_skipped() -> None:
    frame = request_header(ApiKey.FETCH, 12, 5, "c")[:-1] + b"\x01\x07\x02ab"
    assert read_request_header(frame).body_start == len(frame)
    frame = response_header(ApiKey.FETCH, 12, 5)[:-1] + b"\x01\x07\x02ab"
    assert response_body_start(ApiKey.FETCH, 12, frame) == len(frame)


def test_keys_nobody_knows() -> None:
    header = read_request_header(request_header(999, 3, 5, "c"))
    assert header == RequestHeader(999, 3, 5, "c", None)


def test_versions_newer_than_known_count_as_flexible() -> None:
    assert read_request_header(request_header(0, 99, 5, "c")).body_start == 12
    assert read_request_header(request_header(ApiKey.SASL_HANDSHAKE, 99, 5, "c")).body_start == 11


def test_client_ids_that_are_not_utf8_survive() -> None:
    frame = request_header(3, 9, 5, "a\udcff")
    assert frame[10:12] == b"a\xff"
    assert read_request_header(frame).client_id == "a\udcff"


@pytest.mark.parametrize("key", [0, 18, 999])
def test_cut_request_headers(key: int) -> None:
    frame = request_header(key, 9, 1, "client")
    for end in range(len(frame)):
        with pytest.raises(DecodeError, match="request header"):
            read_request_header(frame[:end])


def test_cut_response_headers() -> None:
    frame = response_header(3, 9, 1)
    for end in range(len(frame)):
        with pytest.raises(DecodeError, match="response header"):
            response_body_start(3, 9, frame[:end])
    with pytest.raises(DecodeError, match="response header"):
        response_correlation_id(frame[:3])


@pytest.mark.parametrize(
    "rest",
    [
        pytest.param(b"\xff\xfe\x00", id="negative client id"),
        pytest.param(b"\x00\x00\x02\x05\x00\x05\x00", id="tag twice"),
        pytest.param(b"\x00\x00\x01\x05\x7f", id="tag too long"),
        pytest.param(b"\x00\x00\xff\xff\xff\xff\xff\xff", id="varint without end"),
    ],
)
def test_garbled_request_headers(rest: bytes) -> None:
    with pytest.raises(DecodeError, match="request header"):
        read_request_header(b"\x00\x03\x00\x09\x00\x00\x00\x01" + rest)


def test_what_does_not_fit() -> None:
    with pytest.raises(EncodeError):
        request_header(3, 9, 1 << 31)
    with pytest.raises(EncodeError):
        request_header(3, 9, 1, "x" * 32768)
    with pytest.raises(EncodeError):
        response_header(3, 9, 1 << 31)
    assert issubclass(EncodeError, CodecError)
