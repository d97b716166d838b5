"""Request and response headers: what stands between the size of a frame and the body.

Source: the protocol guide, KIP-482 (headers of flexible versions), KIP-511 (ApiVersions).
"""

from struct import Struct, error
from typing import NamedTuple

from codec.api_keys import FLEXIBLE_SINCE, ApiKey, is_flexible
from codec.errors import DecodeError, EncodeError
from codec.primitives import Buffer, read_tags

_FIXED = Struct(">hhih")
_CLIENT_ID_LENGTH = 2
_CORRELATION_ID = Struct(">i")
_NO_TAGS = b"\x00"
# Comparing plain integers is twice as fast.
_CONTROLLED_SHUTDOWN = int(ApiKey.CONTROLLED_SHUTDOWN)


class RequestHeader(NamedTuple):
    """A request header and where it ended.

    `body_start` is the position of the body in the frame. It is None for an API key that is not in
    ApiKey: whether its header ends with a tag section cannot be known. Versions newer than the
    codec knows have one if their API was ever made flexible.
    """

    api_key: int
    api_version: int
    correlation_id: int
    client_id: str | None
    body_start: int | None


def read_request_header(frame: Buffer, pos: int = 0) -> RequestHeader:
    """Read the header at `pos` of a frame without its size.

    Works for APIs and versions the codec has no layout for. Raises DecodeError if the frame is
    too short, or the client id or the tag section are not valid. ControlledShutdown 0 alone has no
    client id.
    """
    try:
        api_key, version, correlation_id, length = _FIXED.unpack_from(frame, pos)
        pos += _FIXED.size
        if api_key == _CONTROLLED_SHUTDOWN and version == 0:
            return RequestHeader(api_key, version, correlation_id, None, pos - _CLIENT_ID_LENGTH)
        client_id = None
        if length != -1:
            end = pos + length
            if not pos <= end <= len(frame):
                raise DecodeError(f"client id has length {length}")
            client_id = str(frame[pos:end], "utf-8", "surrogateescape")
            pos = end
        if api_key not in FLEXIBLE_SINCE:
            return RequestHeader(api_key, version, correlation_id, client_id, None)
        if is_flexible(api_key, version):
            pos = _skip_tags(frame, pos)
        return RequestHeader(api_key, version, correlation_id, client_id, pos)
    except DecodeError as reason:
        raise DecodeError(f"request header: {reason}") from None
    except (error, IndexError):
        raise DecodeError("request header: it ends too early") from None


def _skip_tags(frame: Buffer, pos: int) -> int:
    count = frame[pos]
    pos += 1
    return read_tags(frame, pos, count, len(frame))[1] if count else pos


def request_header(
    api_key: int, version: int, correlation_id: int, client_id: str | None = None
) -> bytes:
    """The header of a request, in header version 2 if this version of the API is flexible, else 1.

    ControlledShutdown 0 alone has header version 0, which leaves the client id out.
    Raises EncodeError if a number or the client id does not fit.
    """
    name = b"" if client_id is None else client_id.encode("utf-8", "surrogateescape")
    try:
        head = _FIXED.pack(api_key, version, correlation_id, -1 if client_id is None else len(name))
    except error as reason:
        raise EncodeError(f"request header: {reason}") from None
    if api_key == _CONTROLLED_SHUTDOWN and version == 0:
        return head[:-_CLIENT_ID_LENGTH]
    return head + name + (_NO_TAGS if is_flexible(api_key, version) else b"")


def response_header(api_key: int, version: int, correlation_id: int) -> bytes:
    """The header of the response to a request of this API and version."""
    try:
        head = _CORRELATION_ID.pack(correlation_id)
    except error as reason:
        raise EncodeError(f"response header: {reason}") from None
    return head + _NO_TAGS if _has_tags(api_key, version) else head


def response_correlation_id(frame: Buffer) -> int:
    """The correlation id at the start of every response; DecodeError if the frame is too short."""
    try:
        return int(_CORRELATION_ID.unpack_from(frame)[0])
    except error:
        raise DecodeError("response header: it ends too early") from None


def response_body_start(api_key: int, version: int, frame: Buffer) -> int:
    """The position of the body in a response frame without its size.

    `api_key` and `version` are those of the request. Raises DecodeError if the header is cut off.
    """
    try:
        if len(frame) < _CORRELATION_ID.size:
            raise IndexError
        if _has_tags(api_key, version):
            return _skip_tags(frame, _CORRELATION_ID.size)
        return _CORRELATION_ID.size
    except DecodeError as reason:
        raise DecodeError(f"response header: {reason}") from None
    except IndexError:
        raise DecodeError("response header: it ends too early") from None


def _has_tags(api_key: int, version: int) -> bool:
    # A client reads the ApiVersions response before it knows what the broker speaks.
    return api_key != ApiKey.API_VERSIONS and is_flexible(api_key, version)
