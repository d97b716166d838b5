"""What a fault is given, and what it can decide.

A rule decides about a request that was drawn for it (`decide`), and, if it looks at answers, about
the broker's answer to it (`answered`). Messages are decoded and named as the client names things; a
rule leaves them as they are. It never sleeps, logs or raises to steer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode

Chance = Callable[[], float]
"""The next number of a drawn request, uniform in [0, 1): the same for the same seed and draw."""


@dataclass(frozen=True, slots=True)
class Connection:
    """The connection of a client, as one rule sees it.

    Args:
        software_name: what the client calls its library, such as ``apache-kafka-java``; None until
            it has said so.
        kept: what the rule keeps about the connection. Empty at first, and whenever the
            interceptor is replaced.
    """

    software_name: str | None = None
    kept: dict[Any, Any] = field(default_factory=dict)


class Asked(NamedTuple):
    """A request that was drawn for a rule.

    Args:
        request: decoded; its topics have names, whichever way the client told them.
        chance: see `Chance`; rules that `memorable` leaves alone.
        connection: whence it came; None where a rule that `memorable` is asked ahead.
    """

    api: ApiKey
    version: int
    request: Any
    chance: Chance
    connection: Connection | None = None


class Answered(NamedTuple):
    """The broker's answer to a request that was drawn for a rule; as `Asked`."""

    api: ApiKey
    version: int
    response: Any
    chance: Chance
    connection: Connection | None = None


class Part(NamedTuple):
    """A topic-partition that a fault struck.

    Args:
        records: how many of its records; None where it is not about records.
    """

    topic: str
    partition: int
    records: int | None = None


@dataclass(frozen=True, slots=True)
class Forward:
    """Leave the message alone."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Do not forward; answer with this response message, which carries `error`."""

    response: Any
    error: ErrorCode


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Do not forward; close the connection, as a broker does that cannot answer with `error`."""

    error: ErrorCode


@dataclass(frozen=True, slots=True)
class Delay:
    """The answer leaves so many seconds after the request came, and not before the broker's.

    From several rules the longest counts. Answers stay in order on a connection; others go on.
    """

    seconds: float


@dataclass(frozen=True, slots=True)
class Change:
    """`message` goes on in the place of the one that was given, which is left as it is.

    Args:
        parts: what was changed in it.
    """

    message: Any
    parts: Sequence[Part]


Decision = Forward | Answer | Disconnect | Delay | Change
"""About a request."""
ResponseDecision = Forward | Delay | Change
"""About a response."""
FORWARD = Forward()


class Rule(Protocol):
    """One configured fault, ready to decide."""

    @property
    def rung(self) -> int:
        """Fidelity of a simulated election in events: 1 is a sampled error; 0: it is none."""

    @property
    def apis(self) -> frozenset[ApiKey]:
        """The requests that are drawn for it."""

    @property
    def share(self) -> float:
        """Requests that a draw selects, before anything is decoded: 0 is none, 1 is all."""

    @property
    def memorable(self) -> bool:
        """Whether equal acks, topics and partitions get equal decisions, whatever the records."""

    @property
    def watches(self) -> frozenset[ApiKey]:
        """The APIs whose answers it wants to see, of requests that were drawn for it."""

    def decide(self, asked: Asked) -> Decision:
        """What happens to a selected request (a decoded message of one of `apis`)."""

    def answered(self, answered: Answered) -> ResponseDecision:
        """What happens to the answer, of one of the APIs it watches."""


class RequestRule:
    """A rule that decides about requests only, and keeps nothing in mind."""

    rung = 0
    memorable = False
    watches: frozenset[ApiKey] = frozenset()

    def answered(self, answered: Answered) -> ResponseDecision:
        """Not asked: it watches no answers."""
        return FORWARD
