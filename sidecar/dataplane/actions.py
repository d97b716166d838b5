"""What a session asks its connection to do, in the order given."""

from dataclasses import dataclass, field
from typing import Any

Chunks = list[Any]
"""Buffers (bytes or memoryview) that go out one after the other, size prefix included."""


@dataclass(frozen=True, slots=True)
class ToBroker:
    """Send upstream."""

    chunks: Chunks


@dataclass(frozen=True, slots=True)
class ToClient:
    """Send downstream."""

    chunks: Chunks


@dataclass(frozen=True, slots=True)
class Close:
    """Send what was asked before, then close the client connection and its upstream one.

    Args:
        reason: a constant snake_case word for the log and the metrics.
        detail: one sentence for whoever reads the log; empty where the reason says it all.
    """

    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """Log one event; `fields` are its keys."""

    event: str
    fields: dict[str, Any] = field(default_factory=dict)
    warning: bool = False


@dataclass(frozen=True, slots=True)
class LookUp:
    """Ask the cluster which topics these ids are of.

    Then come again with the same frame, if it is the client's; nothing that came after it may be
    looked at before. A frame of the broker's has been dealt with, and nothing waits.
    """

    topic_ids: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class RenewKeys:
    """Look for newer keys of bearer tokens, then come again with the same frame, as above."""


@dataclass(frozen=True, slots=True)
class Until:
    """The client's session ends then, unless another of these comes (KIP-368).

    Args:
        when: seconds since the epoch.
    """

    when: float


@dataclass(frozen=True, slots=True)
class HoldBack:
    """Keep this response until then; `Session.released` gives what may leave at that time.

    What comes from the broker meanwhile waits.

    Args:
        until: seconds since the epoch.
    """

    until: float
    chunks: Chunks


@dataclass(frozen=True, slots=True)
class Pace:
    """From now on read both sides no faster than `Session.rates` says, which may change."""


@dataclass(frozen=True, slots=True)
class Silence:
    """From now on drop what the client sends, and what the broker does once nothing is owed.

    What was owed before (`Session.owes`) still leaves. The connection stays open until the client
    closes it, or `Session.silence_over` says so.
    """


Action = (
    ToBroker | ToClient | Close | Report | LookUp | RenewKeys | Until | HoldBack | Pace | Silence
)
