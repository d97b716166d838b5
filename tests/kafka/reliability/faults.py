"""What is done to the world, one function a fault; each returns when it is undone again."""

from __future__ import annotations

import os
import resource
import signal
import socket
import time

from confluent_kafka import ElectionType, TopicPartition
from confluent_kafka.admin import AdminClient

from tests.kafka.processes import free_ports, wait_until
from tests.kafka.reliability.fault import Fault, pause
from tests.kafka.reliability.network import NETWORK
from tests.kafka.reliability.surroundings import SURROUNDINGS
from tests.kafka.reliability.world import World

CONNECTIONS = 10_000
GONE_SECONDS = 60.0
"""For how long all brokers are gone; the tests take less."""


def broker_stops(world: World) -> None:
    world.kafka.stop_broker(3)
    pause(8)
    world.kafka.restart_broker(3)


def broker_killed(world: World) -> None:
    world.kafka.stop_broker(2, grace=0)
    pause(8)
    world.kafka.restart_broker(2)


def broker_frozen(world: World) -> None:
    world.kafka.signal_broker(3, signal.SIGSTOP)
    pause(15)
    world.kafka.signal_broker(3, signal.SIGCONT)


def broker_moves(world: World) -> None:
    world.kafka.stop_broker(3)
    [world.kafka.ports[3]] = free_ports(1)
    world.kafka.reconfigure(3)
    world.kafka.restart_broker(3)
    elect(world)


def broker_removed_and_added(world: World) -> None:
    world.kafka.stop_broker(3)
    pause(35)  # until the sidecar has looked for its brokers anew
    world.kafka.restart_broker(3)
    elect(world)


def all_gone(world: World) -> None:
    for broker in (1, 2, 3):
        world.kafka.stop_broker(broker, grace=0)
    pause(world.gone_seconds)
    for broker in (1, 2, 3):
        world.kafka.restart_broker(broker)


def election(world: World) -> None:
    world.kafka.restart_broker(2)
    pause(2)
    elect(world)


def elect(world: World) -> None:
    """Have every partition led by its preferred replica."""
    admin = AdminClient({"bootstrap.servers": world.kafka.bootstrap})
    partitions = [TopicPartition(world.load.topic, number) for number in range(4)]

    def elected() -> bool:
        admin.elect_leaders(ElectionType.PREFERRED, partitions).result(20)
        found = admin.list_topics(world.load.topic, timeout=10).topics[world.load.topic]
        return all(p.leader == p.replicas[0] for p in found.partitions.values())

    wait_until(elected, "preferred leaders", 60, interval=0.5)


def sidecar_ends(world: World) -> str:
    world.sidecar.signal(signal.SIGTERM)
    status = world.sidecar.stop()
    drained = world.sidecar.events("drained")[-1]
    world.start_again()
    return f"exit status {status}, {drained['left']} connections left after {drained['seconds']} s"


def sidecar_killed(world: World) -> None:
    world.sidecar.kill()
    world.start_again()


def never_reads(world: World) -> str:
    """Clients that ask and never read: what they ask for waits with the kernel."""
    asked = bytes.fromhex("0000001a00120000000000010009616e6f6e796d6f757300000000")
    asked = len(asked[4:]).to_bytes(4) + asked[4:]
    clients = [socket.create_connection(("localhost", world.sidecar.port), 5) for _ in range(50)]
    sent = 0
    for client in clients:
        client.setblocking(False)
        for _ in range(20_000):
            try:
                sent += client.send(asked * 100)
            except OSError:
                break
    pause(5)
    for client in clients:
        client.close()
    return f"50 clients sent {sent / 1e6:.0f} MB of requests and read nothing"


def one_byte_a_second(world: World) -> None:
    clients = [socket.create_connection(("localhost", world.sidecar.port), 5) for _ in range(200)]
    for byte in (0).to_bytes(4) + b"\x00\x12\x00\x00":
        for client in clients:
            try:
                client.sendall(bytes([byte]))
            except OSError:
                continue  # a size of 0 is none
        pause(1)
    for client in clients:
        client.close()


def cut_in_frames(world: World) -> None:
    for number in range(500):
        with socket.create_connection(("localhost", world.sidecar.port), 5) as client:
            client.sendall((1000).to_bytes(4) + bytes(number % 900))


def many_connections(world: World) -> str:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    wanted = min(CONNECTIONS, hard - 500)
    clients = []
    try:
        for _ in range(wanted):
            client = socket.socket()
            client.settimeout(2)
            try:
                client.connect(("127.0.0.1", world.sidecar.port))
            except OSError:
                client.close()
                break
            clients.append(client)
        pause(5)
    finally:
        for client in clients:
            client.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return f"{len(clients)} connections were made, 4096 at once are served"


def no_descriptors(world: World) -> str:
    """The sidecar may open no more than it has open now, and a few."""
    used = len(os.listdir(f"/proc/{world.sidecar.pid}/fd"))
    hard = resource.prlimit(world.sidecar.pid, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(world.sidecar.pid, resource.RLIMIT_NOFILE, (used + 4, hard))
    clients = [socket.create_connection(("127.0.0.1", world.sidecar.port), 5) for _ in range(50)]
    before = world.processor_seconds()
    pause(5)
    spent = world.processor_seconds() - before
    resource.prlimit(world.sidecar.pid, resource.RLIMIT_NOFILE, (hard, hard))
    for client in clients:
        client.close()
    return f"{spent:.1f} s of processor in 5 s"


def store_topic_deleted(world: World) -> str:
    admin = AdminClient({"bootstrap.servers": world.kafka.bootstrap})
    admin.delete_topics([world.store_topic])[world.store_topic].result(30)
    began = time.monotonic()
    wait_until(lambda: bool(world.sidecar.events("store_unreachable")), "it is noticed", 60)
    wait_until(world.writes, "changes are stored again", 60)
    return f"changes were stored again after {time.monotonic() - began:.0f} s"


FAULTS = (
    Fault(
        "broker-stops", "one of three brokers stops in order, comes back after 8 s", broker_stops
    ),
    Fault("broker-killed", "one is killed, comes back after 8 s", broker_killed),
    Fault("broker-frozen", "one stands still for 15 s with its connections open", broker_frozen),
    Fault("broker-moves", "one comes back at another port", broker_moves),
    Fault("broker-added", "one is gone for 35 s, then there again", broker_removed_and_added),
    Fault("all-gone", "all brokers are killed and gone for a time", all_gone),
    Fault("election", "a restart, then a preferred-leader election", election),
    Fault("sigterm", "SIGTERM to the sidecar under load, another is started", sidecar_ends),
    Fault("sigkill", "SIGKILL to the sidecar, another is started", sidecar_killed),
    Fault("never-reads", "50 clients send requests and never read", never_reads),
    Fault("slow-clients", "200 clients send one byte a second", one_byte_a_second),
    Fault("cut-frames", "500 clients disconnect inside a frame", cut_in_frames),
    # Each of the 4,096 that are served takes some 16 kB, which the allocator keeps.
    Fault(
        "connections",
        "ten thousand connections, as far as descriptors allow",
        many_connections,
        may_grow=100,
    ),
    Fault("descriptors", "the sidecar is out of file descriptors for 5 s", no_descriptors),
    Fault("store-deleted", "the topic with the fleet's state is deleted", store_topic_deleted),
    *SURROUNDINGS,
    *NETWORK,
)
