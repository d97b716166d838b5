"""Variable-length integers, tag sections and arrays of numbers: what generated code calls.

Source: the protocol guide's section on primitive types, and KIP-482 for compact forms and tags.
"""

from collections.abc import Callable, Iterable, Sequence
from struct import Struct, error, pack, unpack_from
from typing import Any

from codec.errors import DecodeError, EncodeError

MAX_STRING = 0x7FFF
INT8 = Struct(">b")
INT16 = Struct(">h")
INT32 = Struct(">i")
_MAX_UVARINT = 0x7FFFFFFF
_PREPARED = 65
SHORT_FORMS = tuple(bytes([n]) if n < 128 else bytes([n & 127 | 128, n >> 7]) for n in range(256))
COMPACT_LENGTHS = SHORT_FORMS[1:128]
"""Lengths of the shortest strings, by length: in flexible versions, and in others."""
PLAIN_LENGTHS = tuple(map(INT16.pack, range(len(COMPACT_LENGTHS))))

LEAST_BLOB = 1024
"""Bytes that are not worth copying."""

Buffer = bytes | bytearray | memoryview
UnknownTags = Sequence[tuple[int, Buffer]]


def continue_uvarint(data: Buffer, pos: int, first: int) -> tuple[int, int]:
    """Finish an unsigned varint whose first byte, already read, had its high bit set.

    Returns the value and the position behind it. Five bytes and 2^31-1 are the limits of the
    Java reader; a longer one is refused with DecodeError.
    """
    value = first & 127
    for shift in (7, 14, 21, 28):
        byte = data[pos]
        pos += 1
        value |= (byte & 127) << shift
        if byte < 128:
            if value > _MAX_UVARINT:
                break
            return value, pos
    raise DecodeError("a varint is longer than five bytes or above 2^31-1")


def continue_string_length(data: Buffer, pos: int, first: int) -> tuple[int, int]:
    """As continue_uvarint, for the length of a string, which has a limit of its own."""
    value, pos = continue_uvarint(data, pos, first)
    if value > MAX_STRING + 1:
        raise DecodeError(f"a string is longer than {MAX_STRING} bytes")
    return value, pos


def read_uvarint(data: Buffer, pos: int) -> tuple[int, int]:
    """Read an unsigned varint; returns the value and the position behind it."""
    first = data[pos]
    return (first, pos + 1) if first < 128 else continue_uvarint(data, pos + 1, first)


def uvarint(value: int) -> bytes:
    """The unsigned varint form of a value from 0 to 2^31-1."""
    if value < 256:
        return SHORT_FORMS[value]
    if value > _MAX_UVARINT:
        raise EncodeError(f"{value} does not fit a length")
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def string_length(length: int) -> bytes:
    """Compact length of a non-null string. Java refuses strings above 32,767 bytes: so do we."""
    if length > MAX_STRING:
        raise EncodeError(f"a string of {length} bytes is longer than {MAX_STRING}")
    return uvarint(length + 1)


def compact_string(value: bytes) -> bytes:
    """A non-null string of a flexible version."""
    return string_length(len(value)) + value


def plain_string(value: bytes) -> bytes:
    """A non-null string of a version that is not flexible."""
    if len(value) > MAX_STRING:
        raise EncodeError(f"a string of {len(value)} bytes is longer than {MAX_STRING}")
    return INT16.pack(len(value)) + value


def compact_broker(host: bytes, port: int, form: Struct) -> bytes:
    """Host and port of a flexible version; `form` is how the port is written."""
    return compact_string(host) + _port(port, form)


def plain_broker(host: bytes, port: int, form: Struct) -> bytes:
    """Host and port of a version that is not flexible."""
    return plain_string(host) + _port(port, form)


def _port(port: int, form: Struct) -> bytes:
    try:
        return form.pack(port)
    except error:
        raise EncodeError(f"port {port} does not fit {8 * form.size} bits") from None


