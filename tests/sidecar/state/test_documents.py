"""Model values come back from JSON as they were."""

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any

import pytest

from sidecar.faults.broken_broker import BrokenBroker
from sidecar.faults.leader_election import LeaderElection
from sidecar.faults.registry import KINDS
from sidecar.model.alias_topic import AliasTopic
from sidecar.model.interceptor import Interceptor, Scope
from sidecar.model.lease import Lease
from sidecar.model.limits import Limits
from sidecar.model.selector import Selector
from sidecar.model.user_mapping import UserMapping
from sidecar.state.documents import UnreadableError, read, written

FULL = Interceptor(
    name="slöw-ly",
    scope=Scope(virtual_cluster="teamA", group="dev"),
    priority=7,
    fault=LeaderElection(rate_in_percent=33.3, seed=2**64 - 1),
    annotations=MappingProxyType({"dialect": "v1", "": "\u2028"}),
    selector=Selector(topics=("a.*", "b"), partitions=(0, 7), acks=(-1,)),
    limits=Limits(max_injections=2**64 - 1, max_per_second=0.5),
    expires=1_700_000_000.123456,
    ttl=0.1,
    lease="mine",
    lease_uid="u1",
    paused=True,
    draws=(0, 2**63 - 1),
    given=frozenset({"seed", "rate_in_percent"}),
    seed=2**64 - 1,
    uid="abc",
)


def again(value: Any) -> Any:
    return read(type(value), json.loads(json.dumps(written(value))))


@pytest.mark.parametrize(
    "value",
    [
        FULL,
        replace(FULL, given=frozenset(), draws=()),
        replace(FULL, given=None, expires=None, ttl=None),
        Interceptor(
            name="i", scope=Scope(), priority=0, fault=LeaderElection(rate_in_percent=50.0)
        ),
        UserMapping("teamA", "alice", "CN=alice,O=x", frozenset({"dev", "ops"})),
        AliasTopic("teamA", "orders", "shared.orders"),
        Lease(name="mine", duration=30, expires=1.5, uid="u1"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_comes_back(value: Any) -> None:
    assert again(value) == value


REQUIRED: dict[str, Any] = {
    "rate_in_percent": 12.5,
    "applied_percentage": 12.5,
    "min_latency_ms": 1,
    "max_latency_ms": 2,
    "latency_ms": 3,
    "delay_ms": 4,
    "bytes_per_second": 5000,
    "topic": "t",
    "coordinator_key": "g",
    "brokers": (1, 2),
}
"""What some kinds cannot be without."""


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_fault_comes_back(kind: str) -> None:
    config: Any = KINDS[kind].config
    names = {field.name for field in fields(config)}
    given = {name: value for name, value in REQUIRED.items() if name in names}
    item = replace(FULL, fault=config(**given, seed=3), draws=())

    assert again(item) == item


def test_a_map_comes_back_as_one_that_cannot_be_changed() -> None:
    fault = BrokenBroker(rate_in_percent=10, error_map={"PRODUCE": "NOT_ENOUGH_REPLICAS"})
    came = again(replace(FULL, fault=fault, draws=())).fault.error_map

    assert isinstance(came, Mapping)
    assert not isinstance(came, dict)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fault": {"kind": "sharks"}}, "of kind 'sharks', this version knows leader_election"),
        ({"fault": 3}, "of kind 3"),
        ({"hue": 1}, "Interceptor has hue, unknown to this version"),
        ({"priority": "7"}, "Interceptor.priority is str, expected is int"),
        ({"priority": True}, "Interceptor.priority is bool, expected is int"),
        ({"priority": -1}, "priority is -1, allowed are 0 to"),
        ({"selector": {"topics": "a"}}, "Interceptor.selector.topics is str, expected is a list"),
        ({"selector": {"partitions": ["0"]}}, r"Interceptor.selector.partitions\[0\] is str"),
        ({"annotations": []}, "Interceptor.annotations is list, expected is an object"),
        ({"scope": None}, "Interceptor.scope is NoneType, expected is an object"),
    ],
    ids=str,
)
def test_what_this_version_does_not_write_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(UnreadableError, match=words):
        read(Interceptor, written(FULL) | change)


def test_what_is_missing_is_refused() -> None:
    with pytest.raises(UnreadableError, match="lacks what it needs"):
        read(Interceptor, {"name": "x"})
