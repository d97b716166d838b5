"""Whose turn it is to decide about a request: who is at work, means it, and has drawn it."""

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Any, Final

from codec.api_keys import ApiKey
from codec.headers import RequestHeader
from sidecar.dataplane.injecting import Injected, Peer, count_parts
from sidecar.dataplane.pipeline import Chains, Pipeline, Stage
from sidecar.dataplane.sequences import Cause
from sidecar.faults.base import (
    FORWARD,
    Answer,
    Asked,
    Change,
    Decision,
    Delay,
    Deny,
    Disconnect,
    Refuse,
    Swallow,
    Throttle,
)
from sidecar.model.identity import Identity

_NAMES: Final[dict[int, tuple[str, str]]] = {
    ApiKey.PRODUCE: ("topic_data", "name"),
    ApiKey.FETCH: ("topics", "topic"),
}
"""Fields that hold the topics, and a topic's name."""


class Roster:
    """Who draws for the requests of one connection.

    Args:
        peer: the client, whose broker and id count.
        identity: whose interceptors count.
        lapsed: called when there are fewer of them under the same pipeline.
    """

    def __init__(self, peer: Peer, identity: Identity, lapsed: Callable[[], None]) -> None:
        self._peer = peer
        self._identity = identity
        self._lapsed = lapsed
        self._pipeline: Pipeline | None = None
        self._client_id: str | None = None
        self._chains: Chains = {}
        self.by_client_id = False
        """Whether they depend on the client's id."""

    def stages(self, pipeline: Pipeline, api_key: int) -> tuple[Stage, ...]:
        """Who draws for requests of this API, in order."""
        if pipeline is not self._pipeline or self._peer.client_id != self._client_id:
            self._pipeline, self._client_id = pipeline, self._peer.client_id
            chains = pipeline.chains(self._identity)
            self.by_client_id = any(
                stage.interceptor.selector.client_ids
                for chain in chains.values()
                for stage in chain
            )
            found = {api: tuple(filter(self._can_mean, chain)) for api, chain in chains.items()}
            self._chains = {api: chain for api, chain in found.items() if chain}
        return self._chains.get(api_key, ())

    def draws(self, api_key: int) -> bool:
        """Whether anybody does for requests of this API, by what was last asked for."""
        return api_key in self._chains

    def _can_mean(self, stage: Stage) -> bool:
        """Whether requests of this client, on this connection, can be meant."""
        meant = stage.selection
        return meant is None or (
            meant.broker(self._peer.broker_id)
            and (self._client_id is None or meant.client_id(self._client_id))
        )

    def drop(self, over: Stage) -> None:
        """Do without a stage that does nothing any more, as long as this pipeline counts."""
        chains = {
            api: tuple(stage for stage in chain if stage is not over)
            for api, chain in self._chains.items()
        }
        if chains != self._chains:
            self._chains = {api: chain for api, chain in chains.items() if chain}
            self._lapsed()


class Seen:
    """A request that is decoded when somebody looks at it first."""

    def __init__(
        self, decode: Callable[[RequestHeader, Any], Any], header: RequestHeader, data: Any
    ) -> None:
        self._decode = decode
        self._header = header
        self._data = data

    @cached_property
    def request(self) -> Any:
        """With names; None where it cannot be read."""
        return self._decode(self._header, self._data)


def causes(
    turns: Iterable[Cause | Stage],
    pipeline: Pipeline,
    header: RequestHeader,
    seen: Seen,
    now: float,
    drop: Callable[[Stage], None],
) -> Iterator[Cause]:
    """Draw stage by stage, as far as the caller asks; yields what selected the request.

    Args:
        turns: who draws, and draws that were made already.
        pipeline: the current one; who does nothing any more by it is left out.
        drop: told of those.
    """
    for turn in turns:
        stage = turn.stage if isinstance(turn, Cause) else turn
        if now >= pipeline.ends(stage.interceptor.uid) or stage.is_over(now):
            drop(stage)
        elif isinstance(turn, Cause):
            yield turn
        elif _is_meant(stage, header, seen):
            number, chosen = stage.draw()
            if chosen:
                yield Cause(stage, number)


def _is_meant(stage: Stage, header: RequestHeader, seen: Seen) -> bool:
    """Whether an interceptor is about a request of its client, broker and API."""
    meant = stage.selection
    if stage.rule.topic is not None and not _names_some(stage.rule.topic, header, seen):
        return False
    if meant is None:
        return True
    if not meant.client_id(header.client_id):
        return False
    if not meant.reads:
        return True
    if seen.request is None:
        return False
    if _splits(stage, ApiKey(header.api_key)):
        return meant.some(seen.request) is not None
    return meant.message(seen.request)


def _names_some(topic: Callable[[str], bool], header: RequestHeader, seen: Seen) -> bool:
    """Whether a Produce or Fetch is about a topic that fits, as far as it says; others are."""
    if header.api_key not in _NAMES:
        return True
    request = seen.request
    if request is None:
        return False
    topics, name = _NAMES[header.api_key]
    if getattr(request, "session_epoch", 0) > 0:
        return True  # a Fetch that names only what is new in its session
    return any(topic(getattr(each, name)) for each in getattr(request, topics) or ())


def asks_for_topics(stage: Stage) -> bool:
    """Whether it matters to an interceptor which topics a Fetch is about."""
    meant, rule = stage.selection, stage.rule
    return (meant is not None and meant.reads) or bool(rule.topic or rule.splits)


def _splits(stage: Stage, api: ApiKey) -> bool:
    """Whether a rule strikes single topic-partitions of a request."""
    return api is ApiKey.PRODUCE and stage.rule.splits is not None


def affords(stage: Stage, count: int, now: float) -> bool:
    """Whether it may make so many injections."""
    return stage.budget is None or stage.budget.affords(count, now)


def decide(stage: Stage, asked: Asked) -> Decision:
    """What a rule decides; nothing where it would refuse and limits forbid it.

    Then the next in turn may decide. Other decisions take nobody's turn, and are held against the
    limits as they are recorded. A rule that strikes single topic-partitions is shown only those
    that are selected.
    """
    meant = stage.selection
    if meant is not None and meant.reads and _splits(stage, asked.api):
        some = meant.some(asked.request)
        if some is None:
            return FORWARD
        asked = asked._replace(request=some)
    decision = stage.rule.decide(asked)
    if isinstance(decision, Answer | Disconnect | Swallow | Refuse):
        count = count_injections(decision, asked.api, asked.request)
        return decision if affords(stage, count, asked.now) else FORWARD
    return decision


def count_injections(
    decision: Injected, api: ApiKey, message: Any, *, response: bool = False
) -> int:
    """How many injections a decision about a decoded message is."""
    match decision:
        case Delay() | Throttle():
            return 1
        case Change(parts=parts) | Refuse(parts=parts):
            return len(parts)
        case Deny(parts=parts):
            return max(1, len(parts))
        case Disconnect(parts=parts) if parts:
            return len(parts)
        case _:
            return max(1, count_parts(api, message)) if not response else 1
