"""Where log lines go: one file descriptor, written without ever waiting for its reader.

A proxy must not stall because somebody stopped reading its log, and must not lose an injection
event either. So lines are offered: taken whole, or refused, and whoever refused to inject knows.
"""

import errno
import os
import select
import stat
import threading
from collections.abc import Callable
from typing import Final

ATOMIC: Final = select.PIPE_BUF
"""Bytes a pipe takes whole or not at all (POSIX: at least 512; Linux: 4096)."""

_BACKLOG_LIMIT: Final = 1 << 20
"""Bytes of ordinary lines kept while the reader is stuck; more are dropped and counted."""


class LineSink:
    """Non-blocking writer of whole lines; safe to call from any thread.

    Args:
        fd: file descriptor to write to; its own blocking mode is left as it is, since a terminal
            shares it with the shell.
        shared: other processes write lines to the same pipe. Then each write is of whole lines that
            a pipe takes at once, so that no line is torn; see ADR 7.
    """

    def __init__(self, fd: int = 1, *, shared: bool = False) -> None:
        self._fd, self._nonblocking = _own_description(fd)
        # Processes that inherited a file share its offset as well: what they write never mixes.
        self._shared = shared and not stat.S_ISREG(os.fstat(fd).st_mode)
        self._backlog = bytearray()
        self._lock = threading.Lock()
        self.dropped = 0
        """Ordinary lines lost to a stuck reader, or a full disk."""
        self.explain: Callable[[int], bytes] = lambda lost: b""
        """The line that stands where so many were lost, once there is room again."""
        self._explained = 0

    def offer(self, lines: bytes) -> bool:
        """Write `lines` (each ended by a newline) now, or refuse.

        True means the lines are written, or that a part is and the rest follows before anything
        else of this process; False means that nothing was and nothing will be.
        """
        at_once = self._nonblocking
        if self._shared and len(lines) > ATOMIC:
            at_once = False
            if any(len(line) >= ATOMIC for line in lines.split(b"\n")):
                return False  # a pipe may tear it
        with self._lock:
            if self._backlog and not self._drain():
                return False
            # Nearly always all of it goes in one piece.
            written = self._write_piece(lines) if at_once else self._write(lines)
            if written == len(lines):
                return True
            if not written:
                return False
            self._backlog += lines[written:]
            self._drain()
            return True

    def put(self, line: bytes) -> None:
        """Write an ordinary line now or soon; dropped and counted when too much is waiting."""
        with self._lock:
            if self._drain():
                line = line[self._write(line) :]
            if len(self._backlog) + len(line) <= _BACKLOG_LIMIT:
                self._backlog += line
            else:
                self.dropped += 1

    def flush(self) -> bool:
        """Try to write what waits; True when nothing does any more."""
        with self._lock:
            return self._drain()

    def _drain(self) -> bool:
        if self._backlog:
            del self._backlog[: self._write(self._backlog)]
        if not self._backlog and self.dropped > self._explained:
            self._backlog += self.explain(self.dropped - self._explained)
            self._explained = self.dropped
            del self._backlog[: self._write(self._backlog)]
        return not self._backlog

    def _write(self, data: bytes | bytearray) -> int:
        """Write as much as goes without waiting; returns how many bytes went."""
        done = 0
        with memoryview(data) as view:
            while done < len(view):
                if not self._nonblocking and not _writable(self._fd):
                    break
                written = self._write_piece(view[done : self._end(data, done)])
                if not written:
                    break
                done += written
        return done

    def _end(self, data: bytes | bytearray, start: int) -> int:
        """Where the piece ends that is written in one go."""
        end = len(data)
        if self._shared and end - start > ATOMIC:
            # A single line above ATOMIC goes as one; it is torn only where the pipe becomes full.
            end = data.rfind(b"\n", start, start + ATOMIC) + 1 or data.find(b"\n", start) + 1 or end
        # A piece of ATOMIC bytes does not block where poll said there is room.
        return end if self._nonblocking else min(end, start + ATOMIC)

    def _write_piece(self, data: bytes | bytearray | memoryview) -> int:
        """One system call; 0 where nobody reads, or nothing fits."""
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            return 0
        except OSError as error:
            if error.errno in _GONE:
                return 0
            raise


_GONE: Final = frozenset(
    {errno.EPIPE, errno.EIO, errno.ENOSPC, errno.EBADF, errno.EDQUOT, errno.EFBIG}
)
"""Nobody reads any more, or nothing fits: the same as a reader that is stuck."""


def _own_description(fd: int) -> tuple[int, bool]:
    """A non-blocking open file description of our own onto the same pipe or terminal.

    O_NONBLOCK set on the inherited one would also change it for everybody who shares it. Regular
    files never block; where re-opening is not possible (sockets, foreign owners) `fd` is polled.
    """
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return fd, True
    try:
        flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        return os.open(f"/proc/self/fd/{fd}", flags), True
    except OSError:
        return fd, False


def _writable(fd: int) -> bool:
    poller = select.poll()
    poller.register(fd, select.POLLOUT)
    return any(events & select.POLLOUT for _, events in poller.poll(0))
