"""Compressed records: every framing that producers use, and no more output than allowed."""

import gzip
import random
import subprocess
import sys
import time
import zlib
from contextlib import suppress

import cramjam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codec.errors import DecodeError, UnsupportedCompression
from codec.records.compression import Compression, compress, decompress

PACKED = [c for c in Compression if c]
NATIVE = [c for c in PACKED if c is not Compression.GZIP]
NOISE = random.Random(7).randbytes(200_000)
CONTENTS = {"nothing": b"", "a byte": b"x", "text": b"kafka " * 50_000, "noise": NOISE}


@pytest.mark.parametrize("compression", Compression)
@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_round_trip(compression: Compression, content: bytes) -> None:
    packed = compress(compression, content)
    assert bytes(decompress(compression, packed)) == content
    assert bytes(decompress(compression, memoryview(bytearray(packed)))) == content
    assert compression is Compression.NONE or content == NOISE or len(packed) < len(content) + 40


@pytest.mark.parametrize("compression", Compression)
@given(content=st.binary(max_size=400))
def test_round_trip_of_anything(compression: Compression, content: bytes) -> None:
    assert bytes(decompress(compression, compress(compression, content))) == content


@pytest.mark.parametrize("compression", Compression)
@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_the_limit_is_exact(compression: Compression, content: bytes) -> None:
    packed = compress(compression, content)
    assert bytes(decompress(compression, packed, limit=len(content))) == content
    if content:
        with pytest.raises(DecodeError, match=f"more than {len(content) - 1} bytes"):
            decompress(compression, packed, limit=len(content) - 1)


@pytest.mark.parametrize("compression", PACKED)
def test_cut_off_anywhere(compression: Compression) -> None:
    packed = compress(compression, b"kafka " * 100 + NOISE[:100])
    # Snappy's framing has no end: cut off between two blocks it is whole, and so it is empty.
    first = 17 if compression is Compression.SNAPPY else 0
    for end in range(first, len(packed)):
        with pytest.raises(DecodeError):
            decompress(compression, packed[:end])


@pytest.mark.parametrize("compression", PACKED)
@given(data=st.data())
def test_damaged(compression: Compression, data: st.DataObject) -> None:
    packed = bytearray(compress(compression, b"kafka " * 100 + NOISE[:100]))
    for _ in range(data.draw(st.integers(1, 4))):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    with suppress(DecodeError):
        assert len(decompress(compression, packed, limit=10_000)) <= 10_000


@pytest.mark.parametrize("compression", PACKED)
@given(junk=st.binary(max_size=60))
def test_junk(compression: Compression, junk: bytes) -> None:
    with suppress(DecodeError):
        assert len(decompress(compression, junk, limit=5_000)) <= 5_000


def test_snappy_without_framing() -> None:
    raw = bytes(cramjam.snappy.compress_raw(CONTENTS["text"]))
    assert bytes(decompress(Compression.SNAPPY, raw)) == CONTENTS["text"]


def test_snappy_as_java_frames_it() -> None:
    packed = compress(Compression.SNAPPY, bytes(100_000))
    assert packed[:16] == b"\x82SNAPPY\0\0\0\0\1\0\0\0\1"
    lengths = []
    pos = 16
    while pos < len(packed):
        length = int.from_bytes(packed[pos : pos + 4])
        lengths.append(cramjam.snappy.decompress_raw_len(packed[pos + 4 : pos + 4 + length]))
        pos += 4 + length
    assert lengths == [32768, 32768, 32768, 1696]


@pytest.mark.parametrize("claimed", [1 << 20, (1 << 31) - 1, (1 << 32) - 1])
def test_a_snappy_block_that_lies_about_its_size(claimed: int) -> None:
    raw = bytearray()
    while claimed > 127:
        raw.append(claimed & 127 | 128)
        claimed >>= 7
    raw.append(claimed)
    with pytest.raises(DecodeError, match="claims"):
        decompress(Compression.SNAPPY, bytes(raw) + b"\0x", limit=1 << 40)


@pytest.mark.parametrize("length", [0, -1, 6, (1 << 31) - 1, -(1 << 31)])
def test_a_snappy_block_whose_length_is_wrong(length: int) -> None:
    header = compress(Compression.SNAPPY, b"")
    packed = header + length.to_bytes(4, signed=True) + b"\1\0x\0\0"
    with pytest.raises(DecodeError, match=f"length {length}, 5 bytes remain"):
        decompress(Compression.SNAPPY, packed)


def test_lz4_frames_of_other_producers() -> None:
    """Blocks that depend on each other, sizes and checksums: what libraries write by default."""
    packed = bytes(cramjam.lz4.compress(CONTENTS["text"] + NOISE))
    assert bytes(decompress(Compression.LZ4, packed)) == CONTENTS["text"] + NOISE
    assert packed[4] & 0x20 == 0, "blocks that do not depend on each other are tested elsewhere"


def test_lz4_frames_are_those_that_java_accepts() -> None:
    packed = compress(Compression.LZ4, CONTENTS["text"])
    assert packed[:7] == b"\x04\x22\x4d\x18\x60\x40\x82"
    assert packed[-4:] == bytes(4)


