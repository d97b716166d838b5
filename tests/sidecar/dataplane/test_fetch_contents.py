"""What a fetch session is about, told from what clients and brokers say of it."""

from typing import Any

import pytest

import codec
from codec.api_keys import ApiKey
from codec.messages.fetch import FetchRequest, FetchResponse
from sidecar.dataplane.actions import HoldBack
from sidecar.dataplane.fetch_contents import MAX_PARTITIONS, MAX_SESSIONS, FetchContents
from sidecar.dataplane.pipeline import Pipeline
from sidecar.faults.leaderless import Leaderless
from sidecar.faults.slow_broker import SlowBroker
from sidecar.model.interceptor import Interceptor
from sidecar.model.selector import Selector
from tests.support.messages import batch, read_response, response
from tests.support.messages import topic_id as id_of
from tests.support.sessions import Client, snapshot, striking, tenant, to_broker, to_client

Wanted = dict[str, list[int]]


def fetch(
    topics: Wanted, session: int = 0, epoch: int = -1, forgotten: Wanted | None = None
) -> FetchRequest:
    topic, gone = FetchRequest.FetchTopic, FetchRequest.ForgottenTopic
    return FetchRequest(
        session_id=session,
        session_epoch=epoch,
        topics=[
            topic(
                topic=name,
                topic_id=id_of(name),
                partitions=[topic.FetchPartition(partition=index) for index in indexes],
            )
            for name, indexes in topics.items()
        ],
        forgotten_topics_data=[
            gone(topic=name, topic_id=id_of(name), partitions=indexes)
            for name, indexes in (forgotten or {}).items()
        ],
    )


def about(request: Any) -> Wanted:
    return {topic.topic: [p.partition for p in topic.partitions] for topic in request.topics}


def begin(contents: FetchContents, topics: Wanted, session: int = 9) -> None:
    request, begun = contents.asked(fetch(topics, epoch=0))
    assert about(request) == topics
    assert begun is not None
    contents.given(session, begun)


def goes_on(contents: FetchContents, *args: Any, **fields: Any) -> Any:
    request, begun = contents.asked(fetch(*args, **{"session": 9, "epoch": 3} | fields))
    assert begun is None
    return request


def test_a_request_that_goes_on_is_about_all_of_its_session() -> None:
    contents = FetchContents()
    begin(contents, {"a": [0, 1], "b": [0]})

    assert about(goes_on(contents, {})) == {"a": [0, 1], "b": [0]}
    assert about(goes_on(contents, {"c": [4], "a": [1]})) == {"a": [0, 1], "b": [0], "c": [4]}
    left = goes_on(contents, {"a": [7]}, forgotten={"a": [0], "b": [0]})
    assert about(left) == {"a": [1, 7], "c": [4]}
    assert left.session_epoch == 0, "nobody has to wonder what else it is about"
    assert left.session_id == 9


def test_what_is_named_again_is_as_it_was_named_last() -> None:
    contents = FetchContents()
    begin(contents, {"a": [0]})
    again = fetch({"a": [0]}, session=9, epoch=1)
    again.topics[0].partitions[0].fetch_offset = 77
    contents.asked(again)

    [topic] = goes_on(contents, {}).topics
    assert topic.partitions[0].fetch_offset == 77


@pytest.mark.parametrize("epoch", [0, -1])
def test_a_session_ends_when_the_client_says_so(epoch: int) -> None:
    contents = FetchContents()
    begin(contents, {"a": [0]})
    contents.asked(fetch({"b": [0]}, session=9, epoch=epoch))

    asked = fetch({}, session=9, epoch=1)
    assert contents.asked(asked) == (asked, None)


def test_sessions_that_began_before_are_unknown() -> None:
    contents = FetchContents()
    asked = fetch({"b": [1]}, session=9, epoch=5)
    assert contents.asked(asked) == (asked, None)
    begin(contents, {"a": [0]}, session=0)
    assert contents.asked(asked) == (asked, None)


def test_what_was_not_looked_at_may_be_anything() -> None:
    contents = FetchContents()
    begin(contents, {"a": [0]})
    contents.forget()
    assert about(goes_on(contents, {})) == {}


def test_what_is_forgotten_under_an_unknown_name_ends_what_is_known() -> None:
    contents = FetchContents()
    begin(contents, {"a": [0]})
    assert about(goes_on(contents, {"b": [0]}, forgotten={"": [0]})) == {"b": [0]}
    assert about(goes_on(contents, {})) == {}


def test_there_are_only_so_many_of_only_such_a_size() -> None:
    contents = FetchContents()
    for number in range(1, MAX_SESSIONS + 2):
        begin(contents, {"a": [number]}, session=number)
    assert about(goes_on(contents, {}, session=1)) == {}
    assert about(goes_on(contents, {}, session=2)) == {"a": [2]}

    begin(contents, {"a": list(range(MAX_PARTITIONS + 1))})
    assert about(goes_on(contents, {})) == {}
    begin(contents, {"a": list(range(MAX_PARTITIONS))})
    assert about(goes_on(contents, {"b": [0]})) == {"b": [0]}
    assert about(goes_on(contents, {})) == {}


