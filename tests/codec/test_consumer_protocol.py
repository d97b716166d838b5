"""Topics in subscriptions and assignments: renamed wherever Kafka would read them.

`consumer_protocol.txt` holds the bytes that Kafka 4.3.1's own ConsumerProtocol makes, written by
tests/kafka/java/ConsumerProtocolBytes.java; tests/kafka/test_consumer_protocol.py makes them anew.
"""

from __future__ import annotations

import random
import struct
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from aiokafka.coordinator.protocol import (
    ConsumerProtocolMemberAssignment,
    ConsumerProtocolMemberMetadata,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from codec.consumer_protocol import Rename, rewrite_assignment, rewrite_subscription
from codec.errors import DecodeError, EncodeError

with warnings.catch_warnings():
    # It reads its schemas in a way that Python warns of.
    warnings.simplefilter("ignore", DeprecationWarning)
    from kafka.protocol.consumer.metadata import (
        ConsumerProtocolAssignment,
        ConsumerProtocolSubscription,
    )

Rewrite = Callable[[bytes, Rename], bytes]
REWRITES: dict[str, Rewrite] = {
    "subscription": rewrite_subscription,
    "assignment": rewrite_assignment,
}
LINES = Path(__file__).with_name("consumer_protocol.txt").read_text().splitlines()
TOPICS = (b"cars", b"trucks", b"b.o-a_ts")


class Made(NamedTuple):
    """Bytes of Kafka's own class."""

    kind: str
    version: int
    variant: str
    data: bytes

    def rewrite(self, topic: Rename) -> bytes:
        return REWRITES[self.kind](self.data, topic)


MADE = [
    Made(kind, int(version), variant, bytes.fromhex(data))
    for kind, version, variant, data in map(str.split, LINES)
]


def prefixed(name: bytes) -> bytes:
    return b"teamA" + name


def identity(name: bytes) -> bytes:
    return name


def short(text: bytes) -> bytes:
    return struct.pack(">h", len(text)) + text


def array(elements: list[bytes]) -> bytes:
    return struct.pack(">i", len(elements)) + b"".join(elements)


def nullable(data: bytes | None) -> bytes:
    return struct.pack(">i", -1 if data is None else len(data)) + (data or b"")


def partitions(topics: list[tuple[bytes, list[int]]]) -> bytes:
    return array([short(t) + array([struct.pack(">i", p) for p in held]) for t, held in topics])


class Subscription(NamedTuple):
    """What a subscription holds, and how it is written: from Kafka's layout, field by field."""

    version: int
    topics: list[bytes]
    data: bytes | None
    owned: list[tuple[bytes, list[int]]]
    tail: bytes

    def bytes(self, topic: Rename = identity) -> bytes:
        names = [name for name in map(topic, self.topics) if name is not None]
        made = struct.pack(">h", self.version) + array(list(map(short, names)))
        made += nullable(self.data)
        if self.version >= 1:
            owned = [(topic(name), held) for name, held in self.owned]
            made += partitions([(name, held) for name, held in owned if name is not None])
        if self.version >= 2:
            made += struct.pack(">i", 42)
        if self.version >= 3:
            made += short(b"rack")
        return made + self.tail


class Assignment(NamedTuple):
    """As Subscription, of an assignment."""

    version: int
    assigned: list[tuple[bytes, list[int]]]
    data: bytes | None
    tail: bytes

    def bytes(self, topic: Rename = identity) -> bytes:
        given = [(topic(name), held) for name, held in self.assigned]
        made = struct.pack(">h", self.version)
        made += partitions([(name, held) for name, held in given if name is not None])
        return made + nullable(self.data) + self.tail


NAMES = st.binary(max_size=20)
VERSIONS = st.sampled_from([0, 1, 2, 3, 4, 0x7FFF])
DATA = st.none() | st.binary(max_size=9)
HELD = st.lists(st.tuples(NAMES, st.lists(st.integers(-(2**31), 2**31 - 1), max_size=3)))
TAILS = st.binary(max_size=5)
SUBSCRIPTIONS = st.builds(Subscription, VERSIONS, st.lists(NAMES), DATA, HELD, TAILS)
ASSIGNMENTS = st.builds(Assignment, VERSIONS, HELD, DATA, TAILS)


# Bytes of real clients


def test_kafkas_own_bytes_are_of_every_kind_and_version() -> None:
    assert {(made.kind, made.version) for made in MADE} == {
        (kind, version) for kind in REWRITES for version in range(4)
    }


@pytest.mark.parametrize(
    "made", MADE, ids=lambda made: f"{made.kind}-{made.version}-{made.variant}"
)
def test_kafkas_own_bytes(made: Made) -> None:
    asked: list[bytes] = []

    def topic(name: bytes) -> bytes:
        asked.append(name)
        return b"X" + name

    found = made.rewrite(topic)

    expected = made.data
    for name in TOPICS:
        # User data has a topic's name in it as well, which stays.
        expected = expected.replace(short(name), short(b"X" + name))
    assert found == expected
    assert set(asked) <= set(TOPICS)
    assert bool(asked) is (made.variant != "empty")
    assert made.rewrite(identity) == made.data


@pytest.mark.parametrize("version", range(4))
def test_bytes_of_kafka_python(version: int) -> None:
    def subscription(prefix: str) -> bytes:
        owned = [(prefix + "cars", [0, 7])] if version else []
        made = ConsumerProtocolSubscription(
            version=version,
            topics=[prefix + "cars", prefix + "trucks"],
            user_data=b"cars",
            owned_partitions=owned,
            generation_id=42 if version >= 2 else -1,
            rack_id="cars" if version >= 3 else None,
        )
        return bytes(made.encode())

    def assignment(prefix: str) -> bytes:
        held = [(prefix + "cars", [0, 7])]
        made = ConsumerProtocolAssignment(version=version, assigned_partitions=held, user_data=b"")
        return bytes(made.encode())

    assert subscription("")[:2] == struct.pack(">h", version)
    assert rewrite_subscription(subscription(""), prefixed) == subscription("teamA")
    assert rewrite_assignment(assignment(""), prefixed) == assignment("teamA")


@pytest.mark.parametrize("data", [None, b"", b"cars"])
def test_bytes_of_aiokafka(data: bytes | None) -> None:
    def subscription(prefix: str) -> bytes:
        return bytes(ConsumerProtocolMemberMetadata(0, [prefix + "cars"], data).encode())

    def assignment(prefix: str) -> bytes:
        return bytes(ConsumerProtocolMemberAssignment(0, [(prefix + "cars", [0])], data).encode())

    assert rewrite_subscription(subscription(""), prefixed) == subscription("teamA")
    assert rewrite_assignment(assignment(""), prefixed) == assignment("teamA")


# Any bytes


@given(made=SUBSCRIPTIONS | ASSIGNMENTS, wrap=st.sampled_from([bytes, bytearray, memoryview]))
def test_every_topic_is_renamed_and_nothing_else(
    made: Subscription | Assignment, wrap: Callable[[bytes], bytes]
) -> None:
    rewrite = REWRITES[type(made).__name__.lower()]
    assert rewrite(wrap(made.bytes()), prefixed) == made.bytes(prefixed)


@given(made=SUBSCRIPTIONS | ASSIGNMENTS)
def test_none_drops_the_element(made: Subscription | Assignment) -> None:
    def even(name: bytes) -> bytes | None:
        return None if len(name) % 2 else b"x" + name

    assert REWRITES[type(made).__name__.lower()](made.bytes(), even) == made.bytes(even)


@pytest.mark.parametrize("kind", REWRITES)
def test_no_bytes_stay_none(kind: str) -> None:
    assert REWRITES[kind](b"", prefixed) == b""


@pytest.mark.parametrize(
    "made", MADE, ids=lambda made: f"{made.kind}-{made.version}-{made.variant}"
)
def test_every_cut_is_refused(made: Made) -> None:
    for end in range(1, len(made.data)):
        with pytest.raises(DecodeError):
            made._replace(data=made.data[:end]).rewrite(identity)


@settings(max_examples=1000)
@given(
    made=st.sampled_from(MADE),
    changes=st.lists(
        st.tuples(st.integers(0, 200), st.sampled_from([0, 1, 2, 0x7F, 0x80, 0xFE, 0xFF])),
        min_size=1,
        max_size=5,
    ),
)
def test_changed_bytes_are_refused_or_kept(made: Made, changes: list[tuple[int, int]]) -> None:
    data = bytearray(made.data)
    for position, value in changes:
        data[position % len(data)] = value
    changed = made._replace(data=bytes(data))
    try:
        found = changed.rewrite(identity)
    except DecodeError:
        return
    assert found == changed.data


def test_noise_is_refused_or_kept() -> None:
    rng = random.Random(8)
    read = 0
    for _ in range(20_000):
        data = bytes(rng.choices([0, 1, 2, 0xFF], [90, 4, 2, 1], k=rng.randrange(40)))
        for rewrite in REWRITES.values():
            try:
                assert rewrite(data, identity) == data
                read += 1
            except DecodeError:
                pass
    assert read > 1000


VERSION_0, NO_TOPICS, NO_DATA = bytes(2), bytes(4), b"\xff" * 4


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("subscription", b"\xff\xff" + NO_TOPICS + NO_DATA),
        ("subscription", VERSION_0 + b"\xff" * 4 + NO_DATA),
        ("subscription", VERSION_0 + b"\x7f\xff\xff\xff" + NO_DATA),
        ("subscription", VERSION_0 + b"\0\0\0\1\xff\xff" + NO_DATA),
        ("subscription", VERSION_0 + b"\0\0\0\1\0\7car" + NO_DATA),
        ("subscription", VERSION_0 + NO_TOPICS + b"\0\0\0\1"),
        ("subscription", b"\0\3" + NO_TOPICS + NO_DATA + NO_TOPICS + bytes(4) + b"\0\1"),
        ("assignment", VERSION_0 + b"\0\0\0\1\0\0\xff\xff\xff\xff" + NO_DATA),
        ("assignment", VERSION_0 + b"\0\0\0\1\0\0\x40\0\0\0" + NO_DATA),
    ],
    ids=[
        *("negative version", "null topics", "too many topics", "null topic", "topic too long"),
        *("data too long", "rack too long", "null partitions", "too many partitions"),
    ],
)
def test_what_kafka_refuses_is_refused(kind: str, data: bytes) -> None:
    with pytest.raises(DecodeError):
        REWRITES[kind](data, identity)


def test_any_negative_length_of_what_may_be_null_is_null_as_for_kafka() -> None:
    data = b"\0\3" + array([short(b"cars")]) + b"\x80\0\0\0" + NO_TOPICS + bytes(4) + b"\x80\0"
    assert rewrite_subscription(data, prefixed) == data.replace(short(b"cars"), short(b"teamAcars"))


def test_a_name_that_does_not_fit_is_an_encode_error() -> None:
    with pytest.raises(EncodeError):
        rewrite_subscription(
            VERSION_0 + array([short(b"cars")]) + NO_DATA, lambda name: name * 9000
        )


def test_what_the_callback_raises_passes_through() -> None:
    def topic(name: bytes) -> bytes:
        raise LookupError(name)

    with pytest.raises(LookupError):
        rewrite_assignment(VERSION_0 + partitions([(b"cars", [0])]) + NO_DATA, topic)
