"""Produce requests with an interceptor on them: refused, recorded, answered in order."""

import pytest

from codec.api_keys import ApiKey
from codec.messages.heartbeat import HeartbeatRequest, HeartbeatResponse
from codec.messages.metadata import MetadataRequest
from codec.messages.produce import ProduceResponse
from sidecar.dataplane.actions import Close, ToClient
from sidecar.dataplane.pipeline import Pipeline
from sidecar.faults.draws import draw
from sidecar.model.interceptor import Scope
from sidecar.model.snapshot import Snapshot
from tests.support.messages import batch, produce, read_response, request, response
from tests.support.sessions import (
    TENANT,
    Client,
    closes,
    forwarded,
    interceptor,
    snapshot,
    tenant,
    to_broker,
    to_client,
)

HEARTBEAT = HeartbeatRequest(group_id="g", generation_id=1, member_id="m")
BEAT = HeartbeatResponse()


def refused(data: bytes, version: int = 9) -> list[tuple[str, int, int]]:
    """Topic, partition and error of a Produce answer."""
    _, message = read_response(ApiKey.PRODUCE, version, data)
    return [
        (topic.name, partition.index, partition.error_code)
        for topic in message.responses
        for partition in topic.partition_responses
    ]


# One request


@pytest.mark.parametrize("version", range(3, 13))
def test_a_chosen_produce_is_answered_and_not_forwarded(version: int) -> None:
    client = Client(interceptor(100))

    actions = client.sends(produce({"cars": {0: batch(), 2: batch()}}), version, 42)

    assert [type(action) for action in actions] == [ToClient]
    [data] = to_client(actions)
    assert data[:4] == b"\x00\x00\x00\x2a"
    assert refused(data, version) == [("cars", 0, 6), ("cars", 2, 6)]


def test_at_rate_0_everything_is_forwarded_and_nothing_recorded() -> None:
    client = Client(interceptor(0))

    for correlation_id in range(50):
        assert to_broker(client.sends(produce(), 9, correlation_id))
        client.broker_answers(response(ProduceResponse(), 9, correlation_id))

    assert client.recorded.injections == []


def test_at_rate_50_exactly_the_draws_below_a_half_are_refused() -> None:
    client = Client(interceptor(50, seed=42))

    for correlation_id in range(100):
        client.sends(produce(), 9, correlation_id)

    refused_ids = [injection.correlation_id for injection in client.recorded.injections]
    assert refused_ids == [n for n in range(100) if draw(42, n) < 0.5]


def test_a_retry_is_drawn_afresh() -> None:
    """With this seed the first two draws choose and the third does not."""
    seed = next(
        s for s in range(100) if [draw(s, n) < 0.5 for n in range(3)] == [True, True, False]
    )
    client = Client(interceptor(50, seed=seed))
    same = request(produce(), 9, 5)

    assert refused(to_client(client.sends_frame(same))[0]) == [("cars", 0, 6)]
    assert refused(to_client(client.sends_frame(same))[0]) == [("cars", 0, 6)]
    assert to_broker(client.sends_frame(same)) == [same]
    assert [injection.draw for injection in client.recorded.injections] == [0, 1]


def test_requests_other_than_produce_are_left_alone() -> None:
    client = Client(interceptor(100))

    assert to_broker(client.sends(MetadataRequest(topics=[]), 9, 1))
    assert to_broker(client.sends(HEARTBEAT, 4, 2))
    assert client.recorded.injections == []


def test_an_empty_produce_is_forwarded_and_the_next_is_refused() -> None:
    client = Client(interceptor(100))

    assert forwarded(client.sends(produce({}), 9, 1)) == produce({})
    client.sends(produce(), 9, 2)

    assert [injection.correlation_id for injection in client.recorded.injections] == [2]


def test_a_produce_that_cannot_be_decoded_is_left_to_the_broker() -> None:
    client = Client(interceptor(100))
    whole = request(produce(), 9)

    [data] = to_broker(client.sends_frame(whole[:-30]))

    assert data == whole[:-30]
    assert client.recorded.injections == []


def test_a_snapshot_published_between_two_requests_decides_about_the_second() -> None:
    client = tenant()
    assert to_broker(client.sends(produce(), 9, 1))

    client.shared.pipeline = Pipeline(snapshot(interceptor(100)), client.shared.pipeline)
    assert not to_broker(client.sends(produce(), 9, 2))

    client.shared.pipeline = Pipeline(Snapshot(), client.shared.pipeline)
    assert to_broker(client.sends(produce(), 9, 3))


def test_an_interceptor_of_another_tenant_leaves_this_one_alone() -> None:
    client = tenant(interceptor(100, scope=Scope(virtual_cluster="teamB")))

    assert to_broker(client.sends(produce(), 9))


