"""Child processes that are always reaped, and waits that are always bounded.

There is no ``__init__.py`` in this folder on purpose: pytest would name the package ``kafka``, and
that is the name of the kafka-python client that the tests import.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1
TAIL_LINES = 40
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_LIVE: set[Child] = set()


@dataclass(frozen=True)
class Place:
    """Where processes run.

    Args:
        host: their address.
        prefix: what stands before their commands.
    """

    host: str
    prefix: tuple[str, ...] = ()


HERE = Place("127.0.0.1")


def progress(message: str) -> None:
    """Say on stderr what takes its time."""
    print(f"[kafka] {message}", file=sys.stderr, flush=True)


def wait_until(
    condition: Callable[[], bool], what: str, timeout: float, interval: float = 0.1
) -> None:
    """Poll `condition` until it holds; raise TimeoutError naming `what` after `timeout` seconds."""
    pause = threading.Event()
    attempts = max(1, int(timeout / interval))
    for _ in range(attempts):
        if condition():
            return
        pause.wait(interval)
    raise TimeoutError(f"{what}: not after {timeout:.0f} s")


def accepts_tcp(port: int, host: str = "127.0.0.1") -> bool:
    """Whether something listens on `port`."""
    try:
        with socket.create_connection((host, port), timeout=0.5):
            return True
    except OSError:
        return False


def free_ports(count: int) -> list[int]:
    """`count` different ports that nothing listens on right now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


def free_port_range(count: int, first: int, last: int = 32000) -> int:
    """The first port at or above `first` from which `count` consecutive ports are free.

    Stays below the range from which the kernel draws ports for outgoing connections.
    """
    for base in range(first, last, count):
        with contextlib.ExitStack() as stack:
            try:
                for port in range(base, base + count):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return base
    raise RuntimeError(f"no {count} consecutive free ports between {first} and {last}")


def _die_with_parent() -> None:
    """Ask Linux to end this child when its parent dies, however it dies."""
    if _LIBC is not None:
        _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Child:
    """One background process whose output goes to a log file."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        """Start `command` in its own process group; `env` is added to this process's own."""
        self.name = name
        self.log = log
        with log.open("ab") as sink:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                cwd=cwd,
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
        """Whether the process still runs."""
        return self._process.poll() is None

    def tail(self, lines: int = TAIL_LINES) -> str:
        """The last lines of the log, for failure messages."""
        text = self.log.read_text(errors="replace") if self.log.is_file() else ""
        last = "\n".join(text.splitlines()[-lines:])
        return f"--- last lines of {self.name} ({self.log}) ---\n{last}"

    def signal(self, number: int) -> None:
        """Send a signal to the whole process group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def stop(self, grace: float = 10.0) -> int:
        """End the process (politely for `grace` seconds, then not), reap it, give its status."""
        if self.alive and grace > 0:
            self.signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(grace)
        if self.alive:
            self.signal(signal.SIGKILL)
        status = self._process.wait(10)
        _LIVE.discard(self)
        return status


@atexit.register
def _reap() -> None:
    for child in list(_LIVE):
        child.stop(grace=0)