def topic_id_bytes(topic_id: bytes) -> bytes:
    """The id, if it is one."""
    if len(topic_id) != 16:
        raise EncodeError(f"a topic id of {len(topic_id)} bytes has not 16")
    return topic_id


def join_small(pieces: list[Buffer]) -> list[Buffer]:
    """The same bytes in fewer pieces: what is small is joined with its neighbours."""
    chunks: list[Buffer] = []
    start = 0
    for index, piece in enumerate(pieces):
        if len(piece) >= LEAST_BLOB:
            if start < index:
                chunks.append(b"".join(pieces[start:index]))
            chunks.append(piece)
            start = index + 1
    if start < len(pieces):
        chunks.append(b"".join(pieces[start:]))
    return chunks


def read_tags(data: Buffer, pos: int, count: int, end: int) -> tuple[list[tuple[int, bytes]], int]:
    """Read the fields of a tag section whose count byte was `count`, knowing none of them.

    Returns them as (tag, payload) in order, and the position behind them. Their order is checked,
    because tags out of order could not be written back as they came.
    """
    tags = []
    last = -1
    if count > 127:
        count, pos = continue_uvarint(data, pos, count)
    if 2 * count > end - pos:
        raise DecodeError("a tag section claims more fields than there are bytes")
    for _ in range(count):
        tag, pos = read_uvarint(data, pos)
        size, pos = read_uvarint(data, pos)
        if tag <= last or size > end - pos:
            raise DecodeError("a tag section is out of order or ends too late")
        last = tag
        tags.append((tag, bytes(data[pos : pos + size])))
        pos += size
    return tags, pos


def write_tags(tags: Iterable[tuple[int, Buffer]]) -> bytes:
    """The tag section that holds these fields, given in ascending order."""
    parts: list[Buffer] = []
    count = 0
    last = -1
    for tag, payload in tags:
        if tag <= last:
            raise EncodeError(f"tag {tag} comes after tag {last}")
        last = tag
        count += 1
        parts += (uvarint(tag), uvarint(len(payload)), payload)
    return uvarint(count) + b"".join(parts)


class NumberArrays:
    """Reads and writes runs of one integer type; the common short lengths are prepared.

    `unpack` has a function for each count, `unpack_compact` for each compact count, which is one
    more. `size` is that of one element.
    """

    def __init__(self, code: str) -> None:
        structs = [Struct(">" + self._format(n, code)) for n in range(_PREPARED)]
        self.code = code
        self.size = structs[1].size
        self.unpack: Sequence[Callable[..., tuple[Any, ...]]] = [s.unpack_from for s in structs]
        self.unpack_compact = [self.unpack[0], *self.unpack]
        self.pack: Sequence[Callable[..., bytes]] = [s.pack for s in structs]

    def read(self, data: Buffer, pos: int, count: int) -> tuple[Any, ...]:
        """`count` elements from `pos` on; struct.error if the data ends before."""
        return unpack_from(f">{count}{self.code}", data, pos)

    def write(self, values: Sequence[Any]) -> bytes:
        """The bytes of these elements, without a count."""
        return pack(f">{len(values)}{self.code}", *values)

    def _format(self, count: int, code: str) -> str:
        return f"{count}{code}"


class UuidArrays(NumberArrays):
    """The same for 16 bytes each, where a count in a format would mean one longer string."""

    def __init__(self) -> None:
        super().__init__("16s")
        self._one = Struct(">16s")

    def read(self, data: Buffer, pos: int, count: int) -> tuple[Any, ...]:
        """`count` elements from `pos` on; struct.error if the data ends before."""
        part = memoryview(data)[pos : pos + 16 * count]
        return tuple(value for (value,) in self._one.iter_unpack(part))

    def write(self, values: Sequence[Any]) -> bytes:
        """The bytes of these elements, without a count."""
        return b"".join(map(self._one.pack, values))

    def _format(self, count: int, code: str) -> str:
        return code * count
