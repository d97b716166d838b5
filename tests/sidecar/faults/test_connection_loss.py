"""Connections break before a request goes on, or before its answer comes."""

from typing import Any

import pytest

from codec.api_keys import ApiKey
from codec.messages.heartbeat import HeartbeatRequest, HeartbeatResponse
from codec.messages.produce import ProduceResponse
from sidecar.dataplane.actions import Close, ToBroker
from sidecar.faults.connection_loss import ConnectionLoss, ConnectionLossRule
from sidecar.faults.latency import FORWARDED
from sidecar.model.errors import InvalidArgument
from sidecar.model.interceptor import Interceptor, Scope
from tests.support.messages import batch, produce, request, response
from tests.support.sessions import Client, closes, tenant, to_broker, to_client

BEAT = HeartbeatRequest(group_id="g", generation_id=1, member_id="m")


def breaking(moment: str) -> Client:
    fault = ConnectionLoss(rate_in_percent=100, moment=moment)
    return tenant(Interceptor(name="n", scope=Scope(), priority=1, fault=fault, seed=3, uid="u"))


def told(client: Client) -> list[tuple[str, str, str, Any, Any]]:
    found = client.recorded.injections
    return [(i.outcome, i.error, i.api, i.topic, i.partition) for i in found]


def test_before_the_broker_has_seen_it() -> None:
    client = breaking("BEFORE")

    assert closes(client.sends(BEAT, 4)) == ["fault_injected"]
    assert told(client) == [("DISCONNECT", "NETWORK_EXCEPTION", "HEARTBEAT", None, None)]


def test_what_is_in_flight_before_it_is_answered_first() -> None:
    client = breaking("AFTER")
    assert to_broker(client.sends(BEAT, 4))
    broken = breaking("BEFORE")
    broken.shared.pipeline, quiet = tenant().shared.pipeline, broken.shared.pipeline
    assert to_broker(broken.sends_frame(request(BEAT, 4, 1)))
    broken.shared.pipeline = quiet

    assert broken.sends_frame(request(BEAT, 4, 2)) == []

    actions = broken.broker_answers(response(HeartbeatResponse(), 4, 1))
    assert len(to_client(actions)) == 1
    assert closes(actions) == ["fault_injected"]


@pytest.mark.parametrize("version", [3, 9, 12])
def test_after_the_broker_has_carried_it_out(version: int) -> None:
    client = breaking("AFTER")
    assert to_broker(client.sends(produce({"a": {0: batch(), 1: batch()}}), version))
    assert told(client) == []

    topic = ProduceResponse.TopicProduceResponse
    parts = [topic.PartitionProduceResponse(index=index) for index in (0, 1)]
    answer = ProduceResponse(responses=[topic(name="teamAa", partition_responses=parts)])

    actions = client.broker_answers(response(answer, version))

    assert (to_client(actions), closes(actions)) == ([], ["fault_injected"])
    outcome = "APPEND_THEN_DISCONNECT"
    assert told(client) == [
        (outcome, "NETWORK_EXCEPTION", "PRODUCE", "a", index) for index in (0, 1)
    ]


def test_any_other_answer_is_lost_too() -> None:
    client = breaking("AFTER")
    assert to_broker(client.sends(BEAT, 4))

    actions = client.broker_answers(response(HeartbeatResponse(), 4))

    assert (to_client(actions), closes(actions)) == ([], ["fault_injected"])
    outcome = "APPEND_THEN_DISCONNECT"
    assert told(client) == [(outcome, "NETWORK_EXCEPTION", "HEARTBEAT", None, None)]


def test_without_an_answer_it_is_forwarded_and_the_connection_closes() -> None:
    client = breaking("AFTER")

    first, second = client.sends(produce({"a": {0: batch()}}, acks=0), 9)

    assert isinstance(first, ToBroker)
    assert isinstance(second, Close)
    [(outcome, *_, topic, partition)] = told(client)
    assert (outcome, topic, partition) == ("APPEND_THEN_DISCONNECT", "a", 0)


@pytest.mark.parametrize("moment", ["BEFORE", "AFTER"])
def test_what_cannot_be_recorded_goes_on(moment: str) -> None:
    client = breaking(moment)
    client.recorded.accepts = False

    assert to_broker(client.sends(BEAT, 4))
    assert to_client(client.broker_answers(response(HeartbeatResponse(), 4)))


def test_it_is_about_all_that_goes_to_a_broker() -> None:
    assert ConnectionLossRule(ConnectionLoss(rate_in_percent=1)).apis == FORWARDED
    assert ConnectionLossRule(ConnectionLoss(rate_in_percent=0)).apis == frozenset()
    assert ApiKey.API_VERSIONS not in FORWARDED


def test_whatever_is_wrong_is_named() -> None:
    with pytest.raises(InvalidArgument) as caught:
        ConnectionLoss(rate_in_percent=-1, moment="DURING")

    assert [violation.field for violation in caught.value.violations] == [
        "rate_in_percent",
        "moment",
    ]
