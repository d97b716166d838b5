"""What has to be known of every Produce request, read without decoding it."""

from codec.errors import DecodeError

_FLEXIBLE_SINCE = 9
_TRANSACTIONAL_ID_SINCE = 3


def expects_response(version: int, body: memoryview | bytes) -> bool:
    """Whether the broker will answer: it does not when acks is 0.

    Raises:
        DecodeError: the body ends before acks.
    """
    position = _after_transactional_id(version, body)
    acks = bytes(body[position : position + 2])
    if len(acks) < 2:
        raise DecodeError("Produce request ends before acks")
    return acks != b"\0\0"


def _after_transactional_id(version: int, body: memoryview | bytes) -> int:
    if version < _TRANSACTIONAL_ID_SINCE:
        return 0
    if version < _FLEXIBLE_SINCE:
        length = int.from_bytes(body[:2], "big", signed=True)
        return 2 + max(length, 0)
    length = shift = position = 0
    while position < 5:
        if position >= len(body):
            raise DecodeError("Produce request ends in its transactional id")
        byte = body[position]
        position += 1
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return position + max(length - 1, 0)
    raise DecodeError("Produce request has a transactional id of impossible length")
