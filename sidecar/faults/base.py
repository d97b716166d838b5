"""What a fault is given, and what it can decide."""

from dataclasses import dataclass
from typing import Any, Protocol

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode


@dataclass(frozen=True, slots=True)
class Forward:
    """Leave the request alone."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Do not forward; answer with this response message, which carries `error`."""

    response: Any
    error: ErrorCode


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Do not forward; close the connection, as a broker does that cannot answer with `error`."""

    error: ErrorCode


Decision = Forward | Answer | Disconnect
FORWARD = Forward()


class Rule(Protocol):
    """One configured fault, ready to decide."""

    @property
    def kind(self) -> str:
        """Name of the kind of fault in events, such as ``leader_election``."""

    @property
    def rung(self) -> int:
        """Fidelity of a simulated election in events: 1 is a sampled error."""

    @property
    def apis(self) -> frozenset[ApiKey]:
        """The requests it wants to see decoded."""

    @property
    def share(self) -> float:
        """Requests that a draw selects, before anything is decoded: 0 is none, 1 is all."""

    @property
    def memorable(self) -> bool:
        """Whether equal acks, topics and partitions get equal decisions, whatever the records."""

    def decide(self, api_key: ApiKey, request: Any) -> Decision:
        """What happens to a selected request (a decoded message of one of `apis`)."""
