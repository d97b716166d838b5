"""The receive buffer that all connections share: what it holds is gone when a callback returns.

Data is read behind `ORIGIN`, so that the head of the first frame can grow in place by a prefix.
"""

from typing import Final

ORIGIN: Final = 1024
"""Where what was read begins."""
READ_SIZE: Final = 256 * 1024
"""Bytes of an ordinary read; with more, small flows wait longer beside large ones."""
STREAM_SIZE: Final = 1024 * 1024
"""Bytes of a read inside a large frame."""

BUFFER: Final = bytearray(ORIGIN + STREAM_SIZE)
VIEW: Final = memoryview(BUFFER)
ROOM: Final = VIEW[ORIGIN : ORIGIN + READ_SIZE]
"""Where an ordinary read goes."""
STREAM_ROOM: Final = VIEW[ORIGIN:]
