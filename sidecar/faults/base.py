"""What a fault is given, and what it can decide.

A rule decides about a request that was drawn for it (`decide`), and, if it looks at answers, about
the broker's answer to it (`answered`). Messages are decoded and named as the client names things; a
rule leaves them as they are. It never sleeps, logs or raises to steer.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from sidecar.faults.marks import Marks

Chance = Callable[[], float]
"""The next number of a drawn request, uniform in [0, 1): the same for the same seed and draw."""


@dataclass(frozen=True, slots=True)
class Connection:
    """The connection of a client, as one rule sees it.

    Args:
        software_name: what the client calls its library, such as ``apache-kafka-java``; None until
            it has said so.
        broker_id: whose listener it is connected to; -1 if that is not known.
        kept: what the rule keeps about the connection. Empty at first, and whenever the
            interceptor is replaced.
    """

    software_name: str | None = None
    kept: dict[Any, Any] = field(default_factory=dict)
    broker_id: int = -1


class Asked(NamedTuple):
    """A request that was drawn for a rule.

    Args:
        request: decoded; its topics have names, whichever way the client told them.
        chance: see `Chance`; rules that are memorable leave it alone.
        seed: of the interceptor, for rules that number draws in a way of their own.
        now: seconds since the epoch, of a clock that never jumps, see `sidecar/clock.py`.
        virtual_cluster: the client's; the same names mean something else in others.
        connection: whence it came; None where a rule is asked without one.
    """

    api: ApiKey
    version: int
    request: Any
    chance: Chance
    seed: int = 0
    now: float = 0.0
    virtual_cluster: str = ""
    connection: Connection | None = None


class Answered(NamedTuple):
    """The broker's answer to a request that was drawn for a rule; as `Asked`.

    Args:
        kept: what the rule asked to be kept, see `Await`; None if it only watches.
        seed, now, virtual_cluster: as in `Asked`.
    """

    api: ApiKey
    version: int
    response: Any
    chance: Chance
    kept: Any = None
    now: float = 0.0
    virtual_cluster: str = ""
    connection: Connection | None = None
    seed: int = 0


Place = tuple[str, int]
"""Topic and partition."""


class Hint(NamedTuple):
    """Who leads a topic-partition, as an answer may say that refuses it (KIP-951).

    Args:
        host, port, rack: where clients reach that broker: at the sidecar.
    """

    leader_id: int
    leader_epoch: int
    host: str
    port: int
    rack: str | None


Hints = Mapping[Place, Hint]
"""Of the topic-partitions of which something is told."""


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
    """Leave the message alone.

    Args:
        passed: records that it is about and that nobody drew for, as there was no time for them.
    """

    passed: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """Do not forward; answer with this response message, which carries `error`.

    Args:
        key: the group or transactional id it is about, if it is about one.
        hints: that are in the response.
    """

    response: Any
    error: ErrorCode
    key: str | None = None
    hints: Hints = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refuse:
    """Do not forward these topic-partitions of a Produce that has an answer; forward the others.

    The answer to the client is one: the broker's about the others, and `error` for these, with
    `hints`.
    """

    parts: Set[Place]
    error: ErrorCode
    hints: Hints = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Await:
    """Forward, and decide about the answer, with `kept` in mind."""

    kept: Any


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Close the connection, as a broker does that cannot answer with `error`.

    Args:
        appended: about a request, whether it is forwarded all the same; about an answer, it was.
        parts: what is put on record; all that the request names if there are none.
    """

    error: ErrorCode
    appended: bool = False
    parts: Sequence[Part] = ()


@dataclass(frozen=True, slots=True)
class Swallow:
    """Take the request, and answer nothing on its connection any more.

    What came before it is still answered; what comes after it is dropped. The connection closes
    when the interceptor ends, for an answer that was swallowed cannot be given any more.

    Args:
        error: what clients call it when they give up; nothing of it is on the wire.
        appended: whether the request is forwarded all the same.
        seconds: after which the connection closes at the latest; None: whenever the client does.
    """

    error: ErrorCode
    appended: bool = False
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Throttle:
    """Forward; from then on the connection is read no faster, for as long as the interceptor lasts.

    Put on record once for each connection. From several the slowest counts.

    Args:
        requests, answers: bytes a second that are read of the client, and of the broker; None: as
            they come.
    """

    requests: int | None = None
    answers: int | None = None


@dataclass(frozen=True, slots=True)
class Deny:
    """The broker did what it was asked, and `message` goes on, which says otherwise.

    Args:
        parts: of which it does.
        appended: whether what the broker did is more than to tell something.
        key: as in `Answer`.
        hints: that are in the message.
    """

    message: Any
    error: ErrorCode
    parts: Sequence[Part]
    appended: bool = True
    key: str | None = None
    hints: Hints = field(default_factory=dict)


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
        passed: as in `Forward`.
    """

    message: Any
    parts: Sequence[Part]
    passed: int = 0


Decision = Forward | Answer | Refuse | Await | Disconnect | Swallow | Throttle | Delay | Change
"""About a request."""
ResponseDecision = Forward | Deny | Disconnect | Delay | Change
"""About a response."""
FORWARD = Forward()


class Learner(Protocol):
    """What a rule knows of the cluster, from answers to whomever its interceptor is for."""

    def learn(self, virtual_cluster: str, metadata: Any) -> None:
        """Take note of a decoded Metadata answer, before faults, as the client sees it."""


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
    def splits(self) -> ErrorCode | None:
        """With which error it refuses single topic-partitions; None if only whole requests."""

    @property
    def memorable(self) -> bool:
        """Whether equal acks, topics and partitions get equal decisions, whatever the records."""

    @property
    def watches(self) -> frozenset[ApiKey]:
        """The APIs whose answers it wants to see, of requests that were drawn for it."""

    @property
    def topic(self) -> Callable[[str], bool] | None:
        """Whether it strikes a topic of this name in Produce and Fetch; None if any.

        Requests that name others only are neither drawn for nor shown to it, and may pass unread.
        """

    @property
    def marks(self) -> Marks | None:
        """What all connections must see of what it keeps in mind; None if it keeps nothing so."""

    @property
    def learner(self) -> Learner | None:
        """What is told of all Metadata in its scope, drawn or not; None if nothing is."""

    def hints(self, asked: Asked, places: Iterable[Place]) -> Hints:
        """What is told of topic-partitions of a Produce that are refused for what came before."""

    def decide(self, asked: Asked) -> Decision:
        """What happens to a selected request (a decoded message of one of `apis`)."""

    def answered(self, answered: Answered) -> ResponseDecision:
        """What happens to the answer, of one of the APIs it watches."""


class RequestRule:
    """A rule that decides about requests only, and keeps nothing in mind."""

    rung = 0
    topic: Callable[[str], bool] | None = None
    marks: Marks | None = None
    splits: ErrorCode | None = None
    memorable = False
    watches: frozenset[ApiKey] = frozenset()
    learner: Learner | None = None

    def hints(self, asked: Asked, places: Iterable[Place]) -> Hints:
        """It gives none."""
        return {}

    def answered(self, answered: Answered) -> ResponseDecision:
        """Not asked: it watches no answers."""
        return FORWARD
