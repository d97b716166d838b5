"""Answers that are held back: until when, what they are, and what waits behind them."""

from typing import Any

import pytest

from codec.api_keys import ApiKey
from codec.messages.api_versions import ApiVersionsRequest
from codec.messages.fetch import FetchRequest, FetchResponse
from codec.messages.heartbeat import HeartbeatRequest, HeartbeatResponse
from codec.messages.metadata import MetadataRequest, MetadataResponse
from codec.messages.produce import ProduceResponse
from sidecar.dataplane.actions import Action, Close, HoldBack, LookUp, ToClient
from sidecar.dataplane.topic_names import MAX_ASKED, READ_LIMIT
from sidecar.faults.draws import draw
from sidecar.faults.latency import Latency
from sidecar.faults.slow_broker import SlowBroker
from sidecar.faults.slow_clients import SlowClients
from sidecar.model.interceptor import Interceptor
from tests.support.messages import batch, frames, produce, read_response, request, response
from tests.support.messages import topic_id as id_of
from tests.support.sessions import (
    NOW,
    Client,
    closes,
    forwarded,
    interceptor,
    striking,
    tenant,
    to_broker,
    to_client,
)

BEAT = HeartbeatRequest(group_id="g")


def latency(seconds: float = 2.0, percentage: float = 100, **fields: Any) -> Interceptor:
    fault = Latency(applied_percentage=percentage, latency_ms=round(seconds * 1000))
    return striking(fault, **({"name": "latency"} | fields))


def slow_clients(topic: str, seconds: float = 2.0) -> Interceptor:
    milliseconds = round(seconds * 1000)
    fault = SlowClients(
        topic=topic,
        rate_in_percent=100,
        min_latency_ms=milliseconds,
        max_latency_ms=milliseconds,
    )
    return striking(fault, name="slow clients")


def held(actions: list[Action]) -> HoldBack:
    """The one thing that happens: a response is held back."""
    assert [type(action) for action in actions] == [HoldBack], actions
    [action] = actions
    assert isinstance(action, HoldBack)
    return action


def released(client: Client, hold: HoldBack) -> list[Action]:
    """What happens when its time has come."""
    return client.session.released([b"".join(hold.chunks)])


def ids(found: list[bytes]) -> list[int]:
    return [int.from_bytes(data[:4], "big") for data in found]


def fetched(*topics: str) -> FetchResponse:
    topic = FetchResponse.FetchableTopicResponse
    part = topic.PartitionData(partition_index=0, records=batch())
    return FetchResponse(
        responses=[topic(topic=each, topic_id=id_of(each), partitions=[part]) for each in topics]
    )


# Until when


def test_a_request_goes_on_at_once_and_its_answer_is_held_from_its_arrival_on() -> None:
    client = Client(latency(2.0))

    assert forwarded(client.sends(BEAT, 4, 1)) == BEAT
    data = response(HeartbeatResponse(), 4, 1)
    hold = held(client.session.on_response(data, NOW + 0.5))

    assert hold.until == NOW + 2.0, "the broker's own time counts in"
    assert to_client(released(client, hold)) == [data]


def test_an_answer_that_comes_late_anyway_is_not_held() -> None:
    client = Client(latency(2.0))
    client.sends(BEAT, 4, 1)

    actions = client.session.on_response(response(HeartbeatResponse(), 4, 1), NOW + 2.0)

    assert [type(action) for action in actions] == [ToClient]


def test_of_several_delays_the_longest_counts_and_each_is_recorded() -> None:
    client = Client(
        latency(1.0, name="short"), latency(3.0, name="long"), latency(2.0, name="other")
    )
    client.sends(BEAT, 4, 1)

    hold = held(client.broker_answers(response(HeartbeatResponse(), 4, 1)))

    assert hold.until == NOW + 3.0
    recorded = [(i.interceptor, i.outcome, i.delay_ms) for i in client.recorded.injections]
    assert sorted(recorded) == [
        ("long", "DELAY", 3000),
        ("other", "DELAY", 2000),
        ("short", "DELAY", 1000),
    ]


def test_at_0_percent_and_at_a_delay_of_0_nothing_waits() -> None:
    client = Client(latency(2.0, percentage=0), latency(0.0, name="none"))
    client.sends(BEAT, 4, 1)

    assert to_client(client.broker_answers(response(HeartbeatResponse(), 4, 1)))


def test_only_what_was_drawn_is_held() -> None:
    client = Client(latency(2.0, percentage=50, seed=7))
    held_ids = []
    for correlation_id in range(1, 41):
        client.sends(BEAT, 4, correlation_id)
        actions = client.broker_answers(response(HeartbeatResponse(), 4, correlation_id))
        if isinstance(actions[0], HoldBack):
            held_ids.append(correlation_id)
            released(client, actions[0])

    assert 5 < len(held_ids) < 35
    assert [i.correlation_id for i in client.recorded.injections] == held_ids


