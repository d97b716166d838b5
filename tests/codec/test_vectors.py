"""Every message and version against what Kafka's own classes write and read."""

from collections import Counter

import pytest

import codec
from codec.api_keys import ApiKey
from codec.errors import UnsupportedVersion
from codec.registry import SUPPORTED, request_class, response_class
from tests.codec.vectors import (
    RELEASES,
    SUPERSEDED,
    Vector,
    all_vectors,
    assert_holds,
    bodies,
    distinct_bodies,
)

COUNTS = {"3.9.0": 3553, "4.3.0": 3382}
"""Lines of each file."""
HEADERS = {"3.9.0": 11, "4.3.0": 8}
REMOVED_IN_4 = set(map(ApiKey, (4, 5, 6, 7)))
NEW_IN_4 = set(map(ApiKey, (88, 89, 90, 91, 92)))


def of(release: str, key: ApiKey) -> list[Vector]:
    return [vector for vector in bodies(release) if vector.key == key]


@pytest.mark.parametrize("release", RELEASES)
def test_no_vector_is_left_out(release: str) -> None:
    assert len(all_vectors(release)) == COUNTS[release]
    left_out = 6 * sum(1 for message in SUPERSEDED if message[0] == release)
    assert len(bodies(release)) == COUNTS[release] - HEADERS[release] - left_out
    absent = REMOVED_IN_4 if release == "4.3.0" else NEW_IN_4
    assert {vector.key for vector in bodies(release)} == set(SUPPORTED) - absent


def test_what_is_left_out_has_another_layout_now() -> None:
    for release, *message in SUPERSEDED:
        older, newer = (
            {
                v.profile: v.body
                for v in all_vectors(r)
                if [v.key, v.is_request, v.version] == message
            }
            for r in (release, RELEASES[-1])
        )
        assert set(older) == set(newer)
        assert older["ONE"] != newer["ONE"]


def test_every_declared_version_has_vectors() -> None:
    count = Counter((v.key, v.is_request, v.version) for v in distinct_bodies())
    for key, api in SUPPORTED.items():
        for version in range(api.min_version, api.max_version + 1):
            assert count[key, True, version] > 0, f"{key.name} request v{version}"
            assert count[key, False, version] > 0, f"{key.name} response v{version}"


@pytest.mark.parametrize("key", SUPPORTED, ids=lambda key: key.name)
@pytest.mark.parametrize("release", RELEASES)
class TestAgainstJava:
    def test_decodes_to_the_listed_values(self, release: str, key: ApiKey) -> None:
        vectors = of(release, key)
        checked = sum(assert_holds(vector.decode(), vector.values) for vector in vectors)
        assert checked >= len(vectors) - sum(1 for vector in vectors if not vector.values)
        assert not any(vector.decode().trailing for vector in vectors)

    def test_encodes_to_the_same_bytes(self, release: str, key: ApiKey) -> None:
        for vector in of(release, key):
            message = vector.decode()
            assert codec.encode(message, vector.version) == vector.body, vector
            assert b"".join(codec.encode_chunks(message, vector.version)) == vector.body, vector

    def test_encodes_what_was_built_by_hand(self, release: str, key: ApiKey) -> None:
        for vector in of(release, key):
            decoded = vector.decode()
            values = {field.name: getattr(decoded, field.name) for field in decoded.FIELDS}
            cls = request_class(key) if vector.is_request else response_class(key)
            message = cls(**values, unknown_tags=decoded.unknown_tags)
            assert message == decoded, vector
            assert message.copy() == decoded, vector
            assert codec.encode(message, vector.version) == vector.body, vector

    def test_reads_any_kind_of_buffer_and_from_any_start(self, release: str, key: ApiKey) -> None:
        for vector in of(release, key):
            decode = codec.decode_request if vector.is_request else codec.decode_response
            expected = vector.decode()
            for buffer in (bytearray(vector.body), memoryview(vector.body)):
                assert decode(key, vector.version, buffer) == expected, vector
            assert decode(key, vector.version, b"head" + vector.body, 4) == expected, vector

    def test_keeps_what_follows_the_last_field(self, release: str, key: ApiKey) -> None:
        for vector in of(release, key):
            message = vector.decode(vector.body + b"\x00surplus")
            assert message.trailing == b"\x00surplus"
            assert codec.encode(message, vector.version) == vector.body + b"\x00surplus", vector


def test_unknown_tags_are_kept_in_order() -> None:
    vectors = [vector for vector in distinct_bodies() if vector.profile == "UTAG"]
    assert len(vectors) > 380
    for vector in vectors:
        assert [tag for tag, _ in vector.decode().unknown_tags] == [1000, 70000], vector


def test_a_tag_between_known_ones_keeps_its_place() -> None:
    [vector] = [
        v
        for v in bodies("4.3.0")
        if (v.key, v.is_request, v.version, v.profile) == (ApiKey.API_VERSIONS, False, 3, "ONE")
    ]
    message = vector.decode()
    message.unknown_tags = [(4, b"four"), (77, b"")]
    again = vector.decode(codec.encode(message, 3))
    assert again == message
    assert again.unknown_tags == [(4, b"four"), (77, b"")]


def test_versions_without_layout_are_refused() -> None:
    for key, api in SUPPORTED.items():
        for version in (-1, api.max_version + 1):
            with pytest.raises(UnsupportedVersion):
                codec.decode_request(key, version, b"")
            with pytest.raises(UnsupportedVersion):
                codec.decode_response(key, version, b"")
            with pytest.raises(UnsupportedVersion):
                codec.encode(api.request(), version)


@pytest.mark.parametrize("key", [-1, 93, 32767])
def test_apis_without_layout_are_refused(key: int) -> None:
    for call in (request_class, response_class):
        with pytest.raises(UnsupportedVersion):
            call(key)
    with pytest.raises(UnsupportedVersion):
        codec.decode_request(key, 0, b"")
