"""The log's way out: lines are taken whole or refused, and nobody ever waits for a reader."""

import fcntl
import os
import select
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sidecar import sink as module
from sidecar.sink import LineSink

PIPE_SIZE = 4096


class Pipe:
    """A pipe with room for one page, and a sink on it."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()
        fcntl.fcntl(self.writing, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
        self.sink = LineSink(self.writing)

    def fill(self) -> bytes:
        """Leave no room; returns what now stands before the sink's lines."""
        filler = b"f" * (PIPE_SIZE - 1) + b"\n"
        assert os.write(self.writing, filler) == PIPE_SIZE
        return filler

    def drain(self) -> bytes:
        """All that is in the pipe now."""
        data = b""
        while select.select([self.reading], [], [], 0)[0]:
            piece = os.read(self.reading, 65_536)
            if not piece:
                break
            data += piece
        return data

    def stop_reading(self) -> None:
        """Close the reader's end."""
        os.close(self.reading)
        self.reading = -1

    def close(self) -> None:
        """Close everything, the sink's own descriptor too."""
        for fd in {self.reading, self.writing, self.sink._fd} - {-1}:
            os.close(fd)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    """A pipe that is closed with the test."""
    one = Pipe()
    yield one
    one.close()


def test_what_is_offered_is_written_at_once(pipe: Pipe) -> None:
    assert pipe.sink.offer(b"one\ntwo\n")

    assert pipe.drain() == b"one\ntwo\n"


def test_a_stuck_reader_refuses_offers_and_gets_nothing_of_them(pipe: Pipe) -> None:
    filler = pipe.fill()

    assert not pipe.sink.offer(b"refused\n")
    assert not pipe.sink.offer(b"refused too\n")

    assert pipe.drain() == filler
    assert pipe.sink.flush()
    assert pipe.drain() == b""
    assert pipe.sink.offer(b"taken\n")
    assert pipe.drain() == b"taken\n"


def test_an_offer_that_fits_in_part_is_taken_and_its_rest_goes_first(pipe: Pipe) -> None:
    long = b"x" * (3 * PIPE_SIZE) + b"\n"

    assert pipe.sink.offer(long)
    assert not pipe.sink.offer(b"not now\n")
    pipe.sink.put(b"later\n")

    seen = pipe.drain()
    while not pipe.sink.flush():
        seen += pipe.drain()
    seen += pipe.drain()
    assert seen == long + b"later\n"
    assert pipe.sink.dropped == 0


def test_ordinary_lines_wait_for_a_stuck_reader_in_order(pipe: Pipe) -> None:
    filler = pipe.fill()

    for n in range(10):
        pipe.sink.put(b"line %d\n" % n)
    assert not pipe.sink.flush()

    assert pipe.drain() == filler
    assert pipe.sink.flush()
    assert pipe.drain() == b"".join(b"line %d\n" % n for n in range(10))


def test_offers_are_refused_while_ordinary_lines_wait(pipe: Pipe) -> None:
    filler = pipe.fill()
    pipe.sink.put(b"waits\n")

    assert not pipe.sink.offer(b"event\n")
    assert pipe.drain() == filler
    assert pipe.sink.offer(b"event\n")

    assert pipe.drain() == b"waits\nevent\n"


