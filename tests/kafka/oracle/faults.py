"""What is done to the clients, one after the other and beside each other, drawn from a seed."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.kafka.sidecars import PLUGIN, Sidecar

CONDUKTOR = "io.conduktor.gateway.interceptor.chaos"
OURS = "kafka.chaos"
#: Errors that every producer takes for passing.
RETRIABLE = ("NOT_LEADER_OR_FOLLOWER", "NOT_ENOUGH_REPLICAS", "UNKNOWN_TOPIC_OR_PARTITION")
LONGEST, SHORTEST = 6.0, 2.0
AT_ONCE = 3
Config = dict[str, Any]


def _election(choice: random.Random) -> Config:
    outcome = choice.choice(("REJECT", "APPEND_THEN_REJECT", "APPEND_THEN_DISCONNECT"))
    draw = choice.choice(("REQUEST", "PARTITION"))
    return {"rateInPercent": choice.choice((5, 20, 50)), "draw": draw, "outcome": outcome}


def _windows(choice: random.Random) -> Config:
    return {"rateInPercent": 5, "draw": "PARTITION", "windowMs": choice.choice((200, 1000))}


def _leaderless(choice: random.Random) -> Config:
    return {"topic": "exact|loose", "partitions": sorted(choice.sample(range(6), 2))}


def _broken(choice: random.Random) -> Config:
    errors = {"PRODUCE": choice.choice(RETRIABLE), "FETCH": "NOT_LEADER_OR_FOLLOWER"}
    return {"rateInPercent": choice.choice((5, 30)), "errorMap": errors}


def _slow(choice: random.Random) -> Config:
    most = choice.choice((20, 300))
    return {"rateInPercent": 50, "minLatencyMs": most // 4, "maxLatencyMs": most}


def _late(choice: random.Random) -> Config:
    return {"appliedPercentage": 30, "latencyMs": choice.choice((10, 100))}


def _coordinator(choice: random.Random) -> Config:
    return {"coordinatorKey": "readers", "unavailableMs": 300, "loadingMs": 300}


def _connection(choice: random.Random) -> Config:
    return {"rateInPercent": 2, "moment": choice.choice(("BEFORE", "AFTER"))}


def _hole(choice: random.Random) -> Config:
    """Its connections close when it is taken away, before clients lose their patience."""
    return {"rateInPercent": 1, "moment": choice.choice(("BEFORE", "AFTER"))}


def _slow_close(choice: random.Random) -> Config:
    return _hole(choice) | {"delayMs": choice.choice((200, 1500))}


def _narrow(choice: random.Random) -> Config:
    return {"rateInPercent": 5, "bytesPerSecond": choice.choice((20_000, 200_000))}


def _rolling(choice: random.Random) -> Config:
    order = choice.sample((1, 2, 3), 3)
    return {"brokers": order, "everyMs": 1000, "downMs": choice.choice((200, 600))}


#: Plugin class and what makes its config.
MENU: tuple[tuple[str, Callable[[random.Random], Config]], ...] = (
    (PLUGIN, _election),
    (PLUGIN, _election),
    (PLUGIN, _windows),
    (f"{OURS}.LeaderlessPartitionsPlugin", _leaderless),
    (f"{CONDUKTOR}.SimulateBrokenBrokersPlugin", _broken),
    (f"{CONDUKTOR}.SimulateSlowBrokerPlugin", _slow),
    (f"{CONDUKTOR}.SimulateSlowProducersConsumersPlugin", _slow),
    (f"{CONDUKTOR}.SimulateLatencyPlugin", _late),
    (f"{OURS}.CoordinatorMovePlugin", _coordinator),
    (f"{OURS}.ConnectionLossPlugin", _connection),
    (f"{OURS}.BlackholePlugin", _hole),
    (f"{OURS}.SlowClosePlugin", _slow_close),
    (f"{OURS}.BandwidthPlugin", _narrow),
    (f"{OURS}.RollingRestartPlugin", _rolling),
)


@dataclass
class Chaos:
    """Adds interceptors and takes them away again."""

    sidecar: Sidecar
    vcluster: str
    seed: int
    applied: list[str] = field(default_factory=list)
    """The classes that were used, in order."""

    def run(self, until: float, ended: threading.Event) -> None:
        """Until then, seconds of the monotonic clock; nothing is left of it."""
        choice = random.Random(self.seed)
        active: dict[str, float] = {}
        number = 0
        while time.monotonic() < until and not ended.is_set():
            for name in [name for name, end in active.items() if end <= time.monotonic()]:
                self._remove(name)
                del active[name]
            if len(active) < AT_ONCE:
                number += 1
                plugin, config = choice.choice(MENU)
                name = f"fault-{number}"
                self._add(name, plugin, config(choice) | {"seed": choice.getrandbits(32)})
                active[name] = time.monotonic() + choice.uniform(SHORTEST, LONGEST)
            ended.wait(0.3)
        for name in active:
            self._remove(name)

    def _path(self, name: str) -> str:
        return f"/admin/interceptors/v1/vcluster/{self.vcluster}/interceptor/{name}"

    def _add(self, name: str, plugin: str, config: Config) -> None:
        body = {"pluginClass": plugin, "priority": 100, "config": config}
        status, reply = self.sidecar.request("POST", self._path(name), body)
        assert status == 201, (plugin, config, reply)
        self.applied.append(plugin.rpartition(".")[2])

    def _remove(self, name: str) -> None:
        status, reply = self.sidecar.request("DELETE", self._path(name))
        assert status == 204, reply