# Several interceptors


def test_the_first_that_injects_wins_and_the_rest_do_not_draw() -> None:
    first = interceptor(100, name="first", priority=1)
    second = interceptor(100, name="second", priority=2)
    client = Client(second, first)

    for correlation_id in range(3):
        client.sends(produce(), 9, correlation_id)

    recorded = client.recorded.injections
    assert [(i.interceptor, i.draw) for i in recorded] == [("first", n) for n in range(3)]


def test_one_that_does_not_choose_passes_the_turn_on() -> None:
    client = Client(interceptor(0, name="never", priority=1), interceptor(100, name="always"))

    client.sends(produce(), 9)

    assert [i.interceptor for i in client.recorded.injections] == ["always"]


# Order


def test_a_refusal_waits_for_the_answers_to_earlier_requests() -> None:
    client = Client(interceptor(100))
    client.sends(HEARTBEAT, 4, 1)
    client.sends(HEARTBEAT, 4, 2)

    assert client.sends(produce(), 9, 3) == []
    client.sends(HEARTBEAT, 4, 4)
    first = to_client(client.broker_answers(response(BEAT, 4, 1)))
    second = to_client(client.broker_answers(response(BEAT, 4, 2)))
    last = to_client(client.broker_answers(response(BEAT, 4, 4)))

    ids = [[int.from_bytes(f[:4], "big") for f in fs] for fs in (first, second, last)]
    assert ids == [[1], [2, 3], [4]]
    assert refused(second[1]) == [("cars", 0, 6)]


def test_the_record_is_taken_when_it_is_decided_not_when_the_answer_leaves() -> None:
    client = Client(interceptor(100))
    client.sends(HEARTBEAT, 4, 1)

    client.sends(produce(), 9, 2)

    assert [injection.correlation_id for injection in client.recorded.injections] == [2]


# acks=0


def test_acks_0_chosen_with_nothing_in_flight_closes_at_once() -> None:
    client = Client(interceptor(100))

    actions = client.sends(produce(acks=0), 9)

    assert actions == [Close("fault_injected", "NOT_LEADER_OR_FOLLOWER with acks=0 has no answer")]
    [injection] = client.recorded.injections
    assert (injection.outcome, injection.acks) == ("DISCONNECT", 0)


def test_acks_0_chosen_closes_only_after_what_is_in_flight_was_answered() -> None:
    client = Client(interceptor(100))
    client.sends(HEARTBEAT, 4, 1)
    client.sends(produce(acks=1), 9, 2)
    client.sends(HEARTBEAT, 4, 3)

    assert client.sends(produce(acks=0), 9, 4) == []
    assert client.sends(HEARTBEAT, 4, 5) == [], "nothing new is served"
    assert client.sends(produce(acks=0), 9, 6) == []
    first = client.broker_answers(response(BEAT, 4, 1))
    last = client.broker_answers(response(BEAT, 4, 3))

    assert len(to_client(first)) == 2
    assert closes(first) == []
    assert [type(action) for action in last] == [ToClient, Close]
    assert closes(last) == ["fault_injected"]
    assert [i.correlation_id for i in client.recorded.injections] == [2, 4]


def test_acks_0_that_cannot_be_recorded_is_forwarded() -> None:
    client = Client(interceptor(100))
    client.recorded.accepts = False

    assert forwarded(client.sends(produce(acks=0), 9)).acks == 0


@pytest.mark.parametrize("version", range(3, 13))
@pytest.mark.parametrize("who", ["passthrough", "tenant"])
def test_acks_0_forwarded_takes_no_place_among_the_answers(who: str, version: int) -> None:
    client = tenant() if who == "tenant" else Client()

    assert to_broker(client.sends(produce(acks=0), version, 1))
    client.sends(HEARTBEAT, 4, 2)

    assert len(to_client(client.broker_answers(response(BEAT, 4, 2)))) == 1


def test_acks_0_of_a_version_that_was_not_offered_takes_no_place_either() -> None:
    """Produce v13 is capped, but a client may send it where the broker knows it."""
    client = Client()

    assert to_broker(client.sends(produce({"": {0: batch()}}, acks=0), 13, 1))
    client.sends(HEARTBEAT, 4, 2)

    assert len(to_client(client.broker_answers(response(BEAT, 4, 2)))) == 1


def test_identity_of_a_tenant_is_what_its_token_says() -> None:
    client = tenant(interceptor(100, scope=Scope(virtual_cluster="teamA", username="sa")))

    client.sends(produce(), 9)

    [injection] = client.recorded.injections
    assert (injection.principal, injection.virtual_cluster) == (
        TENANT.username,
        TENANT.virtual_cluster,
    )