# In a session of the sidecar

LEADERLESS = striking(Leaderless(topic="a", partitions=(1,)), name="leaderless")


def answer(client: Client, topics: dict[str, list[int]], version: int, error: int = 0) -> Any:
    """What the client is told when the broker answers with news of these partitions."""
    kind = FetchResponse.FetchableTopicResponse
    told = FetchResponse(
        error_code=error,
        session_id=9,
        responses=[
            kind(
                topic=name,
                topic_id=id_of(name),
                partitions=[
                    kind.PartitionData(partition_index=index, high_watermark=5, records=batch())
                    for index in indexes
                ],
            )
            for name, indexes in topics.items()
        ],
    )
    [data] = to_client(client.broker_answers(response(told, version)))
    return read_response(ApiKey.FETCH, version, data)[1]


def errors(message: Any) -> dict[tuple[str, int], int]:
    names = {id_of(name): name for name in ("a", "b")}
    return {
        (topic.topic or names[topic.topic_id], part.partition_index): part.error_code
        for topic in message.responses
        for part in topic.partitions
    }


@pytest.mark.parametrize("version", [7, 11, 12, 13, 16, 17])
@pytest.mark.parametrize("isolated", [False, True], ids=["passthrough", "tenant"])
def test_a_lost_partition_is_told_of_where_a_session_is_silent(
    isolated: bool, version: int
) -> None:
    client = (tenant if isolated else Client)(LEADERLESS)
    prefix = "teamA" if isolated else ""
    for name in ("a", "b"):
        client.shared.directory.learn(id_of(name), (prefix + name).encode())
    names = {name: prefix + name if version < 13 else name for name in ("a", "b")}

    assert to_broker(client.sends(fetch({"a": [0, 1], "b": [1]}, epoch=0), version))
    first = answer(client, {names["a"]: [0]} if version < 13 else {"a": [0]}, version)
    assert errors(first) == {("a", 0): 0, ("a", 1): 6}

    assert to_broker(client.sends(fetch({}, session=9, epoch=1), version))
    assert errors(answer(client, {}, version)) == {("a", 1): 6}
    assert to_broker(client.sends(fetch({}, session=9, epoch=2), version))
    failed = answer(client, {}, version, error=70)
    assert (failed.error_code, errors(failed)) == (70, {})
    assert to_broker(client.sends(fetch({}, 9, 3, forgotten={"a": [1]}), version))
    assert errors(answer(client, {}, version)) == {}
    assert {(i.topic, i.partition, i.error) for i in client.recorded.injections} == {
        ("a", 1, "NOT_LEADER_OR_FOLLOWER")
    }


def late(**selector: Any) -> Interceptor:
    fault = SlowBroker(rate_in_percent=100, min_latency_ms=50, max_latency_ms=50)
    return striking(fault, name="late", selector=Selector(**selector))


@pytest.mark.parametrize(
    ("selector", "struck"),
    [
        ({"topics": ("a",), "apis": ("FETCH",)}, False),
        ({"topics": ("a|b",)}, True),
        ({"topics": ("a|b",), "partitions": (0, 1)}, True),
        ({"topics": ("a|b",), "partitions": (0,)}, False),
    ],
    ids=repr,
)
def test_a_selector_means_all_of_a_session(selector: dict[str, Any], struck: bool) -> None:
    client = Client(late(**selector))
    client.sends(fetch({"a": [0], "b": [1]}, epoch=0), 12)
    for action in client.broker_answers(response(FetchResponse(session_id=9), 12)):
        if isinstance(action, HoldBack):  # if the selector means it
            client.session.released(action.chunks)
    before = len(client.recorded.injections)

    client.sends(fetch({}, session=9, epoch=1), 12)

    assert (len(client.recorded.injections) > before) is struck


def test_what_went_by_while_nobody_looked_is_not_taken_for_known() -> None:
    client = Client(LEADERLESS)
    client.sends(fetch({"a": [0, 1]}, epoch=0), 12)
    answer(client, {}, 12)
    client.shared.pipeline = Pipeline(snapshot(), client.shared.pipeline)
    shared = client.shared
    client.session.plan(shared.pipeline, shared.versions, lambda: 0)
    client.shared.pipeline = Pipeline(snapshot(LEADERLESS), client.shared.pipeline)

    client.sends(fetch({}, session=9, epoch=7), 12)

    assert errors(answer(client, {}, 12)) == {}


def test_what_is_forwarded_is_what_the_client_said() -> None:
    client = Client(LEADERLESS)
    client.sends(fetch({"a": [0, 1]}, epoch=0), 12)
    answer(client, {}, 12)
    [data] = to_broker(client.sends(fetch({}, session=9, epoch=1), 12))

    assert data.endswith(codec.encode(fetch({}, session=9, epoch=1), 12))
