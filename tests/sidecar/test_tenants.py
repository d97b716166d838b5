"""A whole sidecar in front of the embedded cluster: who is struck, who gets in, what exists."""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack

import grpc
import pytest

from codec.messages.create_topics import CreateTopicsRequest
from codec.messages.sasl_authenticate import SaslAuthenticateRequest
from codec.messages.sasl_handshake import SaslHandshakeRequest
from sidecar.control.tokens import TokenAuthority
from sidecar.gen.kafka.chaos.v1 import virtual_cluster_service_pb2 as vpb
from sidecar.gen.kafka.chaos.v1.virtual_cluster_service_pb2_grpc import VirtualClusterServiceStub
from tests.sidecar.api.harness import ADMIN, KEY
from tests.support.commands import Command, rest
from tests.support.fake_broker import until
from tests.support.gateways import Wire, free_ports
from tests.support.messages import batch, produce

PLUGIN = "io.conduktor.gateway.interceptor.chaos.SimulateLeaderElectionsErrorsPlugin"
GROUP_INTERCEPTOR = "/admin/interceptors/v1/vcluster/teamA/group/dev/interceptor/elections"
USERS = "/admin/userMappings/v1/vcluster/teamA"
REFUSED = 6
NEVER = 4_000_000_000


class House:
    """A sidecar whose clients authenticate, with `workers` processes, and its cluster."""

    def __init__(self, stack: ExitStack, workers: int) -> None:
        self._stack = stack
        cluster = Command("cluster", "--brokers", "1", "--port", "0")
        stack.callback(cluster.close)
        line = cluster.until(b"\n").decode().splitlines()[0]
        self.port = free_ports(4)
        self.http_port, self.grpc_port = self.port + 2, self.port + 3
        settings = {
            "KAFKA_BOOTSTRAP_SERVERS": line.removeprefix("bootstrap.servers="),
            "GATEWAY_ADVERTISED_HOST": "127.0.0.1",
            "GATEWAY_BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT_START": str(self.port),
            "GATEWAY_PORT_COUNT": "2",
            "GATEWAY_HTTP_PORT": str(self.http_port),
            "GATEWAY_GRPC_PORT": str(self.grpc_port),
            "GATEWAY_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
            "GATEWAY_USER_POOL_SECRET_KEY": b64encode(KEY).decode(),
            "GATEWAY_WORKERS": str(workers),
        }
        self.command = Command("run", extra=settings)
        stack.callback(self.command.close)
        self.command.until(b'"event":"ready"')
        channel = stack.enter_context(grpc.insecure_channel(f"127.0.0.1:{self.grpc_port}"))
        self.virtual_clusters = VirtualClusterServiceStub(channel)

    def client(self, virtual_cluster: str, username: str) -> tuple[Wire, str | None]:
        """A connection that has shown a token, and why it was refused if it was."""
        token, _ = TokenAuthority(KEY).mint(username, virtual_cluster, 60, NEVER)
        wire = Wire(("127.0.0.1", self.port))
        self._stack.callback(wire.sock.close)
        wire.ask(SaslHandshakeRequest(mechanism="PLAIN"), 1)
        credentials = b"\0".join([b"", username.encode(), token.encode()])
        answer = wire.ask(SaslAuthenticateRequest(auth_bytes=credentials), 2)
        return wire, answer.error_message if answer.error_code else None

    def member(self, virtual_cluster: str, username: str) -> Wire:
        """A connection that may do more."""
        wire, refusal = self.client(virtual_cluster, username)
        assert refusal is None
        return wire

    def make_topic(self, wire: Wire, name: str) -> None:
        """Create a topic with one partition, as this client calls it."""
        topic = CreateTopicsRequest.CreatableTopic(
            name=name, num_partitions=1, replication_factor=1
        )
        answer = wire.ask(CreateTopicsRequest(topics=[topic], timeout_ms=10_000), 5)
        assert [made.error_code for made in answer.topics] == [0]

    def delete(self, virtual_cluster: str) -> str:
        """Delete a virtual cluster; the name of the status code."""
        request = vpb.DeleteVirtualClusterRequest(name=virtual_cluster)
        try:
            self.virtual_clusters.DeleteVirtualCluster(request, metadata=ADMIN, timeout=20)
        except grpc.RpcError as error:
            return str(error.code().name)
        return "OK"


