"""The fast lane: callbacks on the hub's watchers, one receive buffer for the whole process.

Greenlets would cost a switch per read and per write, and gevent's sockets system calls of their
own. Here a readable socket is read once, all frames in what arrived are walked, and what may pass
is sent on from the same buffer in one call. A large frame is never assembled: its beginning
decides, the rest streams through. Frames somebody has to see whole are collected for the session
and come back as its actions.

A callback must never block or switch. What a peer does not take at once is copied and waits, and
the other side is not read meanwhile.
"""

import time
from collections.abc import Callable
from struct import Struct
from typing import Any, Final

import gevent
from gevent.event import Event

from sidecar.dataplane.actions import Action, Close, Report, ToBroker, ToClient
from sidecar.dataplane.lanes import HEADER, HEADER_SIZE, Plan, Verdict
from sidecar.dataplane.session import Session
from sidecar.net.side import Side

MAX_IN_FLIGHT: Final = 1000
"""Requests a connection may have unanswered before the sidecar stops reading it."""
FLUSH_TIMEOUT: Final = 5.0
"""Seconds a closing connection waits for the client to take what was said before."""
MAX_WAITING: Final = 256 * 1024
"""Bytes of answers a client may leave unread before its requests are not read any more."""
_BUFFER_SIZE: Final = 256 * 1024
"""Bytes of one read; with more, small flows wait longer beside large ones."""
_LEAST_REQUEST: Final = 10
_LEAST_RESPONSE: Final = 4

_buffer: Final = bytearray(_BUFFER_SIZE)
_view: Final = memoryview(_buffer)
_REQUEST: Final = Struct(">ihhi")
_RESPONSE: Final = Struct(">ii")
_RESPONSE_SIZE: Final = _RESPONSE.size
_SIZE: Final = Struct(">i")
_COLLECT: Final[Any] = object()


