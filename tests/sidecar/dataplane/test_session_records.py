"""Records changed on their way, both ways: what leaves, what is recorded, and under which names."""

from typing import Any

import pytest

from codec.api_keys import ApiKey
from codec.messages.api_versions import ApiVersionsRequest
from codec.messages.fetch import FetchRequest, FetchResponse
from codec.messages.produce import ProduceResponse
from sidecar.dataplane.actions import LookUp
from sidecar.dataplane.pipeline import Pipeline
from sidecar.faults.duplicate_messages import DuplicateMessages
from sidecar.faults.invalid_schema_id import InvalidSchemaId
from sidecar.faults.leader_election import LeaderElection
from sidecar.faults.message_corruption import FetchMessageCorruption, ProduceMessageCorruption
from sidecar.faults.redelivery import JAVA
from sidecar.model.injection import Injection
from sidecar.model.interceptor import Interceptor
from tests.support.fast_lane import FastLane
from tests.support.messages import (
    produce,
    read_request,
    read_response,
    request,
    response,
    sized,
    topic_id,
)
from tests.support.records import batch, blobs, fetched, seen, values
from tests.support.sessions import (
    NOW,
    Client,
    forwarded,
    interceptor,
    snapshot,
    striking,
    tenant,
    to_broker,
    to_client,
)

CARS = topic_id("cars")
WANTED = FetchRequest.FetchTopic
SCHEMA = InvalidSchemaId(topic="cars", invalid_schema_id=999)


def corruption(**fields: Any) -> Interceptor:
    return striking(ProduceMessageCorruption(topic="cars", size_in_bytes=3), **fields)


def duplicates(target: str = "PRODUCE", rate: float = 100, **fields: Any) -> Interceptor:
    fault = DuplicateMessages(topic="cars", target=target, rate_in_percent=rate)
    return striking(fault, **({"name": "twice"} | fields))


def asks(*topics: str, offset: int = 0) -> FetchRequest:
    parts = [WANTED.FetchPartition(partition=0, fetch_offset=offset)]
    return FetchRequest(
        topics=[WANTED(topic=each, topic_id=topic_id(each), partitions=parts) for each in topics]
    )


def knowing(client: Client, *topics: bytes) -> Client:
    """A client whose sidecar knows which topics the ids are of; ids as of the logical names."""
    for name in topics:
        logical = name.decode().removeprefix("teamA")
        client.shared.directory.learn(topic_id(logical), name)
    return client


def told(client: Client) -> list[tuple[str, str, str | None, int | None, int | None]]:
    return [
        (each.fault, each.outcome, each.topic, each.partition, each.records_changed)
        for each in client.recorded.injections
    ]


# To the broker


@pytest.mark.parametrize("version", range(3, 13))
def test_a_produce_goes_on_with_other_records_and_is_on_record(version: int) -> None:
    client = Client(corruption())
    sent = produce(
        {"cars": {0: batch([b"a", b"b"]), 4: batch([None])}, "bikes": {1: batch([b"c"])}}
    )

    got = forwarded(client.sends_frame(memoryview(request(sent, version, 42))))

    after = blobs(got)
    assert [(value or b"")[3:] for value in values(after["cars", 0])] == [b"a", b"b"]
    assert (after["cars", 4], after["bikes", 1]) == (batch([None]), batch([b"c"]))
    assert (got.acks, got.timeout_ms) == (sent.acks, sent.timeout_ms)
    assert told(client) == [("produce_message_corruption", "CHANGE_REQUEST", "cars", 0, 2)]
    [event] = client.recorded.injections
    assert isinstance(event, Injection)
    assert (event.api, event.version, event.correlation_id, event.acks) == (
        "PRODUCE",
        version,
        42,
        -1,
    )
    assert (event.error, event.interceptor, event.time) == ("NONE", "simulate", NOW)
    answer = response(ProduceResponse(), version, 42)
    assert to_client(client.broker_answers(answer)) == [answer]


