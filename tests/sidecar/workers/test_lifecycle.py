"""Workers begin and end with the process that was started, and are replaced when they fall."""

import fcntl
import os
import signal
from contextlib import ExitStack
from functools import partial

import pytest

from tests.sidecar.workers.conftest import Launch
from tests.sidecar.workers.harness import REFUSED, Crew, children, code, is_running
from tests.support.commands import rest
from tests.support.fake_broker import FakeBroker, until


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_whole_group_ends_all_cleanly(crew: Crew, number: signal.Signals) -> None:
    workers = children(crew.pid)
    crew.one_each()

    for pid in workers:  # as a terminal does; the order is the worst one
        os.kill(pid, number)
    status, out, err = crew.command.end(number)

    assert (status, err) == (0, "")
    assert out.splitlines()[-1].count('"event":"stopped"') == 1
    assert crew.events("worker_ended") == []
    assert len(workers) == 1
    assert not any(map(is_running, workers))


def test_a_signal_while_workers_start_ends_all_cleanly(launch: Launch) -> None:
    with FakeBroker() as gone:
        pass
    crew = launch(3, at=gone)
    until(lambda: len(children(crew.pid)) == 2, "no workers are started")
    workers = children(crew.pid)

    for pid in workers:
        os.kill(pid, signal.SIGINT)
    status, _, err = crew.command.end(signal.SIGINT)

    assert (status, err) == (0, "")
    assert not any(map(is_running, workers))


def test_nobody_is_left_when_the_first_process_is_killed(crew: Crew) -> None:
    workers = children(crew.pid)
    clients = crew.one_each()

    crew.command.process.kill()

    assert len(workers) == 1
    until(lambda: not any(map(is_running, workers)), "a worker is left")
    assert all(wire.is_closed() for wire in clients.values())


def test_a_worker_that_is_killed_is_replaced_by_one_that_knows_everything(crew: Crew) -> None:
    crew.inject()
    clients = crew.one_each()
    codes = [code(wire) for wire in clients.values()]
    until(lambda: crew.metric("injections_total") == 2, "they are not counted")

    crew.kill(1)

    assert clients[1].is_closed()
    assert code(clients[0]) == REFUSED
    until(lambda: len(crew.events("worker_listening")) == 2, "it is not replaced")
    codes += [code(wire) for wire in crew.one_each().values()]
    assert set(codes) == {REFUSED}
    [ended] = crew.events("worker_ended")
    assert (ended["worker"], ended["cause"]) == (1, "signal 9")
    numbers = [(event["draw"], event["connection_id"]) for event in crew.events("fault_injected")]
    assert len({draw for draw, _ in numbers}) == len(numbers) == len(codes) + 1
    until(lambda: crew.metric("injections_total") == len(numbers), "they are not counted")
    crew.relent()
    assert [code(wire) for wire in crew.one_each().values()] == [0, 0]


def test_changes_go_on_while_a_worker_is_away(crew: Crew) -> None:
    client = crew.one_each()[0]

    crew.kill(1)
    crew.inject()

    assert code(client) == REFUSED
    until(lambda: len(crew.events("worker_listening")) == 2, "it is not replaced")
    assert code(crew.one_each()[1]) == REFUSED


def test_a_worker_that_stands_still_does_not_go_on_with_old_interceptors(crew: Crew) -> None:
    clients = crew.one_each()
    crew.kill(1, signal.SIGSTOP)

    crew.inject()  # returns, though one cannot acknowledge

    assert clients[1].is_closed()
    assert code(clients[0]) == REFUSED
    until(lambda: len(crew.events("worker_listening")) == 2, "it is not replaced")
    [stuck] = crew.events("worker_stuck")
    assert stuck["worker"] == 1


