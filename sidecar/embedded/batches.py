"""The checks a broker makes on the records of one partition in a Produce request.

Order and error codes follow Kafka's request and log validation. Individual records are not
looked into: a batch with a good checksum is taken to be well-formed inside.
"""

from itertools import islice

from codec.error_codes import ErrorCode
from codec.errors import DecodeError
from codec.primitives import Buffer
from codec.records.batch import (
    BatchHeader,
    crc_ok,
    read_batch_headers,
    set_base_offset,
    set_leader_epoch,
)
from sidecar.embedded.errors import ApiError
from sidecar.embedded.log import StoredBatch
from sidecar.embedded.partition import Partition

_MAGIC = 2
_ZSTD = 4
_ZSTD_FROM = 7
_NO_PRODUCER = -1


def check_records(records: Buffer | None, *, version: int, max_bytes: int) -> BatchHeader:
    """Check that `records` are one batch a client may produce.

    Args:
        records: what the request holds for one partition.
        version: of the Produce request; zstd is allowed from 7 on (KIP-110).
        max_bytes: largest batch allowed.

    Returns:
        The header of the batch.

    Raises:
        ApiError: INVALID_RECORD, UNSUPPORTED_COMPRESSION_TYPE, MESSAGE_TOO_LARGE,
            CORRUPT_MESSAGE or TRANSACTIONAL_ID_AUTHORIZATION_FAILED.
    """
    if not records:
        raise ApiError(ErrorCode.INVALID_RECORD, "there is no record batch")
    header = _only_batch(records)
    if header.magic != _MAGIC:
        raise ApiError(ErrorCode.INVALID_RECORD, f"a batch of magic {header.magic}, not {_MAGIC}")
    if header.compression > _ZSTD or (header.compression == _ZSTD and version < _ZSTD_FROM):
        reason = f"compression {header.compression} in Produce v{version}"
        raise ApiError(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, reason)
    if len(records) > max_bytes:
        reason = f"a batch of {len(records)} bytes, at most {max_bytes} are allowed"
        raise ApiError(ErrorCode.MESSAGE_TOO_LARGE, reason)
    if not crc_ok(records, header):
        raise ApiError(ErrorCode.CORRUPT_MESSAGE, "the CRC-32C of the batch is wrong")
    _check_header(header)
    return header


def stored(header: BatchHeader, records: Buffer, partition: Partition) -> StoredBatch:
    """The batch as it goes to the end of the partition's log: its offset and epoch written in."""
    data = bytearray(records)
    base_offset = partition.log.end_offset
    set_base_offset(data, header, base_offset)
    set_leader_epoch(data, header, partition.leader_epoch)
    last_offset = base_offset + header.last_offset_delta
    return StoredBatch(base_offset, last_offset, header.max_timestamp, bytes(data))


def _only_batch(records: Buffer) -> BatchHeader:
    try:
        headers = list(islice(read_batch_headers(records), 2))
    except DecodeError as error:
        raise ApiError(ErrorCode.CORRUPT_MESSAGE, str(error)) from None
    if not headers:
        raise ApiError(ErrorCode.INVALID_RECORD, "the batch is cut off")
    if headers[0].end != len(records):
        raise ApiError(ErrorCode.INVALID_RECORD, "there is more than one record batch")
    return headers[0]


def _check_header(header: BatchHeader) -> None:
    if header.is_transactional:
        reason = "the embedded cluster has no transactions"
        raise ApiError(ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, reason)
    if header.is_control:
        raise ApiError(ErrorCode.INVALID_RECORD, "clients may not write control batches")
    if header.records_count < 1 or header.last_offset_delta != header.records_count - 1:
        reason = f"{header.records_count} records, last offset delta {header.last_offset_delta}"
        raise ApiError(ErrorCode.INVALID_RECORD, reason)
    if header.producer_id != _NO_PRODUCER and (
        header.base_sequence < 0 or header.producer_epoch < 0
    ):
        raise ApiError(ErrorCode.INVALID_RECORD, "a producer id without epoch or sequence")
