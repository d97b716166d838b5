"""Faults of the network between hosts: clients, a sidecar, and brokers on one each."""

from __future__ import annotations

import time

from tests.kafka.reliability.fault import Fault, pause
from tests.kafka.reliability.hosts import Cable
from tests.kafka.reliability.world import World

CUT_SECONDS = 20.0


def slow_and_lossy(world: World) -> str:
    cables = (world.hosts.client_cable, world.hosts.broker_cable)
    before = world.load.acknowledged
    began = time.monotonic()
    for cable in cables:
        cable.carry(0.05, 0.05)
    pause(30)
    rate = (world.load.acknowledged - before) / (time.monotonic() - began)
    for cable in cables:
        cable.carry()
    return f"{rate:,.0f} records a second meanwhile"


def upstream_cut(world: World) -> str:
    return _cut(world, world.hosts.broker_cable)


def client_cut(world: World) -> str:
    return _cut(world, world.hosts.client_cable)


def _cut(world: World, cable: Cable) -> str:
    counts = [world.hosts.upstream_connections()]
    cable.cut()
    pause(CUT_SECONDS)
    counts.append(world.hosts.upstream_connections())
    cable.carry()
    mended = time.monotonic()
    while not world.load.all_since(mended):
        pause(0.1)
    back = time.monotonic() - mended
    counts.append(world.hosts.upstream_connections())
    return (
        f"all go on {back:.1f} s after it is mended; connections to brokers before, at the end of"
        f" the cut, and then: {', '.join(map(str, counts))}"
    )


NETWORK = (
    Fault(
        "slow-network",
        "50 ms of delay and 5 % loss each way on both sides of the sidecar, for 30 s",
        slow_and_lossy,
        on_hosts=True,
    ),
    Fault(
        "upstream-cut",
        f"the cable to the brokers is cut for {CUT_SECONDS:g} s, and nobody is told",
        upstream_cut,
        on_hosts=True,
    ),
    Fault(
        "client-cut",
        f"the cable to the clients is cut for {CUT_SECONDS:g} s, and nobody is told",
        client_cut,
        on_hosts=True,
    ),
)