def test_lines_too_many_are_dropped_whole_and_counted(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BACKLOG_LIMIT", 20)
    filler = pipe.fill()

    for n in range(5):
        pipe.sink.put(b"line %d\n" % n)

    assert pipe.sink.dropped == 3
    assert pipe.drain() == filler
    assert pipe.sink.flush()
    assert pipe.drain() == b"line 0\nline 1\n"


def test_how_many_lines_were_lost_stands_in_their_place_once(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BACKLOG_LIMIT", 20)
    pipe.sink.explain = b"%d lost\n".__mod__
    for round in range(2):
        filler = pipe.fill()
        for n in range(3 + round):
            pipe.sink.put(b"line %d\n" % n)

        assert pipe.drain() == filler
        pipe.sink.put(b"again\n")
        assert pipe.sink.offer(b"event\n")
        assert pipe.sink.flush()

        lost = b"%d lost\n" % (1 + round)
        assert pipe.drain() == b"line 0\nline 1\n" + lost + b"again\nevent\n"


def test_a_full_disk_takes_nothing_and_raises_nothing() -> None:
    with open("/dev/full", "wb") as disk:
        sink = LineSink(disk.fileno())

        assert not sink.offer(b"refused\n")
        sink.put(b"waits\n")

        assert not sink.flush()
        assert not sink.offer(b"refused\n")
        os.close(sink._fd)


def test_no_line_is_ever_mixed_with_another_by_a_reader_in_fits_and_starts(pipe: Pipe) -> None:
    taken, seen = [], b""
    for n in range(300):
        line = b"%03d " % n + b"y" * (n * 37 % 900) + b"\n"
        if n % 2:
            pipe.sink.put(line)
            taken.append(line)
        elif pipe.sink.offer(line):
            taken.append(line)
        if n % 11 == 0:
            seen += os.read(pipe.reading, 1000 + n)

    seen += pipe.drain()
    while not pipe.sink.flush():
        seen += pipe.drain()
    seen += pipe.drain()
    assert seen == b"".join(taken)
    assert 150 < len(taken) < 300


def test_a_reader_that_is_gone_is_like_a_stuck_one(pipe: Pipe) -> None:
    pipe.stop_reading()

    assert not pipe.sink.offer(b"event\n")
    pipe.sink.put(b"line\n")
    assert not pipe.sink.flush()


def test_the_blocking_mode_of_the_callers_descriptor_stays(pipe: Pipe) -> None:
    assert pipe.sink._fd != pipe.writing
    assert os.get_blocking(pipe.writing)
    assert not os.get_blocking(pipe.sink._fd)


def test_a_regular_file_takes_everything_and_is_not_truncated(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("wb") as file:
        file.write(b"before\n")
        file.flush()
        sink = LineSink(file.fileno())

        assert sink.offer(b"event\n" * 10_000)
        sink.put(b"line\n")
        assert sink.flush()

    assert path.read_bytes() == b"before\n" + b"event\n" * 10_000 + b"line\n"


def test_a_full_disk_is_like_a_stuck_reader() -> None:
    fd = os.open("/dev/full", os.O_WRONLY)
    sink = LineSink(fd)

    assert not sink.offer(b"event\n")
    sink.put(b"line\n")
    assert not sink.flush()

    os.close(fd)
    os.close(sink._fd)


def test_other_errors_are_not_swallowed(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> int:
        raise PermissionError("no")

    monkeypatch.setattr("sidecar.sink.os.write", fail)

    with pytest.raises(PermissionError):
        pipe.sink.offer(b"event\n")


def test_a_socket_cannot_be_reopened_and_is_asked_before_each_write() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
        sink = LineSink(ours.fileno())
        assert sink._fd == ours.fileno()
        assert sink.offer(b"first\n")
        refused = next(n for n in range(1000) if not sink.offer(b"z" * 999 + b"\n"))
        assert refused > 0

        seen = b""
        theirs.setblocking(False)
        while not (sink.flush() and not select.select([theirs], [], [], 0)[0]):
            seen += theirs.recv(65_536)

        assert seen == b"first\n" + (b"z" * 999 + b"\n") * refused
        assert sink.offer(b"again\n")
        assert theirs.recv(100) == b"again\n"
        assert ours.getblocking()


# Several writers


def test_lines_of_two_writers_are_never_torn(pipe: Pipe) -> None:
    sinks = [LineSink(pipe.writing, shared=True) for _ in range(2)]
    taken: list[list[bytes]] = [[], []]
    seen = b""
    for n in range(200):
        for which, sink in enumerate(sinks):
            padding = b"z" * (n * 37 % 900)
            lines = [b"%d %03d %d " % (which, n, i) + padding for i in range(1 + n % 11)]
            if sink.offer(b"".join(line + b"\n" for line in lines)):
                taken[which] += lines
        seen += os.read(pipe.reading, 1000 + n)

    while not all([sink.flush() for sink in sinks]):
        seen += pipe.drain()
    seen += pipe.drain()
    for sink in sinks:
        os.close(sink._fd)
    found = seen.splitlines()
    for which, lines in enumerate(taken):
        assert [line for line in found if line.startswith(b"%d " % which)] == lines
        assert len(lines) > 100
    assert len(found) == sum(map(len, taken))


def test_a_line_that_a_pipe_may_tear_is_refused_among_several_writers(pipe: Pipe) -> None:
    shared = LineSink(pipe.writing, shared=True)
    whole, long = b"x" * (PIPE_SIZE - 1) + b"\n", b"x" * PIPE_SIZE + b"\n"

    assert not shared.offer(b"short\n" + long)
    assert pipe.drain() == b""
    assert shared.offer(whole)
    assert pipe.drain() == whole
    shared.put(long)  # an ordinary line is better torn than lost

    seen = pipe.drain()
    assert shared.flush()
    assert seen + pipe.drain() == long
    os.close(shared._fd)


def test_writers_that_share_a_file_take_lines_of_any_length(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as file:
        sinks = [LineSink(file.fileno(), shared=True) for _ in range(2)]

        assert all(sink.offer(b"x" * (3 * PIPE_SIZE) + b"\n") for sink in sinks)

    assert (tmp_path / "log").read_bytes().splitlines() == [b"x" * (3 * PIPE_SIZE)] * 2