class Relay:
    """Two connected sockets and the session between them.

    Args:
        client, broker: raw non-blocking sockets; the caller closes them when `done` is set.
        session: authenticated.
        frame_limit: largest frame either way, bytes.
        on_report: told of the session's events.
        on_close: told, at most once, why the sidecar ends the connection.
    """

    def __init__(
        self,
        client: Any,
        broker: Any,
        session: Session,
        frame_limit: int,
        on_report: Callable[[Report], None],
        on_close: Callable[[Close], None],
    ) -> None:
        self.done = Event()
        self._session = session
        self._queue = session.order.queue
        self._limit = frame_limit
        self._on_report = on_report
        self._on_close = on_close
        self._plan: Plan = {}
        self._paused = False
        self._ending = False
        self._deadline: Any = None
        loop = gevent.get_hub().loop
        self._client = Side(client, loop, self._on_client, self._on_drained, self.stop)
        self._broker = Side(broker, loop, self._on_broker, self._on_drained, self.stop)

    def start(self, received: bytes) -> None:
        """Serve; `received` has been read from the client already."""
        if received:
            _buffer[: len(received)] = received
            self._walk(self._requests, len(received))
        if not self.done.is_set():
            self._steer()

    def stop(self) -> None:
        """End at once. Safe to call twice."""
        if not self.done.is_set():
            self.done.set()
            self._client.stop()
            self._broker.stop()
            if self._deadline is not None:
                self._deadline.close()

    # Reading.

    def _on_client(self) -> None:
        client = self._client
        try:
            end = client.recv_into(_view) if not client.tail else client.receive(_buffer, _view)
        except BlockingIOError:
            return
        except OSError:
            end = 0
        if end:
            self._walk(self._requests, end)
            return
        if client.inside_frame:
            self._note(Close("malformed_request", "the client closed inside a frame"))
        self.stop()

    def _on_broker(self) -> None:
        broker = self._broker
        try:
            end = broker.recv_into(_view) if not broker.tail else broker.receive(_buffer, _view)
        except BlockingIOError:
            return
        except OSError:
            end = 0
        if end:
            self._walk(self._responses, end)
            return
        if broker.inside_frame:
            self._note(Close("malformed_response", "the broker closed inside a frame"))
            broker.need = 0
        self._end()  # the broker is done; the client may be slow

    def _walk(self, walk: Callable[[int], None], end: int) -> None:
        """Walk what arrived; what goes wrong in it ends this connection and nothing else."""
        try:
            walk(end)
        except OSError:
            self.stop()
        except Exception as error:  # noqa: BLE001 - a bug: gevent would print it and go on
            self._on_report(Report("relay_failed", {"error": repr(error)}, warning=True))
            self.stop()

    # Reading on, and not.

    def _steer(self) -> None:
        """Read each side as long as the other takes what comes of it."""
        client, broker = self._client, self._broker
        hear_client = (
            not broker.waiting
            and client.size <= MAX_WAITING
            and len(self._queue) < MAX_IN_FLIGHT
            and self._session.closing is None
        )
        hear_broker = not client.waiting
        self._paused = not (hear_client and hear_broker)
        client.watch(hear_client)
        broker.watch(hear_broker)

    def _on_drained(self) -> None:
        if self._ending:
            self._end()
        else:
            self._steer()

    def _note(self, close: Close) -> None:
        if not self._ending:
            self._ending = True
            self._on_close(close)

    def _refuse(self, reason: str, size: int, least: int) -> None:
        """End for a frame of this size; what came before it is still passed on."""
        detail = f"frame size {size}, allowed are {least} to {self._limit}"
        self._note(Close(reason, detail))

    def _end(self) -> None:
        """Stop when the client has what was said to it, or does not take it in time."""
        self._ending = True
        client, broker = self._client, self._broker
        if not client.waiting and not broker.need:
            self.stop()
            return
        client.watch(False)
        broker.watch(bool(broker.need) and not client.waiting)
        if self._deadline is None:
            self._deadline = gevent.get_hub().loop.timer(FLUSH_TIMEOUT)
            self._deadline.start(self.stop)

    # Walking.

    def _requests(self, end: int) -> None:  # noqa: C901 - the hot loop: calls would double its cost
        """Walk the requests in the first `end` bytes of the buffer."""
        client, session, queue, buffer = self._client, self._session, self._queue, _buffer
        if not session.planned:
            self._plan = session.plan()
        plan, expect = self._plan, queue.append
        to_broker: list[Any] = []
        to_client: list[Any] = []
        position = start = 0
        if client.need:
            position = min(client.need, end)
            client.need -= position
        elif client.collected is not None:
            position = start = self._collect(client, end, to_broker, to_client)
        while (left := end - position) >= HEADER_SIZE and not self._ending:
            size, key, version, correlation_id, _ = HEADER.unpack_from(buffer, position)
            if not _LEAST_REQUEST <= size <= self._limit:
                self._refuse("malformed_request", size, _LEAST_REQUEST)
                break
            after = position + 4 + size
            splicer = plan.get(key << 16 | version, _COLLECT)
            if splicer is None:
                expect(correlation_id)
                position = after
                continue
            if splicer is not _COLLECT:
                verdict = splicer(buffer, position, end if end < after else after, version)
                if verdict is Verdict.MORE:
                    break
                if verdict is not Verdict.COLLECT:
                    at, length, new, answered, form = verdict
                    if answered:
                        expect(correlation_id if form is None else (correlation_id, form))
                    if at:
                        if position > start:
                            to_broker.append(_view[start:position])
                        size += len(new) - length
                        if at == _REQUEST.size:
                            head = _REQUEST.pack(size, key, version, correlation_id)
                        else:
                            head = _SIZE.pack(size) + buffer[position + 4 : position + at]
                        to_broker.append(head + new)
                        start = position + at + length
                    position = after
                    continue
            if position > start:
                to_broker.append(_view[start:position])
            position = start = self._take(client, position, after, end, to_broker, to_client)
            if session.closing is not None:
                position = start = end  # what follows is not read any more
        else:
            if 4 <= left < HEADER_SIZE:
                (size,) = _SIZE.unpack_from(buffer, position)
                if not _LEAST_REQUEST <= size <= self._limit:
                    self._refuse("malformed_request", size, _LEAST_REQUEST)
        broker = self._broker
        if position >= end and not start and not broker.waiting:
            # All of it passes as it is, the usual case: one call, no lists.
            if position > end:
                client.need = position - end
            broker.send_one(_view[:end], end)
        else:
            self._pass_on(client, broker, start, position, end, to_broker)
            if to_client:
                client.send(to_client)
        if broker.waiting or client.waiting or len(queue) >= MAX_IN_FLIGHT or session.halted:
            self._steer()
        if self._ending:
            self._end()

    def _responses(self, end: int) -> None:  # noqa: C901 - as above
        """Walk the responses in the first `end` bytes of the buffer."""
        broker, queue, buffer = self._broker, self._queue, _buffer
        passed = self._session.order.passed
        next_one: Callable[[], Any] = queue.popleft
        to_client: list[Any] = []
        position = start = 0
        if broker.need:
            position = min(broker.need, end)
            broker.need -= position
            if not broker.need and (answers := passed()):
                to_client += (_view[:position], *answers)
                start = position
        elif broker.collected is not None:
            position = start = self._collect(broker, end, [], to_client)
        while end - position >= _RESPONSE_SIZE and not self._ending:
            size, correlation_id = _RESPONSE.unpack_from(buffer, position)
            if not _LEAST_RESPONSE <= size <= self._limit:
                self._refuse("malformed_response", size, _LEAST_RESPONSE)
                break
            after = position + 4 + size
            expected = queue[0] if queue else None
            if expected != correlation_id:
                renamed = self._renamed(expected, position, after, end, size, correlation_id)
                if renamed is Verdict.MORE:
                    break
                if position > start:
                    to_client.append(_view[start:position])
                if renamed is Verdict.COLLECT:
                    position = start = self._take(broker, position, after, end, [], to_client)
                    continue
                head, start = renamed
                to_client.append(head)
            position = after
            if after > end:
                break
            next_one()
            if queue and type(queue[0]) is list:
                to_client.append(_view[start:position])
                start = position
                while queue and type(queue[0]) is list:
                    to_client += next_one()
        client = self._client
        if position >= end and not start and not client.waiting and not to_client:
            if position > end:
                broker.need = position - end
            client.send_one(_view[:end], end)
        else:
            self._pass_on(broker, client, start, position, end, to_client)
        if self._session.halted and not queue and self._session.closing is not None:
            self._note(self._session.closing)
        if self._ending:
            self._end()
        elif client.waiting or self._paused:
            self._steer()

    def _renamed(
        self, expected: Any, position: int, after: int, end: int, size: int, correlation_id: int
    ) -> tuple[bytes, int] | Verdict:
        """The beginning of a response with its name replaced, and where the rest begins."""
        if type(expected) is not tuple or expected[0] != correlation_id:
            return Verdict.COLLECT
        at, raw, new, exact, tags, _, _, _ = expected[1]
        stop = position + at + len(raw)
        if stop > end and after > end:
            return Verdict.MORE
        if stop > after or (exact and exact != size) or not _buffer.startswith(raw, position + at):
            return Verdict.COLLECT
        if tags and _buffer[position + tags]:
            return Verdict.COLLECT
        size += len(new) - len(raw)
        if at == _RESPONSE.size:
            return _RESPONSE.pack(size, correlation_id) + new, stop
        return _SIZE.pack(size) + _buffer[position + 4 : position + at] + new, stop

    # What both directions do.

    def _pass_on(
        self, source: Side, target: Side, start: int, position: int, end: int, chunks: list[Any]
    ) -> None:
        """Send what may pass; keep what cannot be judged yet."""
        if position > end:
            source.need = position - end
            position = end
        elif position < end and not self._ending:
            source.tail = bytes(_view[position:end])
        if position > start:
            chunks.append(_view[start:position])
        if chunks:
            target.send(chunks)

    def _take(
        self,
        side: Side,
        position: int,
        after: int,
        end: int,
        to_broker: list[Any],
        to_client: list[Any],
    ) -> int:
        """Hand a frame to the session, or begin to collect it; returns where to go on."""
        if after > end:
            side.collected = bytearray(_view[position:end])
            side.wanted = after - position
            return end
        self._decide(side, _view[position + 4 : after], to_broker, to_client)
        return after

    def _collect(self, side: Side, end: int, to_broker: list[Any], to_client: list[Any]) -> int:
        """Go on collecting a frame; returns where the next one begins."""
        collected = side.collected
        if collected is None:
            raise AssertionError("nothing is being collected")
        taken = min(side.wanted - len(collected), end)
        collected += _view[:taken]
        if len(collected) == side.wanted:
            side.collected = None
            self._decide(side, memoryview(collected)[4:], to_broker, to_client)
        return taken

    def _decide(
        self, side: Side, frame: memoryview, to_broker: list[Any], to_client: list[Any]
    ) -> None:
        session = self._session
        if side is self._client:
            actions = session.on_request(frame, time.time())
        else:
            actions = session.on_response(frame)
        for action in actions:
            self._perform(action, to_broker, to_client)

    def _perform(self, action: Action, to_broker: list[Any], to_client: list[Any]) -> None:
        match action:
            case ToBroker(chunks):
                to_broker += chunks
            case ToClient(chunks):
                to_client += chunks
            case Report():
                self._on_report(action)
            case Close():
                self._note(action)
