"""A process that sends malformed frames to one sidecar and counts what became of them.

Run as ``python -m tests.robustness.storm``; the result is one JSON object on stdout. A frame
counts once it was answered, or was the first unanswered one of a connection the peer closed:
what had been sent behind it is sent again on another connection.
"""

import argparse
import itertools
import json
import socket
import struct
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from typing import Any

from codec.frames import FrameDecoder
from codec.messages.sasl_authenticate import SaslAuthenticateRequest
from codec.messages.sasl_handshake import SaslHandshakeRequest
from tests.robustness.frames import Item, after_authentication, before_authentication
from tests.support.messages import request, sized

_CHUNK = 6
"""Frames sent before their answers are read."""
_PER_CONNECTION = 60
_PATIENCE = 10.0
"""Seconds to wait for what the sidecar says itself."""
_BROKER_PATIENCE = 0.5
"""Seconds to wait for an answer from a broker: some requests are rightly answered late."""
_RESET = struct.pack("ii", 1, 0)


class Worker(threading.Thread):
    """Sends its share, one connection after the other."""

    def __init__(self, address: tuple[str, int], items: Iterator[Item], count: int) -> None:
        super().__init__()
        self._address = address
        self._items = items
        self._again: deque[Item] = deque()
        self._left = count
        self._greeting = b""
        self.kinds: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.failure: str | None = None

    def authenticate(self, token: str) -> None:
        """Begin each connection with these credentials."""
        message = SaslAuthenticateRequest(auth_bytes=b"\0storm\0" + token.encode())
        handshake = request(SaslHandshakeRequest(mechanism="PLAIN"), 1)
        self._greeting = sized(handshake) + sized(request(message, 2))

    def run(self) -> None:
        """Send until the share is done."""
        try:
            while self._left > 0:
                self._connection()
        except OSError as error:
            self.failure = repr(error)

    def _next(self) -> Item:
        return self._again.popleft() if self._again else next(self._items)

    def _done(self, items: list[Item]) -> None:
        self.kinds.update(item.kind for item in items)
        self._left -= len(items)

    def _connection(self) -> None:
        with socket.create_connection(self._address, timeout=10) as sock:
            answers = Answers(sock)
            greeted = not self._greeting
            for sent in range(0, _PER_CONNECTION, _CHUNK):
                chunk = list(itertools.islice(iter(self._next, None), _CHUNK))
                outcome = self._exchange(sock, answers, chunk, b"" if sent else self._greeting)
                greeted = greeted or answers.count >= 2
                self.outcomes[outcome] += 1
                if outcome != "answered":
                    break
            if not greeted:
                raise ConnectionError("the sidecar did not let the storm in")
            if self._left % 3 == 0:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)

    def _exchange(
        self, sock: socket.socket, answers: "Answers", chunk: list[Item], greeting: bytes
    ) -> str:
        """Send some, read what comes; keep for later what was not looked at."""
        end = next((n for n, item in enumerate(chunk) if item.last), len(chunk) - 1)
        chunk, rest = chunk[: end + 1], chunk[end + 1 :]
        expected = answers.count + len(chunk) + (2 if greeting else 0)
        outcome = answers.send(greeting + b"".join(item.data for item in chunk))
        if outcome == "answered":
            if chunk[-1].last:
                answers.end_sending()
            if greeting:
                answers.read_until(answers.count + 2, time.monotonic() + _PATIENCE)
            patience = _BROKER_PATIENCE if self._greeting else _PATIENCE
            outcome = answers.read_until(expected, time.monotonic() + patience)
        # One more than was answered: the one that ended it, or that nobody answers.
        missing = expected - answers.count
        seen = min(len(chunk), max(1, len(chunk) - missing + 1))
        self._done(chunk[:seen])
        self._again.extendleft(reversed(chunk[seen:] + rest))
        return "ended" if outcome == "answered" and chunk[-1].last else outcome


class Answers:
    """The receiving side of a connection."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._decoder = FrameDecoder(1 << 30)
        self.count = 0

    def send(self, data: bytes) -> str:
        """Send everything, if the peer lets us."""
        try:
            self._sock.sendall(data)
        except TimeoutError:
            return "stuck"
        except OSError:
            return "closed"
        return "answered"

    def end_sending(self) -> None:
        """Nothing will follow."""
        try:
            self._sock.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def read_until(self, expected: int, deadline: float) -> str:
        """Read `expected` answers, or until the peer closes, or until it is too late."""
        while self.count < expected:
            self._sock.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                data = self._sock.recv(1 << 16)
            except TimeoutError:
                return "no answer"
            except OSError:
                return "closed"
            if not data:
                return "closed"
            self.count += sum(1 for _ in self._decoder.feed(data))
        self._sock.settimeout(10)
        return "answered"


def _workers(arguments: argparse.Namespace) -> list[Worker]:
    made = []
    half = arguments.frames // 2
    threads = arguments.threads
    for number in range(2 * threads):
        port = arguments.ports[number % len(arguments.ports)]
        seed = f"{arguments.seed}/{number}"
        inside = number >= threads
        items = after_authentication(seed) if inside else before_authentication(seed)
        worker = Worker(("127.0.0.1", port), items, -(-half // threads))
        if inside:
            worker.authenticate(arguments.tokens[number % len(arguments.tokens)])
        made.append(worker)
    return made


def main() -> int:
    """Run the storm; the exit status says whether every frame went out."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--ports", type=int, nargs="+", required=True)
    parser.add_argument("--tokens", nargs="+", required=True)
    parser.add_argument("--frames", type=int, required=True)
    parser.add_argument("--threads", type=int, default=3, help="on each side of authentication")
    parser.add_argument("--seed", default="1")
    arguments = parser.parse_args()
    workers = _workers(arguments)
    began = time.monotonic()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    threads = arguments.threads
    result: dict[str, Any] = {"seconds": round(time.monotonic() - began, 2)}
    for side, share in (("before", workers[:threads]), ("after", workers[threads:])):
        kinds = sum((worker.kinds for worker in share), Counter[str]())
        outcomes = sum((worker.outcomes for worker in share), Counter[str]())
        result[side] = {"frames": kinds.total(), "kinds": kinds, "outcomes": outcomes}
    result["failures"] = [worker.failure for worker in workers if worker.failure]
    print(json.dumps(result))
    return 1 if result["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
