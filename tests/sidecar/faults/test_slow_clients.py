"""Slow producers and consumers: late answers about topics whose whole names match."""

from typing import Any

import pytest

from codec.api_keys import ApiKey
from codec.messages.fetch import FetchRequest, FetchResponse
from sidecar.faults.base import FORWARD, Answered, Asked, Decision, Delay, ResponseDecision
from sidecar.faults.slow_clients import SlowClients, SlowClientsRule
from sidecar.model.errors import InvalidArgument
from tests.support.messages import batch, produce


def rule(**fields: Any) -> SlowClientsRule:
    usual = {"rate_in_percent": 50, "min_latency_ms": 2000, "max_latency_ms": 3000}
    return SlowClientsRule(SlowClients(**(usual | fields)))


def asked(one: SlowClientsRule, message: Any, chance: float = 0.5) -> Decision:
    return one.decide(Asked(message.API_KEY, 9, message, lambda: chance))


def answered(one: SlowClientsRule, *topics: str, chance: float = 0.5) -> ResponseDecision:
    topic = FetchResponse.FetchableTopicResponse
    message = FetchResponse(responses=[topic(topic=name) for name in topics])
    return one.answered(Answered(ApiKey.FETCH, 9, message, lambda: chance))


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 2.0), (0.5, 2.5), (0.999, 2.999)])
def test_the_delay_is_drawn_evenly(chance: float, seconds: float) -> None:
    one = rule(topic="cars")

    of_produce = asked(one, produce(), chance)
    of_fetch = answered(one, "cars", chance=chance)

    assert isinstance(of_produce, Delay)
    assert of_produce.seconds == pytest.approx(seconds)
    assert of_fetch == of_produce


def test_by_default_all_topics_are_meant_and_no_answer_is_looked_at() -> None:
    one = rule()

    assert one.apis == {ApiKey.PRODUCE, ApiKey.FETCH}
    assert one.watches == frozenset()
    assert asked(one, produce()) == Delay(2.5)
    assert asked(one, FetchRequest()) == Delay(2.5), "one that goes on with a session as well"


@pytest.mark.parametrize(
    ("topic", "whether"),
    [("cars", True), ("car", False), ("ars", False), ("ca.*", True), ("bikes|cars", True)],
)
def test_a_topic_has_to_match_whole(topic: str, whether: bool) -> None:
    one = rule(topic=topic)

    assert isinstance(asked(one, produce()), Delay) is whether
    assert isinstance(answered(one, "cars"), Delay) is whether


def test_one_topic_of_many_is_enough() -> None:
    one = rule(topic="b")

    assert isinstance(asked(one, produce({"a": {0: batch()}, "b": {0: batch()}})), Delay)
    assert isinstance(answered(one, "a", "b"), Delay)
    assert asked(one, produce({"a": {0: batch()}})) is FORWARD
    assert answered(one, "a") is FORWARD


def test_a_fetch_counts_for_what_its_answer_is_about() -> None:
    one = rule(topic="cars")
    wanted = FetchRequest(topics=[FetchRequest.FetchTopic(topic="cars")])

    assert one.watches == {ApiKey.FETCH}
    assert asked(one, wanted) is FORWARD
    assert answered(one) is FORWARD, "one without news is not about any topic"


def test_at_a_rate_of_0_nothing_is_drawn_for() -> None:
    assert rule(rate_in_percent=0).apis == frozenset()


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(InvalidArgument) as caught:
        SlowClients(topic="(", rate_in_percent=-1, min_latency_ms=2, max_latency_ms=1, seed=-1)

    fields = [violation.field for violation in caught.value.violations]
    assert fields == ["topic", "rate_in_percent", "max_latency_ms", "seed"]
