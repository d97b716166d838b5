"""Whether a request of one connection is refused: draws, decisions, and their records."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

import codec
from codec.api_keys import ApiKey
from codec.headers import RequestHeader
from sidecar.dataplane.injecting import Peer, injections
from sidecar.dataplane.pipeline import Chains, Pipeline, Stage
from sidecar.dataplane.sequences import Cause, RefusedSequences
from sidecar.faults.base import Answer, Disconnect, Forward
from sidecar.model.identity import Identity
from sidecar.model.injection import DRAWN, FOLLOWS, Injection

MAX_EVENTS: Final = 1000
"""Topic-partitions of one request that are put on record; larger requests are forwarded."""

Record = Callable[[Sequence[Injection]], bool]
"""Takes note of one decision; False when it cannot, and then nothing is injected."""


class Injector:
    """The interceptors that apply to one identified client.

    Args:
        peer: the client, as events name it.
        identity: whose interceptors count.
        record: see `Record`.
    """

    def __init__(self, peer: Peer, identity: Identity, record: Record) -> None:
        self._peer = peer
        self._identity = identity
        self._record = record
        self._pipeline: Pipeline | None = None
        self._chains: Chains = {}
        self._refused = RefusedSequences()
        self._drawn: Iterator[tuple[Stage, int]] | None = None

    def wants(self, pipeline: Pipeline, api_key: int) -> bool:
        """Whether requests of this API are drawn for, or held against refused ones."""
        return bool(self._stages(pipeline, api_key)) or (
            api_key == ApiKey.PRODUCE and len(self._refused) > 0
        )

    def draw_ahead(self, pipeline: Pipeline) -> bool:
        """Draw for a Produce request that is still arriving; True if `decide` must see it whole.

        The next call of `decide` must then be for this request; it goes on with these draws.
        """
        drawn = _selected(self._stages(pipeline, ApiKey.PRODUCE))
        first = next(drawn, None)
        if first is None and not self._refused:
            return False
        self._drawn = drawn if first is None else itertools.chain((first,), drawn)
        return True

    def decide(
        self, pipeline: Pipeline, header: RequestHeader, data: Any, now: float
    ) -> Answer | Disconnect | None:
        """What is done with a request instead of forwarding it, recorded already; None: forward.

        Every request is drawn for, also one that is refused for what came before it: the n-th
        draw is the n-th request's.
        """
        drawn, self._drawn = self._drawn, None
        if drawn is None:
            drawn = _selected(self._stages(pipeline, header.api_key))
        request = None
        for stage, number in drawn:
            request = request or _decoded(header, data)
            if request is None:
                return None
            decision = stage.rule.decide(ApiKey(header.api_key), request)
            if not isinstance(decision, Forward):
                return self._recorded(decision, Cause(stage, number), DRAWN, header, request, now)
        if not self._refused or header.api_key != ApiKey.PRODUCE:
            return None
        return self._behind_refused(header, request or _decoded(header, data), now)

    def _behind_refused(
        self, header: RequestHeader, request: Any | None, now: float
    ) -> Answer | Disconnect | None:
        """As `decide`, for what a refused batch has before it."""
        cause = self._refused.follows(request) if request is not None else None
        if cause is None:
            return None
        decision = cause.stage.rule.decide(ApiKey.PRODUCE, request)
        if isinstance(decision, Forward):
            return None
        return self._recorded(decision, cause, FOLLOWS, header, request, now)

    def _stages(self, pipeline: Pipeline, api_key: int) -> tuple[Stage, ...]:
        if pipeline is not self._pipeline:
            self._pipeline = pipeline
            self._chains = pipeline.chains(self._identity)
        return self._chains.get(api_key, ())

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
        if header.api_key == ApiKey.PRODUCE and _partitions(request) > MAX_EVENTS:
            return None
        events = injections(
            peer=self._peer,
            identity=self._identity,
            header=header,
            request=request,
            stage=cause.stage,
            draw=cause.draw,
            reason=reason,
            decision=decision,
            now=now,
        )
        if not self._record(events):
            return None
        if isinstance(decision, Answer) and header.api_key == ApiKey.PRODUCE:
            self._refused.refused(events, cause)
        return decision


def _partitions(request: Any) -> int:
    return sum(len(topic.partition_data or ()) for topic in request.topic_data or ())


def _selected(stages: Iterable[Stage]) -> Iterator[tuple[Stage, int]]:
    """Draw stage by stage, as far as the caller asks; yields those that select the request."""
    for stage in stages:
        number, chosen = stage.draw()
        if chosen:
            yield stage, number


def _decoded(header: RequestHeader, data: Any) -> Any | None:
    """The request, or None where it cannot be read: then it is left to the broker."""
    if header.body_start is None:
        return None
    try:
        return codec.decode_request(header.api_key, header.api_version, data, header.body_start)
    except codec.CodecError:
        return None
