"""Every client of the matrix, with and without injected errors: nothing lost, twice or swapped."""

from __future__ import annotations

import re

import pytest

from tests.kafka import clients
from tests.kafka.cluster import RealKafka
from tests.kafka.conftest import unavailable
from tests.kafka.sidecars import Access, Gateways

# The first test pays for the start of the cluster, and perhaps for the download.
pytestmark = [
    pytest.mark.kafka,
    pytest.mark.timeout(600),
    # aiokafka and kafka-python leave sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

NAMES = ["confluent", "kafka-python", "aiokafka", "kcat", "java"]
VALUES = [f"value-{number:02}" for number in range(30)]
RATE, SEED, OVERTAKING_SEED = 50, 20, 0
ERROR = "NOT_LEADER_OR_FOLLOWER"
REASON = r"org\.apache\.kafka\.common\.errors\.NotLeaderOrFollowerException: .*"
#: What each client tells its user about one refusal; librdkafka tells nothing unless asked.
TOLD = {
    "java": (
        r"\[.*\] WARN \[Producer clientId=[^]]*\] Got error produce response with correlation id "
        rf"\d+ on topic-partition {{topic}}-0, retrying \(\d+ attempts left\)\. Error: {ERROR}",
        r"\[.*\] WARN \[Producer clientId=[^]]*\] Received invalid metadata error in produce "
        rf"request on partition {{topic}}-0 due to {REASON}Going to request metadata update now",
    ),
    "kafka-python": (
        r"WARNING kafka\.producer\.sender .*Got error produce response on topic-partition "
        r"TopicPartition\(topic='{topic}', partition=0\), retrying \((inf|\d+) attempts left\)"
        r": NotLeaderForPartitionError",
    ),
    "aiokafka": (
        r"WARNING aiokafka\.producer\.sender Got error produce response on topic-partition "
        r"TopicPartition\(topic='{topic}', partition=0\), retrying\. "
        r"Error: <class 'aiokafka\.errors\.NotLeaderForPartitionError'>",
    ),
}
#: What librdkafka says with debug=msg,topic.
DEBUG_TOLD = (
    r"MSGSET.*: {topic} \[0\]: MessageSet with 1 message\(s\) .* "
    r"encountered error: Broker: Not leader for partition",
    r"BROKERUA.*: {topic} \[0\]: broker unavailable: produce: Broker: Not leader for partition",
)


def make(name: str, kafka: RealKafka, debug: str = "") -> clients.Client:
    """The client of that name."""
    if name == "kcat" and clients.Kcat.missing():
        unavailable(clients.Kcat.missing())
    if name == "java":
        return clients.Java(kafka.distribution)
    simple = {"kafka-python": clients.KafkaPython, "aiokafka": clients.AioKafka}
    if name in simple:
        return simple[name]()
    return {"confluent": clients.Confluent, "kcat": clients.Kcat}[name](debug)


def told(pattern: str, topic: str, shown: str) -> int:
    """How many lines of `shown` match."""
    return len(re.findall(pattern.format(topic=re.escape(topic)), shown))


@pytest.mark.parametrize("name", NAMES)
def test_straight_to_the_cluster(kafka: RealKafka, name: str) -> None:
    """The control: what fails here is not the sidecar's doing."""
    client, access, topic = make(name, kafka), Access(kafka.bootstrap), f"straight-{name}"
    clients.create_topic(access, topic)
    client.produce(access, topic, VALUES)
    assert clients.stored(kafka.bootstrap, topic) == VALUES
    assert client.consume(access, topic, len(VALUES)) == VALUES


@pytest.mark.parametrize("name", NAMES)
def test_through_the_sidecar(gateways: Gateways, name: str) -> None:
    client, topic, vcluster = make(name, gateways.kafka), f"quiet-{name}", "quiet-"
    access = gateways.first.access(vcluster)
    clients.create_topic(access, topic)
    shown = client.produce(access, topic, VALUES)
    assert clients.stored(gateways.kafka.bootstrap, vcluster + topic) == VALUES
    assert client.consume(access, topic, len(VALUES)) == VALUES
    assert gateways.first.events(topic=topic) == []
    assert ERROR not in shown
    assert "Not leader" not in shown


@pytest.mark.parametrize("name", NAMES)
def test_half_of_the_requests_refused(gateways: Gateways, name: str) -> None:
    client, topic, vcluster = make(name, gateways.kafka), f"chaos-{name}", f"chaos-{name}-"
    access = gateways.first.access(vcluster)
    clients.create_topic(access, topic)
    gateways.first.inject(vcluster, RATE, SEED)
    shown = client.produce(access, topic, VALUES)
    assert clients.stored(gateways.kafka.bootstrap, vcluster + topic) == VALUES
    assert client.consume(access, topic, len(VALUES)) == VALUES
    events = gateways.first.events(topic=topic)
    assert events
    assert {(event["error"], event["error_code"]) for event in events} == {(ERROR, 6)}
    assert {event["virtual_cluster"] for event in events} == {vcluster}
    for pattern in TOLD.get(name, ()):
        assert told(pattern, topic, shown) == len(events), shown
    if name not in TOLD:
        assert "Not leader" not in shown


@pytest.mark.parametrize("name", ["confluent", "kcat"])
def test_librdkafka_tells_when_asked(gateways: Gateways, name: str) -> None:
    client = make(name, gateways.kafka, debug="msg,topic")
    topic, vcluster = f"debug-{name}", f"debug-{name}-"
    access = gateways.first.access(vcluster)
    clients.create_topic(access, topic)
    gateways.first.inject(vcluster, RATE, SEED)
    shown = client.produce(access, topic, VALUES)
    assert clients.stored(gateways.kafka.bootstrap, vcluster + topic) == VALUES
    assert gateways.first.events(topic=topic)
    for pattern in DEBUG_TOLD:
        assert told(pattern, topic, shown) > 0, shown[-5000:]


@pytest.mark.parametrize("name", ["confluent", "kcat", "java"])
def test_the_first_batch_is_not_overtaken(gateways: Gateways, name: str) -> None:
    """Draw 0 of this seed refuses, draw 1 does not, and the client has five requests in flight.

    A broker that has no state of a producer takes any first sequence number from it. If the second
    batch reaches it while the first is refused, the first can never be appended: librdkafka gets
    DUPLICATE_SEQUENCE_NUMBER for it and reports it as delivered, Java tries until it times out.
    A real election cannot do that: it refuses all that is in flight.
    """
    client, topic, vcluster = make(name, gateways.kafka), f"first-{name}", f"first-{name}-"
    access = gateways.first.access(vcluster)
    clients.create_topic(access, topic)
    gateways.first.inject(vcluster, RATE, OVERTAKING_SEED)
    client.produce(access, topic, VALUES)
    assert clients.stored(gateways.kafka.bootstrap, vcluster + topic) == VALUES
