"""The life of one client connection, as a function from frames to actions.

States: *handshaking* (only ApiVersions and SASL are served; SASL listeners start here), *open*
(everything is), *closing* (an acks=0 request was refused: what is in flight is still answered, and
nothing new is read), *silent* (a request was swallowed: the same, but what comes is dropped, and
the connection stays open until the client or the fault ends it).
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import codec
from codec.api_keys import ApiKey
from codec.frames import frame
from codec.headers import (
    RequestHeader,
    read_request_header,
    response_body_start,
    response_header,
)
from sidecar.dataplane import planning
from sidecar.dataplane.actions import (
    Action,
    Chunks,
    Close,
    HoldBack,
    LookUp,
    Pace,
    Silence,
    ToBroker,
    ToClient,
)
from sidecar.dataplane.delegating import SASL_APIS, Delegated
from sidecar.dataplane.greeting import Greeting, authenticated, decoded, name_of
from sidecar.dataplane.injecting import Peer
from sidecar.dataplane.injector import Injector
from sidecar.dataplane.judge import Judge
from sidecar.dataplane.lanes import Plan
from sidecar.dataplane.ordering import SWALLOWED, Pending, ResponseOrder
from sidecar.dataplane.pipeline import Pipeline
from sidecar.dataplane.produce import expects_response
from sidecar.dataplane.ruling import Ruling, Silenced, Struck, Watch
from sidecar.dataplane.shared import Shared
from sidecar.dataplane.tenancy import Mapped, Names, Tenancy
from sidecar.dataplane.tenancy.denials import denial
from sidecar.dataplane.tenancy.policy import DENIED
from sidecar.dataplane.tenancy.topic_ids import MAX_MASKED
from sidecar.dataplane.throttles import Rates
from sidecar.dataplane.topic_names import BLOBS, READ_LIMIT
from sidecar.dataplane.versions import LOCAL, Versions
from sidecar.faults.base import Answer, Disconnect, Swallow
from sidecar.model.identity import ANONYMOUS, AuthenticationFailed, Identity
from sidecar.model.interceptor import NEVER

HEADER_LIMIT: Final = 64 * 1024
"""Bytes of a request header: twice the longest client id, and what is left is for tags."""
_SIZE: Final = 4
"""Bytes of a frame's size field."""


