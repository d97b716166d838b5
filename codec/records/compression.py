"""Compressed records: gzip, snappy, lz4 and zstd, unpacked into no more memory than allowed.

Source: the protocol guide on record batches; KIP-110 for zstd; KIP-57 for the lz4 frames of
message format 0; the frame formats of snappy-java (xerial) and LZ4.

gzip is zlib's. The others need the package cramjam, which is loaded when first used.
"""

import mmap
import zlib
from collections.abc import Iterator
from enum import IntEnum
from importlib import import_module
from struct import Struct
from typing import Any

from codec.errors import CodecError, DecodeError, UnsupportedCompression
from codec.primitives import Buffer
from codec.records.lz4 import with_right_checksum, write_frame

DEFAULT_LIMIT = 64 << 20
"""Bytes that one batch may unpack to, unless told otherwise."""

_INSTALL = "pip install 'kafka-chaos-sidecar[compression]'"
_GZIP = 16 + zlib.MAX_WBITS
_GZIP_STEP = 4096
_ZSTD_LEVEL = 3
# More than a byte of each format can stand for: what is reserved need not be larger.
_LZ4_RATIO = 256
_SNAPPY_RATIO = 32
_ZSTD_RATIO = 1 << 16

_XERIAL_MAGIC = b"\x82SNAPPY\0"
_XERIAL_HEADER = _XERIAL_MAGIC + b"\0\0\0\1\0\0\0\1"
_XERIAL_BLOCK = 32 << 10
_LENGTH = Struct(">i")


class Compression(IntEnum):
    """The low three bits of a batch's attributes."""

    NONE = 0
    GZIP = 1
    SNAPPY = 2
    LZ4 = 3
    ZSTD = 4


def decompress(
    compression: int, data: Buffer, limit: int = DEFAULT_LIMIT, *, old_lz4: bool = False
) -> Buffer:
    """Unpack the records of one batch.

    Args:
        compression: one of Compression.
        data: what is compressed, whole.
        limit: most bytes of output; memory for more is never used.
        old_lz4: whether the header checksum of an lz4 frame is that of message format 0, which is
            wrong in every producer since the first.

    Returns:
        The content, `data` itself for NONE.

    Raises:
        DecodeError: the data is damaged, cut off, or has more than `limit` bytes of content.
        UnsupportedCompression: no such compression, or its library is not installed.
    """
    match compression:
        case Compression.NONE:
            if len(data) > limit:
                raise _damaged("uncompressed", limit)
            return data
        case Compression.GZIP:
            return _gunzip(data, limit)
        case Compression.SNAPPY:
            return _unsnap(data, limit)
        case Compression.LZ4:
            frame = with_right_checksum(data) if old_lz4 else data
            return _fill("lz4", frame, min(limit, len(frame) * _LZ4_RATIO), limit)
        case Compression.ZSTD:
            return _fill("zstd", data, min(limit, len(data) * _ZSTD_RATIO), limit)
    raise _unknown(compression)


def compress(compression: int, data: Buffer, *, old_lz4: bool = False) -> bytes:
    """Pack the records of one batch as Java's producer does: the same framing and levels.

    Args:
        compression: one of Compression.
        data: what to compress.
        old_lz4: whether to write the wrong header checksum of message format 0.

    Raises:
        UnsupportedCompression: no such compression, or its library is not installed.
    """
    match compression:
        case Compression.NONE:
            return bytes(data)
        case Compression.GZIP:
            stream = zlib.compressobj(wbits=_GZIP)
            return stream.compress(data) + stream.flush()
        case Compression.SNAPPY:
            return _snap(data)
        case Compression.LZ4:
            return write_frame(data, _library("lz4").compress_block, old_checksum=old_lz4)
        case Compression.ZSTD:
            return bytes(_library("zstd").compress(data, level=_ZSTD_LEVEL))
    raise _unknown(compression)


def _library(name: str) -> Any:
    try:
        return getattr(import_module("cramjam"), name)
    except ImportError:
        raise UnsupportedCompression(
            f"records in {name} need the package cramjam: {_INSTALL}"
        ) from None


