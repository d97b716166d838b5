"""Record batches: headers and checksums of what Java wrote."""

import struct
from collections import Counter
from collections.abc import Callable

import pytest

from codec.errors import DecodeError
from codec.records.batch import (
    BatchHeader,
    crc_ok,
    read_batch_headers,
    set_base_offset,
    set_leader_epoch,
    without_producer,
)
from codec.records.crc32c import crc32c, table_crc32c
from tests.codec.vectors import lines

CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
SETS = [
    pytest.param(
        line["magic"],
        line["codec"],
        line["kind"],
        bytes.fromhex(line["h"]),
        id=f"{line['magic']}-{line['codec']}-{line['kind']}",
    )
    for line in lines("records-3.9.0")
]
PLAIN = next(p.values[3] for p in SETS if p.id == "2-none-plain")
LEGACY = next(p.values[3] for p in SETS if p.id == "1-none-plain")


def test_no_vector_is_left_out() -> None:
    assert len(SETS) == 20
    assert Counter(p.values[0] for p in SETS) == {0: 4, 1: 4, 2: 12}


@pytest.mark.parametrize(("magic", "compression", "kind", "records"), SETS)
def test_sets_of_java(magic: int, compression: str, kind: str, records: bytes) -> None:
    headers = list(read_batch_headers(records))
    assert headers[0].start == 0
    assert headers[-1].end == len(records)
    assert [h.start for h in headers[1:]] == [h.end for h in headers[:-1]]
    for header in headers:
        assert header.magic == magic
        assert header.compression == CODECS[compression]
        assert crc_ok(records, header)
        assert crc_ok(memoryview(records), header)
        assert header.is_control == kind.startswith("marker")
        assert header.is_transactional == (kind.startswith(("marker", "txn")))
    # One message each when legacy and not compressed, else one batch or wrapper.
    assert len(headers) == (3 if magic < 2 and compression == "none" else 1)
    if magic == 2:
        assert headers[0].records_count == {"plain": 3, "txn+headers": 2}.get(kind, 1)
        assert headers[0].last_offset_delta == headers[0].records_count - 1
    else:
        assert {headers[0].records_count, headers[0].producer_id} == {-1}


@pytest.mark.parametrize(("magic", "compression", "kind", "records"), SETS)
def test_every_changed_byte_breaks_the_checksum(
    magic: int, compression: str, kind: str, records: bytes
) -> None:
    [*_, header] = read_batch_headers(records)
    for position in range(header.start + (21 if magic == 2 else 18), header.end):
        broken = bytearray(records)
        broken[position] ^= 0x10
        assert not crc_ok(broken, header)


def test_a_known_batch_in_full() -> None:
    [header] = read_batch_headers(PLAIN)
    fields = struct.unpack_from(">qiiBIhiqqqhii", PLAIN)
    assert header == BatchHeader(0, len(PLAIN), fields[0], *fields[2:])
    assert header.producer_id == -1
    assert header.max_timestamp > 1_600_000_000_000


def test_several_batches_and_a_last_one_that_is_cut_off() -> None:
    records = PLAIN * 3
    assert [h.start for h in read_batch_headers(records)] == [0, len(PLAIN), 2 * len(PLAIN)]
    for end in range(2 * len(PLAIN), len(records)):
        assert len(list(read_batch_headers(records[:end]))) == 2
    assert list(read_batch_headers(b"")) == []


@pytest.mark.parametrize("records", [PLAIN, LEGACY])
@pytest.mark.parametrize("length", [-1, 0, 13, -(1 << 31)])
def test_lengths_no_batch_can_have(records: bytes, length: int) -> None:
    broken = bytearray(records)
    struct.pack_into(">i", broken, 8, length)
    with pytest.raises(DecodeError, match="length"):
        list(read_batch_headers(broken))


@pytest.mark.parametrize("magic", [3, 127, 255])
def test_magic_nobody_knows(magic: int) -> None:
    broken = bytearray(PLAIN)
    broken[16] = magic
    with pytest.raises(DecodeError, match="magic"):
        list(read_batch_headers(broken))


def test_offset_and_epoch_are_outside_of_the_checksum() -> None:
    records = bytearray(PLAIN + PLAIN)
    second = list(read_batch_headers(records))[1]
    set_base_offset(records, second, 1 << 40)
    set_leader_epoch(records, second, 77)
    first, second = read_batch_headers(records)
    assert bytes(records[: first.end]) == PLAIN
    assert (second.base_offset, second.partition_leader_epoch) == (1 << 40, 77)
    assert crc_ok(records, second)


def test_legacy_messages_have_no_epoch() -> None:
    records = bytearray(LEGACY)
    header = next(read_batch_headers(records))
    with pytest.raises(DecodeError):
        set_leader_epoch(records, header, 1)


def test_a_batch_as_from_a_producer_without_idempotence() -> None:
    transaction = next(p.values[3] for p in SETS if p.id == "2-gzip-txn+headers")
    [before] = read_batch_headers(transaction)
    assert before.producer_id >= 0
    blob = PLAIN + transaction + PLAIN
    _, header, _ = read_batch_headers(blob)

    batch = without_producer(memoryview(blob), header)

    [after] = read_batch_headers(batch)
    assert crc_ok(batch, after)
    nobody = before._replace(producer_id=-1, producer_epoch=-1, base_sequence=-1)
    assert after == nobody._replace(crc=after.crc)
    assert batch[61:] == transaction[61:]
    with pytest.raises(DecodeError):
        without_producer(LEGACY, next(read_batch_headers(LEGACY)))


@pytest.mark.parametrize("crc", [crc32c, table_crc32c])
def test_crc32c(crc: Callable[..., int]) -> None:
    # The check value of the CRC catalogue, and two of RFC 3720, appendix B.4.
    assert crc(b"123456789") == 0xE3069283
    assert crc(bytes(32)) == 0x8A9136AA
    assert crc(b"\xff" * 32) == 0x62A8AB43
    assert crc(b"") == 0
    assert crc(b"456789", crc(b"123")) == crc(memoryview(b"123456789"))
