"""What was decided about a request, and what is left of that for its answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from codec.headers import RequestHeader
from sidecar.dataplane.sequences import Cause
from sidecar.faults.base import Answer, Delay, Disconnect, Place

_IDS_SINCE: Final[dict[int, int]] = {ApiKey.PRODUCE: 13, ApiKey.FETCH: 13}
"""APIs that name topics by id from these versions on."""


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
        delays: those that were decided, and by whom; not recorded before it is forwarded.
        causes: whose rules want to see the answer, each with what it asked to be kept.
        refused, order: as in `Watch`.
    """

    refusal: Answer | Disconnect | None = None
    request: Any = None
    delay: float = 0.0
    delays: list[tuple[Delay, Cause]] = field(default_factory=list)
    causes: list[tuple[Cause, Any]] = field(default_factory=list)
    refused: dict[Place, ErrorCode] = field(default_factory=dict)
    order: Sequence[tuple[str, bytes, list[int]]] = ()

    def watch(self, header: RequestHeader, now: float) -> Watch | None:
        """What the answer has to be held against, if it has."""
        if not self.delay and not self.causes and not self.refused:
            return None
        return Watch(header, now, self.delay, tuple(self.causes), self.refused, self.order)


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


def by_id(header: RequestHeader) -> bool:
    """Whether the message names topics by id."""
    return header.api_version >= _IDS_SINCE.get(header.api_key, 1 << 15)


def topics_of(header: RequestHeader, request: Any) -> Any:
    """The topics of a decoded Produce or Fetch request."""
    if header.api_key == ApiKey.PRODUCE:
        return request.topic_data or ()
    return request.topics or ()


def set_name(topic: Any, name: str) -> None:
    """Fetch calls it `topic`, Produce `name`."""
    if hasattr(topic, "topic"):
        topic.topic = name
    else:
        topic.name = name
