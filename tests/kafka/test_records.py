"""Kafka's own classes read the record batches that the codec writes."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from codec.primitives import Buffer
from codec.records.batch import CONTROL, LOG_APPEND_TIME, TRANSACTIONAL, BatchHeader
from codec.records.build import NEW_BATCH, build_batch
from codec.records.compression import Compression
from codec.records.control import ControlType, marker_record
from codec.records.legacy import build_messages
from codec.records.record import Record
from codec.records.rewrite import rewrite_records
from tests.vectors.project import Project

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

T = 1_700_000_000_000
ROUNDS = 12


@dataclass(frozen=True)
class Written:
    """A blob of ours, and the records that are to be read in it."""

    name: str
    blob: Buffer
    records: list[Record]
    header: BatchHeader
    last_offset: int


def some_records(rng: random.Random, *, headers: bool = True, gaps: bool = True) -> list[Record]:
    """Records as real ones are: from nothing to larger than a block of any compressor."""
    offset = rng.randrange(1 << 40)
    records = []
    for _ in range(rng.randint(1, 20)):
        size = rng.choice([0, 1, 100, 300, 5_000, 140_000])
        value = rng.choice([None, rng.randbytes(size), bytes(size)])
        key = rng.choice([None, b"", rng.randbytes(9)])
        mine = [("h\u00e9".encode(), None), (b"", b""), (b"long" * 50, rng.randbytes(200))]
        mine = mine[: rng.randint(0, 3)] if headers else []
        records.append(Record(offset, T + rng.randint(-1000, 1000), key, value, tuple(mine)))
        offset += rng.choice([1, 1, 3]) if gaps else 1
    return records


def modern(rng: random.Random, compression: Compression) -> Iterator[Written]:
    """Batches of magic 2 with one compression."""
    records = some_records(rng)
    like = NEW_BATCH._replace(
        base_offset=records[0].offset,
        partition_leader_epoch=rng.randrange(100),
        attributes=compression | rng.choice([0, TRANSACTIONAL]),
        producer_id=rng.randrange(1 << 40),
        producer_epoch=rng.randrange(1 << 15),
        base_sequence=rng.randrange(1 << 31),
    )
    blob = build_batch(records, like)
    last = records[-1].offset
    yield Written("built", blob, records, like, last)

    stamped = like._replace(
        attributes=like.attributes | LOG_APPEND_TIME, base_timestamp=T, max_timestamp=T + 5
    )
    at_once = [record._replace(timestamp=T + 5) for record in records]
    yield Written("log append time", build_batch(records, stamped), at_once, stamped, last)

    kept = [record for n, record in enumerate(records) if n % 3 == 1]
    thinned = rewrite_records(blob, lambda r: [r] if r in kept else [], keep_offsets=True)
    yield Written("thinned for a consumer", thinned, kept, like, last)

    first = like.base_offset
    doubled = [record for record in records for _ in "ab"]
    doubled = [record._replace(offset=first + n) for n, record in enumerate(doubled)]
    twice = rewrite_records(blob, lambda r: [r, r], keep_offsets=False)
    yield Written("doubled for a broker", twice, doubled, like, doubled[-1].offset)


def old(rng: random.Random, compression: Compression, magic: int) -> Written:
    """A message set with one compression."""
    records = some_records(rng, headers=False, gaps=False)
    if magic == 0:
        records = [record._replace(timestamp=-1) for record in records]
    like = NEW_BATCH._replace(magic=magic, attributes=int(compression))
    return Written("built", build_messages(records, like), records, like, records[-1].offset)


def markers() -> Iterator[Written]:
    """The ends of transactions."""
    like = NEW_BATCH._replace(
        base_offset=7, attributes=CONTROL | TRANSACTIONAL, producer_id=4, producer_epoch=1
    )
    for kind in (ControlType.ABORT, ControlType.COMMIT):
        record = marker_record(kind, 11, offset=7, timestamp=T)
        yield Written(f"marker {kind.name}", build_batch([record], like), [record], like, 7)


def everything() -> Iterator[Written]:
    """Reproducible, in every format and compression."""
    rng = random.Random(20260)
    for _ in range(ROUNDS):
        for compression in Compression:
            yield from modern(rng, compression)
            if compression is not Compression.ZSTD:
                yield old(rng, compression, 0)
                yield old(rng, compression, 1)
    yield from markers()


def in_hex(value: Buffer | None) -> str | None:
    return None if value is None else bytes(value).hex()


def as_json(record: Record) -> dict[str, Any]:
    headers = [[key.decode(), in_hex(value)] for key, value in record.headers]
    return {
        "offset": record.offset,
        "timestamp": record.timestamp,
        "key": in_hex(record.key),
        "value": in_hex(record.value),
        "headers": headers,
    }


def assert_read(written: Written, answer: dict[str, Any]) -> None:
    """Assert that Java saw in a blob what was put into it."""
    assert "error" not in answer, answer
    batches = answer["batches"]
    header, records = written.header, written.records
    read = [record for batch in batches for record in batch["records"]]
    names = [record.pop("marker") for record in read if "marker" in record]
    assert read == [as_json(record) for record in records]
    assert names == ([written.name.removeprefix("marker ")] if header.is_control else [])
    assert {batch["magic"] for batch in batches} == {header.magic}
    assert {batch["codec"] for batch in batches} == {Compression(header.compression).name.lower()}
    assert batches[-1]["lastOffset"] == written.last_offset
    if header.magic == 2:
        [batch] = batches
        assert batch["baseOffset"] == header.base_offset
        assert batch["timestampType"] == (
            "LogAppendTime" if header.has_log_append_time else "CreateTime"
        )
        if records:
            assert batch["maxTimestamp"] == max(record.timestamp for record in records)
        assert batch["leaderEpoch"] == header.partition_leader_epoch
        assert batch["producerId"] == header.producer_id
        assert batch["producerEpoch"] == header.producer_epoch
        assert batch["baseSequence"] == header.base_sequence
        assert batch["transactional"] == header.is_transactional
        assert batch["control"] == header.is_control


def test_java_reads_what_the_codec_writes(java_codec: tuple[str, Project]) -> None:
    _, project = java_codec
    sets = list(everything())
    assert {written.name for written in sets} >= {"thinned for a consumer", "marker ABORT"}
    lines = [json.dumps({"h": bytes(written.blob).hex()}) for written in sets]
    answers = project.read(lines)
    assert len(answers) == len(sets)
    for written, answer in zip(sets, answers, strict=True):
        assert_read(written, json.loads(answer))


def test_java_reads_several_batches(java_codec: tuple[str, Project]) -> None:
    """One blob, of three batches, the second of which is rewritten."""
    _, project = java_codec
    batches = [
        build_batch([Record(n, T, None, value)], NEW_BATCH._replace(base_offset=n))
        for n, value in enumerate((b"a", b"b", b"c"))
    ]
    blob = rewrite_records(
        b"".join(batches),
        lambda r: [r._replace(value=b"changed")] if r.value == b"b" else [r],
        keep_offsets=True,
    )
    [answer] = map(json.loads, project.read([json.dumps({"h": bytes(blob).hex()})]))
    values = [record["value"] for batch in answer["batches"] for record in batch["records"]]
    assert list(map(bytes.fromhex, values)) == [b"a", b"changed", b"c"]


def test_java_refuses_what_is_broken(java_codec: tuple[str, Project]) -> None:
    """Else the tests above would say nothing about checksums."""
    _, project = java_codec
    blob = bytearray(build_batch([Record(0, T, None, b"value")]))
    blob[-2] ^= 1
    [answer] = map(json.loads, project.read([json.dumps({"h": blob.hex()})]))
    assert "CorruptRecordException" in answer["error"]
