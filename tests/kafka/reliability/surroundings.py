"""Faults of what a sidecar stands on: its network to the brokers, its clock, its disks.

Each has a sidecar of its own, beside the one of the other faults.
"""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.kafka.cluster import RELAYED
from tests.kafka.processes import wait_until
from tests.kafka.reliability.fault import Fault, pause
from tests.kafka.reliability.world import World
from tests.kafka.sidecars import PLUGIN
from tests.support.clocks import SetClock
from tests.support.disks import Disk, tiny_disk
from tests.support.resetting import ResettingRelay, resetting

HOUR = 3600
_INTERCEPTOR = "/admin/interceptors/v1/global/interceptor/half"
_STRANGERS = 6000


def inject(world: World, **config: Any) -> None:
    """Refuse some of what producers send."""
    body = {"pluginClass": PLUGIN, "priority": 1, "config": config}
    assert world.sidecar.request("POST", _INTERCEPTOR, body)[0] == 201


class Resets:
    """A network to the brokers that resets connections."""

    def __init__(self) -> None:
        self._relay: ResettingRelay

    @contextlib.contextmanager
    def prepare(self, world: World) -> Iterator[None]:
        bootstrap = world.kafka.bootstrap_of(RELAYED)
        with (
            resetting(world.kafka.ports_of(RELAYED)) as self._relay,
            world.other_sidecar(KAFKA_BOOTSTRAP_SERVERS=bootstrap),
        ):
            yield

    def act(self, world: World) -> str:
        self._relay.begin()
        pause(30)
        self._relay.end()
        return f"{self._relay.resets} connections were reset"


class Clock:
    """A clock that is set, and set right again.

    Args:
        by: seconds.
    """

    def __init__(self, by: float) -> None:
        self._by = by
        self._clock: SetClock

    @contextlib.contextmanager
    def prepare(self, world: World) -> Iterator[None]:
        self._clock = SetClock(world.home / f"clock{self._by}")
        with world.other_sidecar(**self._clock.environment):
            # Partitions without leaders for half a second each: it must not become an hour.
            inject(world, rateInPercent=1, windowMs=500, seed=7)
            yield

    def act(self, world: World) -> str:
        begun = world.sidecar.metric("kafka_chaos_injections_total")
        self._clock.set(self._by)
        pause(15)
        self._clock.set(0)
        pause(5)
        injected = world.sidecar.metric("kafka_chaos_injections_total") - begun
        assert injected > 0
        assert world.sidecar.request("DELETE", _INTERCEPTOR)[0] == 204
        return f"{injected:,.0f} refusals in elections of 0.5 s meanwhile"


class FullLog:
    """A log that goes to a full disk while half of the produces are to be refused."""

    def __init__(self) -> None:
        self._disk: Disk
        self._log: Path

    @contextlib.contextmanager
    def nowhere(self, world: World) -> Iterator[None]:
        """It goes to /dev/full."""
        (world.home / f"{world.next_name}.log").symlink_to("/dev/full")
        with world.other_sidecar(GATEWAY_STORAGE_TYPE="IN_MEMORY"):
            inject(world, rateInPercent=50, seed=7)
            yield

    @contextlib.contextmanager
    def small(self, world: World) -> Iterator[None]:
        """It goes to a file system that is soon full."""
        with tiny_disk(world.home / "disk") as self._disk:
            self._log = self._disk.path / "log"
            (world.home / f"{world.next_name}.log").symlink_to(self._log)
            with world.other_sidecar(GATEWAY_STORAGE_TYPE="IN_MEMORY"):
                yield

    def never(self, world: World) -> str:
        """Nothing can be written."""
        pause(10)
        lost = strangers(world)
        skipped = world.sidecar.metric("kafka_chaos_injections_skipped_total")
        assert world.sidecar.metric("kafka_chaos_injections_total") == 0
        assert skipped > 0
        return f"no injection, {skipped:,.0f} skipped, {lost:,.0f} other lines lost and counted"

    def for_a_while(self, world: World) -> str:
        """Then there is room."""
        inject(world, rateInPercent=50, seed=7)
        skipped = "kafka_chaos_injections_skipped_total"
        wait_until(lambda: world.sidecar.metric(skipped) > 100, "the disk to be full", 60)
        strangers(world)
        self._disk.grow()
        wait_until(lambda: bool(self._told("log_lines_lost")), "the log to go on", 30)
        wait_until(lambda: bool(self._told("injection_resumed")), "injection to go on", 30)
        assert world.sidecar.request("DELETE", _INTERCEPTOR)[0] == 204
        missed = world.sidecar.metric(skipped)
        injected = world.sidecar.metric("kafka_chaos_injections_total")
        assert len(self._told("fault_injected")) == injected
        assert sum(each["skipped"] for each in self._told("injection_resumed")) == missed
        told = "every lost line to be told of"
        wait_until(lambda: self._told_lost() == lines_lost(world), told, 30)
        lost = self._told_lost()
        return (
            f"{missed:,.0f} injections skipped and {lost:,.0f} other lines lost, all told in the"
            f" log; {injected:,.0f} injected, all in the log"
        )

    def _told_lost(self) -> int:
        return sum(each["lines"] for each in self._told("log_lines_lost"))

    def _told(self, event: str) -> list[dict[str, Any]]:
        # The last line may be half there.
        lines = self._log.read_text().split("\n")[:-1]
        return [json.loads(line) for line in lines if f'"event":"{event}"' in line]


