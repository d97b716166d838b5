"""Limits, pauses and the kill switch with several processes: one sidecar to whoever controls it."""

import itertools
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import gevent
import grpc
import pytest

from sidecar.gen.kafka.chaos.v1 import interceptor_pb2, lease_service_pb2, sidecar_service_pb2
from sidecar.gen.kafka.chaos.v1 import interceptor_service_pb2 as pb
from sidecar.gen.kafka.chaos.v1.interceptor_service_pb2_grpc import InterceptorServiceStub
from sidecar.gen.kafka.chaos.v1.lease_service_pb2_grpc import LeaseServiceStub
from sidecar.gen.kafka.chaos.v1.sidecar_service_pb2_grpc import SidecarServiceStub
from tests.sidecar.api.harness import ADMIN
from tests.sidecar.workers.harness import REFUSED, Crew, code
from tests.support.fake_broker import until
from tests.support.gateways import Wire

STATE = interceptor_pb2.Interceptor.State


class Control:
    """The control API of a crew."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.interceptors = InterceptorServiceStub(channel)
        self.leases = LeaseServiceStub(channel)
        self.sidecar = SidecarServiceStub(channel)

    def put(self, **fields: Any) -> interceptor_pb2.Interceptor:
        """Have an interceptor that refuses everything."""
        wanted = interceptor_pb2.Interceptor(
            name="simulate", leader_election={"rate_in_percent": 100}, **fields
        )
        request = pb.UpdateInterceptorRequest(interceptor=wanted, allow_missing=True)
        return self.interceptors.UpdateInterceptor(request, metadata=ADMIN).interceptor

    def state(self) -> str:
        """Of that interceptor."""
        request = pb.GetInterceptorRequest(name="simulate")
        found = self.interceptors.GetInterceptor(request, metadata=ADMIN).interceptor
        return STATE.Name(found.state)


@pytest.fixture
def control(crew: Crew) -> Iterator[Control]:
    with grpc.insecure_channel(f"127.0.0.1:{crew.grpc_port}") as channel:
        yield Control(channel)


def refused(wires: list[Wire], count: int) -> int:
    """How many of so many requests, one client after the other, are refused."""
    return [code(wire) for wire in itertools.islice(itertools.cycle(wires), count)].count(REFUSED)


def test_a_halt_a_pause_and_a_release_act_in_every_worker(crew: Crew, control: Control) -> None:
    wires = list(crew.one_each().values())
    lease = {"name": "controller", "duration": {"seconds": 60}}
    control.leases.CreateLease(lease_service_pb2.CreateLeaseRequest(lease=lease), metadata=ADMIN)
    control.put(lease="controller")
    named = {"name": "simulate"}

    for _ in range(3):
        assert refused(wires, 4) == 4
        control.sidecar.Halt(sidecar_service_pb2.HaltRequest(), metadata=ADMIN)
        assert refused(wires, 4) == 0
        control.sidecar.Resume(sidecar_service_pb2.ResumeRequest(), metadata=ADMIN)
        assert refused(wires, 4) == 4
        pause = pb.PauseInterceptorRequest(**named)
        control.interceptors.PauseInterceptor(pause, metadata=ADMIN)
        assert refused(wires, 4) == 0
        resume = pb.ResumeInterceptorRequest(**named)
        control.interceptors.ResumeInterceptor(resume, metadata=ADMIN)
    assert refused(wires, 4) == 4
    control.leases.ReleaseLease(
        lease_service_pb2.ReleaseLeaseRequest(name="controller"), metadata=ADMIN
    )
    assert refused(wires, 4) == 0
    assert control.state() == "STATE_EXPIRED"
    assert crew.metric("interceptors_expired") == 1


def test_a_number_is_spent_by_both_workers_and_never_exceeded(crew: Crew, control: Control) -> None:
    wires = list(crew.one_each().values())
    control.put(limits={"max_injections": 25})

    def spend() -> bool:
        refused(wires, 10)
        return len(crew.events("fault_injected")) >= 25

    until(spend, "the number is not used up")
    assert refused(wires, 50) == 0
    events = crew.events("fault_injected")
    assert len(events) == 25
    assert {(event["connection_id"] - 1) % 2 for event in events} == {0, 1}
    assert control.state() == "STATE_EXHAUSTED"


def test_the_last_of_a_number_is_there_for_whoever_needs_it(crew: Crew, control: Control) -> None:
    wires = crew.one_each()
    control.put(limits={"max_injections": 1})

    until(lambda: code(wires[1]) == REFUSED, "the other process never gets it")

    assert refused(list(wires.values()), 20) == 0
    control.put(limits={"max_injections": 9})
    # Worker 1 is given more than it uses, and gives it back.
    until(lambda: code(wires[1]) == REFUSED, "a raised number does not go on")
    gevent.sleep(1.5)
    until(lambda: code(wires[0]) != REFUSED, "the first process does not use it up")
    until(lambda: len(crew.events("fault_injected")) == 9, "something is stuck")
    assert refused(list(wires.values()), 20) == 0


def test_what_a_worker_held_when_it_died_is_lost_and_not_spent_twice(
    crew: Crew, control: Control
) -> None:
    wires = crew.one_each()
    control.put(limits={"max_injections": 40})
    until(lambda: code(wires[1]) == REFUSED, "nothing is handed out")

    crew.kill(1)
    until(lambda: len(crew.events("worker_listening")) == 2, "it has no successor")
    again = crew.one_each()
    for _ in range(20):
        refused(list(again.values()), 10)

    assert 30 <= len(crew.events("fault_injected")) <= 40


def test_each_worker_keeps_to_its_part_of_a_rate(crew: Crew, control: Control) -> None:
    wires = list(crew.one_each().values())
    control.put(limits={"max_per_second": 4})

    for _ in range(30):
        refused(wires, 4)
        gevent.sleep(0.05)

    times: dict[int, list[float]] = {0: [], 1: []}
    for event in crew.events("fault_injected"):
        moment = datetime.fromisoformat(event["timestamp"]).timestamp()
        times[(event["connection_id"] - 1) % 2].append(moment)
    for stamps in times.values():
        assert len(stamps) >= 4, "it is used, too"
        assert all(sum(start <= time < start + 1 for time in stamps) <= 2 for start in stamps)
