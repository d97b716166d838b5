"""Three real brokers, a sidecar, and a recorder before it; what can be done to a partition there.

Everything goes the same way, also where nothing is injected: client, recorder, sidecar, broker.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from tests.kafka.api_matrix.client import Connection
from tests.kafka.cluster import RealKafka
from tests.kafka.eavesdropper import Eavesdropper
from tests.kafka.processes import accepts_tcp
from tests.kafka.sidecars import BROKERS, Sidecar

CLIENTS, SIDECAR = "127.0.0.1", "127.0.0.2"
FIRST_PORT = 23969
#: The controller is node 1, which therefore is never stopped.
OLD, NEW, CONTROLLER = 2, 3, 1
REPLICAS = (OLD, NEW, CONTROLLER)
SETTINGS = {
    # Preferred leaders are elected when we say so.
    "auto.leader.rebalance.enable": "false",
}
PATIENCE, PAUSE = 30.0, 0.05
FOLLOW_SECONDS = 0.01


@dataclass(frozen=True)
class Stage:
    """All of it, running."""

    kafka: RealKafka
    sidecar: Sidecar
    ear: Eavesdropper

    @property
    def bootstrap(self) -> str:
        """All brokers, as a client has them."""
        return ",".join(f"{CLIENTS}:{self.sidecar.port + n}" for n in range(BROKERS))

    def ask(self, key: ApiKey, version: int, values: dict[str, Any]) -> Any:
        """Ask the controller, straight."""
        connection = Connection((CLIENTS, self.kafka.ports[CONTROLLER]))
        try:
            return connection.ask(key, version, values)
        finally:
            connection.close()

    def create_topic(self, topic: str, replicas: tuple[int, ...]) -> None:
        """One partition led by OLD, with these replicas; returns when all are in sync."""
        assignment = {"partition_index": 0, "broker_ids": list(replicas)}
        wanted = {
            "name": topic,
            "num_partitions": -1,
            "replication_factor": -1,
            "assignments": [assignment],
            "configs": [{"name": "min.insync.replicas", "value": str(min(2, len(replicas)))}],
        }
        answer = self.ask(ApiKey.CREATE_TOPICS, 5, {"topics": [wanted], "timeout_ms": 10000})
        _well(answer["topics"][0])
        self.wait_leader(topic, OLD, replicas)

    def delete_topic(self, topic: str) -> None:
        """Be done with it."""
        values = {"topic_names": [topic], "timeout_ms": 10000}
        _well(self.ask(ApiKey.DELETE_TOPICS, 5, values)["responses"][0])

    def prefer(self, topic: str) -> None:
        """Make NEW the preferred leader, while OLD leads."""
        wanted = (NEW, OLD, CONTROLLER)
        part = {"partition_index": 0, "replicas": list(wanted)}
        values = {"topics": [{"name": topic, "partitions": [part]}], "timeout_ms": 10000}
        answer = self.ask(ApiKey.ALTER_PARTITION_REASSIGNMENTS, 0, values)
        _well(answer.body)
        _well(answer["responses"][0]["partitions"][0])
        self.wait_leader(topic, OLD, wanted)

    def elect(self, topic: str) -> None:
        """Elect the preferred leader, which is another one."""
        wanted = [{"topic": topic, "partitions": [0]}]
        values = {"election_type": 0, "topic_partitions": wanted, "timeout_ms": 10000}
        answer = self.ask(ApiKey.ELECT_LEADERS, 2, values)
        _well(answer.body)
        _well(answer["replica_election_results"][0]["partition_result"][0])

    def wait_leader(self, topic: str, leader: int, replicas: tuple[int, ...]) -> None:
        """Wait until every broker says that `leader` leads, and all replicas are in sync."""
        wanted = (leader, list(replicas), sorted(replicas))
        pause, end = threading.Event(), time.monotonic() + PATIENCE
        told = {}
        while time.monotonic() < end:
            told = {node: self._told(node, topic) for node in REPLICAS}
            if all(each == wanted for each in told.values()):
                return
            pause.wait(PAUSE)
        raise TimeoutError(f"{topic} not led by {leader} after {PATIENCE:g} s: {told}")

    def _told(self, node: int, topic: str) -> Any:
        connection = Connection((CLIENTS, self.kafka.ports[node]))
        try:
            answer = connection.ask(ApiKey.METADATA, 9, {"topics": [{"name": topic}]})
        finally:
            connection.close()
        found = answer["topics"][0]
        if found["error_code"]:
            return ErrorCode(found["error_code"]).name
        [part] = found["partitions"]
        return part["leader_id"], part["replica_nodes"], sorted(part["isr_nodes"])

    @contextlib.contextmanager
    def following(self, node: int) -> Iterator[None]:
        """Meanwhile clients that connect to a broker are refused whenever it refuses itself.

        The sidecar would accept, and then close: a stopped broker would look different.
        """
        done = threading.Event()
        port = self.sidecar.port + node - 1

        def follow() -> None:
            while not done.wait(FOLLOW_SECONDS):
                self.ear.follow(port, accepts_tcp(self.kafka.ports[node]))

        thread = threading.Thread(target=follow)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
            self.ear.follow(port, True)

    def inject(self, plugin: str, config: dict[str, Any], **control: Any) -> None:
        """Add an interceptor for everybody."""
        body = {"pluginClass": plugin, "priority": 1, "config": config, "control": control}
        status, reply = self.sidecar.request("POST", PATH, body)
        assert status == 201, reply

    def heal(self) -> None:
        """Take the interceptor away."""
        status, reply = self.sidecar.request("DELETE", PATH)
        assert status == 204, reply


PATH = "/admin/interceptors/v1/vcluster/passthrough/interceptor/fidelity"


def _well(answer: Any) -> None:
    assert not answer["error_code"], answer


@contextlib.contextmanager
def staged(kafka: RealKafka) -> Iterator[Stage]:
    """The sidecar and the recorder for the length of a with block."""
    home = Path(tempfile.mkdtemp(prefix="fidelity-"))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        sidecar = Sidecar(
            "fidelity",
            kafka,
            FIRST_PORT,
            home,
            GATEWAY_BIND_HOST=SIDECAR,
            GATEWAY_ADVERTISED_HOST=CLIENTS,
            GATEWAY_SECURITY_PROTOCOL="PLAINTEXT",
        )
        stack.callback(sidecar.stop)
        ports = range(sidecar.port, sidecar.port + BROKERS)
        yield Stage(kafka, sidecar, stack.enter_context(Eavesdropper(ports, CLIENTS, SIDECAR)))
