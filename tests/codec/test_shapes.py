"""Passing over what is alike accepts, refuses and gives exactly what the plain walk does."""

import random
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import codec
from codec.compiler import rewriting
from codec.compiler.rewriting import Rewriter, compile_rewriter
from codec.messages.list_offsets import ListOffsetsResponse
from codec.messages.metadata import MetadataResponse
from codec.messages.offset_commit import OffsetCommitRequest
from codec.messages.produce import ProduceResponse
from codec.registry import request_class, response_class
from tests.codec.test_rewriting import Keep, Only, Prefix, edit
from tests.codec.vectors import distinct_bodies

BOUNDED = settings(max_examples=1500, derandomize=True, deadline=None, database=None)
VERSIONS = (0, 4, 8, 9, 12, 13)
Topic = MetadataResponse.MetadataResponseTopic
Partition = Topic.MetadataResponsePartition
Outcome = bytes | type[Exception]


@contextmanager
def walking() -> Iterator[None]:
    """Compile rewriters that know no shapes."""
    none = mock.Mock(of=lambda *_, **__: None, of_struct=lambda *_, **__: None)
    with mock.patch.object(rewriting, "Steps", none):
        yield


@cache
def rewriters(message: type[codec.Message], version: int) -> tuple[Rewriter, Rewriter] | None:
    """The rewriter of a message that passes over shapes, and the one that walks."""
    quick = compile_rewriter(message, version)
    with walking():
        plain = compile_rewriter(message, version)
    return (quick, plain) if quick and plain else None


def outcome(rewriter: Rewriter, body: bytes, hooks: Any) -> Outcome:
    """The new body, or what kind of error there was."""
    try:
        return b"".join(rewriter(body, 0, len(body), memoryview(body), hooks))
    except codec.EncodeError:
        return codec.EncodeError
    except (codec.DecodeError, struct.error, IndexError):
        return codec.DecodeError


class Listening(Only):
    """Drops some names, and remembers everything it was asked."""

    def __init__(self) -> None:
        super().__init__("t", "u", "v")
        self.asked: list[object] = []

    def topic(self, name: bytes) -> bytes | None:
        self.asked.append(name)
        return super().topic(name)

    def topic_id(self, topic_id: bytes) -> bytes:
        self.asked.append(topic_id)
        return topic_id

    def text(self, message: bytes) -> bytes:
        self.asked.append(message)
        return super().text(message)


def assert_same(message: type[codec.Message], version: int, body: bytes) -> Outcome:
    """Assert that both rewriters do the same to this body, each time; returns what they do."""
    both = rewriters(message, version)
    assert both
    quick, plain = both
    for make in HOOKS:
        expected = outcome(plain, body, make())
        # The first time shapes are learnt from, the second time they are known.
        assert outcome(quick, body, make()) == expected
        assert outcome(quick, body, make()) == expected
    first, second = Listening(), Listening()
    assert outcome(quick, body, first) == outcome(plain, body, second)
    assert first.asked == second.asked
    return outcome(plain, body, Keep(same=True))


HOOKS: list[Callable[[], Any]] = [lambda: Keep(same=True), Prefix, lambda: Only("t", "v")]


def partitions(rng: random.Random, count: int, kinds: int) -> list[Partition]:
    """Partitions of that many shapes, in random order."""
    shapes = [[list(range(rng.randrange(5))) for _ in range(3)] for _ in range(kinds)]
    made = []
    for index in range(count):
        replicas, isr, offline = rng.choice(shapes)
        tags = [(3, b"tag")] if rng.random() < 0.002 else ()
        made.append(
            Partition(
                partition_index=index,
                replica_nodes=replicas,
                isr_nodes=isr,
                offline_replicas=offline,
                unknown_tags=tags,
            )
        )
    return made


def metadata(seed: int, counts: list[int], kinds: int) -> MetadataResponse:
    """A response whose topics have so many partitions."""
    rng = random.Random(seed)
    return MetadataResponse(
        topics=[
            Topic(
                name=rng.choice("tuvw") * rng.choice((1, 1, 1, 200)),
                topic_id=rng.randbytes(16),
                partitions=partitions(rng, count, kinds),
            )
            for count in counts
        ]
    )