def test_lz4_header_checksum_of_magic_0() -> None:
    old = compress(Compression.LZ4, b"kafka", old_lz4=True)
    assert old[:7] == b"\x04\x22\x4d\x18\x60\x40\x1a"
    assert bytes(decompress(Compression.LZ4, old, old_lz4=True)) == b"kafka"
    with pytest.raises(DecodeError):
        decompress(Compression.LZ4, old)


# Written by the reference implementation, with the size of the content in the header; the second
# has checksums of blocks too.
SIZED_FRAMES = [
    "04224d1868401e0000000000000089100000006f6b61666b61200600005061666b612000000000",
    "04224d1878401e00000000000000ff100000006f6b61666b61200600005061666b61202db75ecc00000000",
]


@pytest.mark.parametrize("frame", [bytes.fromhex(frame) for frame in SIZED_FRAMES])
def test_lz4_header_checksum_of_longer_headers(frame: bytes) -> None:
    assert bytes(decompress(Compression.LZ4, frame)) == b"kafka " * 5
    broken = bytearray(frame)
    broken[14] ^= 0xFF
    with pytest.raises(DecodeError):
        decompress(Compression.LZ4, broken)
    assert bytes(decompress(Compression.LZ4, broken, old_lz4=True)) == b"kafka " * 5


@pytest.mark.parametrize(
    "frame", [b"", b"\x04\x22\x4d\x18", b"\x04\x22\x4d\x18\x68\x40" + bytes(7)]
)
def test_lz4_headers_that_are_cut_off(frame: bytes) -> None:
    with pytest.raises(DecodeError):
        decompress(Compression.LZ4, frame, old_lz4=True)


def test_gzip_of_several_members() -> None:
    packed = gzip.compress(b"ka") + gzip.compress(b"") + gzip.compress(b"fka" * 9_000)
    assert bytes(decompress(Compression.GZIP, packed)) == b"ka" + b"fka" * 9_000
    with pytest.raises(DecodeError):
        decompress(Compression.GZIP, packed + b"junk")
    with pytest.raises(DecodeError):
        decompress(Compression.GZIP, zlib.compress(b"without gzip's header"))


@pytest.mark.parametrize("compression", [5, 6, 7, -1])
def test_compressions_nobody_knows(compression: int) -> None:
    for call in (compress, decompress):
        with pytest.raises(UnsupportedCompression, match="4 zstd"):
            call(compression, b"")


@pytest.mark.parametrize("compression", NATIVE)
def test_without_the_library(compression: Compression, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cramjam", None)
    for call in (compress, decompress):
        with pytest.raises(UnsupportedCompression, match="pip install") as caught:
            call(compression, b"kafka")
        assert compression.name.lower() in str(caught.value)
    assert decompress(Compression.GZIP, compress(Compression.GZIP, b"kafka")) == b"kafka"


def test_the_library_is_loaded_when_needed() -> None:
    code = "import codec.records.rewrite, sys; print('cramjam' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "False\n"


BOMB_MB = 192
LIMIT_MB = 4
BOMB = f"""
import pathlib, re, sys
from codec.errors import DecodeError
from codec.records.compression import decompress
def peak():
    # Not ru_maxrss, which a child has from the process it was started from.
    status = pathlib.Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) >> 10
packed = sys.stdin.buffer.read()
decompress({{0}}, packed[:0] + {{1}})
before = peak()
try:
    decompress({{0}}, packed, limit={LIMIT_MB} << 20)
except DecodeError as error:
    print(peak() - before, error)
"""


def bomb(compression: Compression) -> bytes:
    """What unpacks to BOMB_MB of zeros."""
    zeros = bytes(1 << 20)
    if compression is Compression.GZIP:
        stream = zlib.compressobj(9, wbits=31)
        return b"".join(stream.compress(zeros) for _ in range(BOMB_MB)) + stream.flush()
    if compression is Compression.SNAPPY:
        one = compress(compression, zeros)
        return one[:16] + one[16:] * BOMB_MB
    if compression is Compression.LZ4:
        one = compress(compression, zeros)
        return one[:7] + one[7:-4] * BOMB_MB + one[-4:]
    return bytes(cramjam.zstd.compress(zeros * BOMB_MB))


@pytest.mark.parametrize("compression", PACKED)
def test_a_bomb_is_not_unpacked(compression: Compression) -> None:
    packed = bomb(compression)
    assert len(packed) < BOMB_MB << 16
    warm = repr(compress(compression, b"loads the library"))
    command = [sys.executable, "-c", BOMB.format(int(compression), warm)]
    shown = subprocess.run(command, input=packed, capture_output=True, check=True, timeout=60)
    grown, _, reason = shown.stdout.decode().partition(" ")
    assert "more than 4194304 bytes" in reason
    assert int(grown) <= 3 * LIMIT_MB


def test_gzip_members_cost_what_they_are_long() -> None:
    """Empty ones, 20 bytes each: four times as many take four times as long, not sixteen."""

    def seconds(count: int) -> float:
        members = gzip.compress(b"") * count
        taken = []
        for _ in range(3):
            began = time.perf_counter()
            assert decompress(Compression.GZIP, members) == b""
            taken.append(time.perf_counter() - began)
        return min(taken)

    assert seconds(80_000) < 9 * seconds(20_000)
