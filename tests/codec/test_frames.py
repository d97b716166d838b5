"""Frames out of a stream, and around chunks."""

import tracemalloc

import pytest

from codec.errors import DecodeError, EncodeError
from codec.frames import FrameDecoder, frame

BODIES = [b"one", b"", b"x" * 1000, b"last"]
STREAM = b"".join(b"".join(frame(body)) for body in BODIES)


@pytest.mark.parametrize("step", [1, 2, 3, 5, 999, len(STREAM)])
def test_frames_come_out_however_they_came_in(step: int) -> None:
    decoder = FrameDecoder(1000)
    found = []
    for start in range(0, len(STREAM), step):
        found += decoder.feed(STREAM[start : start + step])
    assert found == BODIES
    assert len(decoder) == 0


def test_an_unfinished_frame_is_held() -> None:
    decoder = FrameDecoder(10)
    assert list(decoder.feed(b"\x00\x00\x00\x03ab")) == []
    assert len(decoder) == 6
    assert list(decoder.feed(memoryview(b"c\x00"))) == [b"abc"]
    assert len(decoder) == 1


def test_frames_can_be_taken_one_at_a_time() -> None:
    decoder = FrameDecoder(1000).feed(STREAM)
    assert next(iter(decoder)) == BODIES[0]
    assert list(decoder) == BODIES[1:]


@pytest.mark.parametrize("size", [b"\x00\x00\x00\x0b", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff"])
def test_sizes_are_refused_at_once(size: bytes) -> None:
    decoder = FrameDecoder(10)
    decoder.feed(size[:3])
    assert list(decoder) == []
    tracemalloc.start()
    with pytest.raises(DecodeError, match="at most 10"):
        list(decoder.feed(size[3:]))
    assert tracemalloc.get_traced_memory()[1] < 16_384
    tracemalloc.stop()


def test_frames_before_a_bad_size_are_delivered() -> None:
    decoder = FrameDecoder(10)
    found = []
    with pytest.raises(DecodeError):  # noqa: PT012
        for body in decoder.feed(b"\x00\x00\x00\x01a\xff\xff\xff\xff"):
            found.append(body)  # noqa: PERF402
    assert found == [b"a"]


def test_chunks_are_framed_as_they_are() -> None:
    view = memoryview(b"abc")
    chunks = frame(b"xy", view, b"")
    assert chunks[0] == b"\x00\x00\x00\x05"
    assert chunks[2] is view
    assert frame() == [b"\x00\x00\x00\x00"]


def test_two_gigabytes_are_too_much() -> None:
    class Huge(bytes):
        def __len__(self) -> int:
            return 1 << 30

    with pytest.raises(EncodeError):
        frame(Huge(), Huge())
