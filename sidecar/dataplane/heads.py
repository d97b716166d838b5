"""Reading the beginning of a request in the receive buffer, as far as it has arrived.

All functions take that buffer, a position in it, and the end of what has arrived.

Layout: Kafka protocol, request header v1 and v2.
"""

from enum import Enum
from struct import Struct
from typing import Any, Final

HEADER: Final = Struct(">ihhih")
"""Size, api key, version, correlation id, length of the client id."""
HEADER_SIZE: Final = HEADER.size
BODY_OFFSET: Final = 12
"""Where the client id's length stands; what is before differs in every frame."""
LOOK_AHEAD: Final = 1024
"""Bytes of a frame within which its topics must be found; others are collected."""
ID_SIZE: Final = 16
"""Bytes of a topic id."""
INT16: Final = Struct(">h")
INT32: Final = Struct(">i")


class Verdict(Enum):
    """What a splicer says when it has no splice."""

    COLLECT = 1
    """The session must see the whole frame."""
    MORE = 2
    """More of the frame must have arrived before anything can be said."""


class Cut(Exception):
    """The bytes that have arrived end before what is asked of them."""


class Unusual(Exception):
    """The frame is not of the form the fast lane knows."""


def length_of(buffer: Any, position: int, end: int, flexible: bool) -> tuple[int, int]:
    """Length of a string (or compact array) and where it begins; -1 for null."""
    if flexible:
        if position >= end:
            raise Cut
        if buffer[position] > 0x7F:
            raise Unusual  # longer than 126 bytes
        return buffer[position] - 1, position + 1
    if position + 2 > end:
        raise Cut
    (length,) = INT16.unpack_from(buffer, position)
    return int(length), position + 2


def count(buffer: Any, position: int, end: int, flexible: bool) -> tuple[int, int]:
    """Length of an array and where its elements begin; -1 for null."""
    if flexible:
        return length_of(buffer, position, end, flexible)
    if position + 4 > end:
        raise Cut
    (elements,) = INT32.unpack_from(buffer, position)
    return int(elements), position + 4


def single_topic(buffer: Any, position: int, end: int, flexible: bool) -> tuple[int, int]:
    """Where the only topic's name begins and ends, from the position of the topic count."""
    topics, position = count(buffer, position, end, flexible)
    if topics != 1:
        raise Unusual
    length, start = length_of(buffer, position, end, flexible)
    if length <= 0:
        raise Unusual
    if start + length > end:
        raise Cut
    return start, start + length


def single_topic_id(buffer: Any, position: int, end: int, flexible: bool) -> tuple[int, int]:
    """As `single_topic`, for a topic's id."""
    topics, start = count(buffer, position, end, flexible)
    if topics != 1:
        raise Unusual
    if start + ID_SIZE > end:
        raise Cut
    return start, start + ID_SIZE


def topic_bytes(name: bytes, flexible: bool) -> bytes:
    """An array of one topic up to and including the name."""
    if flexible:
        if len(name) > 126:
            raise Unusual
        return b"\x02" + bytes((len(name) + 1,)) + name
    if len(name) > 0x7FFF:
        raise Unusual
    return b"\0\0\0\x01" + INT16.pack(len(name)) + name


def after_client_id(buffer: Any, position: int, end: int, flexible: bool) -> int:
    """Where the request's body begins; `position` is that of the frame."""
    (length,) = INT16.unpack_from(buffer, position + BODY_OFFSET)
    body = position + HEADER_SIZE + max(int(length), 0)
    if not flexible:
        return body
    if body >= end:
        raise Cut
    if buffer[body]:
        raise Unusual  # tagged fields in the header
    return body + 1


def text_of(data: bytes) -> str:
    """As the codec reads strings."""
    return data.decode("utf-8", "surrogateescape")


def wait(buffer: Any, position: int, end: int) -> Verdict:
    """More bytes may help, unless the frame has no more or its beginning is longer than usual."""
    whole = position + 4 + INT32.unpack_from(buffer, position)[0]
    if end >= whole or end - position >= LOOK_AHEAD:
        return Verdict.COLLECT
    return Verdict.MORE
