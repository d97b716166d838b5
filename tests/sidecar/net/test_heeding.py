"""What is seen of answers on the fast lane is what the session sees of the same ones."""

import random
from typing import Any

import pytest

from codec.messages.produce import ProduceResponse
from sidecar.dataplane.pipeline import Pipeline
from sidecar.model.observation import Ended, Observed, SequenceAnomaly
from tests.sidecar.net.test_fast_lane import TOPICS, faults, learn, physical, workload
from tests.support.fast_lane import FastLane, appended
from tests.support.messages import batch, frames, produce, request, response, sized
from tests.support.sessions import Client, interceptor, snapshot, tenant, to_broker, to_client


def wholes(observed: list[Observed]) -> list[Any]:
    return [each.whole() for each in observed]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("oracle", [False, True], ids=["alone", "oracle"])
@pytest.mark.parametrize("isolated", [False, True], ids=["passthrough", "tenant"])
def test_the_fast_lane_sees_what_the_session_sees(
    isolated: bool, oracle: bool, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = tenant if isolated else Client
    requests = workload(seed, 200)
    slow, fast = (make(*faults(seed), oracle=oracle) for _ in range(2))
    lane = FastLane(fast, monkeypatch)
    learn(slow, *TOPICS)
    learn(fast, *TOPICS)
    choice = random.Random(seed)
    answers = []

    for number, (message, version) in enumerate(requests, 1):
        actions = slow.sends(message, version, number)
        answers += to_client(actions)
        for asked in to_broker(actions):
            answers += to_client(slow.broker_answers(appended(asked)))
        data = sized(request(message, version, number))
        cut = choice.randrange(len(data))
        lane.receive(data[:cut])
        lane.receive(data[cut:])
        lane.answer()

    assert wholes(fast.observed) == wholes(slow.observed)
    assert frames([bytes(lane.near.sent)]) == answers
    ended = [each for each in fast.observed if isinstance(each, Ended)]
    assert len(ended) > 20
    assert {each.recovered for each in ended} == {True}
    kinds = {each.kind for each in fast.observed if isinstance(each, SequenceAnomaly)}
    # A retry of what is there is given another offset by this broker.
    assert ("GAP" in kinds) is oracle


def produced(version: int = 9, number: int = 1, partition: int = 0) -> bytes:
    return sized(request(produce({"cars": {partition: batch()}}), version, number))


def failed_once(monkeypatch: pytest.MonkeyPatch, version: int) -> FastLane:
    """A lane whose client has had an error, and whose interceptor is gone."""
    client = Client(interceptor(100))
    learn(client, *TOPICS)
    lane = FastLane(client, monkeypatch)
    lane.receive(produced(version))
    client.shared.pipeline = Pipeline(snapshot(), client.shared.pipeline)
    lane.receive(produced(version, 2))
    lane.near.sent.clear()
    assert client.observed == []
    return lane


@pytest.mark.parametrize("version", [3, 8, 9, 10, 12, 13])
@pytest.mark.parametrize("size", [1, 9, 1000])
def test_an_answer_may_come_in_pieces(
    version: int, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    lane = failed_once(monkeypatch, version)
    lane.receive(produced(version, 3))  # not the first any more, so nothing looks at it
    [second, third] = [sized(appended(each)) for each in frames([bytes(lane.far.sent)])]
    both = second + third

    for start in range(0, len(both), size):
        lane.far.given += both[start : start + size]
        lane.read_broker()

    assert bytes(lane.near.sent) == both
    [ended] = lane.client.observed
    assert isinstance(ended, Ended)
    assert (ended.errors, ended.retries) == (1, 2)


def unusual(version: int, number: int, error: int) -> bytes:
    """An answer that is longer than most."""
    topic = ProduceResponse.TopicProduceResponse
    part = topic.PartitionProduceResponse(
        index=0, error_code=error, base_offset=7, error_message="a long story"
    )
    return sized(
        response(
            ProduceResponse(responses=[topic(name="cars", partition_responses=[part])]),
            version,
            number,
        )
    )


def test_an_unusual_answer_is_looked_at_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    lane = failed_once(monkeypatch, 9)

    for number, error in ((2, 87), (3, 0)):
        assert lane.client.observed == []
        lane.far.given = unusual(9, number, error)
        lane.read_broker()
        lane.receive(produced(9, number + 1))

    [ended] = lane.client.observed
    assert isinstance(ended, Ended)
    assert ended.retries == 2
    assert bytes(lane.near.sent) == unusual(9, 2, 87) + unusual(9, 3, 0)


def test_a_brokers_own_error_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    lane = failed_once(monkeypatch, 9)
    topic = ProduceResponse.TopicProduceResponse

    def answer(number: int, error: int) -> bytes:
        part = topic.PartitionProduceResponse(index=0, error_code=error, base_offset=-1)
        message = ProduceResponse(responses=[topic(name="cars", partition_responses=[part])])
        return sized(response(message, 9, number))

    lane.far.given = answer(2, 6)
    lane.read_broker()
    assert lane.client.observed == []
    lane.receive(produced(9, 3))
    lane.far.given = answer(3, 0)
    lane.read_broker()

    assert len(lane.client.observed) == 1


def test_when_all_is_well_again_nothing_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    lane = failed_once(monkeypatch, 9)
    session = lane.client.session
    assert [type(each).__name__ for each in session.order.queue] == ["_Heeded"]
    lane.answer()
    assert len(lane.client.observed) == 1

    lane.receive(produced(9, 3))

    assert list(session.order.queue) == [3]
    assert (
        session.plan(lane.client.shared.pipeline, lane.client.shared.versions, lambda: 0)[1] is None
    )


def test_another_partition_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    lane = failed_once(monkeypatch, 9)
    lane.answer()
    lane.client.observed.clear()
    lane = failed_once(monkeypatch, 9)

    lane.receive(produced(9, 3, partition=1))

    kinds = [type(each).__name__ for each in lane.client.session.order.queue]
    assert kinds == ["_Heeded", "int"]


def test_names_of_tenants_are_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    client = tenant(interceptor(100))
    lane = FastLane(client, monkeypatch)
    lane.receive(produced())
    client.shared.pipeline = Pipeline(snapshot(), client.shared.pipeline)
    lane.receive(produced(number=2))
    lane.answer()

    [ended] = wholes(client.observed)
    assert (ended.topic, ended.virtual_cluster, ended.principal) == ("cars", "teamA", "sa")
    assert physical(client, "cars") in b"".join(lane.forwarded)