def test_a_topic_that_does_not_match_passes_byte_for_byte() -> None:
    client = Client(corruption())
    data = request(produce({"bikes": {0: batch([b"a"])}}), 9)

    assert to_broker(client.sends_frame(data)) == [data]
    assert client.recorded.injections == []


def test_in_a_virtual_cluster_the_topic_is_the_logical_one() -> None:
    client = tenant(corruption())

    got = forwarded(client.sends(produce({"cars": {0: batch([b"a"])}}), 9))

    [(place, records)] = blobs(got).items()
    assert place == ("teamAcars", 0)
    assert [(value or b"")[3:] for value in values(records)] == [b"a"]
    assert told(client) == [("produce_message_corruption", "CHANGE_REQUEST", "cars", 0, 1)]


@pytest.mark.parametrize(("made", "name"), [(Client, b"cars"), (tenant, b"teamAcars")])
def test_a_topic_by_id_is_asked_for_and_found_by_its_name(made: Any, name: bytes) -> None:
    client = made(corruption())
    data = request(produce({"cars": {0: batch([b"a"])}}), 13)
    assert client.sends_frame(data) == [LookUp(frozenset({CARS}))]

    knowing(client, name)
    got = forwarded(client.sends_frame(data, looked_up=True))

    assert got.topic_data[0].topic_id == CARS
    [records] = [p.records for p in got.topic_data[0].partition_data]
    assert [(value or b"")[3:] for value in values(records)] == [b"a"]
    assert told(client) == [("produce_message_corruption", "CHANGE_REQUEST", "cars", 0, 1)]


def test_what_cannot_be_recorded_is_not_changed() -> None:
    client = Client(corruption())
    client.recorded.accepts = False
    data = request(produce({"cars": {0: batch([b"a"])}}), 9)

    assert to_broker(client.sends_frame(data)) == [data]
    assert client.recorded.refused == 1


def test_what_one_rule_made_the_next_one_is_given() -> None:
    client = Client(corruption(priority=1), duplicates(priority=2))

    got = forwarded(client.sends(produce({"cars": {0: batch([b"a"])}}), 9))

    one, other = values(blobs(got)["cars", 0])
    assert one == other
    assert (one or b"")[3:] == b"a"
    assert [each[0] for each in told(client)] == [
        "produce_message_corruption",
        "duplicate_messages",
    ]


def test_of_several_changes_those_are_made_that_are_recorded() -> None:
    client = Client(corruption(priority=1), duplicates(priority=2))
    recorded = client.recorded

    def first_only(injections: Any) -> bool:
        return not recorded.injections and recorded(injections)

    assert client.session._injector is not None
    client.session._injector.notes.record = first_only

    got = forwarded(client.sends(produce({"cars": {0: batch([b"a"])}}), 9))

    [value] = values(blobs(got)["cars", 0])
    assert (value or b"")[3:] == b"a"
    assert [each[0] for each in told(client)] == ["produce_message_corruption"]


def test_a_request_that_another_rule_refuses_is_not_on_record_as_changed() -> None:
    client = Client(corruption(priority=1), interceptor(100, name="refuse", priority=2))

    assert not to_broker(client.sends(produce({"cars": {0: batch([b"a"])}}), 9))

    assert [each[:2] for each in told(client)] == [("leader_election", "REJECT")]


@pytest.mark.parametrize("first", ["change", "refuse"])
def test_of_a_request_that_is_split_the_rest_is_changed(first: str) -> None:
    elections = LeaderElection(rate_in_percent=50, draw="PARTITION")
    refuse = striking(elections, name="refuse", priority=2)
    client = Client(corruption(priority=1 if first == "change" else 3), refuse)
    sent = produce({"cars": {n: batch([b"a"]) for n in range(20)}})

    after = blobs(forwarded(client.sends(sent, 9)))

    struck: dict[str, set[int | None]] = {"REJECT": set(), "CHANGE_REQUEST": set()}
    for event in client.recorded.injections:
        struck[event.outcome].add(event.partition)
    assert len(client.recorded.injections) == 20
    assert struck["REJECT"] | struck["CHANGE_REQUEST"] == set(range(20))
    assert {n for _, n in after} == struck["CHANGE_REQUEST"]
    assert {len(value or b"") for blob in after.values() for value in values(blob)} == {4}


