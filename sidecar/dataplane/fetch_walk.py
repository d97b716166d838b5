"""Fetch responses in which something is looked at, passed on without being collected.

From v16 on a Fetch response may end with the addresses of new leaders (KIP-951), behind all
records, when its size has long been sent. So the response is walked as it streams through, and its
last tag section is replaced by one of the same length: the sidecar's addresses, and an unknown
tagged field as padding, which receivers skip (KIP-482). Where they do not fit, the addresses are
left out, and the client asks for metadata, as it does when a broker has none to offer.

And what a client asked a fetch session for is told which it was given, at the beginning.

Layout: Kafka protocol, Fetch response v13-18, response header v1.
"""

from collections.abc import Callable, Generator
from typing import Any, Final, NamedTuple

from codec.errors import DecodeError
from codec.primitives import read_tags, read_uvarint, uvarint, write_tags

FIRST: Final = 16
"""First version whose response may hold addresses."""
_BEFORE_SESSION: Final = 4 + 2
"""Throttle time, error code."""
_SESSION: Final = 4
_TOPIC_ID: Final = 16
_BEFORE_ABORTED: Final = 4 + 2 + 8 + 8 + 8
"""Partition, error code, high watermark, last stable offset, log start offset."""
_ABORTED: Final = 8 + 8
_PREFERRED_REPLICA: Final = 4
_NODE_ENDPOINTS: Final = 0
_PADDING: Final = 1000
"""Tag of the field that fills up: far above any that Kafka has."""
_LONGEST_TRAILER: Final = 64 * 1024
_ALL: Final = 1 << 62

Walking = Generator[int, Any, None]
"""Yields how many bytes are to be passed by, -1 for the value of an unsigned varint, or -4 for that
of a signed number of four bytes."""


class FetchForm(NamedTuple):
    """What is to be done with the response to a Fetch that passes.

    Args:
        map_body: a response body with the sidecar's addresses.
        api_key, api_version, context: as in `Pending`.
        learn: told of the fetch session that it names; 0 is none.
    """

    map_body: Callable[[bytes], bytes]
    api_key: int
    api_version: int
    context: Any
    learn: Callable[[int], None]


class FetchWalk:
    """One response, from behind its correlation id.

    Args:
        size: of the frame, without its size field.
        form: what is done with it.
    """

    def __init__(self, size: int, form: FetchForm) -> None:
        self.left = size - 4
        """Bytes that are still to come."""
        self._form = form
        self._steps = _walk(form.learn)
        self._pass = 0
        self._wanted = 0
        self._value = b""
        self._trailer: bytes | None = None
        """The last tag section, as far as it has come; None before it begins."""
        self._step(None)

    def feed(self, data: Any) -> tuple[int, list[Any]]:
        """Take what belongs to the response: how many bytes, and what is sent on for them."""
        end = min(len(data), self.left)
        position = 0
        while position < end and self._trailer is None:
            if self._pass:
                passed = min(self._pass, end - position)
                self._pass -= passed
                position += passed
                if not self._pass:
                    self._step(None)
            else:
                self._value += bytes(data[position : position + 1])
                position += 1
                if self._wanted < -1:
                    if len(self._value) == -self._wanted:
                        self._step(int.from_bytes(self._value, "big", signed=True))
                elif self._value[-1] < 0x80 or len(self._value) > 4:
                    self._step(_uvarint(self._value))
        self.left -= end
        onward: list[Any] = [data[:position]] if position else []
        if self._trailer is not None:
            self._trailer += bytes(data[position:end])
            if len(self._trailer) > _LONGEST_TRAILER:
                onward.append(self._trailer)  # nothing Kafka would send
                self._trailer, self._pass = None, _ALL
            elif not self.left:
                onward.append(self._mapped(self._trailer))
        return end, onward

    def _step(self, value: int | None) -> None:
        """Go on to what has to be looked at next; `value` is what was asked for last."""
        self._value = b""
        try:
            wanted = self._steps.send(value)
            while not wanted:
                wanted = next(self._steps)
            self._wanted, self._pass = wanted, max(0, wanted)
        except StopIteration:
            self._trailer = b""

    def _mapped(self, trailer: bytes) -> bytes:
        """The last tag section with other addresses, in as many bytes."""
        if trailer == b"\0":
            return trailer
        head = bytes(_BEFORE_SESSION + _SESSION) + b"\x01"
        try:
            found = self._form.map_body(head + trailer)[len(head) :]
            count, position = read_uvarint(found, 0)
            fields, _ = read_tags(found, position, count, len(found))
        except (DecodeError, IndexError):
            return trailer  # fail open, as wherever something cannot be read
        without = [field for field in fields if field[0] != _NODE_ENDPOINTS]
        return _fitted(fields, len(trailer)) or _fitted(without, len(trailer)) or trailer


def _walk(learn: Callable[[int], None]) -> Walking:
    """The way through a response up to its last tag section."""
    yield from _tags()
    yield _BEFORE_SESSION
    learn((yield -_SESSION))
    for _ in range((yield -1) - 1):
        yield _TOPIC_ID
        for _ in range((yield -1) - 1):
            yield _BEFORE_ABORTED
            for _ in range((yield -1) - 1):
                yield _ABORTED
                yield from _tags()
            yield _PREFERRED_REPLICA
            yield max(0, (yield -1) - 1)
            yield from _tags()
        yield from _tags()


def _tags() -> Walking:
    for _ in range((yield -1)):
        yield -1
        yield (yield -1)


def _uvarint(varint: bytes) -> int:
    value = 0
    for byte in reversed(varint):
        value = value << 7 | byte & 0x7F
    return value


def _fitted(fields: list[tuple[int, bytes]], size: int) -> bytes | None:
    """A tag section with these fields and as much padding as makes it this long, if that can be."""
    fields = list(fields)
    missing = size - len(write_tags(fields))
    tag = _PADDING
    while missing > 0:
        # No field has some lengths, since its size would need another byte; two fields have them.
        for length in (missing - 3, missing - 4, missing - 5, 0):
            taken = len(uvarint(tag)) + len(uvarint(max(0, length))) + length
            if length >= 0 and (taken == missing or (not length and taken < missing)):
                break
        else:
            return None
        fields.append((tag, bytes(length)))
        missing -= taken
        tag += 1
    section = write_tags(fields)
    return section if len(section) == size else None
