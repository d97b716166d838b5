"""What the first process and its workers say to each other, and how it is written.

Pickled: both ends are this same code, over a socket pair that nobody else has an end of, so nothing
foreign is ever unpickled.
"""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from codec.frames import frame
from sidecar.dataplane.addresses import Broker
from sidecar.dataplane.pipeline import Mark
from sidecar.dataplane.versions import Features, Range
from sidecar.model.injection import Noted
from sidecar.model.oauth import LoginRules
from sidecar.model.observation import Observed
from sidecar.model.place import Place
from sidecar.model.snapshot import Snapshot
from sidecar.net.transport import Security

MESSAGE_LIMIT: Final = 64 * 1024 * 1024
"""Bytes of a message; what is really sent is some hundred KiB at most."""


@dataclass(frozen=True, slots=True)
class ClusterView:
    """The cluster as the first process has found it.

    Args:
        brokers: each with its client port.
        listening: node ids of those the first process listens for; the others must not, see ADR 7.
        versions: for each broker that answered, the ranges it speaks.
        features: those of the cluster.
    """

    brokers: tuple[tuple[Broker, int], ...] = ()
    listening: frozenset[int] = frozenset()
    versions: tuple[Mapping[int, Range], ...] = ()
    features: Features = Features()  # noqa: RUF009 - it cannot be changed


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """What a worker needs of the settings.

    Args:
        secret_key: verifies tokens; None where clients do not authenticate.
        logins: what they do besides.
        max_connections: of all processes together.
        frame_limit: bytes.
        sequence_oracle: whether acknowledgements are judged.
        security: TLS and SASL of both ends.
    """

    advertised_host: str
    bind_host: str
    secret_key: bytes | None = field(repr=False)
    max_connections: int
    frame_limit: int
    log_level: str
    sequence_oracle: bool = False
    logins: LoginRules = field(default_factory=LoginRules)
    security: Security = Security()  # noqa: RUF009 - it cannot be changed


# To a worker.


@dataclass(frozen=True, slots=True)
class Welcome:
    """The first message: listen, and answer with `Listening`.

    Args:
        ahead: what makes the clocks of both processes one, see `Clock.ahead`.
    """

    place: Place
    settings: WorkerSettings
    cluster: ClusterView
    snapshot: Snapshot
    marks: tuple[Mark, ...]
    ahead: float


@dataclass(frozen=True, slots=True)
class Publish:
    """The interceptors from now on; answered with `Published`."""

    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class Claimed:
    """The answer to `Claim`.

    Args:
        refusal: why nobody may use it, in words fit for a client; None if everybody may.
    """

    virtual_cluster: str
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class Forget:
    """Ask again before anybody uses this virtual cluster; answered with `Forgotten`.

    Args:
        number: tells this question from others.
    """

    number: int
    virtual_cluster: str


@dataclass(frozen=True, slots=True)
class Drain:
    """Let no more clients in, and those that are there finish."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Granted:
    """The answer to `Want`.

    Args:
        count: injections that the worker may make, as many as it wants or more; or none.
    """

    uid: str
    count: int


@dataclass(frozen=True, slots=True)
class Marked:
    """Another process has set a mark; said both ways."""

    mark: Mark


ToWorker = Welcome | Publish | ClusterView | Claimed | Drain | Forget | Granted | Marked


# From a worker.


@dataclass(frozen=True, slots=True)
class Hello:
    """The worker is there and waits for its `Welcome`."""


@dataclass(frozen=True, slots=True)
class Listening:
    """The worker listens for every broker; or why not."""

    error: str | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """Requests that arrive from now on see this revision."""

    revision: int


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer to a client named a broker nobody knows."""

    broker: Broker


@dataclass(frozen=True, slots=True)
class Unreachable:
    """A broker cannot be connected to: it may have moved."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A client has authenticated for a virtual cluster that the worker does not know."""

    virtual_cluster: str


@dataclass(frozen=True, slots=True)
class Forgotten:
    """The answer to `Forget`.

    Args:
        number: of the question.
        clients: connections of the virtual cluster's clients at that moment.
    """

    number: int
    clients: int


@dataclass(frozen=True, slots=True)
class Want:
    """A worker could make `count` injections of an interceptor whose number is limited."""

    uid: str
    count: int


@dataclass(frozen=True, slots=True)
class GivenBack:
    """Of the injections that a worker was granted, it will not make so many."""

    uid: str
    count: int


Answer = Listening | Published | Seen | Unreachable | Claim | Forgotten | Want | GivenBack | Marked
"""What a worker says besides its reports."""

LostKey = tuple[str, str, str, str, str]
"""Uid, interceptor, virtual cluster, fault and error."""
CountKey = tuple[str, str]
"""Which of `sidecar.counts.Counts`, and the value of its label; empty where it has none."""


@dataclass(frozen=True, slots=True)
class State:
    """A worker at one moment.

    Args:
        connections: open client connections.
        paused: its log cannot take events.
        dropped: ordinary log lines it has lost to a stuck reader.
    """

    connections: int = 0
    paused: bool = False
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """What happened since the last report.

    Args:
        injections: in order; all of them are in the log already.
        lost: how many more there were for which no room was left; they come after these.
        counts: what to add to the counters.
        observations: in order; all of them are in the log already.
        unseen: how many more there were for which no room was left; they come after these.
    """

    injections: tuple[Noted, ...]
    lost: Mapping[LostKey, int]
    counts: Mapping[CountKey, int]
    state: State
    observations: tuple[Observed, ...] = ()
    unseen: int = 0


FromWorker = Hello | Answer | Report


def encode(message: ToWorker | FromWorker) -> bytes:
    """A message as it goes over the socket."""
    return b"".join(frame(pickle.dumps(message, pickle.HIGHEST_PROTOCOL)))


def decode(body: bytes) -> ToWorker | FromWorker:
    """The message in a frame."""
    message: ToWorker | FromWorker = pickle.loads(body)
    return message


def for_workers(snapshot: Snapshot) -> Snapshot:
    """The snapshot without what only the control side looks at."""
    bare = (replace(i, annotations=_NO_ANNOTATIONS) for i in snapshot.interceptors)
    return replace(snapshot, interceptors=tuple(bare))


_NO_ANNOTATIONS: Final[dict[str, str]] = {}
