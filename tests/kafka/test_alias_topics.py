"""An alias topic on a real cluster: another name for a topic outside the virtual cluster."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tests.kafka import clients
from tests.kafka.sidecars import Access, Gateways

# The first test pays for the start of the cluster, and perhaps for the download.
pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

VCLUSTER, OURS, THEIRS = "alias-", "ours", "theirs-of-all"
VALUES = [f"value-{number}" for number in range(7)]
PATH = f"/admin/vclusters/v1/vcluster/{VCLUSTER}/topics/{OURS}"


def test_an_alias_is_used_like_a_topic_and_not_deleted(gateways: Gateways) -> None:
    outside, sidecar = Access(gateways.kafka.bootstrap), gateways.first
    access = sidecar.access(VCLUSTER)
    body = {"physicalTopicName": THEIRS, "readOnly": False, "type": "alias"}
    status, reply = sidecar.request("POST", PATH, body)
    assert status == 400
    assert reply["message"].startswith(f"Physical topic named {THEIRS} does not exist")
    clients.create_topic(outside, THEIRS)

    status, reply = sidecar.request("POST", PATH, body)

    assert (status, reply["type"], reply["physicalTopicName"]) == (201, "ALIAS", THEIRS)
    assert clients.topics(access) == {OURS}
    clients.Confluent().produce(access, OURS, VALUES)
    assert clients.stored(gateways.kafka.bootstrap, THEIRS) == VALUES
    assert clients.Confluent().consume(access, OURS, len(VALUES)) == VALUES
    admin = AdminClient(clients.librdkafka_config(access))
    deletion = admin.delete_topics([OURS])[OURS]
    with pytest.raises(KafkaException, match="TOPIC_AUTHORIZATION_FAILED"):
        deletion.result(20)
    assert THEIRS in clients.topics(outside)

    assert sidecar.request("DELETE", PATH)[0] == 204
    assert clients.topics(access) == set()
