"""``chaos-sidecar`` as child processes that always end with the test."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import gevent

SECONDS = 20.0


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without anybody's settings, and `extra`."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GATEWAY_", "KAFKA_"))}
    return kept | dict(extra)


class Command:
    """A running command; its output is read through pipes of small size.

    Args:
        arguments: of ``python -m sidecar``.
        extra: environment variables.
        stdout: a descriptor to write to; None for a pipe that `until` reads.
    """

    def __init__(
        self, *arguments: str, extra: Mapping[str, str] = {}, stdout: int | None = None
    ) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sidecar", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if stdout is None else stdout,
            stderr=subprocess.PIPE,
            env=environment(extra),
        )
        self.out = b""
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                os.set_blocking(stream.fileno(), False)

    def until(self, text: bytes) -> bytes:
        """Read stdout until it holds `text`; the test's hub goes on meanwhile."""
        stream = self.process.stdout
        assert stream is not None
        with gevent.Timeout(SECONDS, TimeoutError(f"no {text!r} in {self.out!r}")):
            while text not in self.out:
                self.out += stream.read() or b""
                assert self.process.poll() is None or text in self.out, self._error()
                gevent.sleep(0.01)
        return self.out

    def end(self, signal_number: int | None = None) -> tuple[int, str, str]:
        """Wait for the end, after a signal if one is given: exit code, all of stdout, stderr."""
        if signal_number is not None:
            self.process.send_signal(signal_number)
        with gevent.Timeout(SECONDS, TimeoutError("the command does not end")):
            while self.process.poll() is None:
                gevent.sleep(0.01)
        if self.process.stdout is not None:
            self.out += self.process.stdout.read() or b""
        return self.process.returncode, self.out.decode(), self._error()

    def close(self) -> None:
        """End it for certain."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()

    def _error(self) -> str:
        assert self.process.stderr is not None
        return (self.process.stderr.read() or b"").decode()


def rest(port: int, method: str, path: str, body: Any = None) -> Any:
    """Ask a sidecar's REST API as its default user; the decoded answer, or the text."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, method=method)
    request.add_header("Content-Type", "application/json")
    request.add_header("Authorization", "Basic " + b64encode(b"admin:conduktor").decode())
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            raise AssertionError(f"{error.code}: {error.read().decode()}") from None
    return json.loads(text) if text.startswith(("{", "[")) else text
