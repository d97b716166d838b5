"""A real Apache Kafka cluster without Docker: three brokers in KRaft mode, on this machine.

As a script it runs a cluster until Ctrl-C::

    python -m tests.kafka.cluster --version 4.x --port 19092
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from uuid import uuid4

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tests.kafka.distribution import Distribution, KafkaUnavailableError, ensure
from tests.kafka.processes import (
    HERE,
    Child,
    Place,
    accepts_tcp,
    free_ports,
    progress,
    wait_until,
)
from tests.support.resetting import FAR

BROKER_IDS = (1, 2, 3)
READY_TIMEOUT = 120.0
RELAYED = "RELAYED"
"""A listener without security that advertises `NEAR`, where somebody has to relay to `FAR`."""
BEARER = "BEARER"
"""A SASL_PLAINTEXT listener for tokens alone that somebody has signed."""
_KINDS = {RELAYED: "PLAINTEXT", BEARER: "SASL_PLAINTEXT"}
# The cleaner's buffer alone would otherwise take 128 MiB of every broker's heap.
COMMON = """\
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
num.network.threads=2
num.io.threads=2
background.threads=2
num.partitions=1
default.replication.factor=1
min.insync.replicas=1
auto.create.topics.enable=false
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=2097152
log.segment.bytes=16777216
log.index.size.max.bytes=1048576
controlled.shutdown.max.retries=1
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
allow.everyone.if.no.acl.found=true
"""
#: Kafka 4 and newer: all four group protocols, whose members ask often for what has changed.
COMMON_4 = """\
group.coordinator.rebalance.protocols=classic,consumer,share,streams
group.consumer.min.heartbeat.interval.ms=500
group.consumer.heartbeat.interval.ms=500
group.share.min.heartbeat.interval.ms=500
group.share.heartbeat.interval.ms=500
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
"""


class ClusterError(RuntimeError):
    """The cluster did not do what it was told; the message carries the brokers' last lines."""


def _cluster_id() -> str:
    """A random id in Kafka's spelling of UUIDs, which must not look like an option."""
    while True:
        spelled = urlsafe_b64encode(uuid4().bytes).decode()[:22]
        if not spelled.startswith("-"):
            return spelled


