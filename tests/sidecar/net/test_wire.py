"""Frames in, buffers out."""

from collections.abc import Iterator
from typing import Any

import gevent
import pytest
from gevent import socket
from hypothesis import given, settings
from hypothesis import strategies as st

from codec.errors import DecodeError
from sidecar.net.wire import FrameReader, Outbox
from tests.support.messages import sized

LARGE = b"large" * 100_000


class Pieces:
    """A socket that receives what it is given, at most `size` bytes a time, then the end."""

    def __init__(self, data: bytes, size: int = 1 << 20) -> None:
        self._data = data
        self._size = size
        self.asked = 0

    def recv(self, limit: int) -> bytes:
        self.asked += 1
        taken = min(limit, self._size)
        piece, self._data = self._data[:taken], self._data[taken:]
        return piece


def read(data: bytes, size: int = 1 << 20, limit: int = 1 << 20) -> list[bytes]:
    sock: Any = Pieces(data, size)
    return [bytes(frame) for frame in FrameReader(sock, limit)]


# Reading

STREAM = [b"one", b"", b"a" * 300, b"\x00\x00\x00\x01", b"last"]


@pytest.mark.parametrize("size", [1, 3, 4, 17, 1 << 20])
def test_frames_come_out_however_the_stream_is_cut(size: int) -> None:
    assert read(b"".join(map(sized, STREAM)), size) == STREAM


@pytest.mark.parametrize("size", [1000, 65_536, 1 << 20])
def test_large_frames_come_out_whole_between_small_ones(size: int) -> None:
    stream = [b"before", LARGE, b"between", LARGE, LARGE, b"after"]

    assert read(b"".join(map(sized, stream)), size) == stream


@given(
    st.lists(
        st.one_of(st.binary(max_size=20), st.integers(60_000, 140_000).map(lambda n: b"x" * n)),
        max_size=6,
    ),
    st.integers(4_000, 200_000),
)
@settings(derandomize=True, deadline=None, max_examples=60)
def test_any_sizes_around_the_receive_buffer_come_out(stream: list[bytes], size: int) -> None:
    assert read(b"".join(map(sized, stream)), size) == stream


def test_a_frame_stays_what_it_was_while_the_next_ones_are_read() -> None:
    sock: Any = Pieces(b"".join(map(sized, [b"first", LARGE, b"third"])), 70_000)

    kept = list(FrameReader(sock, 1 << 20))

    assert [bytes(frame) for frame in kept] == [b"first", LARGE, b"third"]


def test_a_frame_is_given_as_soon_as_it_is_complete() -> None:
    sock: Any = Pieces(sized(b"one") + sized(b"two"), 7)

    assert bytes(next(iter(FrameReader(sock, 100)))) == b"one"

    assert sock.asked == 1


@pytest.mark.parametrize("size", [-1, -(2**31), 101, 2**31 - 1])
def test_an_impossible_size_is_refused_before_anything_is_read_for_it(size: int) -> None:
    sock: Any = Pieces(sized(b"good") + size.to_bytes(4, "big", signed=True) + b"x" * 50, 12)
    frames = iter(FrameReader(sock, 100))

    assert bytes(next(frames)) == b"good"
    with pytest.raises(DecodeError, match=rf"^frame size {size}, allowed are 0 to 100$"):
        next(frames)

    assert sock.asked == 1


def test_a_frame_of_exactly_the_limit_is_allowed() -> None:
    assert read(sized(b"x" * 100), limit=100) == [b"x" * 100]


def test_a_limit_raised_between_two_frames_counts_for_the_second() -> None:
    sock: Any = Pieces(sized(b"token") + sized(b"x" * 500))
    reader = FrameReader(sock, 100)

    lengths = []
    for frame in reader:
        lengths.append(len(frame))
        reader.limit = 1000

    assert lengths == [5, 500]


@pytest.mark.parametrize("kept", [1, 3, 4, 5, 9])
def test_an_end_inside_a_frame_is_an_error(kept: int) -> None:
    with pytest.raises(DecodeError, match=rf"^connection closed {kept} bytes into a frame$"):
        read(sized(b"whole") + sized(b"partly")[:kept])


