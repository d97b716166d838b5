"""Frames: a big-endian int32 size, not counting itself, and that many bytes."""

from collections.abc import Iterator
from struct import Struct

from codec.errors import DecodeError, EncodeError
from codec.primitives import Buffer

_SIZE = Struct(">i")


class FrameDecoder:
    """Cuts a stream of bytes into frames.

    `for body in decoder.feed(data)` yields every frame that is now complete, without its size, as
    bytes. A size that is negative or above `max_size` raises DecodeError as soon as its four bytes
    are there, before anything is kept for it; the decoder is of no use afterwards.
    """

    def __init__(self, max_size: int) -> None:
        """`max_size` is in bytes, without the four of the size itself."""
        self.max_size = max_size
        self._held = bytearray()

    def __len__(self) -> int:
        """Bytes held that are not yet a frame."""
        return len(self._held)

    def rest(self) -> bytes:
        """The bytes held, which are given up: for somebody else who goes on reading."""
        held, self._held = bytes(self._held), bytearray()
        return held

    def feed(self, data: Buffer) -> "FrameDecoder":
        """Add received bytes. Returns the decoder, to be iterated."""
        self._held += data
        return self

    def __iter__(self) -> Iterator[bytes]:
        while (end := self._end()) is not None:
            frame = bytes(memoryview(self._held)[_SIZE.size : end])
            # Cheap: a bytearray only moves its start.
            del self._held[:end]
            yield frame

    def _end(self) -> int | None:
        if len(self._held) < _SIZE.size:
            return None
        size = _SIZE.unpack_from(self._held)[0]
        if not 0 <= size <= self.max_size:
            raise DecodeError(f"a frame of {size} bytes; at most {self.max_size} are allowed")
        end = _SIZE.size + int(size)
        return end if end <= len(self._held) else None


def frame(*chunks: Buffer) -> list[Buffer]:
    """These chunks as one frame: the same objects, with the size in front.

    Raises EncodeError if they are 2 GiB or more together.
    """
    size = sum(map(len, chunks))
    if size > 0x7FFFFFFF:
        raise EncodeError(f"a frame of {size} bytes")
    return [_SIZE.pack(size), *chunks]