class Session:
    """One client connection to the listener of one broker.

    Feed it frames (without their size prefix) in the order they arrive; it returns what to do.
    It never raises for anything a peer sent.
    """

    def __init__(self, shared: Shared, connection_id: int, broker_id: int) -> None:
        self.shared = shared
        self.peer = Peer(connection_id, broker_id)
        self.order = ResponseOrder()
        self._tenancy = self._tenancy_of(ANONYMOUS)
        self._injector: Injector | None = None
        self._greeting = Greeting(
            self.peer,
            lambda: shared.versions,
            shared.logins,
            self._answer,
            self._open,
            self._end,
        )
        self._closing: Close | None = None
        self.halted = False
        """Whether requests are ignored from now on."""
        self._silence: Silenced | None = None
        self.stale = False
        """Whether what `plan` said does not hold any more."""
        self._delegated = Delegated() if shared.delegated else None
        if shared.logins is None and not shared.delegated:
            self._open(ANONYMOUS)

    @property
    def closing(self) -> Close | None:
        """Set when requests are ignored from now on, and this is due once all are answered."""
        return self._closing

    @property
    def owes(self) -> bool:
        """Whether something that came before a request that was swallowed is to be answered."""
        last = self.order.queue[-1] if self.order.queue else None
        swallowed = isinstance(last, Pending) and last.faults is SWALLOWED
        return len(self.order) > swallowed

    def silence_over(self, now: float) -> Close | None:
        """Why a silent connection closes now; None: it does not."""
        silence = self._silence
        if silence is None:
            return None
        if now >= silence.until:
            return Close("fault_injected", "a request was not answered, and the time is over")
        if now >= self.shared.pipeline.ends(silence.uid):
            return Close("fault_injected", "a request was not answered, and the fault is over")
        return None

    def rates(self, now: float) -> Rates:
        """How fast the connection may be read."""
        if self._injector is None:
            return Rates()
        return self._injector.throttles.rates(self.shared.pipeline, now)

    @property
    def authenticated(self) -> bool:
        """Whether the connection may send more than its credentials."""
        return self.peer.identity is not None

    def known_as(self, principal: str) -> None:
        """Take the client for whom its certificate names; before anything came from it."""
        self._open(self.shared.located(principal))

    @property
    def expires(self) -> float | None:
        """When it ends unless the client shows again who it is, as in `Until`; None: never."""
        return self._greeting.expires

    def finish(self, close: Close) -> None:
        """Read nothing more; `closing` is due when what is in flight has been answered."""
        self._closing = close
        self.halted = True

    def _end(self, close: Close) -> list[Action]:
        """Close at once if nothing is in flight; else when that has been answered."""
        if not len(self.order):
            return [close]
        self.finish(close)
        return []

    def _open(self, identity: Identity) -> None:
        self.peer.identity = identity
        self._tenancy = self._tenancy_of(identity)
        self._injector = Injector(
            self.peer,
            identity,
            self.shared.record,
            self._tenancy.logical_topic,
            self._plan_again,
            self.shared.recoveries,
            self.shared.oracle,
        )

    def _plan_again(self) -> None:
        self.stale = True

    def _tenancy_of(self, identity: Identity) -> Tenancy:
        shared = self.shared
        names = partial(_names_of, shared, identity)
        return Tenancy(names, shared.advertise, shared.directory)

    def plan(
        self, pipeline: Pipeline, versions: Versions, clock: Callable[[], float]
    ) -> tuple[Plan, Judge | None]:
        """What may pass without the session, see `planning.plan`; until `stale` says otherwise."""
        self.stale = False
        if self._injector is None:
            return {}, None
        return planning.plan(self._tenancy, self._injector, pipeline, versions, clock)

    # From the client.

    def on_request(self, data: Any, now: float, *, looked_up: bool = False) -> list[Action]:
        """A frame from the client; `now` in seconds since the epoch.

        Args:
            looked_up: the frame comes again, after the `LookUp` or `RenewKeys` it led to.
        """
        if self.halted:
            return []
        if self._greeting.bare_token:
            return self._greeting.on_bare_token(data, now, renewed=looked_up)
        try:
            header = read_request_header(data[:HEADER_LIMIT])
            if (header.client_id or "") != self.peer.client_id:
                self._hear(header.client_id or "")
            if len(data) > READ_LIMIT and self._reads(header.api_key):
                detail = f"{name_of(header)} of {len(data)} bytes, allowed are {READ_LIMIT}"
                return [Close("request_too_large", detail)]
            if self._delegated is not None and header.api_key in SASL_APIS:
                self._delegated.asked(header, data)
                self._expect_response(header, data, None, None)
                return [ToBroker(frame(data))]
            if header.api_key in LOCAL:
                return self._greeting.on_request(header, data, now, renewed=looked_up)
            return self._on_open_request(header, data, now, looked_up)
        except codec.CodecError as error:
            return [Close("malformed_request", str(error))]
        except AuthenticationFailed as failure:
            return [Close("authentication_failed", str(failure))]

    def _hear(self, client_id: str) -> None:
        """Take note of a client's id, on which may depend what passes."""
        self.peer.client_id = client_id
        self.stale |= self._injector is not None and self._injector.roster.by_client_id

    def _reads(self, api_key: int) -> bool:
        """Whether requests of this API are read here field by field."""
        return api_key in LOCAL or (self._tenancy.isolates and api_key not in BLOBS)

    def _on_open_request(
        self, header: RequestHeader, data: Any, now: float, looked_up: bool
    ) -> list[Action]:
        injector = self._injector
        if injector is None:
            return [Close("not_authenticated", f"{name_of(header)} before authentication")]
        prepared = self._prepare(header, data)
        if not isinstance(prepared, Mapped):
            return prepared
        pipeline = self.shared.pipeline
        unknown = prepared.exchange.unknown if prepared.exchange else set[bytes]()
        if not self._tenancy.isolates:
            unknown |= injector.unknown_topics(pipeline, header, data)
        if unknown and not looked_up:
            return [LookUp(frozenset(unknown))]
        if header.api_key == ApiKey.METADATA:
            injector.heeding.refreshed(header.client_id)
        ruling = injector.decide(pipeline, header, data, now)
        watch = None
        if ruling is not None:
            if ruling.refusal is not None:
                return self._refuse(ruling, header, data, prepared, now)
            watch = ruling.watch(header, now)
            if ruling.request is not None:
                prepared = self._tenancy.map_decoded(
                    header.api_key, header.api_version, ruling.request
                )
        self._expect_response(header, data, prepared.exchange, watch)
        sent = ToBroker(frame(data[: header.body_start], *prepared.body))
        return [sent, Pace()] if ruling is not None and ruling.paced else [sent]

    def _refuse(
        self, ruling: Ruling, header: RequestHeader, data: Any, prepared: Mapped, now: float
    ) -> list[Action]:
        """Answer in the broker's place, or not at all."""
        decision = ruling.refusal
        if isinstance(decision, Answer):
            return self._answer(header, codec.encode(decision.response, header.api_version))
        sent: list[Action] = []
        if decision is not None and decision.appended:
            sent.append(ToBroker(frame(data[: header.body_start], *prepared.body)))
        if isinstance(decision, Swallow) and ruling.by is not None:
            until = NEVER if decision.seconds is None else now + decision.seconds
            self._silence = Silenced(ruling.by.stage.interceptor.uid, until)
            self.halted = True
            if sent:
                self._expect_response(header, data, None, SWALLOWED)
            return [*sent, Silence()]
        if isinstance(decision, Disconnect):
            close = Close("fault_injected", f"{decision.error.name} with acks=0 has no answer")
            return [*sent, *self._end(close)]
        return sent

    def _prepare(self, header: RequestHeader, data: Any) -> Mapped | list[Action]:
        """The request for the broker, or what is done instead."""
        key, version, start = header.api_key, header.api_version, header.body_start
        tenancy = self._tenancy
        if not self.shared.versions.accepts(key, version):
            if tenancy.isolates:
                return [Close("unsupported_version", f"{name_of(header)} is not offered here")]
            # The codec does not know it, and there is nothing to hide: the broker decides.
            return Mapped([] if start is None else [data[start:]], None)
        if tenancy.isolates and key in DENIED:
            return self._answer(
                header, codec.encode(denial(decoded(header, data), version), version)
            )
        mapped = tenancy.map_request(key, version, data[start:])
        if not isinstance(mapped, Mapped):
            return self._answer(header, codec.encode(mapped, version))
        if tenancy.masks:
            if tenancy.masks.full:
                return [Close("foreign_topic_ids", f"more than {MAX_MASKED} on one connection")]
            self.stale = True
        return mapped

    def _expect_response(self, header: RequestHeader, data: Any, context: Any, watch: Any) -> None:
        key, version = header.api_key, header.api_version
        if key != ApiKey.PRODUCE or expects_response(version, data[header.body_start :]):
            self.order.forwarded(Pending(header.correlation_id, key, version, context, watch))

    def _answer(self, header: RequestHeader, body: bytes) -> list[Action]:
        head = response_header(header.api_key, header.api_version, header.correlation_id)
        ready = self.order.local(frame(head, body))
        return [ToClient(ready)] if ready else []

    # From the broker.

    def on_response(self, data: Any, now: float) -> list[Action]:
        """A frame from the broker; `now` in seconds since the epoch."""
        pending = self.order.expected()
        if (
            pending is None
            or int.from_bytes(data[:4], "big", signed=True) != pending.correlation_id
        ):
            return [Close("unexpected_response", "the broker answered out of order")]
        if pending.faults is SWALLOWED:
            return []
        if self._delegated is not None and pending.api_key in SASL_APIS:
            return self._on_delegated(self._delegated, pending, data)
        try:
            chunks = self._mapped_response(pending, data)
        except codec.CodecError as error:
            if self._tenancy.isolates:
                return [Close("malformed_response", str(error))]
            chunks = frame(data)
        if pending.faults is None:
            return self.released(chunks)
        struck = self._struck(pending, chunks, now)
        ask: list[Action] = [LookUp(struck.unknown)] if struck.unknown else []
        if struck.message is None:
            return [Close("fault_injected", "no answer is given to what was forwarded")]
        if struck.due > now:
            return [*ask, HoldBack(struck.due, struck.message)]
        return [*self.released(struck.message), *ask]

    def _on_delegated(self, delegated: Delegated, pending: Pending, data: Any) -> list[Action]:
        """What the broker says of the client's credentials."""
        start = response_body_start(pending.api_key, pending.api_version, data)
        try:
            name = delegated.answered(pending.api_key, pending.api_version, data[start:])
        except codec.CodecError as error:
            return [Close("malformed_response", str(error))]
        actions = self.released(frame(data))
        if name is None:
            return actions
        identity, before = self.shared.located(name), self.peer.identity
        if before is None:
            self._open(identity)
            return [*actions, authenticated(identity)]
        if identity != before:
            return [*actions, Close("authentication_failed", "it is another principal than before")]
        return actions

    def released(self, chunks: Chunks) -> list[Action]:
        """The response that was expected leaves, and what has waited behind it."""
        actions: list[Action] = [ToClient(self.order.answered(chunks))]
        if self._closing is not None and not len(self.order):
            actions.append(self._closing)
        return actions

    def _struck(self, pending: Pending, chunks: Chunks, now: float) -> Struck:
        """What faults make of a response."""
        watch: Watch = pending.faults
        as_it_came = Struck(chunks, watch.asked_at + watch.delay)
        if self._injector is None or not watch.reads:
            return as_it_came
        key, version = pending.api_key, pending.api_version
        data = b"".join(chunks)[_SIZE:]
        try:
            start = response_body_start(key, version, data)
            message = codec.decode_response(key, version, data, start)
            struck = self._injector.answered(self.shared.pipeline, watch, message, now)
            if struck.message is None:
                return struck
            if struck.message is not message:
                chunks = frame(data[:start], codec.encode(struck.message, version))
        except codec.CodecError:
            if watch.refused:
                return Struck(None, now)  # it would be an answer to half of what was asked
            return as_it_came
        return struck._replace(message=chunks)

    def _mapped_response(self, pending: Pending, data: Any) -> list[Any]:
        if pending.context is None:
            return frame(data)
        key, version = pending.api_key, pending.api_version
        start = response_body_start(key, version, data)
        body = self._tenancy.map_response(key, version, data[start:], pending.context)
        return frame(data[:start], *body)


def _names_of(shared: Shared, identity: Identity) -> Names:
    return shared.pipeline.names(identity)
