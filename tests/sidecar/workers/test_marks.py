"""Windows and moves are the same for all clients, whichever process they are served by."""

import time
from collections.abc import Iterator

import gevent
import grpc
import pytest

from codec.messages.heartbeat import HeartbeatRequest
from sidecar.faults.draws import draw
from sidecar.gen.kafka.chaos.v1 import interceptor_pb2
from sidecar.gen.kafka.chaos.v1 import interceptor_service_pb2 as pb
from sidecar.gen.kafka.chaos.v1.interceptor_service_pb2_grpc import InterceptorServiceStub
from tests.sidecar.api.harness import ADMIN
from tests.sidecar.workers.harness import REFUSED, Crew, code
from tests.support.fake_broker import until
from tests.support.gateways import Wire

NOT_COORDINATOR, LOADING = 16, 14
SEED = next(
    seed
    for seed in range(10_000)
    if draw(seed, 0) < 0.5 and min(draw(seed, n) for n in range(1, 9)) > 0.5
)
"""With it the first process opens a window with its first draw, and nobody does with the next."""


@pytest.fixture
def interceptors(crew: Crew) -> Iterator[InterceptorServiceStub]:
    with grpc.insecure_channel(f"127.0.0.1:{crew.grpc_port}") as channel:
        yield InterceptorServiceStub(channel)


def create(interceptors: InterceptorServiceStub, **fault: object) -> None:
    wanted = interceptor_pb2.Interceptor(name="simulate", **fault)
    interceptors.CreateInterceptor(pb.CreateInterceptorRequest(interceptor=wanted), metadata=ADMIN)


def beat(wire: Wire, group: str) -> int:
    return int(wire.ask(HeartbeatRequest(group_id=group), 4).error_code)


def test_a_window_is_seen_by_clients_of_all_workers_and_heals_at_once(
    crew: Crew, interceptors: InterceptorServiceStub
) -> None:
    wires = crew.one_each()
    window = {"rate_in_percent": 50, "window_ms": 1500, "seed": SEED}
    create(interceptors, leader_election=window)
    began = time.monotonic()

    assert code(wires[0]) == REFUSED
    gevent.sleep(0.1)
    assert [code(wires[1]) for _ in range(5)] == [REFUSED] * 5
    gevent.sleep(1.6 - (time.monotonic() - began))
    assert [code(wires[worker]) for worker in (0, 1, 0, 1)] == [0] * 4


def test_a_move_is_the_same_for_clients_of_all_workers(
    crew: Crew, interceptors: InterceptorServiceStub
) -> None:
    wires = crew.one_each()
    move = {"coordinator_key": "g.*", "unavailable_ms": 1000, "loading_ms": 60_000}
    create(interceptors, coordinator_move=move)
    began = time.monotonic()

    assert beat(wires[1], "g1") == NOT_COORDINATOR
    gevent.sleep(1.1 - (time.monotonic() - began))
    assert beat(wires[0], "g1") == LOADING
    assert beat(wires[0], "g2") == NOT_COORDINATOR


def test_a_worker_that_is_started_again_knows_what_the_others_do(
    crew: Crew, interceptors: InterceptorServiceStub
) -> None:
    wires = crew.one_each()
    window = {"rate_in_percent": 50, "window_ms": 60_000, "seed": SEED}
    create(interceptors, leader_election=window)
    assert code(wires[0]) == REFUSED

    crew.kill(1)
    until(lambda: len(crew.events("worker_listening")) == 2, "it has no successor")

    assert code(crew.one_each()[1]) == REFUSED