def test_what_cannot_be_recorded_is_not_held() -> None:
    client = Client(latency())
    client.recorded.accepts = False
    client.sends(BEAT, 4, 1)

    assert to_client(client.broker_answers(response(HeartbeatResponse(), 4, 1)))
    assert client.recorded.refused == 1


def test_the_event_tells_the_delay_and_the_only_partition() -> None:
    client = tenant(striking(SlowBroker(rate_in_percent=100, min_latency_ms=7, max_latency_ms=7)))

    client.sends(produce({"cars": {3: batch(2)}}, acks=1), 9, 5)

    [event] = client.recorded.injections
    told = (event.fault, event.outcome, event.error, event.delay_ms, event.topic, event.partition)
    assert told == ("slow_broker", "DELAY", "NONE", 7, "cars", 3)
    assert (event.acks, event.record_count, event.rung) == (1, 2, 0)


# What is not held


def test_what_the_sidecar_answers_itself_is_not_held() -> None:
    client = Client(latency())
    hello = ApiVersionsRequest(client_software_name="x", client_software_version="1")

    assert to_client(client.sends(hello, 3, 1))
    assert client.recorded.injections == []


def test_acks_0_has_no_answer_to_hold_and_none_is_recorded() -> None:
    client = Client(latency())

    assert forwarded(client.sends(produce(acks=0), 9, 1)).acks == 0
    client.sends(BEAT, 4, 2)

    assert [i.correlation_id for i in client.recorded.injections] == [2]
    assert held(client.broker_answers(response(HeartbeatResponse(), 4, 2)))


@pytest.mark.parametrize("first", ["latency", "simulate"])
def test_what_another_interceptor_refuses_is_neither_held_nor_recorded_as_such(first: str) -> None:
    priority = {first: 1}
    client = Client(
        latency(priority=priority.get("latency", 2)),
        interceptor(100, priority=priority.get("simulate", 2)),
    )

    assert to_client(client.sends(produce(), 9, 1))
    assert [i.interceptor for i in client.recorded.injections] == ["simulate"]


def test_what_follows_a_refused_batch_is_not_held_either() -> None:
    """With this seed the first is refused by its draw, and the second is not."""
    seed = next(s for s in range(100) if draw(s, 0) < 0.5 <= draw(s, 1))
    client = Client(latency(), interceptor(50, seed=seed, priority=1))

    for correlation_id, sequence in ((1, 0), (2, 1)):
        records = batch(producer_id=5, producer_epoch=0, base_sequence=sequence)
        assert to_client(client.sends(produce({"cars": {0: records}}), 9, correlation_id))

    assert [(i.interceptor, i.reason) for i in client.recorded.injections] == [
        ("simulate", "DRAWN"),
        ("simulate", "FOLLOWS"),
    ]