def test_an_end_inside_a_large_frame_is_an_error() -> None:
    with pytest.raises(DecodeError, match=r"^connection closed 300000 bytes into a frame$"):
        read(sized(LARGE)[:300_000], 65_536)


def test_memory_is_not_reserved_for_what_a_frame_claims_to_be() -> None:
    sock: Any = Pieces((1 << 30).to_bytes(4, "big") + b"x" * 100)

    with pytest.raises(DecodeError, match="104 bytes into a frame"):
        list(FrameReader(sock, 1 << 30))


# Writing


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two connected sockets with little room in between."""
    left, right = socket.socketpair()
    left.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16 * 1024)
    right.settimeout(5)
    with left, right:
        yield left, right


def received(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = sock.recv(65_536)
        assert piece, f"it ended after {len(data)} of {size} bytes"
        data += piece
    return data


Pair = tuple[socket.socket, socket.socket]


@pytest.mark.parametrize("chunks", [[b"a", memoryview(b"bc"), bytearray(b"d")], [b""], []])
def test_small_buffers_leave_at_once(pair: Pair, chunks: list[Any]) -> None:
    box = Outbox(pair[0])

    box.send(chunks)

    whole = b"".join(chunks)
    assert received(pair[1], len(whole)) == whole


def test_many_and_large_buffers_arrive_in_order_through_a_narrow_pipe(pair: Pair) -> None:
    chunks = [bytes([n % 256]) * (n * 7 % 900) for n in range(1500)] + [memoryview(LARGE)]
    box = Outbox(pair[0])

    sender = gevent.spawn(box.send, chunks)
    whole = b"".join(chunks)

    assert received(pair[1], len(whole)) == whole
    sender.get(timeout=5)


def test_what_several_greenlets_send_never_mixes_and_keeps_the_order_of_calls(pair: Pair) -> None:
    box = Outbox(pair[0])
    messages = [bytes([n]) * (40_000 if n % 3 else 10) for n in range(30)]

    senders = [gevent.spawn(box.send, [m[:5], memoryview(m)[5:]]) for m in messages]
    whole = b"".join(messages)

    assert received(pair[1], len(whole)) == whole
    gevent.joinall(senders, timeout=5, raise_error=True)


def test_a_sender_waits_when_much_is_waiting_and_returns_when_little_is(pair: Pair) -> None:
    box = Outbox(pair[0])
    stuck = gevent.spawn(box.send, [LARGE])
    gevent.sleep(0)

    little = gevent.spawn(box.send, [b"little"])
    much = gevent.spawn(box.send, [LARGE])
    gevent.sleep(0.02)

    assert (stuck.ready(), little.ready(), much.ready()) == (False, True, False)
    assert received(pair[1], 2 * len(LARGE) + 6) == LARGE + b"little" + LARGE
    gevent.joinall([stuck, much], timeout=5, raise_error=True)


def test_drain_returns_when_all_is_gone_or_its_time_is_over(pair: Pair) -> None:
    box = Outbox(pair[0])
    box.drain(0.01)
    sender = gevent.spawn(box.send, [LARGE])
    gevent.sleep(0)

    box.drain(0.01)
    assert not sender.ready()

    reader = gevent.spawn(received, pair[1], len(LARGE))
    box.drain(5)
    assert sender.ready()
    assert reader.get(timeout=5) == LARGE


def test_a_broken_connection_fails_the_sender_all_who_wait_and_all_who_come_later(
    pair: Pair,
) -> None:
    left, right = pair
    box = Outbox(left)
    waiting = [gevent.spawn(box.send, [LARGE]) for _ in range(3)]
    draining = gevent.spawn(box.drain)
    gevent.sleep(0)

    right.close()
    gevent.joinall([*waiting, draining], timeout=5)

    assert [type(g.exception) for g in (*waiting, draining)] == [BrokenPipeError] * 4
    with pytest.raises(BrokenPipeError):
        box.send([b"late"])
    with pytest.raises(BrokenPipeError):
        box.drain(0)