def test_a_first_process_that_stands_still_stops_no_worker(crew: Crew) -> None:
    crew.inject()
    client = crew.one_each()[1]

    os.kill(crew.pid, signal.SIGSTOP)
    try:
        codes = []
        for _ in range(300):
            codes.append(code(client))
            logged = len(crew.events("fault_injected"))
    finally:
        os.kill(crew.pid, signal.SIGCONT)

    assert set(codes) == {REFUSED}
    assert logged == 300
    until(lambda: crew.metric("injections_total") == 300, "they are not counted afterwards")


def test_no_worker_injects_what_it_cannot_log(launch: Launch) -> None:
    crew = launch(GATEWAY_LOG_LEVEL="INFO")
    crew.ready()
    stream = crew.command.process.stdout
    assert stream is not None
    crew.inject()
    clients = {}
    while set(clients) != {0, 1}:  # without the log of connections
        wire = crew.wire()
        assert code(wire) == REFUSED
        clients[(crew.events("fault_injected")[-1]["connection_id"] - 1) % 2] = wire
    before = len(crew.events("fault_injected"))
    fcntl.fcntl(stream, fcntl.F_SETPIPE_SZ, 4096)

    errors = 0
    for wire in clients.values():
        codes = [code(wire) for _ in range(20)]  # nobody reads the log
        errors += codes.count(REFUSED)
        assert codes[-1] == 0

    until(lambda: crew.metric("injection_paused") == 1, "it is not said")
    until(lambda: len(crew.events("fault_injected")) == before + errors, "events are missing")
    assert errors < 20
    assert crew.metric("injections_total") == before + errors


def test_a_worker_killed_while_kafka_is_awaited_is_replaced(
    launch: Launch, broker: FakeBroker
) -> None:
    with FakeBroker() as gone:
        nobody = gone.address[1]
    address = f"127.0.0.1:{nobody},127.0.0.1:{broker.address[1]}"
    crew = launch(KAFKA_BOOTSTRAP_SERVERS=address)  # waits for a second broker
    crew.command.until(b"waiting_for_kafka")
    until(lambda: children(crew.pid), "no worker is started")
    [worker] = children(crew.pid)
    crew.command.until(b"waiting_for_kafka")
    os.kill(worker, signal.SIGKILL)
    until(lambda: crew.events("worker_ended"), "nobody saw it")

    with FakeBroker(2) as other:
        broker.others = [other]
        crew.ready()
        assert code(crew.one_each()[1]) == 0


@pytest.mark.parametrize(("first", "second"), [(2, 2), (1, 2), (2, 1)])
def test_a_second_sidecar_on_the_same_ports_fails(launch: Launch, first: int, second: int) -> None:
    crew = launch(first)
    crew.ready()

    other = launch(second, GATEWAY_PORT_START=str(crew.port))
    status, _, err = other.command.end()

    assert status == 1
    [line] = err.splitlines()
    assert line.startswith("chaos-sidecar: ")
    assert f"cannot listen on 127.0.0.1:{crew.port}: Address already in use" in line
    assert code(crew.connect()[1]) == 0


def test_one_worker_is_one_process_as_ever(launch: Launch) -> None:
    crew = launch(1)
    crew.ready()

    assert children(crew.pid) == []
    assert crew.events("worker_listening") == []
    assert "kafka_chaos_workers" not in str(rest(crew.http_port, "GET", "/metrics"))


def test_a_worker_that_does_not_find_a_broker_has_it_looked_for(
    launch: Launch, broker: FakeBroker
) -> None:
    with ExitStack() as stack:
        here = stack.enter_context(FakeBroker(2))
        broker.others = [here]
        crew = launch()
        crew.ready()
        for _ in range(20):
            here.stop()
            here = stack.enter_context(FakeBroker(2))
            broker.others = [here]
            worker, wire = crew.connect(1)
            assert wire.is_closed()
            # The next address is the sidecar's once it has asked the broker there what it speaks.
            until(partial(getattr, here, "visits"), "the new address")
            if worker == 1:
                return  # the first process, which asks, cannot have noticed by itself
    raise AssertionError("no connection went to the other worker")
