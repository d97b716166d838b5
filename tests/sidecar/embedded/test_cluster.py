"""The cluster without sockets."""

import pytest

from codec.error_codes import ErrorCode
from sidecar.embedded.cluster import Cluster
from sidecar.embedded.errors import ApiError
from sidecar.embedded.groups.coordinator import CommittedOffset
from sidecar.embedded.log import StoredBatch
from sidecar.embedded.settings import Settings


def code(action):
    with pytest.raises(ApiError) as caught:
        action()
    return caught.value.code


def test_true_elections():
    cluster = Cluster(3)
    cluster.create_topic("t")
    assert cluster.partition("t", 0).leader == 1
    assert cluster.elect("t", 0, 2) == 1
    assert cluster.partition("t", 0).leader == 2
    assert cluster.elect("t", 0, 2) == 2
    with pytest.raises(ValueError, match="no broker 4"):
        cluster.elect("t", 0, 4)
    assert code(lambda: cluster.elect("t", 1, 2)) is ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    assert code(lambda: cluster.elect("x", 0, 2)) is ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


def test_a_full_cluster_refuses_and_deleting_makes_room():
    cluster = Cluster(settings=Settings(brokers=1, max_bytes=10))
    topic = cluster.create_topic("t")
    partition = cluster.partition("t", 0)
    cluster.store(partition, StoredBatch(0, 0, 0, b"x" * 10))
    more = StoredBatch(1, 1, 0, b"x")
    assert code(lambda: cluster.store(partition, more)) is ErrorCode.KAFKA_STORAGE_ERROR
    assert cluster.records("t", 0).count == 1
    cluster.delete_topic(topic)
    assert cluster.stored_bytes == 0


def test_records_are_told():
    cluster = Cluster(1)
    cluster.create_topic("t")
    cluster.store(cluster.partition("t", 0), StoredBatch(0, 2, 0, b"xyz"))
    told = cluster.records("t", 0)
    assert (told.count, told.end_offset, [b.data for b in told.batches]) == (3, 3, [b"xyz"])


def test_deleting_a_topic_forgets_its_committed_offsets():
    cluster = Cluster(1)
    topic = cluster.create_topic("t")
    kept = {("other", 0): CommittedOffset(2)}
    cluster.groups.commit("g", "", -1, {("t", 0): CommittedOffset(1), **kept})
    cluster.delete_topic(topic)
    assert cluster.groups.offsets("g") == kept


def test_every_broker_coordinates_some_groups_and_only_one_each():
    cluster = Cluster(3)
    names = [f"group-{n}" for n in range(50)]
    owners = [cluster.coordinator_of(name).node_id for name in names]
    assert set(owners) == {1, 2, 3}
    cluster.check_coordinator(names[0], owners[0])
    other = owners[0] % 3 + 1
    assert code(lambda: cluster.check_coordinator(names[0], other)) is ErrorCode.NOT_COORDINATOR


def test_producer_ids_are_unique():
    cluster = Cluster(1)
    assert len({cluster.new_producer_id() for _ in range(100)}) == 100


@pytest.mark.parametrize("name", ["brokers", "num_partitions", "max_bytes", "max_request_bytes"])
def test_settings_are_checked(name):
    with pytest.raises(ValueError, match=name):
        Settings(**{name: 0})
