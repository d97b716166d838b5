"""Renaming topics in what members of consumer groups tell each other through the coordinator.

JoinGroup, SyncGroup and DescribeGroups carry subscriptions and assignments as bytes. Those of
protocol type "consumer" are in layouts of their own: an int16 version in front, 0 to 3, never
flexible. 1: a subscription tells the partitions owned (KIP-429). 2: the generation as well
(KIP-792). 3: and the rack (KIP-881). Assignments are the same in all four.

Everything that Kafka's own ConsumerProtocol reads is read here, as it reads it: versions above 3
as 3, any negative length of something nullable as null, and bytes may follow. Those, user data, and
what else is no topic are copied as they are.

Not imported by `codec` itself: few connections need it.
"""

import struct
from collections.abc import Callable

from codec.errors import DecodeError
from codec.primitives import INT16, INT32, Buffer, plain_string

Rename = Callable[[bytes], bytes | None]
"""The other name of a topic, in UTF-8; None drops the array element that names it."""

_NAME = 2
"""Bytes of the smallest topic, which is empty."""
_NAME_WITH_PARTITIONS = 6
_PARTITION = 4


def rewrite_subscription(data: Buffer, topic: Rename) -> Buffer:
    """The subscription of a member with other topics, subscribed and owned.

    Args:
        data: a ConsumerProtocolSubscription. No bytes at all, as a member has that is not one yet,
            are returned as they are.
        topic: asked in the order of the wire. What it raises passes through.

    Raises:
        DecodeError: it cannot be read.
        EncodeError: a name is longer than 32,767 bytes.
    """
    return _rewrite(data, topic, _subscription)


def rewrite_assignment(data: Buffer, topic: Rename) -> Buffer:
    """As rewrite_subscription, of a ConsumerProtocolAssignment: the partitions a member gets."""
    return _rewrite(data, topic, _assignment)


_Walk = Callable[[bytes, int, Rename, list[bytes]], int]


def _rewrite(data: Buffer, topic: Rename, walk: _Walk) -> Buffer:
    raw = bytes(data)
    if not raw:
        return data
    try:
        (version,) = INT16.unpack_from(raw)
        if version < 0:
            raise DecodeError(f"the consumer protocol has no version {version}")
        out = [raw[:2]]
        end = walk(raw, version, topic, out)
    except struct.error:
        raise DecodeError("it ends too early") from None
    out.append(raw[end:])
    return b"".join(out)


def _subscription(raw: bytes, version: int, topic: Rename, out: list[bytes]) -> int:
    start = _topics(raw, 2, topic, out, partitions=False)
    end = _nullable(raw, start, INT32)
    out.append(raw[start:end])
    if version >= 1:
        end = _topics(raw, end, topic, out, partitions=True)
    # Nothing behind is renamed, but a reader needs it.
    tail = end
    if version >= 2:
        INT32.unpack_from(raw, tail)
        tail += INT32.size
    if version >= 3:
        _nullable(raw, tail, INT16)
    return end


def _assignment(raw: bytes, version: int, topic: Rename, out: list[bytes]) -> int:
    end = _topics(raw, 2, topic, out, partitions=True)
    _nullable(raw, end, INT32)
    return end


def _topics(raw: bytes, pos: int, topic: Rename, out: list[bytes], *, partitions: bool) -> int:
    """Append an array of topics, each with its partitions or alone; the position behind it."""
    count = _count(raw, pos, _NAME_WITH_PARTITIONS if partitions else _NAME)
    pos += INT32.size
    kept: list[bytes] = []
    left = 0
    for _ in range(count):
        (length,) = INT16.unpack_from(raw, pos)
        start = pos + INT16.size
        end = pos = start + length
        if not start <= end <= len(raw):
            raise DecodeError(f"a topic of {length} bytes")
        if partitions:
            pos += INT32.size + _PARTITION * _count(raw, pos, _PARTITION)
        name = topic(raw[start:end])
        if name is not None:
            left += 1
            kept += (plain_string(name), raw[end:pos])
    out.append(INT32.pack(left))
    out += kept
    return pos


def _count(raw: bytes, pos: int, smallest: int) -> int:
    """The count of an array whose elements take so many bytes at least."""
    (count,) = INT32.unpack_from(raw, pos)
    if not 0 <= count * smallest <= len(raw) - pos - INT32.size:
        raise DecodeError(f"an array of {count}")
    return int(count)


def _nullable(raw: bytes, pos: int, length: struct.Struct) -> int:
    """The position behind bytes or a string that may be null."""
    (size,) = length.unpack_from(raw, pos)
    end = pos + length.size + max(size, 0)
    if end > len(raw):
        raise DecodeError(f"{size} bytes where fewer are left")
    return int(end)
