"""What was decided about a request, and what is left of that for its answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from codec.error_codes import ErrorCode
from codec.headers import RequestHeader
from sidecar.dataplane import splitting
from sidecar.dataplane.fetch_contents import Contents
from sidecar.dataplane.recovering import ClientRecoveries
from sidecar.dataplane.sequences import Batch, Cause
from sidecar.faults.base import (
    Answer,
    Change,
    Delay,
    Disconnect,
    Hint,
    Hints,
    Learner,
    Place,
    Swallow,
    Throttle,
)


class Watch(NamedTuple):
    """What is still to be done when the answer to a request comes.

    Args:
        header: of the request.
        asked_at: when it came, seconds since the epoch.
        delay: seconds after that before which the answer must not leave.
        causes: whose rules want to see it, each with what it asked to be kept.
        refused: topic-partitions that were not forwarded, and the error of each.
        order: of the request they were in, see `splitting.order_of`.
        heeds: what the answer tells of, whatever faults make of it; None if nothing.
        hints: what is told of those that were not forwarded.
        learners: who is told of a Metadata answer before it is struck.
        session: what is in the fetch session that the request asks for; None if it asks for none.
    """

    header: RequestHeader
    asked_at: float
    delay: float
    causes: tuple[tuple[Cause, Any], ...]
    refused: Mapping[Place, ErrorCode]
    order: Sequence[tuple[str, bytes, list[int]]]
    heeds: "Heeds | None" = None
    hints: Hints = MappingProxyType({})
    learners: Sequence[Learner] = ()
    session: Contents | None = None

    @property
    def reads(self) -> bool:
        """Whether the answer has to be decoded."""
        looked_at = self.causes or self.refused or self.heeds or self.learners
        return bool(looked_at) or self.session is not None


class Heeds(NamedTuple):
    """What is looked for in an answer besides what faults want.

    Args:
        client: whose recoveries may be over.
        batches: of idempotent producers, whose acknowledgements the oracle is told.
    """

    client: ClientRecoveries
    batches: Sequence[Batch] = ()


class Silenced(NamedTuple):
    """Why nothing is answered on a connection any more.

    Args:
        uid: of the interceptor that swallowed a request.
        until: when the connection closes at the latest, seconds since the epoch.
    """

    uid: str
    until: float


@dataclass(slots=True)
class Ruling:
    """What is done to a request, recorded already.

    Args:
        refusal: it is not forwarded; unless that is to disconnect from who appended, or to swallow
            what the broker says of it.
        by: who decided that.
        request: a decoded message to forward in its place.
        delay: seconds from its arrival before which its answer must not leave.
        changes, delays: those that were decided, and by whom; not recorded before it is forwarded.
            Each change is one of the message that the one before has made.
        throttles: as `delays`.
        paced: whether its connection is read more slowly from now on.
        causes: whose rules want to see the answer, each with what it asked to be kept.
        refused, order, heeds, hints, learners, session: as in `Watch`.
    """

    refusal: Answer | Disconnect | Swallow | None = None
    by: Cause | None = None
    request: Any = None
    delay: float = 0.0
    changes: list[tuple[Change, Cause]] = field(default_factory=list)
    delays: list[tuple[Delay, Cause]] = field(default_factory=list)
    throttles: list[tuple[Throttle, Cause]] = field(default_factory=list)
    paced: bool = False
    causes: list[tuple[Cause, Any]] = field(default_factory=list)
    refused: dict[Place, ErrorCode] = field(default_factory=dict)
    order: Sequence[tuple[str, bytes, list[int]]] = ()
    heeds: Heeds | None = None
    hints: dict[Place, Hint] = field(default_factory=dict)
    learners: Sequence[Learner] = ()
    session: Contents | None = None

    def left_of(self, request: Any) -> Any:
        """A decoded Produce request without what was refused of it."""
        if not self.refused:
            return request
        return splitting.picked(request, lambda place: place not in self.refused)

    def watch(self, header: RequestHeader, now: float) -> Watch | None:
        """What the answer has to be held against, if it has."""
        if not self.delay and not self.reads:
            return None
        return Watch(
            header,
            now,
            self.delay,
            tuple(self.causes),
            self.refused,
            self.order,
            self.heeds,
            self.hints,
            self.learners,
            self.session,
        )

    @property
    def reads(self) -> bool:
        """Whether the answer has to be decoded."""
        looked_at = self.causes or self.refused or self.heeds or self.learners
        return bool(looked_at) or self.session is not None


class Struck(NamedTuple):
    """What faults made of a response.

    Args:
        message: what leaves; None: nothing does, and the connection closes.
        due: when it may, seconds since the epoch.
        unknown: topic ids to ask about, so that the next answer has their names.
    """

    message: Any
    due: float
    unknown: frozenset[bytes] = frozenset()
