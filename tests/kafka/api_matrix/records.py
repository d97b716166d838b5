"""Record batches of format 2, uncompressed, so that a marker in a value is found on the wire."""

from __future__ import annotations

import struct
import time
from collections.abc import Sequence

from codec.records.crc32c import table_crc32c

_HEADER = struct.Struct(">hiqqqhii")
TRANSACTIONAL = 0x10
#: Milliseconds; brokers would delete records of long ago, half a minute after their start.
NOW = int(time.time() * 1000)


def _varint(number: int) -> bytes:
    """Zig-zag, seven bits a byte, least significant first."""
    rest = (number << 1) ^ (number >> 63)
    out = bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


def _record(index: int, value: bytes) -> bytes:
    head = b"\x00" + _varint(0) + _varint(index) + _varint(-1)
    body = head + _varint(len(value)) + value + _varint(0)
    return _varint(len(body)) + body


def batch(
    values: Sequence[bytes],
    *,
    producer_id: int = -1,
    producer_epoch: int = -1,
    first_sequence: int = -1,
    transactional: bool = False,
) -> bytes:
    """One batch with `values` as records without keys."""
    attributes = TRANSACTIONAL if transactional else 0
    last = len(values) - 1
    numbers = (producer_id, producer_epoch, first_sequence, len(values))
    rest = _HEADER.pack(attributes, last, NOW, NOW, *numbers)
    rest += b"".join(_record(index, value) for index, value in enumerate(values))
    checked = struct.pack(">ibI", -1, 2, table_crc32c(rest)) + rest
    return struct.pack(">qi", 0, len(checked)) + checked