class RealKafka:
    """Three real brokers: node 1 is the controller too, nodes 2 and 3 are brokers only."""

    def __init__(
        self,
        version: str = "4.x",
        port: int | None = None,
        settings: Mapping[str, str] | None = None,
        listeners: Sequence[str] = (),
        place: Place = HERE,
        flags: Sequence[str] = (),
    ) -> None:
        """Prepare a cluster on `port`, `port`+1, `port`+2, or on any free ports.

        `settings` are added to the configuration of every broker; of equal names they count.
        `listeners` are security protocols besides PLAINTEXT, each with a port at every broker, or
        `RELAYED` or `BEARER`. `flags` are for their JVMs.
        """
        self.place = place
        self._flags = flags
        self.distribution: Distribution = ensure(version)
        self._settings = settings or {}
        ports = free_ports(len(BROKER_IDS) * (1 + len(listeners)) + 1)
        self._controller_port = ports.pop()
        self._more = {
            protocol: {broker: ports.pop() for broker in BROKER_IDS} for protocol in listeners
        }
        if port is not None:
            ports = [port + offset for offset in range(len(BROKER_IDS))]
        self.ports = dict(zip(BROKER_IDS, ports, strict=True))
        self.home = Path(tempfile.mkdtemp(prefix="real-kafka-"))
        self._brokers: dict[int, Child] = {}

    @property
    def bootstrap(self) -> str:
        """All three brokers, for bootstrap.servers."""
        return ",".join(f"{self.place.host}:{port}" for port in self.ports.values())

    def bootstrap_of(self, protocol: str) -> str:
        """The same, of one of the other listeners."""
        return ",".join(f"localhost:{port}" for port in self.ports_of(protocol))

    def ports_of(self, protocol: str) -> list[int]:
        """The ports of one of the other listeners."""
        return list(self._more[protocol].values())

    def start(self) -> RealKafka:
        """Format the three nodes, start them, and wait until the cluster lists all of them."""
        began = time.monotonic()
        progress(f"starting three Kafka {self.distribution.version} brokers: {self.bootstrap}")
        taken = [port for port in self.ports.values() if accepts_tcp(port, self.place.host)]
        if taken:
            raise ClusterError(f"something listens on port {taken[0]} already")
        try:
            self._format()
            for broker in BROKER_IDS:
                self._launch(broker)
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        progress(f"Kafka {self.distribution.version} ready in {time.monotonic() - began:.1f} s")
        return self

    def stop(self) -> None:
        """End all brokers at once and drop their data, which nobody needs any more."""
        for child in self._brokers.values():
            child.signal(signal.SIGKILL)
        for child in self._brokers.values():
            child.stop(grace=0)
        self._brokers.clear()
        shutil.rmtree(self.home, ignore_errors=True)

    def stop_broker(self, broker: int, grace: float = 20.0) -> None:
        """Shut one broker down: orderly, or at once with grace=0."""
        self._brokers.pop(broker).stop(grace)

    def signal_broker(self, broker: int, number: int) -> None:
        """Send a broker a signal."""
        self._brokers[broker].signal(number)

    def reconfigure(self, broker: int) -> None:
        """Write its configuration anew; it counts with its next start."""
        self._config(broker)

    def restart_broker(self, broker: int, grace: float = 20.0) -> None:
        """Stop one broker if it runs, start it again, and wait for the full cluster."""
        if broker in self._brokers:
            self.stop_broker(broker, grace)
        self._launch(broker)
        self.wait_ready()

    def brokers_listed(self) -> set[int]:
        """The broker ids in the cluster's Metadata; empty while nobody answers."""
        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        try:
            return set(admin.list_topics(timeout=2).brokers)
        except KafkaException:
            return set()

    def wait_ready(self, timeout: float = READY_TIMEOUT) -> None:
        """Wait until every started broker accepts connections and Metadata lists them all."""
        running = sorted(self._brokers)

        def ready() -> bool:
            dead = [each for each in self._brokers.values() if not each.alive]
            if dead:
                raise ClusterError(f"{dead[0].name} has exited\n{dead[0].tail()}")
            if not all(accepts_tcp(self.ports[each], self.place.host) for each in running):
                return False
            return self.brokers_listed() == set(running)

        try:
            wait_until(ready, f"brokers {running} listed in Metadata", timeout)
        except TimeoutError as exc:
            tails = "\n".join(each.tail() for each in self._brokers.values())
            raise ClusterError(f"{exc}\n{tails}") from exc

    def _config(self, broker: int) -> Path:
        controller = f"127.0.0.1:{self._controller_port}"
        listener = f"PLAINTEXT://{self.place.host}:{self.ports[broker]}"
        advertised = listener
        for protocol, ports in self._more.items():
            far = FAR if protocol == RELAYED else "localhost"
            listener += f",{protocol}://{far}:{ports[broker]}"
            advertised += f",{protocol}://localhost:{ports[broker]}"
        lines = [f"node.id={broker}", f"controller.quorum.voters=1@{controller}"]
        if broker == 1:
            lines += ["process.roles=broker,controller"]
            lines += [f"listeners={listener},CONTROLLER://{controller}"]
        else:
            lines += ["process.roles=broker", f"listeners={listener}"]
        lines += [f"advertised.listeners={advertised}", f"log.dirs={self.home / f'data-{broker}'}"]
        path = self.home / f"node-{broker}.properties"
        common = COMMON + COMMON_4 if self.distribution.major >= 4 else COMMON
        added = "".join(f"{name}={value}\n" for name, value in self._settings.items())
        if self._more:
            protocols = ["PLAINTEXT", *self._more]
            kinds = ",".join(f"{each}:{_KINDS.get(each, each)}" for each in protocols)
            added += f"listener.security.protocol.map=CONTROLLER:PLAINTEXT,{kinds}\n"
        path.write_text("\n".join(lines) + "\n" + common + added)
        return path

    def _format(self) -> None:
        """Format the storage of all nodes, side by side."""
        cluster_id = _cluster_id()
        formatting = []
        for broker in BROKER_IDS:
            arguments = ("format", "-t", cluster_id, "-c", str(self._config(broker)))
            command = self.distribution.command("kafka.tools.StorageTool", *arguments)
            log = self.home / f"format-{broker}.log"
            formatting.append(Child(f"format of node {broker}", command, log))
        try:
            wait_until(lambda: not any(each.alive for each in formatting), "formatting", 60)
        finally:
            statuses = [each.stop(grace=0) for each in formatting]
        for child, status in zip(formatting, statuses, strict=True):
            if status != 0:
                raise ClusterError(f"{child.name} failed with status {status}\n{child.tail()}")

    def _launch(self, broker: int) -> None:
        config = str(self.home / f"node-{broker}.properties")
        command = self.distribution.command("kafka.Kafka", config, heap_mb=384)
        command = [*self.place.prefix, command[0], *self._flags, *command[1:]]
        log = self.home / f"broker-{broker}.log"
        self._brokers[broker] = Child(f"broker {broker}", command, log, cwd=self.home)


@contextlib.contextmanager
def running(
    version: str = "4.x",
    port: int | None = None,
    settings: Mapping[str, str] | None = None,
    listeners: Sequence[str] = (),
    place: Place = HERE,
    flags: Sequence[str] = (),
) -> Iterator[RealKafka]:
    """A started cluster for the length of a with block."""
    cluster = RealKafka(version, port, settings, listeners, place, flags)
    try:
        yield cluster.start()
    finally:
        cluster.stop()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main(argv: list[str] | None = None) -> int:
    """Run a cluster until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.kafka.cluster",
        description="Run three real Kafka brokers on this machine until Ctrl-C.",
        epilog="Example: python -m tests.kafka.cluster --version 3.9 --port 19092",
    )
    parser.add_argument("--version", default="4.x", help="4.x, 3.9, or like 4.3.1 (default 4.x)")
    parser.add_argument("--port", type=int, help="first of three ports (default: any free ones)")
    options = parser.parse_args(argv)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with running(options.version, options.port) as cluster:
            print(f"ready: bootstrap.servers={cluster.bootstrap}", flush=True)
            threading.Event().wait()
    except KeyboardInterrupt:
        progress("stopped")
    except (ClusterError, KafkaUnavailableError, ValueError, subprocess.SubprocessError) as exc:
        print(f"error: {exc}", file=sys.stderr)
        return os.EX_UNAVAILABLE
    return os.EX_OK


if __name__ == "__main__":
    sys.exit(main())
