"""Changing records inside a blob: what did not change keeps its bytes and its checksum."""

from collections.abc import Callable, Iterator, Sequence

from codec.primitives import Buffer
from codec.records.batch import BatchHeader, read_batch_headers
from codec.records.build import build_batch
from codec.records.compression import DEFAULT_LIMIT
from codec.records.legacy import build_messages, read_messages
from codec.records.record import Record, payload, read_records

Change = Callable[[Record], Sequence[Record]]
"""What to have instead of a record: itself, another, several or none."""


def records_of(blob: Buffer, header: BatchHeader, limit: int = DEFAULT_LIMIT) -> Iterator[Record]:
    """The records of one batch of any format, control records included.

    Args:
        blob: what `header` was read from.
        header: of the batch.
        limit: most bytes that it may unpack to.

    Raises DecodeError or UnsupportedCompression, once it comes to it. Checksums are not checked.
    """
    if header.magic == 2:
        return read_records(payload(blob, header, limit), header)
    return read_messages(blob, header, limit)


def rewrite_records(
    blob: Buffer, change: Change, *, keep_offsets: bool, limit: int = DEFAULT_LIMIT
) -> Buffer:
    """The blob with every record replaced by what `change` gives for it.

    Batches in which nothing changes, control batches and a cut-off last batch are copied as they
    are. A changed one is packed anew with the compression, the flags and the producer it had.

    Args:
        blob: any number of batches, of any format.
        change: called for each record in order, but not for those of control batches. It gives
            the very record, or an equal one, where there is nothing to change.
        keep_offsets: how a changed batch is numbered.

            False, for what a client produces: its records are numbered anew, 0 to n-1 from the
            base offset, as a broker demands. A batch without records left is left out, because
            brokers refuse empty ones. The base sequence stays: a broker expects the next batch of
            an idempotent producer to go on behind the n-th record, so whoever changes n has to
            correct the sequences that follow.

            True, for what a client fetches: records keep the offsets that `change` gives them,
            which must lie within the batch and ascend, though not strictly. The batch keeps its
            first and last offset, so that a consumer goes on behind it; it may be left empty, as
            by compaction. Consumers skip an offset they have already had: a record given twice is
            seen twice only with an offset that compaction freed. A legacy entry has no end of its
            own: if its last record is dropped, consumers ask for that one again.
        limit: most bytes that one batch may unpack to. Its records are in memory together, twice
            where they change: as objects the smallest ones take some 60 times their bytes.

    Returns:
        `blob` itself if nothing changed.

    Raises:
        DecodeError: a batch is not valid. Checksums are not checked; a batch that had a wrong one
            and is changed gets a right one.
        EncodeError: `change` gave records that cannot be written, or offsets not allowed.
        UnsupportedCompression: see decompress.
    """
    view = memoryview(blob)
    chunks: list[Buffer] = []
    copied = 0
    for header in read_batch_headers(blob):
        if header.is_control:
            continue
        before = list(records_of(blob, header, limit))
        after = [new for record in before for new in change(record)]
        if after != before:
            chunks += (view[copied : header.start], _rebuilt(before, after, header, keep_offsets))
            copied = header.end
    if not chunks:
        return blob
    return b"".join((*chunks, view[copied:]))


def _rebuilt(
    before: list[Record], after: list[Record], header: BatchHeader, keep_offsets: bool
) -> bytes:
    if not keep_offsets:
        if not after:
            return b""
        # The offset of a wrapper is that of its last message.
        first = header.base_offset if header.magic == 2 else before[0].offset
        after = [record._replace(offset=first + n) for n, record in enumerate(after)]
    if header.magic == 2:
        return build_batch(after, header, keep_end=keep_offsets)
    return build_messages(after, header)
