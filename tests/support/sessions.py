"""Sessions with everything around them fixed, and what they were told to record."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from codec.messages.sasl_authenticate import SaslAuthenticateRequest
from codec.messages.sasl_handshake import SaslHandshakeRequest
from sidecar.dataplane.actions import Action, Close, Report, ToBroker, ToClient
from sidecar.dataplane.addresses import AddressBook, Broker
from sidecar.dataplane.pipeline import Pipeline
from sidecar.dataplane.recovering import Recoveries
from sidecar.dataplane.sasl import Logins
from sidecar.dataplane.sequence_oracle import SequenceOracle
from sidecar.dataplane.session import Session
from sidecar.dataplane.shared import Shared
from sidecar.dataplane.versions import Range, Versions
from sidecar.faults.leader_election import LeaderElection
from sidecar.model.faults import Fault
from sidecar.model.identity import AuthenticationFailed, Identity, Proof
from sidecar.model.injection import Injection, Noted
from sidecar.model.interceptor import Interceptor, Scope
from sidecar.model.observation import Observed
from sidecar.model.snapshot import Snapshot
from tests.support.messages import frames, read_request, request

NOW = 1_700_000_000.25
TENANT = Identity("sa", "teamA", frozenset({"team"}))
TOKENS = {"good token": TENANT, "passthrough token": Identity("root")}


def interceptor(
    rate: float = 100, *, name: str = "simulate", scope: Scope | None = None, **fields: Any
) -> Interceptor:
    """A leader-election interceptor; its uid is its name unless given."""
    values: dict[str, Any] = {"priority": 100, "seed": 1, "uid": name} | fields
    fault = LeaderElection(rate_in_percent=rate)
    return Interceptor(name=name, scope=scope or Scope(), fault=fault, **values)


def striking(fault: Fault, **fields: Any) -> Interceptor:
    """An interceptor with this fault; otherwise as `interceptor`."""
    return replace(interceptor(**fields), fault=fault)


def snapshot(*interceptors: Interceptor) -> Snapshot:
    """A snapshot of these interceptors."""
    return Snapshot(1, interceptors)


def address_book() -> AddressBook:
    """Brokers 1 to 3 at kafka1..3:9092, for clients at sidecar:6969 to 6971."""
    book = AddressBook("sidecar", 6969)
    book.learn(Broker(n, f"kafka{n}", 9092) for n in (1, 2, 3))
    return book


def authenticate(token: str, now: float) -> Identity:
    """Knows `TOKENS`; everything else has expired."""
    assert now == NOW
    if token not in TOKENS:
        raise AuthenticationFailed("the token has expired")
    return TOKENS[token]


def by_password(judge: Callable[[str, float], Identity], **others: Any) -> Logins:
    """Logins whose passwords are judged so, and have no end."""
    return Logins(plain=lambda token, now: Proof(judge(token, now)), **others)


@dataclass
class Recorded:
    """A recorder that can be told to refuse."""

    injections: list[Injection] = field(default_factory=list)
    accepts: bool = True
    refused: int = 0

    def __call__(self, injections: Sequence[Noted]) -> bool:
        if self.accepts:
            self.injections.extend(noted.whole() for noted in injections)
        else:
            self.refused += 1
        return self.accepts


class Client:
    """A session and the client side of it: frames in, actions out, at `now`."""

    def __init__(
        self,
        *interceptors: Interceptor,
        secured: bool = False,
        upstream: Sequence[dict[int, Range]] = (),
        oracle: bool = False,
    ) -> None:
        self.now = NOW
        self.recorded = Recorded()
        self.observed: list[Observed] = []
        self.shared = Shared(
            pipeline=Pipeline(snapshot(*interceptors)),
            versions=Versions(upstream, secured=secured),
            advertise=address_book().advertised,
            record=self.recorded,
            logins=by_password(authenticate) if secured else None,
            recoveries=Recoveries(self.observed.append),
            oracle=SequenceOracle(self.observed.append) if oracle else None,
        )
        self.session = Session(self.shared, connection_id=7, broker_id=2)

    def sends(
        self, message: Any, version: int, correlation_id: int = 1, *, looked_up: bool = False
    ) -> list[Action]:
        """What the session does about a request."""
        return self.sends_frame(request(message, version, correlation_id), looked_up=looked_up)

    def sends_frame(self, data: Any, *, looked_up: bool = False) -> list[Action]:
        """What the session does about a frame."""
        return self.session.on_request(data, self.now, looked_up=looked_up)

    def broker_answers(self, data: Any) -> list[Action]:
        """What the session does about a frame from the broker."""
        return self.session.on_response(data, self.now)

    def authenticates(self, token: str = "good token", version: int = 1) -> list[Action]:
        """Handshake v1 and one SaslAuthenticate; returns what came of the latter."""
        self.sends(SaslHandshakeRequest(mechanism="PLAIN"), 1)
        auth = SaslAuthenticateRequest(auth_bytes=b"\0sa\0" + token.encode())
        return self.sends(auth, version)


def tenant(*interceptors: Interceptor, oracle: bool = False) -> Client:
    """A client that has authenticated as `TENANT`."""
    client = Client(*interceptors, secured=True, oracle=oracle)
    client.authenticates()
    assert client.session.peer.identity == TENANT
    return client


def to_client(actions: list[Action]) -> list[bytes]:
    """The frames that go to the client."""
    return [f for action in actions if isinstance(action, ToClient) for f in frames(action.chunks)]


def to_broker(actions: list[Action]) -> list[bytes]:
    """The frames that go to the broker."""
    return [f for action in actions if isinstance(action, ToBroker) for f in frames(action.chunks)]


def forwarded(actions: list[Action]) -> Any:
    """The one request that goes to the broker; nothing else may happen."""
    assert [type(action) for action in actions] == [ToBroker], actions
    [data] = to_broker(actions)
    return read_request(data)[1]


def closes(actions: list[Action]) -> list[str]:
    """The reasons of closing."""
    return [action.reason for action in actions if isinstance(action, Close)]


def reports(actions: list[Action]) -> list[tuple[str, dict[str, Any]]]:
    """What is to be logged."""
    return [(a.event, a.fields) for a in actions if isinstance(a, Report)]
