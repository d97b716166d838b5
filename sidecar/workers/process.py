"""Starting a worker's process, and knowing how it ended."""

import os
import signal
import subprocess
import sys
from typing import Final

import gevent
from gevent import socket
from gevent.queue import SimpleQueue

from sidecar.model.place import Place
from sidecar.workers.channel import Channel
from sidecar.workers.messages import State

_REAP_SECONDS: Final = 5.0
"""How long a process may take to end once its socket is closed."""
_REAP_STEP: Final = 0.01


class WorkerProcess:
    """A worker as the first process sees it; runs from the moment it is made.

    Args:
        place: which one it is.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.greeted = False
        """Whether it waits for its `Welcome`, or has got it."""
        self.welcomed = False
        """Whether it has been sent its `Welcome`; from then on it is told of every change."""
        self.state = State()
        """As it last reported."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = _spawn(theirs.fileno())
        self.messages = Channel(ours)
        self._outgoing: SimpleQueue[bytes] = SimpleQueue()
        self._sender = gevent.spawn(self._send_all)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def send(self, encoded: bytes) -> None:
        """Send a message after what was sent before; does not wait."""
        self._outgoing.put(encoded)

    def _send_all(self) -> None:
        try:
            while True:
                self.messages.write(self._outgoing.get())
        except OSError:
            return  # whoever reads `messages` sees the end as well

    def finish(self) -> None:
        """Ask it to end."""
        self._sender.kill()
        self.messages.finish()

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def reap(self) -> int:
        """Wait until it has ended; its exit status, negative for a signal. Never waits for long."""
        self._sender.kill()
        self.messages.close()
        for _ in range(int(_REAP_SECONDS / _REAP_STEP)):
            status = self._process.poll()
            if status is not None:
                return status
            gevent.sleep(_REAP_STEP)
        self._process.kill()
        return self._process.wait()


def _spawn(fd: int) -> "subprocess.Popen[bytes]":
    """A new interpreter with the worker's end of the socket; the log's stdout is inherited.

    Not a fork, which would copy gRPC's threads' locks and memory. The signals that end a sidecar
    are blocked from before its first instruction: from a terminal they reach the whole group, and
    the first process ends the others in order.
    """
    command = [sys.executable, "-P", "-m", "sidecar.workers", str(fd)]
    # The same modules as here, whatever the working directory has.
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[fd], env=environment)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
