"""What a log tells, made to happen again."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import gevent
import grpc
import pytest

from sidecar.cli.ctl.replay import MAX_DRAWS, interceptor_of, read
from sidecar.cli.ctl.targets import TARGETS_VARIABLE, UsageError
from sidecar.gen.kafka.chaos.v1 import interceptor_pb2, sidecar_service_pb2
from sidecar.gen.kafka.chaos.v1 import interceptor_service_pb2 as pb
from sidecar.gen.kafka.chaos.v1.interceptor_service_pb2_grpc import InterceptorServiceStub
from sidecar.gen.kafka.chaos.v1.sidecar_service_pb2_grpc import SidecarServiceStub
from sidecar.model import interceptor as model
from tests.sidecar.api.harness import ADMIN
from tests.sidecar.workers.harness import Crew
from tests.support.commands import Command
from tests.support.fake_broker import FakeBroker, until
from tests.support.gateways import Wire
from tests.support.messages import batch, produce

UID = "0123456789abcdef"
NUMBER = 80
OTHERWISE = {"timestamp", "interceptor_uid", "connection_id"}
"""What is another run's own."""


def line(event: str, **fields: Any) -> bytes:
    told = {"timestamp": "t", "event": event} | fields
    return json.dumps(told, separators=(",", ":")).encode() + b"\n"


def struck(draw: int, uid: str = UID, reason: str = "DRAWN", **fields: Any) -> bytes:
    named = {"interceptor": "elections", "interceptor_uid": uid, "fault": "leader_election"}
    return line("fault_injected", draw=draw, reason=reason, **named | fields)


def was(uid: str = UID, name: str = "elections", **fault: Any) -> bytes:
    election = {"rate_in_percent": 30.0, "seed": "7"} | fault
    definition = {
        "name": name,
        "scope": {"virtual_cluster": "teamA"},
        "priority": 100,
        "leader_election": election,
        "selector": {"topics": ["o.*"]},
        "limits": {"max_per_second": 3},
        "expire_time": "2030-01-01T00:00:00Z",
        "lease": "controller",
        "uid": uid,
        "effective_seed": "18446744073709551615",
    }
    return line("interceptor_set", interceptor=name, interceptor_uid=uid, definition=definition)


LOG = [
    line("ready"),
    struck(5),
    was(),
    b"what a container runtime writes {\n",
    b"2026-11-25 stdout F " + struck(3),
    struck(3, topic="another partition of it"),
    struck(9, reason="FOLLOWS"),
    struck(1, uid="other", interceptor="other"),
    b'{"event":"interceptor_deleted","interceptor_uid":"torn',
]


def test_the_draws_that_struck_and_nothing_else_are_replayed() -> None:
    told = read(LOG)
    assert {uid: one.draws for uid, one in told.items()} == {UID: {3, 5}, "other": {1}}

    wanted = interceptor_of(UID, told[UID])

    expected = interceptor_pb2.Interceptor(
        name="elections",
        scope={"virtual_cluster": "teamA"},
        priority=100,
        leader_election={"rate_in_percent": 30, "seed": 2**64 - 1},
        selector={"topics": ["o.*"]},
        draws=[3, 5],
    )
    assert wanted == expected


@pytest.mark.parametrize("own", [{"window_ms": 500}, {"draw": "DRAW_PARTITION"}], ids=repr)
def test_where_the_seed_decides_alone_limits_stay(
    own: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    told = read([was(**own), struck(3)])
    wanted = interceptor_of(UID, told[UID])

    assert not wanted.draws
    assert (wanted.leader_election.seed, wanted.limits.max_per_second) == (2**64 - 1, 3)
    assert "its seed decides alone" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([struck(3)], "needs the event interceptor_set"),
        ([was(nonsense=1), struck(3)], "is not known here"),
        (
            [line("interceptor_set", interceptor_uid=UID, definition={"name": "n"}), struck(3)],
            "has no fault that is known here",
        ),
        ([was(), *map(struck, range(MAX_DRAWS + 1))], f"{MAX_DRAWS + 1} draws in the log, at most"),
    ],
)
def test_what_a_log_cannot_tell(lines: list[bytes], words: str) -> None:
    told = read(lines)
    with pytest.raises(UsageError, match=words):
        interceptor_of(UID, told[UID])