def test_what_follows_a_refused_batch_waits_for_it_whoever_it_seems_to_be_from() -> None:
    """The sequence is the client's, also where the broker is not shown it."""
    client = Client(duplicates(priority=1), interceptor(100, name="refuse", priority=2))
    first, second = (produce({"cars": {0: batch([b"a"], producer=(5, 0, n))}}) for n in (0, 1))
    client.sends(first, 9, 1)
    client.shared.pipeline = Pipeline(snapshot(duplicates()), client.shared.pipeline)

    assert not to_broker(client.sends(second, 9, 2))
    assert to_broker(client.sends(first, 9, 3))
    assert to_broker(client.sends(second, 9, 4))

    outcomes = [(e.outcome, e.correlation_id, e.reason) for e in client.recorded.injections]
    assert outcomes == [
        ("REJECT", 1, "DRAWN"),
        ("REJECT", 2, "FOLLOWS"),
        ("CHANGE_REQUEST", 3, "DRAWN"),
        ("CHANGE_REQUEST", 4, "DRAWN"),
    ]


def test_the_fast_lane_leaves_what_may_be_changed_to_the_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lane = FastLane(Client(duplicates()), monkeypatch)

    for number, topic in enumerate(("cars", "bikes", "cars")):
        lane.receive(sized(request(produce({topic: {0: batch([b"a"])}}), 9, number)))
        lane.answer()

    got = [blobs(read_request(each)[1]) for each in lane.forwarded]
    assert [len(values(next(iter(each.values())))) for each in got] == [2, 1, 2]
    # Of what names other topics nothing is drawn, and it passes.
    assert [each.draw for each in lane.client.recorded.injections] == [0, 1]


# To a consumer


def exchange(
    client: Client, answer: FetchResponse, version: int, asked: FetchRequest, number: int = 1
) -> Any:
    """What the client reads when the broker answers a Fetch with this."""
    assert to_broker(client.sends(asked, version, number))
    [data] = to_client(client.broker_answers(response(answer, version, number)))
    return read_response(ApiKey.FETCH, version, data)[1]


SCHEMED = batch([b"\0\0\0\0\1json", b"plain"], base=8)
STRUCK = [b"\0\0\0\x03\xe7json", b"plain"]


@pytest.mark.parametrize("version", range(4, 13))
def test_a_response_leaves_with_other_records_and_is_on_record(version: int) -> None:
    client = Client(striking(SCHEMA))
    answer = fetched({"cars": {0: SCHEMED}, "bikes": {0: SCHEMED}})

    got = exchange(client, answer, version, asks("cars", "bikes"))

    after = blobs(got)
    assert values(after["cars", 0]) == STRUCK
    assert after["bikes", 0] == SCHEMED
    assert told(client) == [("invalid_schema_id", "CHANGE_RESPONSE", "cars", 0, 1)]


def test_in_a_virtual_cluster_the_consumer_sees_its_own_names() -> None:
    client = tenant(striking(SCHEMA))
    answer = fetched({"teamAcars": {0: SCHEMED}})

    got = exchange(client, answer, 12, asks("cars"))

    assert list(blobs(got)) == [("cars", 0)]
    assert values(blobs(got)["cars", 0]) == STRUCK
    assert told(client) == [("invalid_schema_id", "CHANGE_RESPONSE", "cars", 0, 1)]


@pytest.mark.parametrize("version", range(13, 19))
@pytest.mark.parametrize(("made", "name"), [(Client, b"cars"), (tenant, b"teamAcars")])
def test_a_response_by_topic_id(made: Any, name: bytes, version: int) -> None:
    client = knowing(made(striking(SCHEMA)), name)

    got = exchange(client, fetched({"cars": {0: SCHEMED}}), version, asks("cars"))

    assert got.responses[0].topic_id == CARS
    assert values(got.responses[0].partitions[0].records) == STRUCK
    assert told(client) == [("invalid_schema_id", "CHANGE_RESPONSE", "cars", 0, 1)]