def strangers(world: World) -> float:
    """Have the log told of so many clients that it cannot keep all; how many lines it has lost."""
    for _ in range(_STRANGERS):
        with socket.create_connection(("127.0.0.1", world.sidecar.port), 5) as client:
            client.sendall(bytes(4))
            client.recv(1)
    lost = lines_lost(world)
    assert lost > 0
    return lost


def lines_lost(world: World) -> float:
    """How many lines the log has lost by now."""
    return world.sidecar.metric("kafka_chaos_log_lines_dropped")


class FullStore:
    """The state is in a file, on a disk that is full for a while."""

    def __init__(self) -> None:
        self._disk: Disk

    @contextlib.contextmanager
    def prepare(self, world: World) -> Iterator[None]:
        with tiny_disk(world.home / "state") as self._disk:
            path = str(self._disk.path / "state.json")
            settings = {"GATEWAY_STORAGE_TYPE": "FILE", "GATEWAY_STORAGE_FILE": path}
            with world.other_sidecar(**settings):
                inject(world, rateInPercent=5, seed=7)
                yield

    def act(self, world: World) -> str:
        before = (self._disk.path / "state.json").read_bytes()
        self._disk.fill()
        status, answer = world.sidecar.request("DELETE", _INTERCEPTOR)
        assert status == 503
        assert (self._disk.path / "state.json").read_bytes() == before
        pause(5)
        self._disk.free()
        assert world.sidecar.request("DELETE", _INTERCEPTOR)[0] == 204
        cause = answer["message"].rpartition("/")[2]
        return f"503 `{cause}`, the file as it was; stored with the next call after there was room"


def _resets() -> Fault:
    resets = Resets()
    return Fault(
        "resets",
        "connections to brokers are reset inside of frames, about once a second, for 30 s",
        resets.act,
        prepare=resets.prepare,
    )


def _clock(name: str, by: float, where: str) -> Fault:
    clock = Clock(by)
    what = f"the clock is set an hour {where}, and right again after 15 s"
    return Fault(name, what, clock.act, prepare=clock.prepare)


def _log(
    name: str, what: str, prepare: Callable[[FullLog], Any], act: Callable[[FullLog], Any]
) -> Fault:
    log = FullLog()
    return Fault(name, what, act(log), prepare=prepare(log))


def _store() -> Fault:
    store = FullStore()
    what = "the disk with the state's file is full for 5 s"
    return Fault("store-full", what, store.act, prepare=store.prepare)


SURROUNDINGS = (
    _resets(),
    _clock("clock-ahead", HOUR, "ahead"),
    _clock("clock-back", -HOUR, "back"),
    _log(
        "log-full",
        "the log goes to /dev/full, half of the produces are to be refused",
        lambda log: log.nowhere,
        lambda log: log.never,
    ),
    _log(
        "log-disk-full",
        "the log's disk has 64 KiB, half of the produces are to be refused; then there is room",
        lambda log: log.small,
        lambda log: log.for_a_while,
    ),
    _store(),
)
