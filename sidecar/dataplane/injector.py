"""What is done to the requests of one connection: draws, decisions, and their records."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import codec
from codec.api_keys import ApiKey
from codec.headers import RequestHeader
from sidecar.dataplane.injecting import Injected, Peer, count_parts, injections
from sidecar.dataplane.pipeline import Chains, Pipeline, Stage
from sidecar.dataplane.sequences import Cause, RefusedSequences, batches
from sidecar.faults.base import Answer, Answered, Asked, Change, Delay, Disconnect
from sidecar.faults.draws import further
from sidecar.model.identity import Identity
from sidecar.model.injection import DRAWN, FOLLOWS, Noted

MAX_EVENTS: Final = 1000
"""Topic-partitions of one request that are put on record; larger requests are forwarded."""

READ_LIMIT: Final = 4 * 1024 * 1024
"""Bytes of a request that is read field by field; every connection waits while that goes on."""
BLOBS: Final = frozenset({ApiKey.PRODUCE, ApiKey.JOIN_GROUP, ApiKey.SYNC_GROUP})
"""APIs whose requests are large for what they carry, of which little or nothing is read."""
MAX_ASKED: Final = 1000
"""Topics of answers that one connection has a broker asked about."""

_IDS_SINCE: Final[dict[int, int]] = {ApiKey.PRODUCE: 13, ApiKey.FETCH: 13}
"""APIs that name topics by id from these versions on."""

Record = Callable[[Sequence[Noted]], bool]
"""Takes note of one decision; False when it cannot, and then nothing is injected."""


class Watch(NamedTuple):
    """What is still to be done when the answer to a request comes.

    Args:
        header: of the request.
        asked_at: when it came, seconds since the epoch.
        delay: seconds after that before which the answer must not leave.
        causes: whose rules want to see it.
    """

    header: RequestHeader
    asked_at: float
    delay: float
    causes: tuple[Cause, ...]


@dataclass(slots=True)
class Ruling:
    """What is done to a request, recorded already.

    Args:
        refusal: it is not forwarded.
        request: a decoded message to forward in its place.
        delay: seconds from its arrival before which its answer must not leave.
        delays: those that were decided, and by whom; not recorded before it is forwarded.
        causes: whose rules want to see the answer.
    """

    refusal: Answer | Disconnect | None = None
    request: Any = None
    delay: float = 0.0
    delays: list[tuple[Delay, Cause]] = field(default_factory=list)
    causes: list[Cause] = field(default_factory=list)

    def watch(self, header: RequestHeader, now: float) -> Watch | None:
        """What the answer has to be held against, if it has."""
        if not self.delay and not self.causes:
            return None
        return Watch(header, now, self.delay, tuple(self.causes))


class Injector:
    """The interceptors that apply to one identified client.

    Args:
        peer: the client, as events name it.
        identity: whose interceptors count.
        record: see `Record`.
        logical_topic: topic id to the name of a topic of the client's own, or None.
    """

    def __init__(
        self,
        peer: Peer,
        identity: Identity,
        record: Record,
        logical_topic: Callable[[bytes], str | None],
    ) -> None:
        self.peer = peer
        self.identity = identity
        self.record = record
        self._logical_topic = logical_topic
        self._pipeline: Pipeline | None = None
        self._chains: Chains = {}
        self.refused = RefusedSequences()
        self._drawn: Iterator[tuple[Stage, int]] | None = None
        self._asked: set[bytes] = set()
        """Topic ids of answers that a broker was asked about."""

    def wants(self, pipeline: Pipeline, api_key: int) -> bool:
        """Whether requests of this API are drawn for, or held against refused ones."""
        return bool(self.stages(pipeline, api_key)) or (
            api_key == ApiKey.PRODUCE and len(self.refused) > 0
        )

    def hold(self, drawn: Cause | None, rest: Sequence[Stage]) -> None:
        """Keep draws made for a request before it came whole.

        The next call of `decide` must be for this request; it goes on with these draws: `drawn` if
        one selected it, then those of `rest`.
        """
        first = [] if drawn is None else [(drawn.stage, drawn.draw)]
        self._drawn = itertools.chain(first, _selected(rest))

    def decide(
        self, pipeline: Pipeline, header: RequestHeader, data: Any, now: float
    ) -> Ruling | None:
        """What is done to a request, recorded already; None: nothing.

        Every request is drawn for, also one that is refused for what came before it: the n-th
        draw is the n-th request's.
        """
        drawn, self._drawn = self._drawn, None
        if drawn is None:
            drawn = _selected(self.stages(pipeline, header.api_key))
        ruling = None
        request = None
        for stage, number in drawn:
            request = request or self._decoded(header, data)
            if request is None:
                return ruling
            ruling = ruling or Ruling()
            cause = Cause(stage, number)
            if not self._apply(cause, header, request, ruling, now):
                return ruling
            request = ruling.request or request
        if self.refused and header.api_key == ApiKey.PRODUCE:
            refusal = self._behind_refused(header, request or self._decoded(header, data), now)
            if refusal is not None:
                return Ruling(refusal)
        if ruling is not None:
            for delay, cause in ruling.delays:
                if self._recorded(delay, cause, header, request, now):
                    ruling.delay = max(ruling.delay, delay.seconds)
        return ruling

    def _apply(
        self, cause: Cause, header: RequestHeader, request: Any, ruling: Ruling, now: float
    ) -> bool:
        """Have one rule decide; whether others may too."""
        api = ApiKey(header.api_key)
        rule = cause.stage.rule
        chance = further(cause.stage.interceptor.seed, cause.draw)
        decision = rule.decide(Asked(api, header.api_version, request, chance))
        if api in rule.watches:
            ruling.causes.append(cause)
        match decision:
            case Answer() | Disconnect():
                ruling.refusal = self._refused(decision, cause, DRAWN, header, request, now)
                return False
            case Delay():
                if api is not ApiKey.PRODUCE or request.acks:  # or there is no answer to delay
                    ruling.delays.append((decision, cause))
            case Change(message):
                if self._recorded(decision, cause, header, message, now):
                    ruling.request = message
        return True

    def answered(
        self, watch: Watch, message: Any, now: float
    ) -> tuple[Any, float, frozenset[bytes]]:
        """What becomes of the answer to a request: the message that leaves, and when.

        Args:
            message: the decoded response, named as the client names things.

        Returns:
            message, time, and topic ids to ask about, so that the next answer has their names.
        """
        header = watch.header
        delay = watch.delay
        unknown = self._name_topics(header, message)
        for cause in watch.causes:
            chance = further(cause.stage.interceptor.seed, cause.draw)
            api = ApiKey(header.api_key)
            answered = Answered(api, header.api_version, message, chance)
            decision = cause.stage.rule.answered(answered)
            if isinstance(decision, Delay | Change):
                changed = decision.message if isinstance(decision, Change) else message
                if self._recorded(decision, cause, header, changed, now, response=True):
                    message = changed
                    if isinstance(decision, Delay):
                        delay = max(delay, decision.seconds)
        return message, watch.asked_at + delay, unknown

    def _behind_refused(
        self, header: RequestHeader, request: Any | None, now: float
    ) -> Answer | Disconnect | None:
        """As `decide`, for what a refused batch has before it."""
        if request is None:
            return None
        found = batches(request)
        cause = self.refused.before(found)
        if cause is None:
            self.refused.forwarded(found)
            return None
        chance = further(cause.stage.interceptor.seed, cause.draw)
        asked = Asked(ApiKey.PRODUCE, header.api_version, request, chance)
        decision = cause.stage.rule.decide(asked)
        if not isinstance(decision, Answer | Disconnect):
            return None
        return self._refused(decision, cause, FOLLOWS, header, request, now)

    def unknown_topics(self, pipeline: Pipeline, header: RequestHeader, data: Any) -> set[bytes]:
        """Topic ids whose names are needed to decide about a request, and are not known."""
        if not _by_id(header) or not self.wants(pipeline, header.api_key):
            return set()
        request = _read(header, data)
        topics = _topics(header, request) if request is not None else ()
        return {t.topic_id for t in topics if self._logical_topic(t.topic_id) is None}

    def stages(self, pipeline: Pipeline, api_key: int) -> tuple[Stage, ...]:
        """Who draws for requests of this API, in order."""
        if pipeline is not self._pipeline:
            self._pipeline = pipeline
            self._chains = pipeline.chains(self.identity)
        return self._chains.get(api_key, ())

    def _decoded(self, header: RequestHeader, data: Any) -> Any | None:
        """The request with names, or None where it cannot be read: then the broker decides."""
        request = _read(header, data)
        if request is not None and _by_id(header):
            for topic in _topics(header, request):
                name = self._logical_topic(topic.topic_id)
                if name is None:
                    return None
                _set_name(topic, name)
        return request

    def _name_topics(self, header: RequestHeader, response: Any) -> frozenset[bytes]:
        """Give the topics of a response their names; one that has none known stays without.

        Returns those of them that a broker has not been asked about: a fetch session may be older
        than the interceptor that asks, and its requests do not repeat what it is about.
        """
        unknown = set[bytes]()
        if _by_id(header):
            for topic in response.responses or ():
                name = self._logical_topic(topic.topic_id)
                _set_name(topic, name or "")
                if name is None and topic.topic_id not in self._asked:
                    unknown.add(topic.topic_id)
        if len(self._asked) + len(unknown) > MAX_ASKED:
            return frozenset()
        self._asked |= unknown
        return frozenset(unknown)

    def _refused(
        self,
        decision: Answer | Disconnect,
        cause: Cause,
        reason: str,
        header: RequestHeader,
        request: Any,
        now: float,
    ) -> Answer | Disconnect | None:
        """The refusal once it is on record; None if it cannot be recorded."""
        produce = header.api_key == ApiKey.PRODUCE
        if not self._recorded(decision, cause, header, request, now, reason=reason):
            if produce:
                self.refused.forwarded(batches(request))
            return None
        if produce and isinstance(decision, Answer):
            for batch in batches(request):
                self.refused.refused(batch, cause)
        return decision

    def _recorded(
        self,
        decision: Injected,
        cause: Cause,
        header: RequestHeader,
        message: Any,
        now: float,
        *,
        reason: str = DRAWN,
        response: bool = False,
    ) -> bool:
        """Whether it is on record; if not, nothing is done."""
        if isinstance(decision, Change):
            count = len(decision.parts)
        else:
            count = count_parts(ApiKey(header.api_key), message) if not response else 1
        if count > MAX_EVENTS and not isinstance(decision, Delay):
            return False
        events = injections(
            peer=self.peer,
            identity=self.identity,
            header=header,
            message=message,
            stage=cause.stage,
            draw=cause.draw,
            reason=reason,
            decision=decision,
            now=now,
            response=response,
        )
        return self.record(events)


def _by_id(header: RequestHeader) -> bool:
    """Whether the message names topics by id."""
    return header.api_version >= _IDS_SINCE.get(header.api_key, 1 << 15)


def _topics(header: RequestHeader, request: Any) -> Any:
    if header.api_key == ApiKey.PRODUCE:
        return request.topic_data or ()
    return request.topics or ()


def _set_name(topic: Any, name: str) -> None:
    """Fetch calls it `topic`, Produce `name`."""
    if hasattr(topic, "topic"):
        topic.topic = name
    else:
        topic.name = name


def _selected(stages: Iterable[Stage]) -> Iterator[tuple[Stage, int]]:
    """Draw stage by stage, as far as the caller asks; yields those that select the request."""
    for stage in stages:
        number, chosen = stage.draw()
        if chosen:
            yield stage, number


def _read(header: RequestHeader, data: Any) -> Any | None:
    if header.body_start is None:
        return None
    if len(data) > READ_LIMIT and header.api_key not in BLOBS:
        return None
    try:
        return codec.decode_request(header.api_key, header.api_version, data, header.body_start)
    except codec.CodecError:
        return None
