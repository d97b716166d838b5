"""The coordinator of a group or transactional id moves, as when its partition changes leaders.

First nobody coordinates: requests get NOT_COORDINATOR, and who asks for the coordinator
COORDINATOR_NOT_AVAILABLE. Then somebody does who is still reading: COORDINATOR_LOAD_IN_PROGRESS.
Then all is well. Each group or id moves once, from the first request about it; where the
coordinator is does not change.
"""

from dataclasses import dataclass
from typing import Final

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from sidecar.faults.base import (
    FORWARD,
    Answer,
    Answered,
    Asked,
    Await,
    Decision,
    Deny,
    RequestRule,
    ResponseDecision,
)
from sidecar.faults.coordinators import (
    GROUP,
    GROUP_APIS,
    TRANSACTION,
    TRANSACTION_APIS,
    denied,
    keys_of,
    refusal,
)
from sidecar.faults.marks import Marks
from sidecar.faults.matching import matcher
from sidecar.model.faults import MAX_LATENCY_MS, Checks

KEY_TYPES: Final = ("GROUP", "TRANSACTION")
MAX_KEYS: Final = 100_000
"""Groups and ids whose moves are kept in mind; beyond, those that come next do not move."""
_SEVERAL: Final = frozenset({ApiKey.FIND_COORDINATOR, ApiKey.OFFSET_FETCH})


@dataclass(frozen=True, slots=True, kw_only=True)
class CoordinatorMove:
    """Move the coordinator of some groups or transactional ids, once for each.

    Args:
        coordinator_key: regular expression for the whole name of a group or transactional id.
        key_type: which of the two, see `KEY_TYPES`.
        unavailable_ms, loading_ms: how long nobody coordinates, and how long the new coordinator is
            not ready; 0 to an hour.
        seed: kept, and not used: nothing is drawn.

    Raises:
        InvalidArgument: a value is none of these.
    """

    coordinator_key: str
    key_type: str = "GROUP"
    unavailable_ms: int = 500
    loading_ms: int = 500
    seed: int | None = None

    def __post_init__(self) -> None:
        checks = Checks()
        checks.pattern("coordinator_key", self.coordinator_key)
        checks.one_of("key_type", self.key_type, KEY_TYPES)
        checks.between("unavailable_ms", self.unavailable_ms, 0, MAX_LATENCY_MS)
        checks.between("loading_ms", self.loading_ms, 0, MAX_LATENCY_MS)
        checks.seed(self.seed)
        checks.done()


class CoordinatorMoveRule(RequestRule):
    """Answers as brokers do while a coordinator moves."""

    rung = 2
    share = 1.0
    marks: Marks

    def __init__(self, config: CoordinatorMove) -> None:
        group = config.key_type == "GROUP"
        self.apis = GROUP_APIS if group else TRANSACTION_APIS
        self._key_type = GROUP if group else TRANSACTION
        self._matches = matcher(config.coordinator_key)
        self._unavailable = config.unavailable_ms / 1000
        self._whole = self._unavailable + config.loading_ms / 1000
        self.marks = Marks(min)
        """When the moves of virtual clusters' groups or ids began."""

    def decide(self, asked: Asked) -> Decision:
        """Refuse, or look at the answer where several may be asked about."""
        struck: dict[str, ErrorCode] = {}
        for key in keys_of(asked.api, asked.version, asked.request, self._key_type):
            error = self._error(asked, key)
            if error is not None and error is next(iter(struck.values()), error):
                struck[key] = error
        if not struck:
            return FORWARD
        if asked.api in _SEVERAL:
            return Await(struck)
        key, error = next(iter(struck.items()))
        return Answer(refusal(asked.api, asked.request, error), error, key)

    def answered(self, answered: Answered) -> ResponseDecision:
        """Say of those that are moving that they have no coordinator, or one that is not ready."""
        struck: dict[str, ErrorCode] = answered.kept
        error = next(iter(struck.values()))
        message = denied(
            answered.api,
            answered.version,
            answered.response,
            lambda name: name in struck or (not name and len(struck) == 1),
            error,
        )
        return Deny(message, error, (), appended=False, key=", ".join(struck))

    def _error(self, asked: Asked, key: str) -> ErrorCode | None:
        """What is wrong with the coordinator at this moment."""
        if not self._matches(key):
            return None
        place = asked.virtual_cluster, key
        began = self.marks.times.get(place)
        if began is None:
            if len(self.marks.times) >= MAX_KEYS:
                return None
            began = asked.now
            self.marks.set(place, began)
        since = asked.now - began
        finding = asked.api is ApiKey.FIND_COORDINATOR
        if since < self._unavailable:
            return ErrorCode.COORDINATOR_NOT_AVAILABLE if finding else ErrorCode.NOT_COORDINATOR
        if since < self._whole and not finding:
            return ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
        return None
