"""`ctl` as a process: Ctrl-C, pipes, terminals, and sidecars that go away and come back."""

import fcntl
import json
import os
import pty
import signal
import socket
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import gevent
import pytest

from sidecar.cli.ctl.targets import TARGETS_VARIABLE
from tests.sidecar.api.harness import Control, injection, running
from tests.support.commands import SECONDS, Command, environment
from tests.support.gateways import free_ports

Start = Callable[..., Command]


@pytest.fixture(scope="module")
def server() -> Iterator[Control]:
    """A control server."""
    with running() as control:
        yield control


@pytest.fixture
def start(server: Control) -> Iterator[Start]:
    """Starts `ctl` with that server as its target, and ends it with the test."""
    with ExitStack() as stack:

        def start_one(*arguments: str, **extra: str) -> Command:
            target = {TARGETS_VARIABLE: f"localhost:{server.server.port}"}
            command = Command("ctl", *arguments, extra=target | extra)
            stack.callback(command.close)
            return command

        yield start_one


def heard(command: Command, text: bytes) -> bytes:
    """Read stderr until it holds `text`."""
    stream, err = command.process.stderr, b""
    assert stream is not None
    with gevent.Timeout(SECONDS, TimeoutError(f"no {text!r} on stderr")):
        while text not in err:
            err += stream.read() or b""
            gevent.sleep(0.01)
    return err


def test_exit_codes(start: Start) -> None:
    gone = f"localhost:{free_ports(1)}"

    assert start("status").end()[0] == 0
    code, out, err = start("status", **{TARGETS_VARIABLE: gone}).end()
    assert (code, out) == (1, "")
    assert err.startswith(f"chaos-sidecar: {gone}: cannot be reached")
    assert start("status", "--nonsense").end()[0] == 2


def test_watch_writes_a_line_an_injection_and_ends_with_130(server: Control, start: Start) -> None:
    command = start("watch", "--vcluster", "teamA")
    heard(command, b"watching\n")

    server.journal.publish(injection(virtual_cluster="teamB", draw=1))
    server.journal.publish(injection(draw=2, client_id="x\x1b[2J"))
    command.until(b"draw=2\n")

    assert command.end(signal.SIGINT) == (
        130,
        "2024-04-09T20:17:09.750Z elections teamA REJECT NOT_LEADER_OR_FOLLOWER PRODUCE"
        " my-topic-3 client=x\\x1b[2J records=5 draw=2\n",
        "",
    )


def test_watch_in_json_ends_after_so_many(server: Control, start: Start) -> None:
    command = start("watch", "-o", "json", "--count", "2")
    heard(command, b"watching\n")

    for draw in range(3):
        server.journal.publish(injection(draw=draw))

    code, out, err = command.end()
    events = [json.loads(line) for line in out.splitlines()]
    assert (code, err) == (0, "")
    assert [event["injection"]["draw"] for event in events] == [0, 1]
    assert list(events[0]) == ["target", "event", "injection", "resume_token"]


def test_watch_goes_on_without_one_that_is_down(server: Control, start: Start) -> None:
    here, gone = f"localhost:{server.server.port}", f"localhost:{free_ports(1)}"
    command = start("watch", "--target", f"{gone},{here}", "--count", "1")
    err = heard(command, f"{here}: watching\n".encode())

    server.journal.publish(injection())

    code, out, rest = command.end()
    assert (code, out.split()[0]) == (1, here)
    [line] = [one for one in (err.decode() + rest).splitlines() if gone in one]
    assert line.endswith("it is tried again")


def test_watch_ends_when_nobody_can_be_reached(start: Start) -> None:
    gone = free_ports(2)
    code, out, err = start("watch", "--target", f"localhost:{gone},localhost:{gone + 1}").end()

    assert (code, out) == (1, "")
    assert err.count("cannot be reached") == 2


def test_watch_does_not_wait_for_one_that_is_silent(start: Start) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        target = f"127.0.0.1:{silent.getsockname()[1]}"
        code, out, err = start("watch", "--timeout", "0.5", "--target", target).end()

    assert (code, out) == (1, "")
    assert f"{target}: nothing was heard for 2.5 s" in err


def test_watch_ends_when_it_is_refused(start: Start) -> None:
    code, out, err = start("watch", CHAOS_SIDECAR_CREDENTIALS="admin:hunter2").end()

    assert (code, out) == (1, "")
    assert "the username or password is wrong" in err
    assert "hunter2" not in err