def test_a_torn_event_is_no_event_that_was_not_there(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(UsageError, match="line 2 of the log is an event that is torn"):
        read([was(), struck(12)[:-20] + b"\n", struck(13)])
    assert read([was(), struck(3), struck(12)[:-20]])[UID].draws == {3}
    assert "the last line of the log is cut off" in capsys.readouterr().err


def test_as_many_draws_as_an_interceptor_may_have() -> None:
    assert MAX_DRAWS == model.MAX_DRAWS


@pytest.fixture
def broker() -> Iterator[FakeBroker]:
    with FakeBroker() as one:
        yield one


Launch = Callable[[], Crew]


@pytest.fixture
def launch(broker: FakeBroker) -> Iterator[Launch]:
    """Starts sidecars of one process."""
    with ExitStack() as stack:

        def launch_one() -> Crew:
            crew = Crew(stack, broker, workers=1)
            crew.ready()
            return crew

        yield launch_one


class Control:
    """The control API of a crew."""

    def __init__(self, crew: Crew) -> None:
        self._channel = grpc.insecure_channel(f"127.0.0.1:{crew.grpc_port}")
        self._interceptors = InterceptorServiceStub(self._channel)
        self._sidecar = SidecarServiceStub(self._channel)

    def create(self, **fields: Any) -> None:
        wanted = interceptor_pb2.Interceptor(**fields)
        request = pb.CreateInterceptorRequest(interceptor=wanted)
        self._interceptors.CreateInterceptor(request, metadata=ADMIN)

    def halt(self, *, halted: bool) -> None:
        if halted:
            self._sidecar.Halt(sidecar_service_pb2.HaltRequest(), metadata=ADMIN)
        else:
            self._sidecar.Resume(sidecar_service_pb2.ResumeRequest(), metadata=ADMIN)

    def close(self) -> None:
        self._channel.close()


def workload(wire: Wire, between: Callable[[int], None] = lambda number: None) -> None:
    """The same requests each time: one after the other, of one partition or two."""
    for number in range(NUMBER):
        between(number)
        partitions = {number % 3: batch(number % 5 + 1)}
        if number % 7 == 0:
            partitions[5] = batch()
        wire.ask(produce({"orders": partitions}), 9)


def events(crew: Crew) -> list[dict[str, Any]]:
    """What was injected, but for what is this run's own."""
    found = crew.events("fault_injected")
    return [{key: each[key] for key in each if key not in OTHERWISE} for each in found]


def replay(crew: Crew, log: Path, *flags: str) -> tuple[int, str, str]:
    target = {TARGETS_VARIABLE: f"127.0.0.1:{crew.grpc_port}"}
    command = Command("ctl", "replay", str(log), *flags, extra=target)
    try:
        return command.end()
    finally:
        command.close()


def test_the_same_workload_meets_the_same_injections(launch: Launch, tmp_path: Path) -> None:
    """Also where the first run was held back by limits and halted in the middle."""
    first = launch()
    control = Control(first)
    control.create(
        name="elections",
        leader_election={"rate_in_percent": 60},
        limits={"max_per_second": 40},
        selector={"topics": ["orders"]},
    )
    control.create(
        name="late",
        priority=200,
        slow_broker={"rate_in_percent": 50, "min_latency_ms": 1, "max_latency_ms": 4},
        limits={"max_injections": 9},
    )

    def disturb(number: int) -> None:
        if number in (20, 30):
            control.halt(halted=number == 20)
        if number == 50:
            gevent.sleep(0.7)

    workload(first.wire(), disturb)
    control.close()
    expected = events(first)
    by_fault = [sum(each["fault"] == fault for each in expected) for fault in FAULTS]
    assert by_fault[0] > 10
    assert by_fault[1] == 9
    log = tmp_path / "sidecar.log"
    log.write_bytes(first.command.out)

    second = launch()
    code, out, err = replay(second, log)
    assert (code, err) == (0, "")
    assert [row.split()[0] for row in out.splitlines()[1:]] == ["elections", "late"]

    def wait(number: int) -> None:
        # What came while the first was halted was not drawn for.
        if number in (20, 30):
            there.halt(halted=number == 20)

    there = Control(second)
    workload(second.wire(), wait)
    there.close()
    assert events(second) == expected

    # Again, in the place of what is there: the draws begin anew.
    code, _, _ = replay(second, log, "--interceptor", "elections")
    assert code == 0
    before = len(second.events("fault_injected"))
    second.wire().ask(produce({"orders": {0: batch()}}), 9)
    until(lambda: len(second.events("interceptor_set")) == 3, "it is not told of")
    assert len(second.events("fault_injected")) - before <= 1


FAULTS = ("leader_election", "slow_broker")


def test_what_goes_by_the_clock_is_left_out(launch: Launch, tmp_path: Path) -> None:
    crew, log = launch(), tmp_path / "log"
    clock = struck(3, uid="clock", interceptor="now", fault="leaderless")
    told = "now: leaderless strikes by the clock, not by draws: it is left out\n"
    for lines, code in (([clock], 2), ([clock, was(), struck(2)], 0)):
        log.write_bytes(b"".join(lines))
        got, _, err = replay(crew, log)
        assert (got, told in err) == (code, True)


def test_what_is_typed_wrong_is_told(launch: Launch, tmp_path: Path) -> None:
    crew = launch()
    log = tmp_path / "log"
    log.write_bytes(b"".join([*LOG, b"\n", was("anew"), struck(2, uid="anew")]))
    told = "interceptor 'elections' was replaced meanwhile, --uid says which"

    assert replay(crew, tmp_path / "none")[2].endswith(
        "cannot be read: No such file or directory\n"
    )
    for flags, words in (
        (
            ("--interceptor", "x"),
            "has no fault_injected events of interceptor 'x'; it has those of",
        ),
        (("--uid", "x"), "has no fault_injected events under uid 'x'"),
        (("--interceptor", "elections"), f"{told}: {UID} (2 draws), anew (1 draws)"),
        ((), "interceptor 'other' (uid other) was: it needs the event interceptor_set"),
    ):
        code, out, err = replay(crew, log, *flags)
        assert (code, out) == (2, "")
        assert words in err
    assert replay(crew, log, "--uid", "anew")[0] == 0
