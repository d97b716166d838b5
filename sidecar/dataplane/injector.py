"""Whether a request of one connection is refused: draws, decisions, and their records."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

import codec
from codec.api_keys import ApiKey
from codec.headers import RequestHeader
from sidecar.dataplane.injecting import Peer, injections
from sidecar.dataplane.pipeline import Chains, Pipeline, Stage
from sidecar.dataplane.sequences import Cause, RefusedSequences, batches
from sidecar.faults.base import Answer, Disconnect, Forward
from sidecar.model.identity import Identity
from sidecar.model.injection import DRAWN, FOLLOWS, Noted

MAX_EVENTS: Final = 1000
"""Topic-partitions of one request that are put on record; larger requests are forwarded."""

_PRODUCE_IDS_SINCE: Final = 13

Record = Callable[[Sequence[Noted]], bool]
"""Takes note of one decision; False when it cannot, and then nothing is injected."""


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
    ) -> Answer | Disconnect | None:
        """What is done with a request instead of forwarding it, recorded already; None: forward.

        Every request is drawn for, also one that is refused for what came before it: the n-th
        draw is the n-th request's.
        """
        drawn, self._drawn = self._drawn, None
        if drawn is None:
            drawn = _selected(self.stages(pipeline, header.api_key))
        request = None
        for stage, number in drawn:
            request = request or self._decoded(header, data)
            if request is None:
                return None
            decision = stage.rule.decide(ApiKey(header.api_key), request)
            if not isinstance(decision, Forward):
                return self._recorded(decision, Cause(stage, number), DRAWN, header, request, now)
        if not self.refused or header.api_key != ApiKey.PRODUCE:
            return None
        return self._behind_refused(header, request or self._decoded(header, data), now)

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
        decision = cause.stage.rule.decide(ApiKey.PRODUCE, request)
        if isinstance(decision, Forward):
            return None
        return self._recorded(decision, cause, FOLLOWS, header, request, now)

    def unknown_topics(self, pipeline: Pipeline, header: RequestHeader, data: Any) -> set[bytes]:
        """Topic ids whose names are needed to decide about a request, and are not known."""
        if header.api_key != ApiKey.PRODUCE or header.api_version < _PRODUCE_IDS_SINCE:
            return set()
        if not self.wants(pipeline, header.api_key):
            return set()
        request = _read(header, data)
        topics = request.topic_data if request is not None else ()
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
        if request is not None and header.api_version >= _PRODUCE_IDS_SINCE:
            for topic in request.topic_data:
                name = self._logical_topic(topic.topic_id)
                if name is None:
                    return None
                topic.name = name
        return request

    def _recorded(
        self,
        decision: Answer | Disconnect,
        cause: Cause,
        reason: str,
        header: RequestHeader,
        request: Any,
        now: float,
    ) -> Answer | Disconnect | None:
        """The decision once it is on record; None if it cannot be recorded."""
        if _partitions(request) > MAX_EVENTS:
            return None
        events = injections(
            peer=self.peer,
            identity=self.identity,
            header=header,
            request=request,
            stage=cause.stage,
            draw=cause.draw,
            reason=reason,
            decision=decision,
            now=now,
        )
        if not self.record(events):
            self.refused.forwarded(batches(request))
            return None
        if isinstance(decision, Answer):
            for batch in batches(request):
                self.refused.refused(batch, cause)
        return decision


def _partitions(request: Any) -> int:
    return sum(len(topic.partition_data or ()) for topic in request.topic_data or ())


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