def test_watch_finds_a_sidecar_that_was_started_anew(start: Start) -> None:
    port = free_ports(1)
    with running(port=port) as first:
        command = start("watch", "--target", f"localhost:{port}")
        heard(command, b"watching\n")
        first.journal.publish(injection(draw=1))
        command.until(b"draw=1\n")
    heard(command, b"tried again\n")

    with running(port=port) as second:
        heard(command, b"watching\n")
        second.journal.publish(injection(draw=2))
        out = command.until(b"draw=2\n").decode()

    assert [line.split()[0] for line in out.splitlines()[1:2]] == ["GAP:"]
    assert command.end(signal.SIGINT)[0] == 130


@pytest.mark.parametrize("name", ["watch", "status"])
def test_a_reader_that_goes_away_is_no_news(server: Control, name: str) -> None:
    read, write = os.pipe()
    os.close(read)
    target = {TARGETS_VARIABLE: f"localhost:{server.server.port}"}
    command = Command("ctl", name, extra=target, stdout=write)
    os.close(write)
    try:
        code, _, err = command.end()
    finally:
        command.close()

    assert (code, err) == (141, "")


class Terminal:
    """A command on a terminal of its own, 100 columns wide and 12 lines high."""

    def __init__(self, *arguments: str, **extra: str) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 12, 100, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sidecar", "ctl", *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment({"TERM": "xterm", "NO_COLOR": ""} | extra),
        )
        os.close(slave)
        os.set_blocking(self._master, False)
        self.out = b""

    def until(self, text: bytes) -> None:
        """Read until there is `text`."""
        with gevent.Timeout(SECONDS, TimeoutError(f"no {text!r} in {self.out!r}")):
            while text not in self.out:
                self._read()
                gevent.sleep(0.01)

    def end(self, number: int | None = None) -> int:
        """Wait for the end, after a signal if one is given: the exit code."""
        if number is not None:
            self.process.send_signal(number)
        with gevent.Timeout(SECONDS, TimeoutError("the command does not end")):
            while self.process.poll() is None:
                self._read()
                gevent.sleep(0.01)
        self._read()
        return self.process.returncode

    def close(self) -> None:
        """End it for certain."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._master)

    def _read(self) -> None:
        try:
            while chunk := os.read(self._master, 65536):
                self.out += chunk
        except OSError:  # nothing there, or nobody there any more
            return


@pytest.fixture
def terminal(server: Control) -> Iterator[Callable[..., Terminal]]:
    """Starts `ctl` on terminals."""
    with ExitStack() as stack:

        def start_one(*arguments: str, **extra: str) -> Terminal:
            target = {TARGETS_VARIABLE: f"localhost:{server.server.port}"}
            one = Terminal(*arguments, **(target | extra))
            stack.callback(one.close)
            return one

        yield start_one


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_watch_on_a_terminal_counts_and_leaves_it_as_it_was(
    server: Control, terminal: Callable[..., Terminal], number: int, code: int
) -> None:
    watch = terminal("watch")
    watch.until(b"0 injections from 1 of 1 sidecars; Ctrl-C ends")
    for draw in range(3):
        server.journal.publish(injection(draw=draw))
    server.journal.publish(injection(draw=3, error="NONE", outcome="DELAY", delay_ms=20))
    watch.until(b"4 injections from 1 of 1 sidecars; Ctrl-C ends")

    assert watch.end(number) == code

    screen, left = watch.out.decode().rsplit("\x1b[?25h\x1b[?1049l", 1)
    assert screen.startswith("\x1b[?1049h\x1b[?25l")
    drawn = screen.rsplit("\x1b[H", 1)[1].split("\r\n")
    assert len(drawn) <= 12
    assert any("draw=3" in line or "DELAY 20 ms" in line for line in drawn)
    head, *rows, total = left.split("\r\n")[:-1]
    assert "INTERCEPTOR" in head
    assert [row.split()[:5] for row in rows] == [
        ["elections", "teamA", "DELAY", "NONE", "1"],
        ["elections", "teamA", "REJECT", "NOT_LEADER_OR_FOLLOWER", "3"],
    ]
    assert total == "4 injections from 1 of 1 sidecars"


def test_colours_are_for_terminals_that_want_them(terminal: Callable[..., Terminal]) -> None:
    bold = b"\x1b[1m"
    for extra, coloured in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
        status = terminal("status", **extra)
        assert status.end() == 0
        assert (bold in status.out) is coloured, extra
    watch = terminal("watch", "--for", "100ms", TERM="dumb")
    assert watch.end() == 0
    assert b"\x1b" not in watch.out
