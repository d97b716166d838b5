"""Two connected sockets and the session between them: what the two readers have in common.

Greenlets would cost a switch per read and per write, and gevent's sockets system calls of their
own. Here a readable socket is read once into a buffer the whole process shares, all frames in what
arrived are walked (`requests`, `responses`), and what may pass is sent on from the same buffer in
one call. A large frame is never assembled: its beginning decides, the rest streams through. Frames
somebody has to see whole are collected here for the session and come back as its actions.

A callback must never block or switch. What a peer does not take at once is copied and waits, and
the other side is not read meanwhile.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import gevent
from gevent.event import Event

from sidecar import clock
from sidecar.dataplane.actions import (
    Action,
    Chunks,
    Close,
    HoldBack,
    LookUp,
    Pace,
    RenewKeys,
    Report,
    Silence,
    ToBroker,
    ToClient,
    Until,
)
from sidecar.dataplane.ordering import Own
from sidecar.dataplane.session import Session
from sidecar.net.buffer import ORIGIN, VIEW
from sidecar.net.expiry import Expiry
from sidecar.net.held import Held, LookUpTopics
from sidecar.net.late import Late
from sidecar.net.pacing import PacedReader
from sidecar.net.side import Side, side_of
from sidecar.net.silence import Silenced
from sidecar.net.turns import Turns

MAX_IN_FLIGHT: Final = 1000
"""Requests a connection may have unanswered before the sidecar stops reading it."""
FLUSH_TIMEOUT: Final = 5.0
"""Seconds a closing connection waits for the client to take what was said before."""
MAX_WAITING: Final = 256 * 1024
"""Bytes of answers a client may leave unread before its requests are not read any more."""
LEAST_REQUEST: Final = 10
"""Bytes of the shortest request: api key, version, correlation id, length of the client id."""
LEAST_RESPONSE: Final = 4
"""Bytes of the shortest response: a correlation id."""


class Relay:
    """Two connected sockets and the session between them.

    Args:
        client, broker: raw non-blocking sockets; the caller closes them when `done` is set.
        session: authenticated.
        frame_limit: largest frame either way, bytes.
        look_up: has the session's directory learn which topics ids are of.
        on_report: told of the session's events.
        on_close: told, at most once, why the sidecar ends the connection.
    """

    def __init__(
        self,
        client: Any,
        broker: Any,
        session: Session,
        frame_limit: int,
        look_up: LookUpTopics,
        on_report: Callable[[Report], None],
        on_close: Callable[[Close], None],
    ) -> None:
        self.done = Event()
        self.session = session
        self.limit = frame_limit
        self.most_in_flight = MAX_IN_FLIGHT
        self.watched = False
        """Whether something is due after responses: a side is not read, or an end is near."""
        self._queue = session.order.queue
        self._look_up = look_up
        self.held = Held(self._go_on, self._give_up, self.failed)
        """A request that waits; what came after it is the client's tail."""
        self._on_report = on_report
        self._on_close = on_close
        self.ending = False
        """Whether nothing is looked at any more: what was said goes out, then this stops."""
        self._deadline: Any = None
        self.loop = gevent.get_hub().loop
        self.late = Late(self.loop, self._on_time, self.failed)
        """A response that waits; what came after it is the broker's tail."""
        self.turns = Turns(self.loop, lambda: self._read_on(self.client), self.failed)
        """Whether the client's tail has whole requests, because others wait too."""
        self.client = side_of(client, self.loop, self._on_drained, self.stop)
        self.broker = side_of(broker, self.loop, self._on_drained, self.stop)

        self.paused = False
        """Whether no request is passed on, because the sidecar asks the broker something itself."""
        self._expiry = Expiry(self)
        self._silenced: Silenced | None = None
        self._paced: dict[Side, PacedReader] = {}

    def start(
        self,
        on_client: Callable[..., None],
        on_broker: Callable[..., None],
        received: bytes,
    ) -> None:
        """Serve with these readers; `received` has been read from the client already."""
        self.client.on_readable = on_client
        self.broker.on_readable = on_broker
        if self.session.expires is not None:
            self._expiry.at(self.session.expires)
        if received:
            VIEW[ORIGIN : ORIGIN + len(received)] = received
            on_client(len(received))
        if not self.done.is_set():
            self.steer()

    def stop(self) -> None:
        """End at once. Safe to call twice."""
        if not self.done.is_set():
            self.done.set()
            for reader in self._paced.values():
                reader.stop()
            if self._silenced is not None:
                self._silenced.stop()
            self.client.stop()
            self.broker.stop()
            self.late.stop()
            self._expiry.stop()
            self.turns.stop()
            if self._deadline is not None:
                self._deadline.close()

    def failed(self, error: Exception) -> None:
        """A bug in a callback ends this connection and nothing else."""
        self._on_report(Report("relay_failed", {"error": repr(error)}, warning=True))
        self.stop()

    def client_ended(self) -> None:
        """The client is done, or its connection broke."""
        if self.client.inside_frame:
            self._note(Close("malformed_request", "the client closed inside a frame"))
        self.stop()

    def broker_ended(self) -> None:
        """The broker is done, or its connection broke; the client may be slow."""
        if self.broker.inside_frame:
            self._note(Close("malformed_response", "the broker closed inside a frame"))
            self.broker.need = 0
            self.broker.walk = None
        self._end()

    # Reading on, and not.

    def steer(self) -> None:
        """Read each side as long as the other takes what comes of it."""
        client, broker, session = self.client, self.broker, self.session
        hear_client = (
            not broker.waiting
            and client.size <= MAX_WAITING
            and len(self._queue) < self.most_in_flight
            and not session.halted
            and not self.held
            and not self.paused
        )
        if self.turns.due:
            if hear_client:
                self.turns.begin_next()
            hear_client = False  # not before what has come
        silent = self._silenced is not None
        hear_broker = not client.waiting and not self.late and not (silent and not session.owes)
        self.watched = not (hear_client and hear_broker)
        client.watch(hear_client or silent)
        broker.watch(hear_broker)

    def take_turns(self) -> None:
        """Look at the rest of what the client sent when others have had their turn."""
        self.turns.due = True
        self.steer()

    def after_requests(self) -> None:
        """What is due when a walk over requests had anything out of the ordinary."""
        if (
            self.broker.waiting
            or self.client.waiting
            or len(self._queue) >= self.most_in_flight
            or self.session.halted
            or self.held
        ):
            self.steer()
        if self.ending:
            self._end()

    def after_responses(self) -> None:
        """What is due when a walk over responses was watched."""
        closing = self.session.closing
        if closing is not None and not self._queue:
            self._note(closing)
        if self.ending:
            self._end()
        else:
            self.steer()

    def _on_drained(self) -> None:
        if self.ending:
            self._end()
        else:
            self.steer()

    def _note(self, close: Close) -> None:
        if not self.ending:
            self.ending = self.watched = True
            self._on_close(close)

    def refuse(self, reason: str, size: int, least: int) -> None:
        """End for a frame of this size; what came before it is still passed on."""
        detail = f"frame size {size}, allowed are {least} to {self.limit}"
        self._note(Close(reason, detail))

    @property
    def ignores(self) -> bool:
        """Whether what follows in a read is not looked at any more."""
        return self.ending or bool(self.held) or self.session.halted

    def _end(self) -> None:
        """Stop when the client has what was said to it, or does not take it in time."""
        self.ending = self.watched = True
        client, broker = self.client, self.broker
        if not client.waiting and not broker.passing:
            self.stop()
            return
        client.watch(False)
        broker.watch(broker.passing and not client.waiting)
        if self._deadline is None:
            self._deadline = self.loop.timer(FLUSH_TIMEOUT)
            self._deadline.start(self.stop)

    # What the session asks for.

    def decide(
        self, side: Side, frame: memoryview, to_broker: list[Any], to_client: list[Any]
    ) -> None:
        """Have the session decide about a whole frame, without its size; carry that out."""
        session = self.session
        if side is self.client:
            actions = session.on_request(frame, clock.now())
            if session.halted:
                self.watched = True
        elif session.order.is_own(frame):
            to_client += session.order.passed()
            return
        else:
            actions = session.on_response(frame, clock.now())
        for action in actions:
            self._perform(action, to_broker, to_client)
            if isinstance(action, LookUp | RenewKeys):
                self.watched = True
                self.held.ask(self._asking(action), frame if side is self.client else None)

    def _asking(self, action: LookUp | RenewKeys) -> Callable[[], None]:
        """What is done before a request can be decided about; it waits."""
        logins = self.session.shared.logins
        if isinstance(action, LookUp):
            return partial(self._look_up, action.topic_ids)
        return logins.renew_keys if logins is not None else lambda: None

    def _go_on(self, frame: memoryview) -> None:
        """Decide about a request that was held, then about what came after it."""
        if not (self.ending or self.done.is_set()):
            self._carry_out(self.session.on_request(frame, clock.now(), looked_up=True))
            self._read_on(self.client)

    def _on_time(self, response: bytes) -> None:
        """Send the response that waited, and look at what came after it."""
        if not self.done.is_set():
            self._carry_out(self.session.released([response]))
            self._read_on(self.broker)

    def _carry_out(self, actions: list[Action]) -> None:
        to_broker: list[Any] = []
        to_client: list[Any] = []
        for action in actions:
            self._perform(action, to_broker, to_client)
        try:
            if to_broker:
                self.broker.send(to_broker)
            if to_client:
                self.client.send(to_client)
        except OSError:
            self.stop()

    def _read_on(self, side: Side) -> None:
        """Look at what was kept while something waited, unless nothing is looked at any more."""
        stays = side is self.client and (self.ignores or self.paused)
        if side.tail and not self.done.is_set() and not stays:
            tail, side.tail = side.tail, b""
            VIEW[ORIGIN : ORIGIN + len(tail)] = tail
            side.on_readable(len(tail))
        if not self.done.is_set():
            self.after_responses()

    def _give_up(self, cause: str) -> None:
        """Close: to go on would leave a masked id in the client's fetch session, for ever."""
        self.close(Close("topic_ids_unknown", cause))

    @property
    def between_requests(self) -> bool:
        """Whether nothing of a request has come that has not been passed on whole."""
        return not (self.client.inside_frame or self.client.skip or self.held)

    def finish(self, close: Close) -> None:
        """End when what is in flight has been answered; read no more requests."""
        self.session.finish(close)
        self.watched = True
        if self._queue:
            self.steer()
        else:
            self.close(close)

    def close(self, close: Close) -> None:
        """End now, but for what was said to the client before."""
        if not self.done.is_set():
            self._note(close)
            self._end()

    # Questions of our own, between the client's requests.

    def pause(self) -> bool:
        """Pass on no more requests; False as long as there is the rest of one to be passed on.

        Answers go on. Safe to call twice.
        """
        if not self.paused and not (self.client.need or self.ignores):
            self.paused = True
            self.steer()
        return self.paused

    def resume(self) -> None:
        """Pass requests on again."""
        self.paused = False
        self._read_on(self.client)

    def ask(self, chunks: Chunks, own: Own) -> None:
        """Ask the broker, while requests are paused; OSError when the connection ends."""
        if self.ending or self.done.is_set():
            raise ConnectionAbortedError("the connection ends")
        self._queue.append(own)
        self._carry_out([ToBroker(chunks)])

    # What makes a connection slow or silent.

    def _pace(self) -> None:
        """Read each side that there is a rate for no faster than that."""
        rates = self.session.rates(clock.now())
        for side, rate, now in (
            (self.client, lambda: self.session.rates(clock.now()).requests, rates.requests),
            (self.broker, lambda: self.session.rates(clock.now()).answers, rates.answers),
        ):
            if now is not None and not side.paced:
                self._paced[side] = PacedReader(side, self.loop, rate, self.failed)

    def _fall_silent(self) -> None:
        self.watched = True
        self._silenced = Silenced(
            self.client,
            self.loop,
            self.session.silence_over,
            self.close,
            self.client_ended,
            self.failed,
        )

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
            case Until(when):
                self._expiry.at(when)
            case HoldBack(until, chunks):
                self.late.hold(until, chunks)
                self.watched = True
            case Pace():
                self._pace()
            case Silence():
                self._fall_silent()
