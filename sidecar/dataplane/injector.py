"""What is done to the requests of one connection: draws, decisions, and their records."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import codec
from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from codec.headers import RequestHeader
from codec.messages.produce import ProduceResponse
from sidecar.dataplane import splitting
from sidecar.dataplane.injecting import Injected, Peer, count_parts, injections
from sidecar.dataplane.pipeline import Chains, Pipeline, Stage
from sidecar.dataplane.sequences import Cause, RefusedSequences, batches
from sidecar.faults.base import (
    Answer,
    Answered,
    Asked,
    Await,
    Change,
    Delay,
    Deny,
    Disconnect,
    Forward,
    Place,
    Refuse,
)
from sidecar.faults.draws import further
from sidecar.faults.refusals import refuse_produce
from sidecar.model.identity import Identity
from sidecar.model.injection import DRAWN, FOLLOWS, Noted

MAX_EVENTS: Final = 1000
"""Topic-partitions of one request that are put on record; larger requests are forwarded."""

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
        causes: whose rules want to see it, each with what it asked to be kept.
        refused: topic-partitions that were not forwarded, and the error of each.
        order: of the request they were in, see `splitting.order_of`.
    """

    header: RequestHeader
    asked_at: float
    delay: float
    causes: tuple[tuple[Cause, Any], ...]
    refused: Mapping[Place, ErrorCode]
    order: Sequence[tuple[str, bytes, list[int]]]


