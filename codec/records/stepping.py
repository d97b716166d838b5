"""Going over the records of an unpacked payload by their lengths, without reading them.

Source: the protocol guide's section on records; KIP-98.
"""

from typing import NamedTuple

from codec.errors import DecodeError
from codec.primitives import Buffer
from codec.records.varint import read_varint, varint


def step_over(content: Buffer, pos: int, count: int) -> int:
    """The position behind so many records.

    Args:
        content: unpacked payload of a batch of magic 2.
        pos: where a record begins.
        count: of records.

    Raises:
        DecodeError: there are not so many, or a length is none.
    """
    try:
        for _ in range(count):
            length = content[pos]
            # Most lengths are of one or two bytes; the lowest bit is the sign.
            if length < 128:
                pos += 1
            elif content[pos + 1] < 128:
                length = (length & 127) | content[pos + 1] << 7
                pos += 2
            else:
                number, pos = read_varint(content, pos)
                length = number << 1 if number >= 0 else 1
            if length & 1:
                raise DecodeError("a record has a negative length")
            pos += length >> 1
    except IndexError:
        raise DecodeError("a record is cut off") from None
    if pos > len(content):
        raise DecodeError("a record is cut off")
    return pos


def offset_delta(content: Buffer, pos: int) -> int:
    """How far the record at a position is from its batch's base offset.

    Raises DecodeError where none can be read.
    """
    return _offset(content, pos)[2]


def moved(content: Buffer, pos: int, end: int, by: int) -> bytes:
    """The record between two positions with an offset that is higher by some.

    Raises DecodeError where it cannot be read, and EncodeError where the offset does not fit.
    """
    fields, at, delta, rest = _offset(content, pos)
    view = memoryview(content)
    offset = varint(delta + by)
    length = varint(at - fields + len(offset) + end - rest)
    return b"".join((length, view[fields:at], offset, view[rest:end]))


class Value(NamedTuple):
    """Where the value of a record stands.

    Args:
        fields: behind the record's length.
        at: of the value's length.
        start, end: of its bytes; None if there is none.
    """

    fields: int
    at: int
    start: int | None
    end: int


def value_of(content: Buffer, pos: int, end: int) -> Value:
    """The value of the record between two positions.

    Raises DecodeError where it cannot be read.
    """
    fields, _, _, pos = _offset(content, pos)
    try:
        length, pos = read_varint(content, pos)
        if length > 0:
            pos += length  # the key
        at = pos
        length, pos = read_varint(content, pos)
    except IndexError:
        raise DecodeError("a record is cut off") from None
    if not -1 <= length <= end - pos:
        raise DecodeError(f"a value has length {length}, {end - pos} bytes remain")
    return Value(fields, at, pos, pos + length) if length >= 0 else Value(fields, at, None, pos)


def with_value(content: Buffer, end: int, old: Value, value: Buffer) -> bytes:
    """The record that ends at a position with another value. Raises EncodeError: it is too long."""
    view = memoryview(content)
    length = varint(len(value))
    size = varint(old.at - old.fields + len(length) + len(value) + end - old.end)
    return b"".join((size, view[old.fields : old.at], length, value, view[old.end : end]))


def _offset(content: Buffer, pos: int) -> tuple[int, int, int, int]:
    """Where a record's fields begin, where its offset does, what that is, and where it ends."""
    try:
        while content[pos] > 127:  # the length
            pos += 1
        fields = at = pos + 1
        at += 1  # the attributes
        while content[at] > 127:  # the time
            at += 1
        at += 1
        delta, rest = read_varint(content, at)
    except IndexError:
        raise DecodeError("a record is cut off") from None
    return fields, at, delta, rest
