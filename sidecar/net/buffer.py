"""The receive buffer that all connections share: what it holds is gone when a callback returns.

Data is read behind `ORIGIN`, so that the head of the first frame can grow in place by a prefix.
"""

import mmap
from typing import Final

ORIGIN: Final = 1024
"""Where what was read begins."""
READ_SIZE: Final = 256 * 1024
"""Bytes of an ordinary read; with more, small flows wait longer beside large ones."""
STREAM_SIZE: Final = 1024 * 1024
"""Bytes of a read inside a large frame."""

BUFFER: Final = bytearray(ORIGIN + READ_SIZE)
VIEW: Final = memoryview(BUFFER)
ROOM: Final = VIEW[ORIGIN:]
"""Where an ordinary read goes."""
STREAM_ROOM: Final = memoryview(mmap.mmap(-1, STREAM_SIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
"""Where a read inside a large frame goes; takes no memory before the first, as a bytearray would.
"""
