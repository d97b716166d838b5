"""From the first injected error on a topic-partition to the client's next success on it."""

from typing import Any

import pytest

from codec.messages.fetch import FetchRequest, FetchResponse
from codec.messages.metadata import MetadataRequest, MetadataResponse
from codec.messages.produce import ProduceResponse
from sidecar.dataplane.pipeline import Pipeline
from sidecar.dataplane.recovering import MAX_OPEN, PATIENCE, Recoveries
from sidecar.dataplane.session import Session
from sidecar.faults.broken_broker import BrokenBroker
from sidecar.faults.latency import Latency
from sidecar.faults.leader_election import LeaderElection
from sidecar.model.identity import ANONYMOUS
from sidecar.model.interceptor import Interceptor
from sidecar.model.observation import Ended, Recovery
from tests.sidecar.api.harness import injection
from tests.support.fast_lane import appended
from tests.support.messages import batch, produce, read_request, request, response
from tests.support.sessions import (
    NOW,
    Client,
    interceptor,
    snapshot,
    striking,
    tenant,
    to_broker,
)

NO_TOPICS = MetadataResponse(brokers=[], cluster_id="c", controller_id=1, topics=[])


def swap(client: Client, *interceptors: Interceptor) -> None:
    client.shared.pipeline = Pipeline(snapshot(*interceptors), client.shared.pipeline)


def produces(client: Client, *partitions: int, topic: str = "cars", **fields: Any) -> list[bytes]:
    """Send a Produce; what of it goes to the broker."""
    message = produce({topic: {partition: batch() for partition in partitions or (0,)}}, **fields)
    return to_broker(client.sends(message, 9))


def succeeds(client: Client, *partitions: int, **fields: Any) -> None:
    """Send a Produce that is forwarded and acknowledged."""
    [asked] = produces(client, *partitions, **fields)
    client.broker_answers(appended(asked))


def recovered(client: Client) -> list[Recovery]:
    """Those that have ended; told once."""
    found = [each.whole() for each in client.observed if isinstance(each, Ended)]
    assert len(found) == len(client.observed)
    client.observed.clear()
    return found


def test_a_recovery_tells_who_from_what_and_how_long() -> None:
    client = tenant(interceptor(100, name="simulate"))
    produces(client, 3)
    client.now += 1.5
    produces(client, 3)
    client.sends(MetadataRequest(topics=None), 9)
    client.broker_answers(response(NO_TOPICS, 9))
    swap(client)
    client.now += 0.25
    assert recovered(client) == []
    succeeds(client, 3)

    assert recovered(client) == [
        Recovery(
            time=NOW + 1.75,
            recovered=True,
            interceptor="simulate",
            interceptor_uid="simulate",
            fault="leader_election",
            error="NOT_LEADER_OR_FOLLOWER",
            virtual_cluster="teamA",
            principal="sa",
            client_id="app",
            client_software_name=None,
            client_software_version=None,
            api="PRODUCE",
            topic="cars",
            partition=3,
            seconds=1.75,
            errors=2,
            retries=2,
            metadata_refreshes=1,
        )
    ]
    succeeds(client, 3)
    assert recovered(client) == []


def test_partitions_recover_each_for_itself() -> None:
    client = Client(interceptor(100))
    produces(client, 0, 1)
    swap(client)
    succeeds(client, 1)
    [first] = recovered(client)
    client.now += 9
    succeeds(client, 5)
    succeeds(client, 0, topic="bikes")
    assert recovered(client) == []
    succeeds(client, 0)
    [second] = recovered(client)

    assert [(each.partition, each.retries) for each in (first, second)] == [(1, 1), (0, 1)]
    assert (first.seconds, second.seconds) == (0, 9)


def test_another_connection_of_the_client_brings_the_success() -> None:
    client = Client(interceptor(100))
    produces(client)
    swap(client)
    client.session = Session(client.shared, connection_id=8, broker_id=3)
    succeeds(client)

    assert [each.partition for each in recovered(client)] == [0]


def test_another_clients_success_is_not_this_ones() -> None:
    client = Client(interceptor(100))
    produces(client)
    swap(client)
    [asked] = to_broker(client.sends_frame(request(produce(), 9, client_id="other")))
    client.broker_answers(appended(asked))
    assert recovered(client) == []
    succeeds(client)
    assert len(recovered(client)) == 1


def test_a_connection_that_looks_at_nothing_is_told_when_it_must() -> None:
    client = Client(interceptor(100))
    first = client.session
    second = Session(client.shared, connection_id=8, broker_id=3)
    for session in (first, second):
        session.on_request(request(MetadataRequest(topics=None), 9), NOW)
    produces(client)
    swap(client)
    shared = client.shared
    plans = [s.plan(shared.pipeline, shared.versions, lambda: NOW)[1] for s in (first, second)]
    assert None not in plans, "both look at Produce requests while one is open"

    client.broker_answers(response(NO_TOPICS, 9))
    succeeds(client)

    assert len(recovered(client)) == 1
    assert first.stale
    assert second.stale
    plans = [s.plan(shared.pipeline, shared.versions, lambda: NOW)[1] for s in (first, second)]
    assert plans == [None, None]


def test_without_acknowledgement_nobody_knows_of_success() -> None:
    client = Client(interceptor(100))
    produces(client, acks=0)

    assert len(client.recorded.injections) == 1
    assert len(client.shared.recoveries) == 0


