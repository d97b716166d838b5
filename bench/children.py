"""Processes of the bench: their output goes to a file; they are reaped whatever happens."""

import atexit
import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)
_LIVE: set["Child"] = set()


def pause(seconds: float) -> None:
    """Wait."""
    threading.Event().wait(seconds)


def wait_until(
    condition: Callable[[], bool], what: str, timeout: float, step: float = 0.05
) -> None:
    """Poll until `condition` holds.

    Raises:
        TimeoutError: it did not within `timeout` seconds; names `what`.
    """
    for _ in range(max(1, int(timeout / step))):
        if condition():
            return
        pause(step)
    raise TimeoutError(f"{what}: not within {timeout:g} s")


def accepts(port: int) -> bool:
    """Whether something listens on the port of the loopback interface."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.5):
            return True
    except OSError:
        return False


def free_ports(count: int) -> list[int]:
    """`count` consecutive free ports, below those the kernel gives to outgoing connections."""
    start = 20000 + os.getpid() % 500 * 20
    for first in range(start, start + 10000, count):
        ports = [(first + offset - 20000) % 12000 + 20000 for offset in range(count)]
        if ports[-1] - ports[0] == count - 1 and all(map(_take, ports)):
            return ports
    raise RuntimeError(f"no {count} consecutive free ports")


_TAKEN: set[int] = set()


def _take(port: int) -> bool:
    if port in _TAKEN:
        return False
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    _TAKEN.add(port)
    return True


def _die_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Child:
    """One background process, in a group of its own.

    Args:
        name: for messages.
        command: what to run; its output goes to `log`.
        env: added to this process's environment.
    """

    def __init__(
        self, name: str, command: Sequence[str], log: Path, env: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as sink:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                cwd=log.parent,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        _LIVE.add(self)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def pids(self) -> list[int]:
        """The process and those it has started."""
        found, todo = [], [self.pid]
        while todo:
            pid = todo.pop()
            found.append(pid)
            with contextlib.suppress(OSError):
                for task in Path(f"/proc/{pid}/task").iterdir():
                    todo += [int(child) for child in (task / "children").read_text().split()]
        return found

    def tail(self, lines: int = 5) -> str:
        """The last lines of its output."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def stop(self, grace: float = 5.0) -> None:
        """End it, with force if it takes longer than `grace` seconds, and reap it."""
        for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 10.0)):
            if self._process.poll() is not None:
                break
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(patience)
        self._process.wait(1)
        _LIVE.discard(self)


@atexit.register
def _reap() -> None:
    for child in list(_LIVE):
        child.stop(grace=0.2)


def resident_bytes(pids: Sequence[int]) -> int:
    """Memory of the processes that is in RAM; what they share is counted once for each."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return total * os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pids: Sequence[int]) -> float:
    """Processor time of all threads of the processes, from the scheduler's own accounts."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{pid}/task").iterdir():
                with contextlib.suppress(OSError):
                    total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9
