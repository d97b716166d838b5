"""The one list of the kinds of fault there are, by the names they have in `protos/`."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from sidecar.faults.bandwidth import Bandwidth, BandwidthRule
from sidecar.faults.base import Rule
from sidecar.faults.blackhole import Blackhole, BlackholeRule
from sidecar.faults.broken_broker import BrokenBroker, BrokenBrokerRule
from sidecar.faults.connection_loss import ConnectionLoss, ConnectionLossRule
from sidecar.faults.coordinator_move import CoordinatorMove, CoordinatorMoveRule
from sidecar.faults.duplicate_messages import DuplicateMessages, DuplicateMessagesRule
from sidecar.faults.invalid_schema_id import InvalidSchemaId, InvalidSchemaIdRule
from sidecar.faults.latency import Latency, LatencyRule
from sidecar.faults.leader_election import LeaderElection, LeaderElectionRule
from sidecar.faults.leaderless import Leaderless, LeaderlessRule
from sidecar.faults.message_corruption import (
    FetchMessageCorruption,
    FetchMessageCorruptionRule,
    ProduceMessageCorruption,
    ProduceMessageCorruptionRule,
)
from sidecar.faults.rolling_restart import RollingRestart, RollingRestartRule
from sidecar.faults.slow_broker import SlowBroker, SlowBrokerRule
from sidecar.faults.slow_clients import SlowClients, SlowClientsRule
from sidecar.faults.slow_close import SlowClose, SlowCloseRule
from sidecar.model.faults import Fault


class Kind(NamedTuple):
    """A kind of fault.

    Args:
        config: a frozen dataclass whose fields are those of the proto message.
        rule: what carries it out.
    """

    config: Callable[..., Fault]
    rule: Callable[[Any], Rule]


KINDS: Final[Mapping[str, Kind]] = {
    "leader_election": Kind(LeaderElection, LeaderElectionRule),
    "leaderless": Kind(Leaderless, LeaderlessRule),
    "rolling_restart": Kind(RollingRestart, RollingRestartRule),
    "coordinator_move": Kind(CoordinatorMove, CoordinatorMoveRule),
    "connection_loss": Kind(ConnectionLoss, ConnectionLossRule),
    "blackhole": Kind(Blackhole, BlackholeRule),
    "slow_close": Kind(SlowClose, SlowCloseRule),
    "bandwidth": Kind(Bandwidth, BandwidthRule),
    "broken_broker": Kind(BrokenBroker, BrokenBrokerRule),
    "slow_broker": Kind(SlowBroker, SlowBrokerRule),
    "latency": Kind(Latency, LatencyRule),
    "slow_clients": Kind(SlowClients, SlowClientsRule),
    "duplicate_messages": Kind(DuplicateMessages, DuplicateMessagesRule),
    "invalid_schema_id": Kind(InvalidSchemaId, InvalidSchemaIdRule),
    "produce_message_corruption": Kind(ProduceMessageCorruption, ProduceMessageCorruptionRule),
    "fetch_message_corruption": Kind(FetchMessageCorruption, FetchMessageCorruptionRule),
}
"""By field of `Interceptor.fault`; this is also what events call the fault."""

_NAMES: Final = {kind.config: name for name, kind in KINDS.items()}


def kind_of(fault: Fault) -> str:
    """The name of a fault's kind."""
    return _NAMES[type(fault)]


def rule_for(fault: Fault) -> Rule:
    """The rule that carries out `fault`."""
    return KINDS[kind_of(fault)].rule(fault)