@pytest.fixture(params=[1, 2], ids=["alone", "workers"])
def house(request: pytest.FixtureRequest) -> Iterator[House]:
    """A house that ends with the test."""
    with ExitStack() as stack:
        yield House(stack, request.param)


def outcome(wire: Wire) -> int:
    """The error code that a produce to one partition gets."""
    answer = wire.ask(produce({"cars": {0: batch()}}), 9)
    [code] = [p.error_code for t in answer.responses for p in t.partition_responses]
    return int(code)


def test_a_group_is_struck_and_a_changed_mapping_acts_on_the_next_request(house: House) -> None:
    alice, bob = house.member("teamA", "CN=alice"), house.member("teamA", "bob")
    stranger = house.member("teamB", "CN=alice")
    for wire in (alice, stranger):
        house.make_topic(wire, "cars")
    config = {"pluginClass": PLUGIN, "priority": 100, "config": {"rateInPercent": 100}}
    rest(house.http_port, "POST", GROUP_INTERCEPTOR, config)
    everyone = (alice, bob, stranger)
    assert [outcome(wire) for wire in everyone] == [0, 0, 0]

    mapping = {"username": "alice", "principal": "CN=alice", "groups": ["dev"]}
    rest(house.http_port, "POST", USERS, mapping)
    assert [outcome(wire) for wire in everyone] == [REFUSED, 0, 0]

    rest(house.http_port, "PUT", f"{USERS}/username/bob", {"groups": ["ops", "dev"]})
    assert [outcome(wire) for wire in everyone] == [REFUSED, REFUSED, 0]

    rest(house.http_port, "PUT", f"{USERS}/username/alice", {"groups": ["ops"]})
    rest(house.http_port, "DELETE", f"{USERS}/username/bob")
    assert [outcome(wire) for wire in everyone] == [0, 0, 0]


def test_a_virtual_cluster_that_could_share_topics_gets_in_when_the_other_is_gone(
    house: House,
) -> None:
    first = [house.member("team", "sa") for _ in range(8)]
    told = "Authentication failed: virtual cluster 'teamA' may not be used here: ask who runs this"

    for _ in range(8):  # with workers, some of them in each
        wire, refusal = house.client("teamA", "sa")
        assert refusal == told
        assert wire.is_closed()
    assert house.delete("team") == "FAILED_PRECONDITION"
    house.member("team", "sa").sock.close()
    for wire in first:
        wire.sock.close()
    until(lambda: house.delete("team") == "OK", "clients that have gone are counted")

    for _ in range(8):
        house.member("teamA", "sa")
        assert house.client("team", "sa")[1] is not None
    house.command.until(b'"event":"virtual_cluster_refused"')


def test_an_alias_needs_a_topic_that_exists(house: House) -> None:
    house.make_topic(house.member("passthrough", "sa"), "existingLondonTopic")
    topics = "/admin/vclusters/v1/vcluster/london/topics"

    made = rest(
        house.http_port,
        "POST",
        f"{topics}/existingLondonTopic",
        {"physicalTopicName": "existingLondonTopic", "readOnly": False, "type": "alias"},
    )
    with pytest.raises(AssertionError) as refusal:
        rest(house.http_port, "POST", f"{topics}/other", {"physicalTopicName": "realTopic"})
    with pytest.raises(AssertionError) as again:  # asking has not created it
        rest(house.http_port, "POST", f"{topics}/other", {"physicalTopicName": "realTopic"})

    assert made["physicalTopicName"] == "existingLondonTopic"
    message = "Physical topic named realTopic does not exist in your kafka cluster"
    assert str(refusal.value) == str(again.value) == f'400: {{"message":"{message}"}}'
    assert rest(house.http_port, "GET", "/admin/vclusters/v1") == {"vclusters": ["london"]}
