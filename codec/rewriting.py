"""Renaming without decoding: from the bytes of one body to the bytes of another.

Generated functions walk a body, copy what is between the names, and ask a Hooks object for every
topic, group, transactional id, topic id, pattern, broker address and error message. Lengths, counts
and tag sizes are written anew. The result is what decoding, editing and encoding would give,
several times faster.

Conditional names, which another field tells the meaning of (FindCoordinator keys, DescribeConfigs
resources), are left as they are: edit those on the decoded message. So are names inside bytes that
are messages themselves: see codec.consumer_protocol.
"""

import struct
from collections.abc import Callable
from typing import Protocol

from codec.api_keys import ApiKey
from codec.coding import response_version
from codec.compiler.rewriting import Rewriter, compile_rewriter
from codec.errors import CodecError, DecodeError
from codec.primitives import Buffer
from codec.registry import request_class, response_class
from codec.schema import Message

_Find = Callable[[int], type[Message]]

# Comparing plain integers is twice as fast.
_API_VERSIONS = int(ApiKey.API_VERSIONS)

_rewriters: dict[tuple[_Find, int, int], Rewriter | None] = {}


class Hooks(Protocol):
    """What the new body should say. Nulls are passed over, empty strings and zero ids are not.

    Hooks are called in the order in which things stand on the wire. Where a struct has both the
    name and the id of a topic and the name comes first, its `topic` is followed by its `topic_id`
    before anything else is asked: hooks can learn pairs while a response passes. A dropped name
    changes nothing about that. Known tags come after the other fields of their struct.

    None for a name drops the array element that holds it: the topic, the group, or the name itself
    in an array of names. Where no array element holds it directly, as with the group of a
    Heartbeat, None is an EncodeError. Ids, patterns and texts drop nothing. What a dropped element
    holds may still be asked about. Hooks must not raise: some exceptions would pass for errors of
    the body.
    """

    def topic(self, name: bytes, /) -> bytes | None:
        """The other name of a topic, in UTF-8."""

    def group(self, name: bytes, /) -> bytes | None:
        """The other name of a consumer group, in UTF-8."""

    def transactional_id(self, name: bytes, /) -> bytes | None:
        """The other form of a transactional id, in UTF-8."""

    def topic_id(self, topic_id: bytes, /) -> bytes:
        """The other id of a topic, 16 bytes for 16 bytes; all zero means none."""

    def topic_pattern(self, pattern: bytes, /) -> bytes:
        """The other regular expression over topic names, in UTF-8."""

    def transactional_id_pattern(self, pattern: bytes, /) -> bytes:
        """The other regular expression over transactional ids, in UTF-8."""

    def broker(self, node_id: int, host: bytes, port: int, /) -> tuple[bytes, int]:
        """Where this broker is to be reached. Node id -1 with an empty host means none."""

    def text(self, message: bytes, /) -> bytes:
        """The error message to show instead, in UTF-8."""


def rewrite_request(
    api_key: int, version: int, body: Buffer, hooks: Hooks, start: int = 0
) -> list[Buffer]:
    """The body with names replaced, as a list of buffers for sendmsg.

    Large blobs are memoryviews of `body`, everything else is joined. `start` is where the body
    begins in the buffer given. A message without names comes back as it is, unread.

    Raises DecodeError if the body is not valid as far as it was read (what follows the last name
    is not), EncodeError if a hook returns something that does not fit.
    """
    return _rewrite(request_class, api_key, version, body, hooks, start)


def rewrite_response(
    api_key: int, version: int, body: Buffer, hooks: Hooks, start: int = 0
) -> list[Buffer]:
    """As rewrite_request, for the response to a request of this version."""
    if api_key == _API_VERSIONS:
        version = response_version(api_key, version, body, start)
    return _rewrite(response_class, api_key, version, body, hooks, start)


def _rewrite(
    find: _Find,
    api_key: int,
    version: int,
    body: Buffer,
    hooks: Hooks,
    start: int,
) -> list[Buffer]:
    try:
        rewriter = _rewriters[find, api_key, version]
    except KeyError:
        rewriter = compile_rewriter(find(api_key), version)
        _rewriters[find, api_key, version] = rewriter
    if rewriter is None:
        return [memoryview(body)[start:] if start else body]
    data = body if type(body) is bytes else bytes(body)
    try:
        return rewriter(data, start, len(data), memoryview(body), hooks)
    except CodecError as error:
        raise type(error)(f"{find(api_key).__name__} v{version}: {error}") from None
    except (struct.error, IndexError):
        raise DecodeError(f"{find(api_key).__name__} v{version}: it ends too early") from None
