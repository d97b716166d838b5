"""Decoding and encoding of message bodies, by functions compiled on first use."""

import struct
from collections.abc import Callable
from typing import Any, cast

from codec.api_keys import ApiKey
from codec.compiler import compile_decoder, compile_encoder
from codec.compiler.decoding import Decoder
from codec.compiler.encoding import Encoder
from codec.errors import CodecError, DecodeError, EncodeError
from codec.primitives import Buffer, join_small
from codec.registry import request_class, response_class
from codec.schema import Message

# Comparing plain integers is twice as fast.
_API_VERSIONS = int(ApiKey.API_VERSIONS)
# What reading past the end, a broken rule, and bytes that are not UTF-8 raise.
_BROKEN = (DecodeError, struct.error, IndexError, UnicodeDecodeError)
_UNSUPPORTED_VERSION = b"\x00\x23"

_decoders: dict[tuple[type[Message], int, bool], Decoder] = {}
_encoders: dict[tuple[type[Message], int, bool], Encoder] = {}
_request_decoders: dict[tuple[int, int], Decoder] = {}
_response_decoders: dict[tuple[int, int], Decoder] = {}


def decode_request(api_key: int, version: int, body: Buffer, start: int = 0) -> Message:
    """The request in `body` from `start` on, where its header ends.

    Bytes and records of the message are memoryviews of `body`, never copies; everything else is
    its own. `body` may be a whole frame: with `start` from its header, nothing is copied.
    A memoryview is accepted, but bytes or bytearray are read faster.

    Raises DecodeError for anything that is not valid, UnsupportedVersion for a version without
    layout. Sizes and counts are checked against the bytes there are, so memory stays proportional
    to the frame, but the factor is large: a million empty names in 2 MB become 88 MB of objects.
    Limit frames where they are read, tightly before authentication.
    """
    decoder = _request_decoders.get((api_key, version))
    if decoder is None:
        decoder = _decoder(request_class(api_key), version)
        _request_decoders[api_key, version] = decoder
    data = body if type(body) is not memoryview else bytes(body)
    try:
        return cast(Message, decoder(data, start, len(data), body))
    except _BROKEN as error:
        return _again(error, request_class(api_key), version, body, start)


def decode_response(api_key: int, version: int, body: Buffer, start: int = 0) -> Message:
    """The response in `body` from `start` on; otherwise as decode_request.

    `version` is that of the request. Where ApiVersions fell back, the layout is that of version 0:
    see response_version.
    """
    if api_key == _API_VERSIONS:
        version = response_version(api_key, version, body, start)
    decoder = _response_decoders.get((api_key, version))
    if decoder is None:
        decoder = _decoder(response_class(api_key), version)
        _response_decoders[api_key, version] = decoder
    data = body if type(body) is not memoryview else bytes(body)
    try:
        return cast(Message, decoder(data, start, len(data), body))
    except _BROKEN as error:
        return _again(error, response_class(api_key), version, body, start)


def response_version(api_key: int, version: int, body: Buffer, start: int = 0) -> int:
    """The version a response is in: the requested one, but for the fall-back of KIP-511.

    A broker that does not know the version of an ApiVersions request answers with error 35 in the
    layout of version 0, whatever was asked.
    """
    if api_key == _API_VERSIONS and body[start : start + 2] == _UNSUPPORTED_VERSION:
        return 0
    return version


def encode(message: Message, version: int) -> bytes:
    """The body of this message in this version, without header.

    A field that does not exist in the version is left out whatever it holds. Raises EncodeError
    for a value that does not fit its field, UnsupportedVersion for a version without layout.
    """
    return cast(bytes, _encode(message, version, b"".join))


def encode_chunks(message: Message, version: int) -> list[Buffer]:
    """As encode, but as a list of buffers in which large blobs are the very objects they were.

    Meant for sendmsg: small pieces are joined, records of 1 KiB and more are not copied.
    """
    return cast("list[Buffer]", _encode(message, version, join_small))


def _decoder(message: type[Message], version: int, *, lenient: bool = False) -> Decoder:
    known = _decoders.get((message, version, lenient))
    if known is None:
        known = compile_decoder(message, version, lenient=lenient)
        _decoders[message, version, lenient] = known
    return known


def _again(
    error: Exception, message: type[Message], version: int, body: Buffer, start: int
) -> Message:
    """Decode leniently what was refused for its text only; raise DecodeError for the rest."""
    if isinstance(error, UnicodeDecodeError):
        decoder = _decoder(message, version, lenient=True)
        data = bytes(body)
        try:
            return cast(Message, decoder(data, start, len(data), body))
        except _BROKEN as second:
            error = second
    reason = str(error) if isinstance(error, DecodeError) else "it ends too early"
    raise DecodeError(f"{message.__name__} v{version}: {reason}") from None


def _encode(message: Message, version: int, join: Callable[[list[Buffer]], Any]) -> Any:
    try:
        try:
            return join(_encoder(message, version)(message))
        except UnicodeEncodeError:
            return join(_encoder(message, version, lenient=True)(message))
    except CodecError:
        raise
    except (struct.error, AttributeError, TypeError, ValueError, OverflowError) as error:
        raise EncodeError(f"{type(message).__name__} v{version}: {error}") from error


def _encoder(message: Message, version: int, *, lenient: bool = False) -> Encoder:
    kind = type(message)
    known = _encoders.get((kind, version, lenient))
    if known is None:
        known = compile_encoder(kind, version, lenient=lenient)
        _encoders[kind, version, lenient] = known
    return known