@dataclass(slots=True)
class Ruling:
    """What is done to a request, recorded already.

    Args:
        refusal: it is not forwarded; unless that is to disconnect from who appended.
        request: a decoded message to forward in its place.
        delay: seconds from its arrival before which its answer must not leave.
        causes: whose rules want to see the answer, each with what it asked to be kept.
        refused, order: as in `Watch`.
    """

    refusal: Answer | Disconnect | None = None
    request: Any = None
    delay: float = 0.0
    causes: list[tuple[Cause, Any]] = field(default_factory=list)
    refused: dict[Place, ErrorCode] = field(default_factory=dict)
    order: Sequence[tuple[str, bytes, list[int]]] = ()

    def watch(self, header: RequestHeader, now: float) -> Watch | None:
        """What the answer has to be held against, if it has."""
        if not self.delay and not self.causes and not self.refused:
            return None
        return Watch(header, now, self.delay, tuple(self.causes), self.refused, self.order)


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
        if not self.refused or header.api_key != ApiKey.PRODUCE:
            return ruling
        request = request or self._decoded(header, data)
        return ruling if request is None else self._behind_refused(header, request, ruling, now)

    def _apply(
        self, cause: Cause, header: RequestHeader, request: Any, ruling: Ruling, now: float
    ) -> bool:
        """Have one rule decide; whether others may too."""
        api = ApiKey(header.api_key)
        rule = cause.stage.rule
        chance = further(cause.stage.interceptor.seed, cause.draw)
        seed = cause.stage.interceptor.seed
        decision = rule.decide(Asked(api, header.api_version, request, chance, seed))
        if api in rule.watches:
            ruling.causes.append((cause, None))
        match decision:
            case Answer() | Disconnect():
                if self._refused(decision, cause, DRAWN, header, request, now):
                    ruling.refusal = decision
                return False
            case Refuse():
                self._split(decision, cause, DRAWN, header, request, ruling, now)
                return ruling.refusal is None
            case Await(kept):
                ruling.causes.append((cause, kept))
            case Delay(seconds):
                if self._recorded(decision, cause, header, request, now):
                    ruling.delay = max(ruling.delay, seconds)
            case Change(message):
                if self._recorded(decision, cause, header, message, now):
                    ruling.request = message
        return True

    def answered(self, watch: Watch, message: Any, now: float) -> tuple[Any, float]:
        """What becomes of the answer to a request: the message that leaves, and when.

        Args:
            message: the decoded response, named as the client names things.
        """
        header = watch.header
        delay = watch.delay
        self._name_topics(header, message)
        for cause, kept in watch.causes:
            chance = further(cause.stage.interceptor.seed, cause.draw)
            api = ApiKey(header.api_key)
            answered = Answered(api, header.api_version, message, chance, kept)
            decision = cause.stage.rule.answered(answered)
            if isinstance(decision, Forward) or not self._recorded(
                decision, cause, header, message, now, response=True
            ):
                continue
            match decision:
                case Delay(seconds):
                    delay = max(delay, seconds)
                case Change() | Deny():
                    message = decision.message
                case Disconnect():
                    return None, watch.asked_at + delay
        if watch.refused:
            message = splitting.merged(message, watch.order, watch.refused)
        return message, watch.asked_at + delay

    def _split(
        self,
        decision: Refuse,
        cause: Cause,
        reason: str,
        header: RequestHeader,
        request: Any,
        ruling: Ruling,
        now: float,
    ) -> None:
        """Take what is refused out of a request; if nothing is left, it is refused as a whole."""
        struck = splitting.picked(request, decision.parts.__contains__)
        left = splitting.picked(request, lambda place: place not in decision.parts)
        if not left.topic_data and not ruling.refused:
            answer = Answer(refuse_produce(request, decision.error), decision.error)
            if self._refused(answer, cause, reason, header, request, now):
                ruling.refusal = answer
            return
        if not self._refused(decision, cause, reason, header, struck, now):
            return
        ruling.order = ruling.order or splitting.order_of(request)
        ruling.refused.update(dict.fromkeys(decision.parts, decision.error))
        ruling.request = left
        if not left.topic_data:
            nothing = ProduceResponse()
            answer = splitting.merged(nothing, ruling.order, ruling.refused)
            ruling.refusal = Answer(answer, decision.error)

    def _behind_refused(
        self, header: RequestHeader, request: Any, ruling: Ruling | None, now: float
    ) -> Ruling | None:
        """Refuse what has a refused batch before it, as that one was."""
        found = batches(request)
        behind = {batch: cause for batch in found if (cause := self.refused.before([batch]))}
        if not behind:
            self.refused.forwarded(found)
            return ruling
        cause = next(iter(behind.values()))
        rule = cause.stage.rule
        if rule.splits is not None and request.acks != 0:
            ruling = ruling or Ruling()
            parts = frozenset((batch.key[0], batch.key[1]) for batch in behind)
            refuse = Refuse(parts, rule.splits)
            self._split(refuse, cause, FOLLOWS, header, request, ruling, now)
            self.refused.forwarded(batch for batch in found if batch not in behind)
            return ruling
        chance = further(cause.stage.interceptor.seed, cause.draw)
        asked = Asked(ApiKey.PRODUCE, header.api_version, request, chance)
        decision = rule.decide(asked)
        if not isinstance(decision, Answer | Disconnect):
            return ruling
        if self._refused(decision, cause, FOLLOWS, header, request, now):
            return Ruling(decision)
        return ruling

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

    def _name_topics(self, header: RequestHeader, response: Any) -> None:
        """Give the topics of a response their names; one that has none known stays without."""
        if _by_id(header):
            for topic in response.responses or ():
                _set_name(topic, self._logical_topic(topic.topic_id) or "")

    def _refused(
        self,
        decision: Answer | Disconnect | Refuse,
        cause: Cause,
        reason: str,
        header: RequestHeader,
        request: Any,
        now: float,
    ) -> bool:
        """Whether a refusal is on record; else it is none."""
        produce = header.api_key == ApiKey.PRODUCE
        if not self._recorded(decision, cause, header, request, now, reason=reason):
            if produce:
                self.refused.forwarded(batches(request))
            return False
        if produce and not isinstance(decision, Disconnect):
            for batch in batches(request):
                self.refused.refused(batch, cause)
        return True

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
        if isinstance(decision, Change | Deny):
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
    try:
        return codec.decode_request(header.api_key, header.api_version, data, header.body_start)
    except codec.CodecError:
        return None
