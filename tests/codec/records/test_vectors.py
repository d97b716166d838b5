"""What Java wrote is read as what Java was told to write, and written back the same."""

import pytest

from codec.records.batch import crc_ok, read_batch_headers
from codec.records.build import build_batch
from codec.records.control import ControlType, Marker, read_marker
from codec.records.legacy import build_messages
from codec.records.record import payload
from codec.records.rewrite import records_of
from tests.codec.records.sets import PARAMETERS, expected, in_full, one_set


@pytest.mark.parametrize(("magic", "codec", "kind", "blob"), PARAMETERS)
@pytest.mark.parametrize("buffer", [bytes, bytearray, memoryview])
def test_records_of_java(
    magic: int, codec: str, kind: str, blob: bytes, buffer: type[bytes | bytearray | memoryview]
) -> None:
    records = buffer(blob)
    read = [r for h in read_batch_headers(records) for r in records_of(records, h)]
    assert in_full(read) == expected(magic, kind)


@pytest.mark.parametrize(("magic", "codec", "kind", "blob"), PARAMETERS)
def test_written_back(magic: int, codec: str, kind: str, blob: bytes) -> None:
    written = b""
    for header in read_batch_headers(blob):
        records = list(records_of(blob, header))
        build = build_batch if magic == 2 else build_messages
        written += build(records, header)
    # Compressors may find other bytes for the same content; these three do not.
    if codec in ("none", "snappy", "lz4"):
        assert written == blob
    headers = list(read_batch_headers(written))
    assert all(crc_ok(written, header) for header in headers)
    read = [record for header in headers for record in records_of(written, header)]
    assert in_full(read) == expected(magic, kind)
    if magic == 2:
        [before], [after] = read_batch_headers(blob), headers
        assert after._replace(end=0, crc=0) == before._replace(end=0, crc=0)
        assert payload(written, after) == payload(blob, before)


@pytest.mark.parametrize(("kind", "type_"), [("ABORT", 0), ("COMMIT", 1)])
def test_markers(kind: str, type_: int) -> None:
    blob = one_set(2, "none", f"marker-{kind}")
    [header] = read_batch_headers(blob)
    [record] = records_of(blob, header)
    assert read_marker(record) == Marker(0, type_, 11)
    assert ControlType(type_).name == kind