@settings(BOUNDED, max_examples=300)
@given(
    seed=st.integers(0, 1 << 30),
    counts=st.lists(st.sampled_from([0, 1, 2, 3, 7, 8, 9, 12, 13, 40, 130, 700]), max_size=12),
    kinds=st.sampled_from([1, 1, 2, 3]),
    version=st.sampled_from(VERSIONS),
)
def test_valid_responses(seed: int, counts: list[int], kinds: int, version: int) -> None:
    body = codec.encode(metadata(seed, counts, kinds), version)
    assert assert_same(MetadataResponse, version, body) == body


def produced(seed: int, counts: list[int], failing: float) -> ProduceResponse:
    """A response whose topics have so many partitions, of which this share failed."""
    rng = random.Random(seed)
    topic = ProduceResponse.TopicProduceResponse
    partition = topic.PartitionProduceResponse
    errors = [partition.BatchIndexAndErrorMessage(batch_index_error_message="bad")]

    def made(index: int) -> Any:
        failed = rng.random() < failing
        return partition(
            index=index,
            base_offset=rng.randrange(1 << 40),
            record_errors=errors * rng.randrange(3) if failed else [],
            error_message=rng.choice([None, "", "refused"]) if failed else None,
            unknown_tags=[(3, b"tag")] if failed and rng.random() < 0.2 else (),
        )

    return ProduceResponse(
        responses=[
            topic(name=rng.choice("tuvw"), partition_responses=[made(i) for i in range(count)])
            for count in counts
        ]
    )


@settings(BOUNDED, max_examples=300)
@given(
    seed=st.integers(0, 1 << 30),
    counts=st.lists(st.sampled_from([0, 1, 1, 2, 10, 16, 17, 18, 40, 300]), max_size=8),
    failing=st.sampled_from([0, 0.01, 0.5]),
    version=st.sampled_from([7, 8, 9, 10, 12]),
)
def test_texts_that_are_usually_absent(
    seed: int, counts: list[int], failing: float, version: int
) -> None:
    body = codec.encode(produced(seed, counts, failing), version)
    assert assert_same(ProduceResponse, version, body) == body
    message = codec.decode_response(0, version, body)
    edit(message)
    both = rewriters(ProduceResponse, version)
    assert both
    assert outcome(both[0], body, Prefix()) == codec.encode(message, version)


@cache
def bodies() -> list[tuple[type[codec.Message], int, bytes]]:
    """Bodies with many elements alike, and the vectors of all messages with hooks."""
    made: list[tuple[type[codec.Message], int, bytes]] = []
    for version in VERSIONS:
        for counts in ([1] * 6, [3, 3, 3, 1], [20, 1], [70, 9, 70]):
            for kinds in (1, 2):
                body = codec.encode(metadata(5, counts, kinds), version)
                made.append((MetadataResponse, version, body))
    for counts in ([1] * 6, [3, 3, 1], [16, 16], [40]):
        made += [(ProduceResponse, 9, codec.encode(produced(5, counts, f), 9)) for f in (0, 0.2)]
    for vector in distinct_bodies():
        find = request_class if vector.is_request else response_class
        made.append((find(vector.key), vector.version, vector.body))
    return [each for each in made if rewriters(each[0], each[1])]


@BOUNDED
@given(
    which=st.integers(0, 55) | st.integers(56, 20000),
    changes=st.lists(
        st.tuples(st.integers(0, 5000), st.sampled_from([0, 1, 2, 3, 4, 0x7F, 0x80, 0xFF])),
        min_size=1,
        max_size=4,
    ),
)
def test_changed_bytes(which: int, changes: list[tuple[int, int]]) -> None:
    message, version, body = bodies()[which % len(bodies())]
    changed = bytearray(body)
    for at, value in changes:
        if changed:
            changed[at % len(changed)] = value
    assert_same(message, version, body)
    assert_same(message, version, bytes(changed))


@BOUNDED
@given(
    which=st.integers(0, 55) | st.integers(56, 20000),
    at=st.integers(0, 5000),
    cut=st.integers(0, 60),
    inserted=st.binary(max_size=8),
)
def test_inserted_and_removed_bytes(which: int, at: int, cut: int, inserted: bytes) -> None:
    message, version, body = bodies()[which % len(bodies())]
    at %= len(body) + 1
    assert_same(message, version, body)
    assert_same(message, version, body[:at] + inserted + body[at + cut :])


