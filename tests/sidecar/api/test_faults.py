"""What `protos/` and the dataclasses say about each fault, and whether it is the same."""

import dataclasses
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor

from sidecar.api.faults import fault_from_proto, set_fault
from sidecar.faults.latency import Latency
from sidecar.faults.registry import KINDS, kind_of
from sidecar.faults.slow_broker import SlowBroker
from sidecar.faults.slow_clients import SlowClients
from sidecar.gen.kafka.chaos.v1 import fault_options_pb2
from sidecar.gen.kafka.chaos.v1.interceptor_pb2 import Interceptor
from sidecar.model.errors import InvalidArgument
from sidecar.model.faults import Fault
from tests.support.sessions import striking

FAULTS = {field.name: field for field in Interceptor.DESCRIPTOR.oneofs_by_name["fault"].fields}


def fields_of(kind: str) -> list[FieldDescriptor]:
    message = FAULTS[kind].message_type
    assert message is not None
    return list(message.fields)


def key(field: FieldDescriptor) -> fault_options_pb2.Key:
    return field.GetOptions().Extensions[fault_options_pb2.key]


def test_there_is_a_kind_for_each_message() -> None:
    assert set(KINDS) == set(FAULTS)


@pytest.mark.parametrize("kind", KINDS)
def test_fields_have_the_same_names(kind: str) -> None:
    config: Any = KINDS[kind].config

    assert {f.name for f in fields_of(kind)} == {f.name for f in dataclasses.fields(config)}


@pytest.mark.parametrize("kind", KINDS)
def test_what_has_no_default_has_no_fallback(kind: str) -> None:
    config: Any = KINDS[kind].config
    missing = dataclasses.MISSING
    required = {
        f.name
        for f in dataclasses.fields(config)
        if f.default is missing and f.default_factory is missing
    }

    assert {f.name for f in fields_of(kind) if not key(f).fallback} == required


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_with_a_point_have_bounds(kind: str) -> None:
    """REST checks them by these."""
    for field in fields_of(kind):
        if field.type == FieldDescriptor.TYPE_DOUBLE:
            assert key(field).HasField("minimum"), field.name
            assert key(field).HasField("maximum"), field.name


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_tells_what_it_means(kind: str) -> None:
    assert [f.name for f in fields_of(kind) if not key(f).meaning] == []


@pytest.mark.parametrize(
    "fault",
    [
        Latency(applied_percentage=0.5, latency_ms=0),
        Latency(applied_percentage=100, latency_ms=3_600_000, seed=2**64 - 1),
        SlowBroker(rate_in_percent=1, min_latency_ms=0, max_latency_ms=0, seed=0),
        SlowClients(rate_in_percent=1, min_latency_ms=1, max_latency_ms=2),
        SlowClients(topic="a|b", rate_in_percent=1, min_latency_ms=1, max_latency_ms=2, seed=5),
    ],
    ids=kind_of,
)
def test_delays_there_and_back(fault: Fault) -> None:
    message = Interceptor()
    set_fault(message, striking(fault))

    again = fault_from_proto(Interceptor.FromString(message.SerializeToString()))

    assert again == fault


def test_everything_that_is_wrong_is_said_below_the_fault() -> None:
    message = Interceptor()
    part = message.slow_clients
    part.topic, part.rate_in_percent, part.min_latency_ms, part.max_latency_ms = "[", 101, -1, 0

    with pytest.raises(InvalidArgument) as refusal:
        fault_from_proto(message)

    assert [violation.field for violation in refusal.value.violations] == [
        "slow_clients.topic",
        "slow_clients.rate_in_percent",
        "slow_clients.min_latency_ms",
    ]
