"""Signed variable-length integers, as records have them: zigzag, seven bits a byte.

Source: the protocol guide on varint and varlong.
"""

from codec.errors import DecodeError, EncodeError
from codec.primitives import Buffer

VARINT_BYTES = 5
VARLONG_BYTES = 10
_SHORT = tuple(bytes([n]) for n in range(128))


def read_varint(data: Buffer, pos: int) -> tuple[int, int]:
    """An int32 and the position behind it.

    Raises DecodeError beyond five bytes or 32 bits, and IndexError at the end of the data.
    """
    byte = data[pos]
    if byte < 128:
        return byte >> 1 ^ -(byte & 1), pos + 1
    return _read(data, pos, VARINT_BYTES, 1 << 32)


def read_varlong(data: Buffer, pos: int) -> tuple[int, int]:
    """An int64 and the position behind it.

    Raises DecodeError beyond ten bytes or 64 bits, and IndexError at the end of the data.
    """
    byte = data[pos]
    if byte < 128:
        return byte >> 1 ^ -(byte & 1), pos + 1
    return _read(data, pos, VARLONG_BYTES, 1 << 64)


def _read(data: Buffer, pos: int, most: int, limit: int) -> tuple[int, int]:
    byte = data[pos]
    value = byte & 127
    shift = 7
    while byte > 127:
        if shift == 7 * most:
            raise DecodeError(f"a varint is longer than {most} bytes")
        pos += 1
        byte = data[pos]
        value |= (byte & 127) << shift
        shift += 7
    if value >= limit:
        raise DecodeError(f"a varint of {most} bytes holds too many bits")
    return value >> 1 ^ -(value & 1), pos + 1


def varint(value: int) -> bytes:
    """The bytes of an int32. Raises EncodeError if it is none."""
    if not -(1 << 31) <= value < 1 << 31:
        raise EncodeError(f"{value} does not fit an int32")
    return varlong(value)


def varlong(value: int) -> bytes:
    """The bytes of an int64. Raises EncodeError if it is none."""
    if not -(1 << 63) <= value < 1 << 63:
        raise EncodeError(f"{value} does not fit an int64")
    bits = value << 1 ^ value >> 63
    if bits < 128:
        return _SHORT[bits]
    out = bytearray()
    while bits > 127:
        out.append(bits & 127 | 128)
        bits >>= 7
    out.append(bits)
    return bytes(out)
