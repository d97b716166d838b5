"""Control batches: the markers that end transactions, and those of the controllers.

Source: the protocol guide's section on control batches; KIP-98; KIP-595 for the types above 1.
"""

from enum import IntEnum
from struct import Struct
from struct import error as struct_error
from typing import NamedTuple

from codec.errors import DecodeError
from codec.records.record import Record

_KEY = Struct(">hh")
_END_TRANSACTION = Struct(">hi")


class ControlType(IntEnum):
    """What a control record says. Types that are not listed here may exist."""

    ABORT = 0
    COMMIT = 1
    LEADER_CHANGE = 2
    SNAPSHOT_HEADER = 3
    SNAPSHOT_FOOTER = 4
    KRAFT_VERSION = 5
    KRAFT_VOTERS = 6


class Marker(NamedTuple):
    """The key of a control record; `coordinator_epoch` only for ABORT and COMMIT, else -1."""

    version: int
    type: int
    coordinator_epoch: int


def read_marker(record: Record) -> Marker:
    """What a record of a control batch says. Raises DecodeError if it is none."""
    try:
        version, kind = _KEY.unpack_from(record.key or b"")
        if kind not in (ControlType.ABORT, ControlType.COMMIT):
            return Marker(version, kind, -1)
        _, epoch = _END_TRANSACTION.unpack_from(record.value or b"")
    except struct_error:
        raise DecodeError("a control record is cut off") from None
    return Marker(version, kind, epoch)


def marker_record(
    kind: int, coordinator_epoch: int, *, offset: int = 0, timestamp: int = -1
) -> Record:
    """The record that ends a transaction, for a batch with the CONTROL attribute."""
    return Record(
        offset, timestamp, _KEY.pack(0, kind), _END_TRANSACTION.pack(0, coordinator_epoch)
    )
