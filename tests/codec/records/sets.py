"""The record sets that Java wrote, with the records in them; and a strategy for records."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import strategies as st

from codec.primitives import Buffer
from codec.records.record import Record
from tests.codec.vectors import lines

CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
T = 1_700_000_000_000
PLAIN = [
    Record(5, T, b"k1", b"v1"),
    Record(6, T + 300, None, b"v2"),
    Record(7, T - 5, b"k3", None),
]
EXPECTED = {
    "plain": PLAIN,
    "txn+headers": [
        Record(0, T, b"k", bytes(300), ((b"h1", b"x"), ("hé".encode(), None), (b"", b""))),
        Record(1, T, None, None),
    ],
    "marker-ABORT": [Record(77, T, bytes(4), bytes(5) + b"\x0b")],
    "marker-COMMIT": [Record(77, T, b"\0\0\0\1", bytes(5) + b"\x0b")],
}
"""The records by kind of set. Magic 0 has no timestamps."""

SETS = [
    (line["magic"], line["codec"], line["kind"], bytes.fromhex(line["h"]))
    for line in lines("records-3.9.0")
]
PARAMETERS = [pytest.param(*each, id="-".join(map(str, each[:3]))) for each in SETS]


def expected(magic: int, kind: str) -> list[Record]:
    """The records that are in a set."""
    records = EXPECTED[kind]
    return [record._replace(timestamp=-1) for record in records] if magic == 0 else records


def one_set(magic: int, codec: str, kind: str = "plain") -> bytes:
    """The bytes of one set."""
    [found] = [each[3] for each in SETS if each[:3] == (magic, codec, kind)]
    return found


def in_full(records: Iterable[Record]) -> list[Record]:
    """The records with bytes instead of memoryviews."""
    return [
        record._replace(
            key=_bytes(record.key),
            value=_bytes(record.value),
            headers=tuple((key, _bytes(value)) for key, value in record.headers),
        )
        for record in records
    ]


def _bytes(value: Buffer | None) -> bytes | None:
    return None if value is None else bytes(value)


INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
INT32 = st.integers(-(1 << 31), (1 << 31) - 1)
INT16 = st.integers(-(1 << 15), (1 << 15) - 1)
TIMES = st.integers(-1, 1 << 50)
BLOBS = st.none() | st.binary(max_size=20) | st.sampled_from([bytes(200), bytes(range(256)) * 9])
KEYS = st.sampled_from([b"", b"key", "schlüssel".encode(), b"long" * 40])
HEADERS = st.lists(st.tuples(KEYS, BLOBS), max_size=3).map(tuple)


def record_lists(*, least: int = 0, headers: bool = True) -> st.SearchStrategy[list[Record]]:
    """Records with ascending offsets, which may leave gaps."""
    steps, mine = st.integers(1, 9), HEADERS if headers else st.just(())
    parts = st.lists(st.tuples(steps, TIMES, BLOBS, BLOBS, mine), min_size=least, max_size=6)
    return st.builds(_numbered, st.integers(0, 1 << 60), parts)


def _numbered(offset: int, parts: list[tuple[Any, ...]]) -> list[Record]:
    records = []
    for step, *fields in parts:
        records.append(Record(offset, *fields))
        offset += step
    return records
