"""What a client has sent: one read, the walk over its requests, one send.

The callback is a closure, and the walk one loop: attribute look-ups and calls would cost as much as
what is done. It meets three kinds of requests: those that pass as they are, those whose beginning
is replaced (in place, where that comes first in the buffer), and those the relay has to collect for
the session.
"""

from collections.abc import Callable
from struct import Struct
from typing import Any, Final

from sidecar import clock
from sidecar.dataplane.heads import HEADER_SIZE, Verdict
from sidecar.dataplane.lanes import PARTITION_HEAD
from sidecar.net.buffer import BUFFER, ORIGIN, ROOM, VIEW
from sidecar.net.relay import LEAST_REQUEST, Relay
from sidecar.net.turns import MOST_DECIDED
from sidecar.net.walking import STREAM_FROM, collect, discard, pass_on, skip, stream, take

_HEADER: Final = Struct(">iIi")
"""Size, api key and version in one number, correlation id."""
_REWRITTEN: Final = _HEADER.size
_SIZE: Final = Struct(">i")
_PRODUCE: Final = 0
_FETCH_SESSION: Final = 8
"""Bytes of a fetch session and its epoch."""
_COLLECT: Final[Any] = Verdict.COLLECT
_MORE: Final[Any] = Verdict.MORE


def request_reader(  # noqa: C901 - one loop on purpose, see above
    relay: Relay,
) -> Callable[..., None]:
    """The callback of a readable client.

    Its argument is the number of bytes that stand in the buffer already; 0 to read.
    """
    client, broker, session = relay.client, relay.broker, relay.session
    shared = session.shared
    queue = session.order.queue
    recv_into, send, expect = client.recv_into, broker.send_some, queue.append
    unpack, starts = _HEADER.unpack_from, BUFFER.startswith
    pack, pack_size = _HEADER.pack, _SIZE.pack
    limit, most_in_flight = relay.limit, relay.most_in_flight
    pipeline: Any = None
    versions: Any = None
    look_up: Any = None
    judge: Any = None
    # The last Produce: its api key and version, its bytes from the client id on, how it went.
    same = -1
    raw = b""
    known = least = 0
    passes = False
    splice: Any = None
    # The last Fetch with a name to replace, if others may be like it: see `FetchMemory`.
    fetch = -1
    fetch_size = topics_at = rest_at = 0
    client_id = fetch_session = topics = rest = b""
    fetch_splice: Any = None
    heeded: Any = None

    def on_readable(arrived: int = 0) -> None:  # noqa: C901 - as above
        nonlocal pipeline, versions, look_up, judge, same, raw, known, least, passes, splice
        nonlocal fetch, fetch_size, fetch_splice, heeded
        nonlocal client_id, fetch_session, topics_at, topics, rest_at, rest
        try:
            if not arrived:
                arrived = client.receive() if client.tail else recv_into(ROOM)
        except BlockingIOError:
            return
        except OSError:
            pass
        if not arrived:
            relay.client_ended()
            return
        try:
            end = ORIGIN + arrived
            position = start = ORIGIN
            if shared.pipeline is not pipeline or shared.versions is not versions or session.stale:
                pipeline, versions = shared.pipeline, shared.versions
                same = fetch = -1
                plan, judge = session.plan(pipeline, versions, clock.now)
                look_up = plan.get
            onward: list[Any] = []
            back: list[Any] = []
            decided = 0
            if client.need:
                position += client.need
            elif client.skip:
                position = start = skip(relay, end, back)
            elif client.collected is not None:
                position = start = collect(relay, client, end, onward, back)
                if relay.ignores:
                    position = start = end
            while end - position >= HEADER_SIZE:
                size, api, correlation_id = unpack(BUFFER, position)
                after = position + 4 + size
                if (
                    api == same
                    and starts(raw, position + _REWRITTEN)
                    and least <= size <= limit
                    # or it may have matched bytes of an earlier read
                    and (after <= end or position + known <= end)
                ):
                    if passes:
                        expect(correlation_id)
                        position = after
                        continue
                    verdict = splice
                elif (
                    api == fetch
                    and size == fetch_size
                    and after <= end
                    and starts(client_id, position + _REWRITTEN)
                    and starts(topics, position + topics_at)
                    and starts(fetch_session, position + topics_at - _FETCH_SESSION)
                    and starts(rest, position + rest_at)
                ):
                    verdict = fetch_splice
                else:
                    if not LEAST_REQUEST <= size <= limit:
                        relay.refuse("malformed_request", size, LEAST_REQUEST)
                        break
                    verdict = look_up(api, _COLLECT)
                    if verdict is None:
                        expect(correlation_id)
                        position = after
                        continue
                    if verdict is not _COLLECT:
                        lane = verdict
                        verdict = lane(BUFFER, position, end if end < after else after, api & 32767)
                        if verdict is _MORE:
                            break
                        if verdict is _COLLECT:
                            pass
                        elif api >> 16 == _PRODUCE:
                            same, raw, splice = api, lane.raw, verdict
                            known = _REWRITTEN + len(raw)
                            least = known - 4
                            passes = verdict.passes
                            if judge is not None:
                                passes = judge.learn(lane.beginning) and passes
                                known += PARTITION_HEAD
                        elif lane.memory is not None:
                            fetch, fetch_splice = api, verdict
                            fetch_size, client_id, fetch_session = lane.memory[:3]
                            topics_at, topics, rest_at, rest = lane.memory[3:]
                refusal = None
                if verdict is not _COLLECT and judge is not None and api >> 16 == _PRODUCE:
                    if after > end and position + known > end:
                        break  # not enough of it to put a refusal on record
                    stop = end if end < after else after
                    refusal = judge(BUFFER, position, stop, after, correlation_id)
                    if refusal is _COLLECT:
                        verdict = refusal
                    elif refusal is not None and type(refusal) is not bytes:
                        heeded, refusal = refusal, None
                if verdict is _COLLECT:
                    if decided == MOST_DECIDED:
                        break
                    decided += 1
                    if position > start:
                        onward.append(VIEW[start:position])
                    position = start = take(relay, client, position, after, end, onward, back)
                    if relay.ignores:
                        position = start = end  # what follows is not read any more
                    continue
                if refusal is not None:
                    if position > start:
                        onward.append(VIEW[start:position])
                    if after > end:
                        client.skip, client.owed = after - end, refusal
                        position = start = end
                    else:
                        position = start = after
                        if queue:
                            expect([refusal])
                        else:
                            back.append(refusal)
                    continue
                at, length, new, answered, form, _ = verdict
                if answered:
                    usual = correlation_id if form is None else (correlation_id, form)
                    if heeded is None:
                        expect(usual)
                    else:
                        heeded.usual = usual
                        expect(heeded)
                        heeded = None
                if at:
                    grown = len(new) - length
                    if at == _REWRITTEN:
                        head = pack(size + grown, api, correlation_id) + new
                    else:
                        head = pack_size(size + grown) + BUFFER[position + 4 : position + at] + new
                    if position == start and not onward and grown < ORIGIN:
                        start = position - grown
                        BUFFER[start : start + len(head)] = head
                    else:
                        if position > start:
                            onward.append(VIEW[start:position])
                        onward.append(head)
                        start = position + at + length
                position = after
            if position >= end and not onward:
                # The usual case: one call, no lists.
                client.need = position - end
                if end > start:
                    try:
                        sent = send(VIEW[start:end])
                    except BlockingIOError:
                        sent = 0
                    if sent < end - start:
                        broker.keep(VIEW[start + sent : end])
                        relay.steer()
                    elif position - end >= STREAM_FROM:
                        stream(relay, client, broker)
            elif position >= end:
                client.need = position - end
                if end > start:
                    onward.append(VIEW[start:end])
                broker.send(onward)
            else:
                pass_on(relay, client, broker, start, position, end, onward)
            if back:
                client.send(back)
            if client.skip > STREAM_FROM:
                discard(relay)
            if decided == MOST_DECIDED and client.tail:
                relay.take_turns()
            if relay.watched or broker.waiting or client.waiting:
                relay.after_requests()
            elif len(queue) >= most_in_flight:
                relay.steer()
        except OSError:
            relay.stop()
        except Exception as error:  # noqa: BLE001 - a bug: gevent would print it and go on
            relay.failed(error)

    return on_readable
