"""What the readers do about frames that are not whole, or not theirs to pass, beside their loops.

Functions of a relay: what is kept of a frame stands in its sides.
"""

import socket
from typing import Any, Final

from sidecar.dataplane.heads import HEADER_SIZE
from sidecar.net.buffer import ORIGIN, STREAM_ROOM, STREAM_SIZE, VIEW
from sidecar.net.relay import LEAST_REQUEST, LEAST_RESPONSE, Relay
from sidecar.net.side import Side
from sidecar.net.streams import Streams

STREAM_FROM: Final = 64 * 1024
"""Bytes of a frame still to come from which on it is read on without a look at other sockets."""
_STREAM_READS: Final = 3

_streams: Final = Streams()


def pass_on(
    relay: Relay, source: Side, target: Side, start: int, position: int, end: int, chunks: list[Any]
) -> None:
    """Send what may pass; keep what cannot be judged yet."""
    if position > end:
        source.need = position - end
        position = end
    else:
        source.need = 0
        if position < end and not relay.ending:
            source.tail = bytes(VIEW[position:end])
            if source is relay.client and HEADER_SIZE > end - position >= LEAST_RESPONSE:
                _check_early(relay, position)
    if position > start:
        chunks.append(VIEW[start:position])
    if chunks:
        target.send(chunks)


def _check_early(relay: Relay, position: int) -> None:
    """An impossible size is refused before the rest of a header comes, which may be never."""
    size = int.from_bytes(VIEW[position : position + 4], "big", signed=True)
    if not LEAST_REQUEST <= size <= relay.limit:
        relay.refuse("malformed_request", size, LEAST_REQUEST)


def stream(relay: Relay, source: Side, target: Side) -> None:
    """Go on reading inside a large frame while there is something to read.

    Only where few do: others would wait for all of them.
    """
    if source.paced or not _streams.few(relay.loop.iteration):
        return
    for _ in range(_STREAM_READS):
        try:
            # Not to its end: what is due then is for the walk to see.
            size = source.recv_into(STREAM_ROOM, min(STREAM_SIZE, source.need - 1))
        except BlockingIOError:
            return
        if not size:
            return  # the walk will be told again
        source.need -= size
        target.send_one(STREAM_ROOM[:size], size)
        if target.waiting:
            relay.steer()
            return
        if source.need < STREAM_FROM:
            return


def walk(relay: Relay, position: int, end: int, back: list[Any]) -> int:
    """Go on with a response that is looked at while it passes; returns where it ends."""
    walked = relay.broker.walk
    if walked is None:
        raise AssertionError("no response is being walked")
    taken, chunks = walked.feed(VIEW[position:end])
    back += chunks
    if not walked.left:
        relay.broker.walk = None
        back += relay.session.order.passed()
    return position + taken


def skip(relay: Relay, end: int, back: list[Any]) -> int:
    """Drop what came of a refused request; answer it when it has come whole."""
    client = relay.client
    taken = min(client.skip, end - ORIGIN)
    client.skip -= taken
    if not client.skip:
        back += relay.session.order.local([client.owed])
        client.owed = b""
    return ORIGIN + taken


def discard(relay: Relay) -> None:
    """Have the kernel drop what has come of a refused request, but for its end."""
    client = relay.client
    if client.paced:
        return
    for _ in range(_STREAM_READS):
        if client.skip <= STREAM_FROM:
            return
        try:
            most = min(STREAM_SIZE, client.skip - 1)
            size = client.recv_into(STREAM_ROOM, most, socket.MSG_TRUNC)
        except BlockingIOError:
            return
        if not size:
            return  # the walk will be told again
        client.skip -= size


def take(
    relay: Relay,
    side: Side,
    position: int,
    after: int,
    end: int,
    to_broker: list[Any],
    to_client: list[Any],
) -> int:
    """Hand a frame to the session, or begin to collect it; returns where to go on."""
    if after > end:
        side.collected = bytearray(VIEW[position:end])
        side.wanted = after - position
        return end
    relay.decide(side, VIEW[position + 4 : after], to_broker, to_client)
    return _rest(relay, side, after, end)


def _rest(relay: Relay, side: Side, after: int, end: int) -> int:
    """Where to go on behind a frame; nowhere while something is held."""
    if relay.held if side is relay.client else relay.late:
        side.tail = bytes(VIEW[after:end])
        return end
    return after


def collect(relay: Relay, side: Side, end: int, to_broker: list[Any], to_client: list[Any]) -> int:
    """Go on collecting a frame; returns where the next one begins."""
    collected = side.collected
    if collected is None:
        raise AssertionError("nothing is being collected")
    taken = min(side.wanted - len(collected), end - ORIGIN)
    collected += VIEW[ORIGIN : ORIGIN + taken]
    if len(collected) == side.wanted:
        side.collected = None
        relay.decide(side, memoryview(collected)[4:], to_broker, to_client)
        return _rest(relay, side, ORIGIN + taken, end)
    return ORIGIN + taken
