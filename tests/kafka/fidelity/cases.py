"""What happens to the leader of a partition: on the brokers, or in the sidecar only."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.kafka.fidelity.stage import OLD, REPLICAS, Stage
from tests.kafka.sidecars import PLUGIN

LEADERLESS = "kafka.chaos.LeaderlessPartitionsPlugin"
RATE, SAMPLED_SECONDS = 50, 2
WINDOW_SECONDS = 2
GRACE_SECONDS = 20.0
Event = Callable[[Stage, str, int], contextlib.AbstractContextManager[None]]


@dataclass(frozen=True)
class Case:
    """One kind of event."""

    name: str
    title: str
    real: bool
    """Whether the brokers do it, or the sidecar does as if."""
    what: str
    observed: float
    """Seconds from its beginning on in which it is watched what clients do."""
    event: Event
    """Given the stage, the topic and the number of the run; on leaving, all is as before."""
    replicas: tuple[int, ...] = REPLICAS
    """Of the partition."""
    around: float = 1.0
    """About how many seconds a run takes besides: topic, start and end of the client, and what
    has to be started again.
    """


@contextlib.contextmanager
def _election(stage: Stage, topic: str, run: int) -> Iterator[None]:
    stage.elect(topic)
    yield


def _stop(grace: float, then: bool = False) -> Event:
    """Stop the leader; with `then` start it again at once, else when nobody listens any more."""

    @contextlib.contextmanager
    def stop(stage: Stage, topic: str, run: int) -> Iterator[None]:
        # Not in a thread: Linux ends a broker with the thread that started it.
        with stage.following(OLD):
            stage.kafka.stop_broker(OLD, grace)
            if then:
                stage.kafka.restart_broker(OLD)
            yield
        if not then:
            stage.kafka.restart_broker(OLD)

    return stop


@contextlib.contextmanager
def _sampled(stage: Stage, topic: str, run: int) -> Iterator[None]:
    config = {"rateInPercent": RATE, "seed": run}
    stage.inject(PLUGIN, config, topics=[topic], ttlSeconds=SAMPLED_SECONDS)
    try:
        yield
    finally:
        stage.heal()


@contextlib.contextmanager
def _window(stage: Stage, topic: str, run: int) -> Iterator[None]:
    stage.inject(LEADERLESS, {"topic": topic, "partitions": [0]}, ttlSeconds=WINDOW_SECONDS)
    try:
        yield
    finally:
        stage.heal()


CASES: dict[str, Case] = {
    each.name: each
    for each in (
        Case(
            "election",
            "real election",
            True,
            "ElectLeaders, preferred, to a follower that is in sync",
            5.0,
            _election,
        ),
        Case(
            "stop",
            "leader stopped",
            True,
            "SIGTERM to the leader: its controlled shutdown moves the partition first",
            10.0,
            _stop(GRACE_SECONDS),
            around=4.0,
        ),
        Case(
            "kill",
            "leader killed",
            True,
            "SIGKILL to the leader: the controller has to miss it first "
            "(broker.session.timeout.ms, 9 s by default)",
            22.0,
            _stop(0),
            around=4.0,
        ),
        Case(
            "alone",
            "only replica restarted",
            True,
            "SIGTERM to the leader of a partition without other replicas, and a new start at once",
            20.0,
            _stop(GRACE_SECONDS, then=True),
            (OLD,),
        ),
        Case(
            "rung1",
            "ours, rung 1",
            False,
            f"leader_election, rateInPercent {RATE}, for {SAMPLED_SECONDS} s",
            6.0,
            _sampled,
        ),
        Case(
            "rung2",
            "ours, rung 2",
            False,
            f"leaderless, for {WINDOW_SECONDS} s",
            7.0,
            _window,
        ),
    )
}