def test_a_request_too_large_to_be_read_passes_untouched() -> None:
    client = Client(latency())
    topic = MetadataRequest.MetadataRequestTopic
    name = "n" * 30_000
    message = MetadataRequest(topics=[topic(name=name) for _ in range(READ_LIMIT // 30_000 + 1)])
    data = request(message, 9, 1)

    assert to_broker(client.sends_frame(data)) == [data]
    assert client.recorded.injections == []


# What it is


def test_a_held_answer_has_the_clients_names() -> None:
    client = tenant(latency())
    client.sends(produce(), 9, 1)
    topic = ProduceResponse.TopicProduceResponse
    answer = ProduceResponse(responses=[topic(name="teamAcars", partition_responses=[])])

    hold = held(client.broker_answers(response(answer, 9, 1)))

    [data] = frames(hold.chunks)
    assert read_response(ApiKey.PRODUCE, 9, data)[1].responses[0].name == "cars"


def test_a_held_answer_has_the_sidecars_addresses() -> None:
    client = Client(latency())
    client.sends(MetadataRequest(topics=[]), 9, 1)
    broker = MetadataResponse.MetadataResponseBroker
    answer = MetadataResponse(brokers=[broker(node_id=1, host="kafka1", port=9092)])

    hold = held(client.broker_answers(response(answer, 9, 1)))

    [data] = frames(hold.chunks)
    [told] = read_response(ApiKey.METADATA, 9, data)[1].brokers
    assert (told.host, told.port) == ("sidecar", 6969)


# What waits behind it


def test_local_answers_behind_a_held_one_leave_with_it_in_order() -> None:
    client = Client(latency(), interceptor(100, priority=1))
    hello = ApiVersionsRequest(client_software_name="x", client_software_version="1")
    client.sends(BEAT, 4, 1)

    assert client.sends(produce(), 9, 2) == []
    assert client.sends(hello, 3, 3) == []
    hold = held(client.broker_answers(response(HeartbeatResponse(), 4, 1)))
    assert client.sends(produce(), 9, 4) == [], "nothing overtakes while it is held"

    assert ids(to_client(released(client, hold))) == [1, 2, 3, 4]


def test_the_next_answer_is_held_by_its_own_time() -> None:
    client = Client(latency(2.0))
    client.session.on_request(request(BEAT, 4, 1), NOW)
    client.session.on_request(request(BEAT, 4, 2), NOW + 0.5)

    first = held(client.broker_answers(response(HeartbeatResponse(), 4, 1)))
    released(client, first)
    second = held(client.session.on_response(response(HeartbeatResponse(), 4, 2), NOW + 2.0))

    assert (first.until, second.until) == (NOW + 2.0, NOW + 2.5)


def test_the_connection_that_a_fault_ends_ends_after_the_held_answer() -> None:
    client = Client(latency(), interceptor(100, priority=1))
    client.sends(BEAT, 4, 1)
    assert client.sends(produce(acks=0), 9, 2) == []

    hold = held(client.broker_answers(response(HeartbeatResponse(), 4, 1)))
    actions = released(client, hold)

    assert [type(action) for action in actions] == [ToClient, Close]
    assert closes(actions) == ["fault_injected"]


# Topics of a Fetch


@pytest.mark.parametrize("version", [7, 12])
def test_the_topics_of_an_answer_decide_about_a_fetch_that_names_none(version: int) -> None:
    client = Client(slow_clients("cars"))
    going_on = FetchRequest(session_id=9, session_epoch=4)

    outcomes = []
    for number, topics in enumerate((["cars"], ["bikes"], [], ["bikes", "cars"]), 1):
        client.sends(going_on, version, number)
        [action] = client.broker_answers(response(fetched(*topics), version, number))
        outcomes.append(type(action))
        if isinstance(action, HoldBack):
            assert ids(to_client(released(client, action))) == [number]

    assert outcomes == [HoldBack, ToClient, ToClient, HoldBack]
    assert [i.correlation_id for i in client.recorded.injections] == [1, 4]


def test_names_are_those_of_the_virtual_cluster() -> None:
    client = tenant(slow_clients("cars"))
    topic = FetchRequest.FetchTopic
    client.sends(FetchRequest(topics=[topic(topic="cars")]), 12, 1)

    hold = held(client.broker_answers(response(fetched("teamAcars"), 12, 1)))

    assert frames(hold.chunks) == [response(fetched("cars"), 12, 1)]


def test_a_session_older_than_the_interceptor_is_asked_about_once() -> None:
    """Outside of virtual clusters nobody has looked at the ids in it before."""
    client = Client(slow_clients("cars"))
    going_on = FetchRequest(session_id=9, session_epoch=4)

    client.sends(going_on, 13, 1)
    first = client.broker_answers(response(fetched("cars"), 13, 1))
    client.sends(going_on, 13, 2)
    second = client.broker_answers(response(fetched("cars"), 13, 2))
    client.shared.directory.learn(id_of("cars"), b"cars")
    client.sends(going_on, 13, 3)
    third = client.broker_answers(response(fetched("cars"), 13, 3))

    assert [type(action) for action in first] == [ToClient, LookUp]
    assert first[1] == LookUp(frozenset({id_of("cars")}))
    assert [type(action) for action in second] == [ToClient]
    assert [type(action) for action in third] == [HoldBack]


def test_a_broker_that_makes_ids_up_is_not_asked_for_ever() -> None:
    client = Client(slow_clients("cars"))
    going_on = FetchRequest(session_id=9, session_epoch=4)
    asked = 0
    for number in range(3):
        client.sends(going_on, 13, number)
        names = [f"{number}-{n}" for n in range(MAX_ASKED - 1)]
        actions = client.broker_answers(response(fetched(*names), 13, number))
        asked += sum(isinstance(action, LookUp) for action in actions)

    assert asked == 1


@pytest.mark.parametrize("cut", [1, 30])
def test_an_answer_that_cannot_be_read_passes_as_it_came(cut: int) -> None:
    client = Client(slow_clients("cars"))
    client.sends(FetchRequest(session_id=9, session_epoch=4), 12, 1)
    data = response(fetched("cars"), 12, 1)[:-cut]

    assert to_client(client.broker_answers(data)) == [data]