@pytest.mark.parametrize("version", [8, 12])
@pytest.mark.parametrize("counts", [[1] * 4, [12, 12], [40, 1]])
def test_every_cut(version: int, counts: list[int]) -> None:
    body = codec.encode(metadata(1, counts, 1), version)
    for end in range(len(body)):
        assert_same(MetadataResponse, version, body[:end])
    assert assert_same(MetadataResponse, version, body) == body


@pytest.mark.parametrize("version", [8, 12])
@pytest.mark.parametrize("counts", [[3, 3, 3], [30, 1]])
def test_every_byte_of_a_known_shape_changed(version: int, counts: list[int]) -> None:
    body = codec.encode(metadata(1, counts, 1), version)
    assert assert_same(MetadataResponse, version, body) == body
    outcomes = set()
    for at in range(len(body)):
        for value in (0, 1, 5, 0xFF):
            changed = body[:at] + bytes([value]) + body[at + 1 :]
            outcomes.add(type(assert_same(MetadataResponse, version, changed)))
    assert outcomes == {bytes, type}


@pytest.mark.parametrize("version", [8, 12])
def test_counts_that_lead_far_behind_the_end(version: int) -> None:
    body = codec.encode(metadata(1, [90, 1], 2), version)
    assert assert_same(MetadataResponse, version, body) == body
    largest = b"\x7f\xff\xff\xff" if version == 8 else b"\xff\xff\xff\xff\x07"
    # Wherever the walk of some ends and others are compared again.
    for at in range(len(body)):
        assert_same(MetadataResponse, version, body[:at] + largest + body[at + len(largest) :])


@pytest.mark.parametrize("counts", [[1] * 500, [12] * 60, [5000, 1]])
@pytest.mark.parametrize("version", [8, 12])
def test_shapes_are_used(version: int, counts: list[int]) -> None:
    """Else everything above would compare the walk with itself."""
    made = [Partition(replica_nodes=[1, 2, 3], isr_nodes=[1, 2, 3]) for _ in range(max(counts))]
    topics = [Topic(name="t", partitions=made[:count]) for count in counts]
    _assert_quicker(MetadataResponse(topics=topics), version)


@pytest.mark.parametrize("counts", [[1] * 500, [16] * 60, [5000]])
def test_shapes_with_absent_texts_are_used(counts: list[int]) -> None:
    _assert_quicker(produced(1, counts, 0), 9)


def _assert_quicker(message: codec.Message, version: int) -> None:
    body = codec.encode(message, version)
    both = rewriters(type(message), version)
    assert both
    quick, plain = (_steps(rewriter, body) for rewriter in both)
    assert quick * 1.3 < plain


def _steps(rewriter: Rewriter, body: bytes) -> int:
    """How many lines of generated code run: independent of what else the machine does."""
    lines = 0

    def trace(frame: Any, event: str, _: object) -> Any:
        nonlocal lines
        lines += event == "line"
        return trace if frame.f_code.co_filename.startswith("<rewrite") else None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        rewriter(body, 0, len(body), memoryview(body), Keep(same=True))
    finally:
        sys.settrace(before)
    return lines


@pytest.mark.parametrize("version", [1, 6])
def test_other_messages_with_many_elements_alike(version: int) -> None:
    topic = ListOffsetsResponse.ListOffsetsTopicResponse
    partition = topic.ListOffsetsPartitionResponse
    message = ListOffsetsResponse(
        topics=[
            topic(name="t", partitions=[partition(partition_index=i) for i in range(count)])
            for count in (1, 300, 1, 9)
        ]
    )
    body = codec.encode(message, version)
    assert assert_same(ListOffsetsResponse, version, body) == body


def test_strings_have_no_shape() -> None:
    topic = OffsetCommitRequest.OffsetCommitRequestTopic
    partition = topic.OffsetCommitRequestPartition
    made = [partition(committed_metadata="m" * (i % 7)) for i in range(100)]
    body = codec.encode(OffsetCommitRequest(topics=[topic(name="t", partitions=made)]), 8)
    assert assert_same(OffsetCommitRequest, 8, body) == body