def _unknown(compression: int) -> CodecError:
    known = ", ".join(f"{c.value} {c.name.lower()}" for c in Compression)
    return UnsupportedCompression(f"compression {compression} is none of {known}")


def _damaged(name: str, limit: int) -> DecodeError:
    return DecodeError(f"{name} records are damaged, or hold more than {limit} bytes")


def _gunzip(data: Buffer, limit: int) -> bytes:
    """The content of all members. Small steps, because what is left of each is copied."""
    view = memoryview(data)
    parts = []
    size = pos = 0
    stream = zlib.decompressobj(_GZIP)
    try:
        while pos < len(view):
            if stream.eof:
                stream = zlib.decompressobj(_GZIP)
            step = view[pos : pos + _GZIP_STEP]
            part = stream.decompress(step, limit + 1 - size)
            size += len(part)
            if size > limit:
                raise _damaged("gzip", limit)
            if part:
                parts.append(part)
            pos += len(step) - len(stream.unused_data) - len(stream.unconsumed_tail)
    except zlib.error:
        raise _damaged("gzip", limit) from None
    if not stream.eof:
        raise DecodeError("gzip records are cut off")
    return b"".join(parts)


def _fill(name: str, data: Buffer, most: int, limit: int) -> memoryview:
    """Unpack into reserved memory: pages that nothing is written to cost nothing."""
    library = _library(name)
    space = mmap.mmap(-1, max(most, 1), access=mmap.ACCESS_COPY)
    try:
        size = library.decompress_into(data, space)
    except (_library("DecompressionError"), OSError):
        raise _damaged(name, limit) from None
    if size > limit:
        raise _damaged(name, limit)
    return memoryview(space)[:size].toreadonly()


def _unsnap(data: Buffer, limit: int) -> bytes | bytearray:
    """Blocks behind xerial's header, or one raw block: each says how large its content is."""
    library = _library("snappy")
    failure = _library("DecompressionError")
    view = memoryview(data)
    framed = view[: len(_XERIAL_MAGIC)] == _XERIAL_MAGIC
    try:
        blocks = list(_xerial_blocks(view, len(_XERIAL_HEADER))) if framed else [view]
        sizes = [_snappy_size(library, block) for block in blocks]
        if sum(sizes) > limit:
            raise _damaged("snappy", limit)
        space = bytearray(sum(sizes))
        pos = 0
        for block, size in zip(blocks, sizes, strict=True):
            library.decompress_raw_into(block, memoryview(space)[pos : pos + size])
            pos += size
    except failure:
        raise _damaged("snappy", limit) from None
    return space


def _snappy_size(library: Any, block: memoryview) -> int:
    size = int(library.decompress_raw_len(block)) if block else -1
    if not 0 <= size <= len(block) * _SNAPPY_RATIO:
        raise DecodeError(f"a snappy block of {len(block)} bytes claims {size} bytes of content")
    return size


def _xerial_blocks(view: memoryview, pos: int) -> Iterator[memoryview]:
    if len(view) < pos:
        raise DecodeError("the header of snappy records is cut off")
    while pos < len(view):
        if len(view) - pos < _LENGTH.size:
            raise DecodeError("snappy records are cut off")
        (length,) = _LENGTH.unpack_from(view, pos)
        pos += _LENGTH.size
        if not 0 < length <= len(view) - pos:
            raise DecodeError(f"a snappy block has length {length}, {len(view) - pos} bytes remain")
        yield view[pos : pos + length]
        pos += length


def _snap(data: Buffer) -> bytes:
    library = _library("snappy")
    view = memoryview(data)
    parts: list[Buffer] = [_XERIAL_HEADER]
    for pos in range(0, len(view), _XERIAL_BLOCK):
        block = bytes(library.compress_raw(view[pos : pos + _XERIAL_BLOCK]))
        parts += (_LENGTH.pack(len(block)), block)
    return b"".join(parts)
