"""The one list of the kinds of fault there are."""

from collections.abc import Callable
from typing import Any, Final

from sidecar.faults.base import Rule
from sidecar.faults.leader_election import LeaderElectionRule
from sidecar.model.faults import Fault, LeaderElection

_RULES: Final[dict[type[Any], Callable[[Any], Rule]]] = {
    LeaderElection: LeaderElectionRule,
}


def rule_for(fault: Fault) -> Rule:
    """The rule that carries out `fault`."""
    return _RULES[type(fault)](fault)
