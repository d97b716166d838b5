"""One tenant as the matrix knows it: its connections, its objects, what it must never see."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any, TypeVar
from uuid import uuid4

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from tests.kafka.api_matrix.client import Answer, ClosedError, Connection, LeakError, found
from tests.kafka.api_matrix.records import batch
from tests.kafka.api_matrix.shapes import Plain
from tests.kafka.sidecars import Access

#: The topic every tenant has: one partition a broker, with the markers as records.
TOPIC = "orders"
PARTITIONS = 3
RECORDS = 5
ATTEMPTS, PAUSE = 60, 0.1
WAITING = (
    ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
    ErrorCode.COORDINATOR_NOT_AVAILABLE,
    ErrorCode.NOT_COORDINATOR,
    ErrorCode.CONCURRENT_TRANSACTIONS,
    ErrorCode.REBALANCE_IN_PROGRESS,
)
Result = TypeVar("Result")


class Tenant:
    """A client of one virtual cluster, or of the cluster itself with a name of ""."""

    def __init__(self, name: str, access: Access, marker: str = "") -> None:
        """`name` is the virtual cluster and its prefix; `marker` is in all its records."""
        self.name = name
        self.marker = (marker or f"marker-{uuid4().hex}").encode()
        self.forbidden: list[bytes] = []
        self.asked: set[tuple[int, int]] = set()
        self.ids: dict[str, bytes] = {}
        self._access = access
        self._connections: dict[int, Connection] = {}
        host, port = access.bootstrap.split(",")[0].split(":")
        self._addresses = {-1: (host, int(port))}
        self._pause = threading.Event()

    def close(self) -> None:
        """Close all connections."""
        for each in self._connections.values():
            each.close()
        self._connections.clear()

    def connection(self, node: int = -1) -> Connection:
        """The connection to a broker; -1 is whichever the tenant was given first."""
        if node not in self._connections:
            self._connections[node] = self.fresh(node)
        return self._connections[node]

    def renew(self, node: int) -> None:
        """Close the connection to a broker, so that the next request opens another."""
        if node in self._connections:
            self._connections.pop(node).close()

    def fresh(self, node: int = -1) -> Connection:
        """A connection of its own."""
        credentials = (self._access.username, self._access.token) if self._access.token else None
        return Connection(self._addresses[node], credentials, self.inspect)

    def authenticate(self, handshake: int, authenticate: int | None) -> None:
        """Authenticate on a connection of its own, in these versions, and use it once."""
        connection = Connection(self._addresses[-1], None, self.inspect)
        try:
            credentials = (self._access.username, self._access.token)
            connection.authenticate(credentials, handshake, authenticate or 0)
            answer = connection.ask(ApiKey.METADATA, 9, {"topics": [{"name": TOPIC}]})
            assert answer["topics"][0]["error_code"] == 0, answer
        finally:
            connection.close()
        self.asked.add((ApiKey.SASL_HANDSHAKE, handshake))
        if authenticate is not None:
            self.asked.add((ApiKey.SASL_AUTHENTICATE, authenticate))

    def inspect(self, what: str, raw: bytes) -> None:
        """Raise LeakError if `raw` holds anything foreign or physical."""
        leaks = found(raw, self.forbidden)
        if leaks:
            raise LeakError(f"{what} to {self.name} holds {leaks}: {raw[:400]!r}")

    def ask(self, key: int, version: int, values: Plain, node: int = -1) -> Answer:
        """Send a request and wait for the answer; a closed connection is not used again."""
        try:
            answer = self.connection(node).ask(key, version, values)
        except (ClosedError, LeakError, OSError):
            self.renew(node)
            raise
        self.asked.add((key, version))
        return answer

    def until(self, attempt: Callable[[], Result], good: Callable[[Result], bool]) -> Result:
        """Repeat `attempt` until its result is `good`, for six seconds at most."""
        for _ in range(ATTEMPTS):
            result = attempt()
            if good(result):
                return result
            self._pause.wait(PAUSE)
        raise AssertionError(f"still not there: {result!r:.600}")

    def settled(self, key: int, version: int, values: Plain, node: int = -1) -> Answer:
        """As ask, repeated while the top-level error asks for patience."""
        return self.until(
            lambda: self.ask(key, version, values, node),
            lambda answer: answer.body.get("error_code") not in WAITING,
        )

    def learn_brokers(self) -> None:
        """Read the brokers' addresses from Metadata."""
        answer = self.ask(ApiKey.METADATA, 9, {"topics": []})
        for broker in answer["brokers"]:
            self._addresses[broker["node_id"]] = (broker["host"], broker["port"])

    @property
    def addresses(self) -> set[tuple[int, str, int]]:
        """Node id, host and port of every broker that Metadata told of."""
        return {(node, *at) for node, at in self._addresses.items() if node >= 0}

    def coordinator(self, key: str, kind: int) -> int:
        """The node that coordinates a group (0) or transactional id (1)."""

        def find() -> Any:
            values = {"key_type": kind, "coordinator_keys": [key]}
            return self.ask(ApiKey.FIND_COORDINATOR, 4, values)["coordinators"][0]

        found_one = self.until(find, lambda place: place["error_code"] == 0)
        assert found_one["key"] == key
        return int(found_one["node_id"])

    def create(self, topic: str, partitions: int = 1) -> bytes:
        """Create a topic, its partition p on broker p + 1; its topic id."""
        placed = [{"partition_index": p, "broker_ids": [p % 3 + 1]} for p in range(partitions)]
        wanted = {"name": topic, "num_partitions": -1, "replication_factor": -1}
        values = {"topics": [{**wanted, "assignments": placed}], "timeout_ms": 20000}
        made = self.ask(ApiKey.CREATE_TOPICS, 7, values)["topics"][0]
        assert made["error_code"] == 0, made
        self.until(lambda: self.leaders(topic), lambda leaders: len(leaders) == partitions)
        for partition in range(partitions):
            self._led(topic, partition)
        self.ids[topic] = made["topic_id"]
        return self.ids[topic]

    def _led(self, topic: str, partition: int) -> None:
        """Wait until the leader knows that it leads, which may be after everybody else."""
        part = {"partition_index": partition, "timestamp": -1}
        values = {"replica_id": -1, "topics": [{"name": topic, "partitions": [part]}]}

        def code() -> int:
            answer = self.ask(ApiKey.LIST_OFFSETS, 4, values, partition % 3 + 1)
            return int(answer["topics"][0]["partitions"][0]["error_code"])

        self.until(code, lambda found: found == 0)

    def leaders(self, topic: str) -> list[int]:
        """The leaders of the partitions that have one, as every broker sees it."""
        seen: list[list[int]] = []
        for node in sorted(node for node in self._addresses if node >= 0):
            answer = self.ask(ApiKey.METADATA, 9, {"topics": [{"name": topic}]}, node)
            parts = [p for t in answer["topics"] for p in t["partitions"]]
            seen.append([p["leader_id"] for p in parts if p["error_code"] == 0])
        return min(seen, key=len)

    def produce(self, topic: str, values: Iterable[bytes], partition: int = 0) -> None:
        """Append records to a partition, without a transaction."""
        part = {"index": partition, "records": batch(list(values))}
        wanted = {"name": topic, "partition_data": [part]}
        request = {"acks": -1, "timeout_ms": 10000, "topic_data": [wanted]}
        answer = self.ask(ApiKey.PRODUCE, 9, request, partition % 3 + 1)
        code = answer["responses"][0]["partition_responses"][0]["error_code"]
        assert code == 0, answer.body

    def prepare(self) -> None:
        """Make the topic that all exercises may read."""
        self.learn_brokers()
        self.create(TOPIC, PARTITIONS)
        for partition in range(PARTITIONS):
            self.produce(TOPIC, [self.marker] * RECORDS, partition)

    def named(self, topic: str = TOPIC) -> Plain:
        """A topic by name and by id, for versions that take either."""
        return {"name": topic, "topic_id": self.ids[topic]}

    def is_named(self, entry: Plain, topic: str = TOPIC) -> bool:
        """Whether an entry of a response speaks of this topic, by all that it holds."""
        spoken = [entry[key] for key in ("name", "topic", "topic_name") if key in entry]
        identified = [entry[key] for key in ("topic_id",) if key in entry]
        assert spoken or identified, entry
        names_fit = all(name == topic for name in spoken)
        return names_fit and all(each == self.ids[topic] for each in identified)
