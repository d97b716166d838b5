"""Whose turn it is to decide about a request: who is at work, means it, and has drawn it."""

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Any

from codec.api_keys import ApiKey
from codec.headers import RequestHeader
from sidecar.dataplane.injecting import Injected, count_parts
from sidecar.dataplane.pipeline import Pipeline, Stage
from sidecar.dataplane.sequences import Cause
from sidecar.faults.base import Answer, Change, Decision, Delay, Deny, Disconnect, Refuse


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
    if meant is None:
        return True
    if not meant.client_id(header.client_id):
        return False
    return not meant.reads or (seen.request is not None and meant.message(seen.request))


def affords(stage: Stage, count: int, now: float) -> bool:
    """Whether it may make so many injections."""
    return stage.budget is None or stage.budget.affords(count, now)


def may_not(stage: Stage, decision: Decision, api: ApiKey, request: Any, now: float) -> bool:
    """Whether limits forbid a refusal; then the next in turn may decide.

    Other decisions take nobody's turn, and are held against the limits as they are recorded.
    """
    return isinstance(decision, Answer | Disconnect | Refuse) and not affords(
        stage, count_injections(decision, api, request), now
    )


def count_injections(
    decision: Injected, api: ApiKey, message: Any, *, response: bool = False
) -> int:
    """How many injections a decision about a decoded message is."""
    match decision:
        case Delay():
            return 1
        case Change(parts=parts) | Refuse(parts=parts):
            return len(parts)
        case Deny(parts=parts):
            return max(1, len(parts))
        case Disconnect(parts=parts) if parts:
            return len(parts)
        case _:
            return max(1, count_parts(api, message)) if not response else 1