def test_a_response_that_cannot_be_recorded_leaves_as_it_came() -> None:
    client = Client(striking(FetchMessageCorruption()))
    client.recorded.accepts = False

    got = exchange(client, fetched({"cars": {0: SCHEMED}}), 12, asks("cars"))

    assert blobs(got)["cars", 0] == SCHEMED


def test_a_java_consumer_is_sent_back_and_another_is_given_the_record_twice() -> None:
    java, other = (Client(duplicates("CONSUME")) for _ in range(2))
    for client, name in ((java, JAVA), (other, "librdkafka")):
        client.sends(
            ApiVersionsRequest(client_software_name=name, client_software_version="1"), 3, 0
        )
    answer = fetched({"cars": {0: SCHEMED}})

    rounds = [exchange(java, answer, 12, asks("cars", offset=8), n) for n in (1, 2)]
    once = exchange(other, answer, 12, asks("cars", offset=8))

    first, second = (bytes(blobs(each)["cars", 0]) for each in rounds)
    assert first.startswith(SCHEMED)
    assert len(first) > len(SCHEMED)
    assert second == SCHEMED
    assert len(values(blobs(once)["cars", 0])) == 4
    event = ("duplicate_messages", "CHANGE_RESPONSE", "cars", 0, 2)
    assert (told(java), told(other)) == ([event], [event])


def test_what_is_kept_of_a_connection_goes_with_the_interceptor() -> None:
    client = Client(duplicates("CONSUME"))
    hello = ApiVersionsRequest(client_software_name=JAVA, client_software_version="1")
    client.sends(hello, 3, 0)
    answer = fetched({"cars": {0: SCHEMED}})
    exchange(client, answer, 12, asks("cars", offset=8), 1)
    assert client.session._injector is not None
    kept = client.session._injector._connections
    assert list(kept) == ["twice"]

    again = duplicates("CONSUME", uid="another")
    client.shared.pipeline = Pipeline(snapshot(again), client.shared.pipeline)
    exchange(client, answer, 12, asks("cars", offset=8), 2)

    assert list(kept) == ["another"]
    assert [each.interceptor_uid for each in client.recorded.injections] == ["twice", "another"]


@pytest.mark.parametrize("version", [7, 12])
def test_a_large_batch_comes_in_pieces_also_with_a_fetch_session(version: int) -> None:
    """The request that gets it names nothing: where the consumer is was said when it began."""
    client = Client(striking(FetchMessageCorruption(size_in_bytes=1)))
    large = batch([b"x"] * 9000, base=100)
    session, got = 5, 100
    begins = asks("cars", offset=got)
    begins.session_epoch = 0
    exchange(client, FetchResponse(session_id=session), version, begins, 1)
    goes_on = FetchRequest(session_id=session, session_epoch=1)

    for number in range(2, 9):
        answer = fetched({"cars": {0: large}})
        answer.session_id = session
        shown = seen(blobs(exchange(client, answer, version, goes_on, number))["cars", 0])
        assert [r.offset for r in shown] == list(range(got, got + len(shown)))
        assert {len(r.value or b"") for r in shown} == {2}
        got += len(shown)
        if got == 9100:
            break
        goes_on = asks("cars", offset=got)
        goes_on.session_id, goes_on.session_epoch = session, number

    assert got == 9100
    assert 3 <= len(client.recorded.injections) <= 6
    assert sum(each.records_changed or 0 for each in client.recorded.injections) == 9000


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_seed_strikes_the_same_records(seed: int) -> None:
    def run() -> Any:
        client = Client(duplicates(rate=30, seed=seed))
        many = batch([b"%d" % n for n in range(100)])
        sent = [client.sends(produce({"cars": {0: many}}), 9, n) for n in range(3)]
        return [values(blobs(forwarded(each))["cars", 0]) for each in sent]

    first = run()

    assert first == run()
    assert first[0] != first[1]
    assert all(100 < len(each) < 200 for each in first)
