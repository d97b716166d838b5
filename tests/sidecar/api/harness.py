"""A real control server on a free port, with everything around it made of plain values."""

import base64
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc

from sidecar.api.grpc_server import ControlServer, Services
from sidecar.control.alias_topics import AliasTopicService
from sidecar.control.interceptors import InterceptorService
from sidecar.control.journal import Journal
from sidecar.control.leases import LeaseService
from sidecar.control.ports import Broker, BuildInfo, Status
from sidecar.control.state import ControlState
from sidecar.control.tokens import TokenAuthority
from sidecar.control.user_mappings import UserMappingService
from sidecar.control.users import AdminUsers
from sidecar.control.virtual_clusters import VirtualClusterService
from sidecar.gen.kafka.chaos.v1.alias_topic_service_pb2_grpc import AliasTopicServiceStub
from sidecar.gen.kafka.chaos.v1.injection_service_pb2_grpc import InjectionServiceStub
from sidecar.gen.kafka.chaos.v1.interceptor_service_pb2_grpc import InterceptorServiceStub
from sidecar.gen.kafka.chaos.v1.lease_service_pb2_grpc import LeaseServiceStub
from sidecar.gen.kafka.chaos.v1.sidecar_service_pb2_grpc import SidecarServiceStub
from sidecar.gen.kafka.chaos.v1.token_service_pb2_grpc import TokenServiceStub
from sidecar.gen.kafka.chaos.v1.user_mapping_service_pb2_grpc import UserMappingServiceStub
from sidecar.gen.kafka.chaos.v1.virtual_cluster_service_pb2_grpc import VirtualClusterServiceStub
from sidecar.model.injection import Injection
from sidecar.model.snapshot import Snapshot

KEY = bytes(range(32))
NOW = 1712693829.75
METRICS = ("text/plain; version=1.0.0; charset=utf-8", "chaos_up 1.0\n")


def basic(username: str = "admin", password: str = "conduktor") -> str:
    """Return an Authorization header."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


ADMIN = (("authorization", basic()),)
VIEWER = (("authorization", basic("viewer", "looks")),)


class Around:
    """All sources of the control API, with answers that tests can change."""

    def __init__(self) -> None:
        self.now = Status(
            brokers=(Broker(node_id=1, host="kafka1", port=9092, client_port=6969),), connections=3
        )
        self.failure: Exception | None = None
        self.connected: dict[str, int | None] = {}
        self.topics: dict[str, bool | None] = {"orders": True, "shared": True}

    def status(self) -> Status:
        """StatusSource."""
        if self.failure:
            raise self.failure
        return self.now

    def clients(self, virtual_cluster: str) -> int | None:
        """ClientSource."""
        return self.connected.get(virtual_cluster, 0)

    def exists(self, physical_name: str) -> bool | None:
        """TopicSource."""
        return self.topics.get(physical_name, False)

    def exposition(self) -> tuple[str, str]:
        """MetricsSource."""
        return METRICS


@dataclass
class Control:
    """A running server and what it is made of."""

    server: ControlServer
    channel: grpc.Channel
    interceptors: InterceptorService
    journal: Journal
    tokens: TokenAuthority
    around: Around
    published: list[Snapshot] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.interceptor = InterceptorServiceStub(self.channel)
        self.lease = LeaseServiceStub(self.channel)
        self.injection = InjectionServiceStub(self.channel)
        self.token = TokenServiceStub(self.channel)
        self.sidecar = SidecarServiceStub(self.channel)
        self.virtual_cluster = VirtualClusterServiceStub(self.channel)
        self.user_mapping = UserMappingServiceStub(self.channel)
        self.alias_topic = AliasTopicServiceStub(self.channel)


@contextmanager
def running(
    *,
    port: int = 0,
    configured: tuple[str, ...] = (),
    users: AdminUsers | None = None,
    audit: Callable[..., object] = lambda event, **fields: None,
    refused: Callable[[str, str, str], object] = lambda door, reason, address: None,
    **options: Any,
) -> Iterator[Control]:
    """Run a server with an admin and a viewer.

    `configured` is GATEWAY_VCLUSTERS; `options` go to ControlServer.
    """
    journal = Journal(capacity=8)
    published: list[Snapshot] = []
    uids = (f"uid-{i}" for i in itertools.count(1))
    state = ControlState(published.append)
    interceptors = InterceptorService(state, journal, process_seed=42, new_uid=lambda: next(uids))
    tokens = TokenAuthority(KEY)
    around = Around()
    virtual_clusters = VirtualClusterService(state, around, configured)
    services = Services(
        interceptors=interceptors,
        leases=LeaseService(state),
        state=state,
        virtual_clusters=virtual_clusters,
        user_mappings=UserMappingService(state, virtual_clusters.claim),
        alias_topics=AliasTopicService(state, virtual_clusters.claim, around),
        tokens=tokens,
        journal=journal,
        status=around,
        metrics=around,
        build=BuildInfo(version="1.2.3", time="2024-06-03T20:32:32+0000", commit="abc"),
        start_time=NOW,
        clock=lambda: NOW,
        audit=audit,
        refused=refused,
    )
    users = users or AdminUsers([("admin", "conduktor", True), ("viewer", "looks", False)])
    server = ControlServer(services, users, "127.0.0.1", port, **options)
    server.start()
    channel = grpc.insecure_channel(f"127.0.0.1:{server.port}")
    try:
        yield Control(server, channel, interceptors, journal, tokens, around, published)
    finally:
        channel.close()
        server.stop(grace=1)


def injection(**changes: Any) -> Injection:
    """Return an injection; `changes` replace its fields."""
    values: dict[str, Any] = {
        "time": NOW,
        "interceptor": "elections",
        "interceptor_uid": "uid-1",
        "fault": "leader_election",
        "rung": 1,
        "outcome": "REJECT",
        "error": "NOT_LEADER_OR_FOLLOWER",
        "error_code": 6,
        "virtual_cluster": "teamA",
        "principal": "sa",
        "connection_id": 7,
        "client_id": "producer-1",
        "client_software_name": "apache-kafka-java",
        "client_software_version": "3.7.0",
        "broker_id": 2,
        "api": "PRODUCE",
        "version": 9,
        "correlation_id": 11,
        "topic": "my-topic",
        "partition": 3,
        "acks": -1,
        "batch_count": 1,
        "record_count": 5,
        "producer_id": 1000,
        "producer_epoch": 0,
        "base_sequence": 40,
        "draw": 12,
        "seed": 2**64 - 1,
        "leader_id": None,
        "leader_epoch": None,
    }
    return Injection(**(values | changes))
