"""One socket of a relay: its watchers, what waits to leave it, what has arrived of a frame."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from sidecar.dataplane.fetch_walk import FetchWalk
from sidecar.net.buffer import ORIGIN, READ_SIZE, VIEW

if TYPE_CHECKING:
    from sidecar.net.secure import TlsSocket

_JOIN_BELOW: Final = 16 * 1024
"""Bytes up to which copying buffers together is cheaper than handing the kernel a list."""
_MAX_BUFFERS: Final = 512
"""Buffers a system call: half of Linux' IOV_MAX."""
_READ: Final = 1
_WRITE: Final = 2


def _nothing() -> None:
    """Before the first reader is set."""


class Side:
    """A raw non-blocking socket on the hub's loop.

    The read watcher is started once and runs for life; the write watcher runs only while the peer
    does not take what it is sent.

    Args:
        sock: raw socket.
        loop: the hub's loop.
        on_drained: called when everything that waited has left.
        on_broken: called when sending what waited fails.
    """

    __slots__ = (
        "_held",
        "_on_broken",
        "_on_drained",
        "_reader",
        "_reading",
        "_writer",
        "collected",
        "need",
        "on_readable",
        "owed",
        "paced",
        "recv_into",
        "send_some",
        "send_vector",
        "size",
        "skip",
        "tail",
        "waiting",
        "walk",
        "wanted",
    )

    def __init__(
        self,
        sock: Any,
        loop: Any,
        on_drained: Callable[[], None],
        on_broken: Callable[[], None],
    ) -> None:
        self.recv_into = sock.recv_into
        self.send_some = sock.send
        self.send_vector = sock.sendmsg
        self._reader = loop.io(sock.fileno(), _READ)
        self._writer = loop.io(sock.fileno(), _WRITE)
        self.on_readable: Callable[..., None] = _nothing
        """Called when there is something to read, or the peer has closed."""
        self._on_drained = on_drained
        self._on_broken = on_broken
        self._reading = self._held = False
        self.paced = False
        """Whether it is read in small slices; see `pacing`."""
        self.waiting: list[Any] = []
        """Copies of what the peer has not taken yet."""
        self.size = 0
        """Bytes in `waiting`."""
        self.tail = b""
        """The beginning of a frame, too short to say anything about it."""
        self.need = 0
        """Bytes of the current frame that are still to pass."""
        self.skip = 0
        """Bytes of a refused request that are still to come, and are dropped."""
        self.owed = b""
        """Its answer, due when it has come whole: clients take none for what they still send."""
        self.walk: FetchWalk | None = None
        """The current frame, if it is looked at while it passes."""
        self.collected: bytearray | None = None
        """A frame for the session, as far as it has arrived, size field included."""
        self.wanted = 0
        """Bytes `collected` will have."""

    def watch(self, reading: bool) -> None:
        """Read from now on, or not."""
        if reading is not self._reading:
            self._reading = reading
            self._start_or_stop()

    def hold(self, held: bool) -> None:
        """Do not read for the time being, whatever `watch` says; or as it says."""
        if held is not self._held:
            self._held = held
            self._start_or_stop()

    def read_with(self, on_readable: Callable[..., None]) -> None:
        """From now on call this one."""
        self.on_readable = on_readable
        self._reader.stop()
        self._start_or_stop()

    def _start_or_stop(self) -> None:
        if self.reads:
            self._reader.start(self.on_readable)
        else:
            self._reader.stop()

    @property
    def reads(self) -> bool:
        """Whether what comes is read now."""
        return self._reading and not self._held

    def stop(self) -> None:
        """Give the watchers back; the socket is the caller's to close afterwards."""
        for watcher in (self._reader, self._writer):
            watcher.stop()
            watcher.close()
        self.waiting = []

    @property
    def inside_frame(self) -> bool:
        """Whether the last bytes that came are the beginning or the middle of a frame."""
        return bool(self.passing or self.skip or self.tail or self.collected is not None)

    @property
    def passing(self) -> bool:
        """Whether a part of a frame has been passed on, and the rest is still to come."""
        return self.need > 0 or self.walk is not None

    def receive(self, most: int = READ_SIZE) -> int:
        """Read behind what was kept of a frame; returns the bytes of both, 0 at the end.

        Args:
            most: bytes that are read at most.

        Raises:
            OSError: nothing to read (BlockingIOError), or the connection broke.
        """
        size = len(self.tail)
        count = int(self.recv_into(VIEW[ORIGIN + size : ORIGIN + min(READ_SIZE, size + most)]))
        if not count:
            return 0
        VIEW[ORIGIN : ORIGIN + size] = self.tail
        self.tail = b""
        return size + count

    def send_one(self, data: Any, size: int) -> None:
        """As `send`, for one buffer of `size` bytes while nothing waits."""
        try:
            sent = self.send_some(data)
        except BlockingIOError:
            sent = 0
        if sent < size:
            self.keep(memoryview(data)[sent:])

    def send(self, chunks: list[Any]) -> None:
        """Send; what is not taken at once is copied and waits.

        Raises:
            OSError: the connection is broken.
        """
        if self.waiting:
            self._append(b"".join(chunks))
            return
        if len(chunks) == 1:
            self.send_one(chunks[0], len(chunks[0]))
            return
        size = sum(map(len, chunks))
        if size <= _JOIN_BELOW or len(chunks) > _MAX_BUFFERS:
            self.send_one(b"".join(chunks), size)
            return
        try:
            sent = self.send_vector(chunks)
        except BlockingIOError:
            sent = 0
        if sent < size:
            self.keep(memoryview(b"".join(chunks))[sent:])

    def keep(self, rest: memoryview) -> None:
        """Keep what the peer did not take, while nothing else waits, and send it when it does."""
        # A copy: the receive buffer is about to be used again.
        self._append(bytes(rest))
        self._writer.start(self._on_writable)

    def _append(self, data: bytes) -> None:
        self.waiting.append(data)
        self.size += len(data)

    def _on_writable(self) -> None:
        data = self.waiting[0] if len(self.waiting) == 1 else b"".join(self.waiting)
        try:
            sent = self.send_some(data)
        except BlockingIOError:
            return
        except OSError:
            self._on_broken()
            return
        self.size -= sent
        if self.size:
            self.waiting = [memoryview(data)[sent:]]
            return
        self.waiting = []
        self._writer.stop()
        self._on_drained()


