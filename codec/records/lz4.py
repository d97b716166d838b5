"""What no library does about LZ4 frames as Kafka has them.

Source: the LZ4 frame format 1.6; KIP-57. Java's consumer refuses frames whose blocks depend on
each other, which is what most libraries write; and the frames of message format 0 have a header
checksum over the magic number too, which every library refuses.
"""

from collections.abc import Callable
from struct import Struct
from typing import Any

from codec.errors import DecodeError
from codec.primitives import Buffer

_MAGIC = b"\x04\x22\x4d\x18"
# Version 1 with independent blocks, of 64 KiB at most.
_DESCRIPTOR = b"\x60\x40"
_BLOCK = 64 << 10
_STORED = 1 << 31
_SIZE = Struct("<I")
_CONTENT_SIZE = 0x08
_DICTIONARY_ID = 0x01

_MASK = 0xFFFFFFFF
_PRIME_1 = 0x9E3779B1
_PRIME_2 = 0x85EBCA77
_PRIME_3 = 0xC2B2AE3D
_PRIME_4 = 0x27D4EB2F
_PRIME_5 = 0x165667B1


def write_frame(
    data: Buffer, compress_block: Callable[..., Any], *, old_checksum: bool = False
) -> bytes:
    """A frame of independent blocks, without checksums of blocks or content.

    Args:
        data: the content.
        compress_block: (data, store_size=False) -> an LZ4 block.
        old_checksum: whether the header gets the wrong checksum of message format 0.
    """
    checked = _MAGIC + _DESCRIPTOR if old_checksum else _DESCRIPTOR
    parts: list[Buffer] = [_MAGIC, _DESCRIPTOR, bytes([_header_checksum(checked)])]
    view = memoryview(data)
    for pos in range(0, len(view), _BLOCK):
        plain = view[pos : pos + _BLOCK]
        packed = bytes(compress_block(plain, store_size=False))
        if len(packed) < len(plain):
            parts += (_SIZE.pack(len(packed)), packed)
        else:
            parts += (_SIZE.pack(len(plain) | _STORED), plain)
    parts.append(_SIZE.pack(0))
    return b"".join(parts)


def with_right_checksum(frame: Buffer) -> bytes:
    """The frame with the header checksum that a library expects.

    Raises DecodeError if there is no whole header.
    """
    start = len(_MAGIC)
    if len(frame) <= start or frame[:start] != _MAGIC:
        raise DecodeError("lz4 records do not start with a frame")
    flags = frame[start]
    end = start + 2 + (8 if flags & _CONTENT_SIZE else 0) + (4 if flags & _DICTIONARY_ID else 0)
    if len(frame) <= end:
        raise DecodeError("the header of an lz4 frame is cut off")
    right = bytearray(frame)
    right[end] = _header_checksum(frame[start:end])
    return bytes(right)


def _header_checksum(descriptor: Buffer) -> int:
    return _short_xxh32(descriptor) >> 8 & 0xFF


def _short_xxh32(data: Buffer) -> int:
    """xxHash32 with seed 0 of fewer than 16 bytes, of which a header never has more."""
    value = _PRIME_5 + len(data)
    whole = len(data) & ~3
    for pos in range(0, whole, 4):
        (word,) = _SIZE.unpack_from(data, pos)
        value = _rotate(value + word * _PRIME_3 & _MASK, 17) * _PRIME_4
    for byte in bytes(data[whole:]):
        value = _rotate(value + byte * _PRIME_5 & _MASK, 11) * _PRIME_1
    value &= _MASK
    value = (value ^ value >> 15) * _PRIME_2 & _MASK
    value = (value ^ value >> 13) * _PRIME_3 & _MASK
    return value ^ value >> 16


def _rotate(word: int, by: int) -> int:
    return (word << by | word >> 32 - by) & _MASK
