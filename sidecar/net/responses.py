"""What a broker has answered: one read, the walk over its responses, one send.

As `requests`, whose remarks on closures hold here too. A response leaves the queue of those that
are expected when it has been relayed whole: local answers that wait behind it go out then.
"""

from collections.abc import Callable
from struct import Struct
from typing import Any, Final

from sidecar import clock
from sidecar.dataplane.fetch_walk import FetchForm, FetchWalk
from sidecar.dataplane.ordering import Heeded
from sidecar.net.buffer import BUFFER, ORIGIN, ROOM, VIEW
from sidecar.net.relay import LEAST_RESPONSE, Relay
from sidecar.net.walking import STREAM_FROM, collect, pass_on, stream, take, walk

_HEADER: Final = Struct(">ii")
"""Size and correlation id."""
_HEADER_SIZE: Final = _HEADER.size
_RESULT: Final = Struct(">ihq")
"""Of a partition in a Produce response: its index, error code and base offset."""


def response_reader(  # noqa: C901 - one loop on purpose, see `requests`
    relay: Relay,
) -> Callable[..., None]:
    """The callback of a readable broker; its argument as for `requests.request_reader`."""
    client, broker = relay.client, relay.broker
    queue = relay.session.order.queue
    recv_into, send = broker.recv_into, client.send_some
    next_one: Callable[[], Any] = queue.popleft
    unpack, starts = _HEADER.unpack_from, BUFFER.startswith
    pack, result_of = _HEADER.pack, _RESULT.unpack_from
    limit = relay.limit
    # The last form of a response, the bytes it had from the correlation id on to the end of the
    # name in question, and what they are replaced by.
    same: Any = None
    raw = new = b""
    reach = shrunk = lowest = highest = 0

    def on_readable(arrived: int = 0) -> None:  # noqa: C901 - as above
        nonlocal same, raw, new, reach, shrunk, lowest, highest
        try:
            if not arrived:
                arrived = broker.receive() if broker.tail else recv_into(ROOM)
        except BlockingIOError:
            return
        except OSError:
            pass
        if not arrived:
            relay.broker_ended()
            return
        try:
            end = ORIGIN + arrived
            position = start = ORIGIN
            back: list[Any] = []
            if broker.need:
                position += broker.need
                if position <= end:
                    next_one()
            elif broker.walk is not None:
                position = start = walk(relay, ORIGIN, end, back)
            elif broker.collected is not None:
                position = start = collect(relay, broker, end, [], back)
            while end - position >= _HEADER_SIZE:
                size, correlation_id = unpack(BUFFER, position)
                expected: Any = queue[0] if queue else None
                if expected == correlation_id and LEAST_RESPONSE <= size <= limit:
                    position += size + 4
                    if position > end:
                        break
                    next_one()
                    continue
                kind = type(expected)
                if kind is list:
                    if position > start:
                        back.append(VIEW[start:position])
                        start = position
                    back += next_one()
                    continue
                if not LEAST_RESPONSE <= size <= limit:
                    relay.refuse("malformed_response", size, LEAST_RESPONSE)
                    break
                after = position + 4 + size
                if kind is tuple and expected[0] == correlation_id:
                    form = expected[1]
                    if type(form) is FetchForm:
                        after = position + _HEADER_SIZE
                        back.append(VIEW[start:after])
                        broker.walk = FetchWalk(size, form)
                        position = start = walk(relay, after, end, back)
                        continue
                    if (
                        form is same
                        and lowest <= size <= highest
                        and position + reach <= end
                        and starts(raw, position + _HEADER_SIZE)
                    ):
                        stop = position + reach
                    else:
                        at, old, name, least, exact, tags, _, _, _ = form
                        stop = position + at + len(old)
                        if stop > end and after > end:
                            break
                        if (
                            size >= least
                            and (not exact or exact == size)
                            and starts(old, position + at)
                            and not (tags and BUFFER[position + tags])
                        ):
                            same, reach = form, at + len(old)
                            lowest, highest = exact or least, exact or limit
                            raw = bytes(BUFFER[position + _HEADER_SIZE : stop])
                            new = bytes(BUFFER[position + _HEADER_SIZE : position + at]) + name
                            shrunk = len(old) - len(name)
                        else:
                            stop = 0
                    if stop:
                        if shrunk:
                            head = pack(size - shrunk, correlation_id) + new
                            if position > start or back:
                                back += (VIEW[start:position], head)
                                start = stop
                            else:
                                start = position + shrunk
                                BUFFER[start:stop] = head
                        position = after
                        if position > end:
                            break
                        next_one()
                        continue
                elif isinstance(expected, Heeded) and expected.correlation_id == correlation_id:
                    usual = size == expected.size
                    if usual and after > end:
                        break
                    if usual:
                        partition, error, offset = result_of(BUFFER, position + expected.at)
                        if expected.told(partition, error, offset, clock.now()):
                            queue[0] = expected.usual
                            continue
                if position > start:
                    back.append(VIEW[start:position])
                position = start = take(relay, broker, position, after, end, [], back)
            if queue and type(queue[0]) is list:
                if position > start:
                    back.append(VIEW[start:position])
                    start = position
                while queue and type(queue[0]) is list:
                    back += next_one()
            if position >= end and not back:
                # The usual case: one call, no lists.
                broker.need = position - end
                if end > start:
                    try:
                        sent = send(VIEW[start:end])
                    except BlockingIOError:
                        sent = 0
                    if sent < end - start:
                        client.keep(VIEW[start + sent : end])
                        relay.steer()
                    elif position - end >= STREAM_FROM:
                        stream(relay, broker, client)
            elif position >= end:
                broker.need = position - end
                if end > start:
                    back.append(VIEW[start:end])
                client.send(back)
            else:
                pass_on(relay, broker, client, start, position, end, back)
            if relay.watched or client.waiting:
                relay.after_responses()
        except OSError:
            relay.stop()
        except Exception as error:  # noqa: BLE001 - a bug: gevent would print it and go on
            relay.failed(error)

    return on_readable