class TlsSide(Side):
    """A side whose socket may hold what it has decrypted, of which no watcher tells."""

    __slots__ = ("_again", "_loop", "_sock", "_stopped")

    def __init__(
        self,
        sock: "TlsSocket",
        loop: Any,
        on_drained: Callable[[], None],
        on_broken: Callable[[], None],
    ) -> None:
        super().__init__(sock, loop, on_drained, on_broken)
        self._sock = sock
        self._loop = loop
        self._again: Any = None
        self._stopped = False
        sock.on_pending = self._come_again

    def stop(self) -> None:
        """As of any side."""
        self._stopped = True
        self._sock.on_pending = _nothing
        if self._again is not None:
            self._again.stop()
            self._again = None
        super().stop()

    def _start_or_stop(self) -> None:
        super()._start_or_stop()
        if self.reads and self._sock.pending:
            self._come_again()

    def _come_again(self) -> None:
        if self._again is None and not self._stopped:
            self._again = self._loop.run_callback(self._read_on)

    def _read_on(self) -> None:
        self._again = None
        # When it is not read now, the watcher's next start comes here again.
        if self.reads and not self._stopped:
            self.on_readable()


def side_of(
    sock: Any, loop: Any, on_drained: Callable[[], None], on_broken: Callable[[], None]
) -> Side:
    """The side for a socket, by its kind."""
    # Not by its class: that would bring TLS into memory where there is none.
    kind = TlsSide if hasattr(sock, "on_pending") else Side
    return kind(sock, loop, on_drained, on_broken)
