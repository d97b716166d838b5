"""Several processes look like one sidecar: to clients, to whoever controls it, and in its log."""

import fcntl
import itertools
import json

import gevent
import grpc

from codec.messages.metadata import MetadataRequest
from codec.messages.sasl_authenticate import SaslAuthenticateRequest
from codec.messages.sasl_handshake import SaslHandshakeRequest
from sidecar.gen.kafka.chaos.v1 import injection_service_pb2 as pb
from sidecar.gen.kafka.chaos.v1.injection_service_pb2_grpc import InjectionServiceStub
from tests.sidecar.api.harness import ADMIN
from tests.sidecar.workers.conftest import Launch
from tests.sidecar.workers.harness import INTERCEPTOR, REFUSED, Crew, code
from tests.support.commands import rest
from tests.support.fake_broker import FakeBroker, until
from tests.support.gateways import Wire
from tests.support.messages import batch, produce


def test_connections_spread_over_workers_and_ids_are_unique(launch: Launch) -> None:
    crew = launch(3)
    crew.ready()

    clients = crew.one_each()

    assert [code(wire) for wire in clients.values()] == [0, 0, 0]
    ids = [event["connection_id"] for event in crew.events("client_connected")]
    assert len(ids) == len(set(ids))
    until(lambda: crew.metric("client_connections_open") == len(ids), "they are not counted")
    assert crew.metric("client_connections_total") == len(ids)
    assert crew.metric("workers") == 3


def test_ready_means_that_every_worker_listens(launch: Launch) -> None:
    crew = launch(3)

    crew.ready()

    assert len(crew.events("worker_listening")) == 2
    events = [json.loads(line)["event"] for line in crew.command.out.splitlines()]
    assert events.count("listening") == 3
    assert max(i for i, e in enumerate(events) if e == "worker_listening") < events.index("ready")


def test_a_change_acts_in_every_worker_when_the_call_returns(crew: Crew) -> None:
    clients = crew.one_each().values()

    for _ in range(5):
        crew.inject()
        assert [code(wire) for wire in clients] == [REFUSED, REFUSED]
        crew.relent()
        assert [code(wire) for wire in clients] == [0, 0]


def test_what_every_worker_injects_is_logged_streamed_and_counted_once(crew: Crew) -> None:
    clients = crew.one_each()
    crew.inject()
    with grpc.insecure_channel(f"127.0.0.1:{crew.grpc_port}") as channel:
        stream = InjectionServiceStub(channel).WatchInjections(
            pb.WatchInjectionsRequest(), metadata=ADMIN, timeout=20
        )
        for _ in stream:
            break  # the first heartbeat: it is watching
        for _ in range(10):
            assert [code(wire) for wire in clients.values()] == [REFUSED, REFUSED]
        items = (item for item in stream if item.HasField("injection"))
        seen = [item.injection for item in itertools.islice(items, 20)]

    logged = crew.events("fault_injected")
    assert len(logged) == 20 == crew.metric("injections_total")
    assert {(i.connection_id, i.draw) for i in seen} == {
        (event["connection_id"], event["draw"]) for event in logged
    }
    assert {(event["connection_id"] - 1) % 2 for event in logged} == {0, 1}
    assert rest(crew.http_port, "GET", INTERCEPTOR)


def test_every_draw_is_made_once_and_the_seed_decides_it(crew: Crew) -> None:
    clients = crew.one_each()
    crew.inject(50, seed=7)

    for wire in itertools.islice(itertools.cycle(clients.values()), 80):
        code(wire)

    by_draw = {event["draw"]: event for event in crew.events("fault_injected")}
    assert len(by_draw) == len(crew.events("fault_injected"))
    crew.relent()
    crew.inject(50, seed=7)
    for wire in itertools.islice(itertools.cycle(clients.values()), 80):
        code(wire)
    again = crew.events("fault_injected")[len(by_draw) :]
    assert {event["draw"] for event in again} == set(by_draw)
    assert {event["draw"] % 2 for event in again} == {0, 1}
    assert all((event["connection_id"] - 1) % 2 == event["draw"] % 2 for event in again)


def test_a_token_opens_every_worker(launch: Launch) -> None:
    crew = launch(GATEWAY_SECURITY_PROTOCOL="SASL_PLAINTEXT")
    crew.ready()
    path = "/admin/vclusters/v1/vcluster/teamA/username/sa"
    token = rest(crew.http_port, "POST", path, {"lifeTimeSeconds": 60})["token"]

    for wire in crew.one_each().values():
        wire.ask(SaslHandshakeRequest(mechanism="PLAIN"), 1)
        wire.ask(SaslAuthenticateRequest(auth_bytes=b"\0sa\0" + token.encode()), 2)
        assert code(wire) == 0

    principals = [event["principal"] for event in crew.events("authenticated")]
    assert principals == ["sa", "sa"]
    until(lambda: crew.metric("session_events_total") == 2, "they are not counted")


def test_a_broker_that_any_worker_sees_first_is_listened_for_by_all(
    crew: Crew, broker: FakeBroker
) -> None:
    clients = crew.one_each()
    with FakeBroker(2) as late:
        broker.others = [late]
        expected = [(1, crew.port), (2, crew.port + 1)]

        def places(wire: Wire) -> list[tuple[int, int]]:
            answer = wire.ask(MetadataRequest(topics=[]), 9)
            assert {b.host for b in answer.brokers} == {"127.0.0.1"}
            return sorted((b.node_id, b.port) for b in answer.brokers)

        until(lambda: places(clients[1]) == expected, "the second worker does not know it")
        assert places(clients[0]) == expected
        until(lambda: len(crew.events("listening")) == 4, "not every worker listens")
        for wire in crew.one_each(1).values():
            assert code(wire) == 0
        assert len(late.received) == 2


def test_lines_of_all_workers_are_whole_in_a_pipe_that_is_always_full(crew: Crew) -> None:
    stream = crew.command.process.stdout
    assert stream is not None
    clients = crew.one_each()
    crew.inject()
    crew.events("ready")  # makes room
    fcntl.fcntl(stream, fcntl.F_SETPIPE_SZ, 4096)
    message = produce({"cars": {index: batch() for index in range(8)}})
    refused = dict.fromkeys(clients, 0)

    def use(worker: int) -> None:
        while refused[worker] < 24:  # what the pipe has no room for is forwarded
            answer = clients[worker].ask(message, 9)
            codes = [p.error_code for t in answer.responses for p in t.partition_responses]
            refused[worker] += codes.count(REFUSED)

    using = [gevent.spawn(use, worker) for worker in clients]
    until(lambda: crew.events("ready") and all(each.ready() for each in using), "no answers")

    def logged() -> dict[int, int]:
        workers = [(e["connection_id"] - 1) % 2 for e in crew.events("fault_injected")]
        return {worker: workers.count(worker) for worker in clients}

    until(lambda: logged() == refused, "events are missing")