def test_a_brokers_error_is_no_success() -> None:
    client = Client(interceptor(100))
    produces(client)
    swap(client)
    [asked] = produces(client)
    topic = ProduceResponse.TopicProduceResponse
    part = topic.PartitionProduceResponse(index=0, error_code=6, base_offset=-1)
    answer = ProduceResponse(responses=[topic(name="cars", partition_responses=[part])])
    client.broker_answers(response(answer, 9, read_request(asked)[0]))
    assert recovered(client) == []
    succeeds(client)

    [ended] = recovered(client)
    assert (ended.errors, ended.retries) == (1, 2)


def test_an_append_then_reject_counts_from_the_answer_on_and_each_retry_once() -> None:
    fault = LeaderElection(rate_in_percent=100, outcome="APPEND_THEN_REJECT")
    client = Client(striking(fault))
    for _ in range(3):
        succeeds(client)
    assert recovered(client) == []
    swap(client)
    succeeds(client)

    [ended] = recovered(client)
    assert (ended.errors, ended.retries) == (3, 3)


def test_a_held_answer_is_a_success_when_it_leaves() -> None:
    client = Client(interceptor(100))
    produces(client)
    swap(client, striking(Latency(applied_percentage=100, latency_ms=2000), name="late"))
    succeeds(client)

    [ended] = recovered(client)
    assert (ended.seconds, ended.time) == (2, NOW + 2)


def test_delays_and_changes_are_no_errors() -> None:
    client = Client(striking(Latency(applied_percentage=100, latency_ms=2000)))
    succeeds(client)

    assert len(client.recorded.injections) == 1
    assert len(client.shared.recoveries) == 0


def fetch(client: Client, *partitions: int, epoch: int = -1) -> list[bytes]:
    topic = FetchRequest.FetchTopic
    parts = [topic.FetchPartition(partition=each) for each in partitions]
    topics = [topic(topic="cars", partitions=parts)] if partitions else []
    asked = FetchRequest(topics=topics, session_id=9 if epoch > 0 else 0, session_epoch=epoch)
    return to_broker(client.sends(asked, 12))


def fetched(errors: dict[int, int], error: int = 0) -> bytes:
    topic = FetchResponse.FetchableTopicResponse
    parts = [
        topic.PartitionData(partition_index=index, error_code=code, high_watermark=0, records=b"")
        for index, code in errors.items()
    ]
    answer = FetchResponse(
        error_code=error, session_id=9, responses=[topic(topic="cars", partitions=parts)]
    )
    return response(answer, 12)


def test_a_consumer_recovers_when_the_partition_comes_without_error() -> None:
    client = Client(striking(BrokenBroker(rate_in_percent=100)))
    assert not fetch(client, 0, 1)
    swap(client)
    for errors, top in (({}, 0), ({0: 6}, 0), ({0: 0}, 70)):
        assert fetch(client, epoch=3)
        client.broker_answers(fetched(errors, top))
        assert recovered(client) == []
    client.now += 3
    assert fetch(client, epoch=4)
    client.broker_answers(fetched({1: 0, 0: 0}))

    found = recovered(client)
    assert {(each.partition, each.api, each.seconds) for each in found} == {
        (0, "FETCH", 3),
        (1, "FETCH", 3),
    }
    assert {each.retries for each in found} == {4}
    shared = client.shared
    plan, _ = client.session.plan(shared.pipeline, shared.versions, lambda: NOW)
    assert 1 << 16 | 12 in plan, "Fetch passes again"


def test_who_does_not_recover_is_given_up() -> None:
    client = Client(interceptor(100))
    produces(client)
    client.now += 100
    produces(client, 1)
    client.shared.recoveries.expire(NOW + PATIENCE - 1)
    assert recovered(client) == []
    client.shared.recoveries.expire(NOW + PATIENCE)

    [ended] = recovered(client)
    assert (ended.recovered, ended.partition, ended.seconds) == (False, 0, PATIENCE)
    assert len(client.shared.recoveries) == 1


def test_there_are_only_so_many_at_once() -> None:
    told: list[Ended] = []
    recoveries = Recoveries(told.append)
    client = recoveries.client(ANONYMOUS, "app")
    for number in range(MAX_OPEN + 1):
        client.failed(("cars", number), injection(), NOW + number, retry=False)

    assert len(recoveries) == MAX_OPEN == len(client.produce)
    [oldest] = told
    assert (oldest.recovered, oldest.place) == (False, ("cars", 0))


def test_what_has_no_partition_is_no_recovery() -> None:
    recoveries = Recoveries(lambda _: None)
    client = recoveries.client(ANONYMOUS, "app")
    client.told(
        [
            injection(topic=None, partition=None),
            injection(api="HEARTBEAT"),
            injection(error="NONE", error_code=0),
            injection(acks=0),
        ],
        NOW,
        forwarded=False,
    )
    assert len(recoveries) == 0


def test_clients_that_are_gone_leave_nothing_behind() -> None:
    recoveries = Recoveries(lambda _: None)
    client = recoveries.client(ANONYMOUS, "app")
    client.failed(("cars", 0), injection(), NOW, retry=False)
    del client
    same = recoveries.client(ANONYMOUS, "app")
    assert len(same.produce) == 1
    same.succeeded(same.produce, ("cars", 0), NOW)
    del same

    assert len(recoveries._clients) == 0


@pytest.mark.parametrize("reason", ["DRAWN", "FOLLOWS"])
def test_what_follows_a_refused_batch_is_an_error_but_no_retry(reason: str) -> None:
    told: list[Ended] = []
    client = Recoveries(told.append).client(ANONYMOUS, "app")
    client.told([injection()], NOW, forwarded=False)
    client.told([injection(reason=reason)], NOW, forwarded=False)
    client.succeeded(client.produce, ("my-topic", 3), NOW)

    [ended] = told
    assert (ended.errors, ended.retries) == (2, int(reason == "DRAWN"))
