"""`control` beside `config`: read, told back, refused in the words of this dialect."""

import json
from typing import Any

import pytest

from tests.rest_bridge.harness import INTERCEPTORS, Http, interceptor
from tests.sidecar.api.harness import Control

ITEM = f"{INTERCEPTORS}/interceptor/n"
EVERYTHING = {
    "topics": ["orders.*"],
    "partitions": [0, 1],
    "clientIds": ["app"],
    "principals": ["sa"],
    "groups": ["g"],
    "brokers": [1],
    "apis": ["PRODUCE"],
    "acks": [-1],
    "maxInjections": 5,
    "maxPerSecond": 2.5,
    "expireTime": "2099-01-31T12:00:00Z",
}


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_control_acts_and_is_told_back(http: Http, control: Control, method: str) -> None:
    assert http(method, ITEM, interceptor(control=EVERYTHING)).status_code < 300

    [item] = control.published[-1].interceptors
    assert item.selector.topics == ("orders.*",)
    assert item.selector.acks == (-1,)
    assert item.limits.max_injections == 5
    assert item.expires == 4_073_544_000
    assert json.loads(http("GET", ITEM).data)["control"] == EVERYTHING
    assert json.loads(http("GET", ITEM).data)["config"] == {"rateInPercent": 50}


def test_a_time_to_live_is_told_as_a_time(http: Http, control: Control) -> None:
    http("POST", ITEM, interceptor(control={"ttlSeconds": 0.5}))
    http("POST", ITEM, interceptor(control={"ttlSeconds": 0.5}))

    [item] = control.published[-1].interceptors
    assert item.ttl == 0.5
    assert list(json.loads(http("GET", ITEM).data)["control"]) == ["expireTime"]


@pytest.mark.parametrize("fields", [{}, {"control": {}}])
def test_without_one_nothing_is_added(http: Http, fields: dict[str, Any]) -> None:
    http("POST", ITEM, interceptor(**fields))

    keys = ["name", "pluginClass", "priority", "timeoutMs", "config"]
    assert list(json.loads(http("GET", ITEM).data)) == keys


def test_a_put_that_says_nothing_of_it_leaves_it(http: Http, control: Control) -> None:
    http("POST", ITEM, interceptor(control=EVERYTHING))

    assert http.told("PUT", ITEM, interceptor('{"rateInPercent":60}')) == (200, "n is updated")
    found = json.loads(http("GET", ITEM).data)
    assert (found["config"], found["control"]) == ({"rateInPercent": 60}, EVERYTHING)

    http("PUT", ITEM, interceptor('{"rateInPercent":60}', control={"topics": ["a"]}))
    assert json.loads(http("GET", ITEM).data)["control"] == {"topics": ["a"]}
    http("PUT", ITEM, interceptor('{"rateInPercent":60}', control={}))
    assert "control" not in json.loads(http("GET", ITEM).data)


@pytest.mark.parametrize(
    ("control_value", "message"),
    [
        ([], "control is [], a JSON object is needed"),
        ({"topic": ["x"]}, "control.topic is not known, allowed are control.topics, control.part"),
        ({"topics": "x"}, 'control.topics is "x", allowed are lists of strings'),
        ({"topics": [1]}, "control.topics[0] is 1, allowed are strings"),
        ({"topics": ["("]}, "control.topics[0] is '(', allowed are RE2 regular expressions"),
        ({"partitions": [1.5]}, "control.partitions[0] is 1.5, allowed are integers from"),
        ({"partitions": [-1]}, "control.partitions[0] is -1, allowed are integers from 0 to 2147"),
        ({"brokers": [2**31]}, "control.brokers[0] is 2147483648, allowed are integers from 0 to"),
        ({"apis": ["X"]}, "control.apis[0] is 'X', allowed are the names of Kafka's APIs"),
        ({"acks": [2]}, "control.acks[0] is 2, allowed are integers from -1 to 1"),
        ({"maxInjections": 0}, "control.maxInjections is 0, allowed are integers from 1 to"),
        ({"maxPerSecond": 0}, "control.maxPerSecond is 0, allowed are 0.001 to 100000"),
        ({"maxPerSecond": "1"}, 'control.maxPerSecond is "1", allowed are numbers from 0.001'),
        ({"ttlSeconds": 0}, "control.ttlSeconds is 0, allowed are numbers above 0 and up to"),
        ({"ttlSeconds": True}, "control.ttlSeconds is true, allowed are numbers above 0"),
        ({"expireTime": "soon"}, 'control.expireTime is "soon", allowed are times such as'),
        ({"expireTime": "2030-02-30T12:00:00Z"}, 'control.expireTime is "2030-02-30T12:00:00Z",'),
        ({"expireTime": "2030-01-31T12:00:00"}, 'control.expireTime is "2030-01-31T12:00:00",'),
        ({"expireTime": "2030-01-31T12:00:00.Z"}, 'control.expireTime is "2030-01-31T12:00:00.Z",'),
        ({"expireTime": "2030-01-31T12:00:00+99:99"}, "control.expireTime is "),
        ({"expireTime": "\u0662030-01-31T12:00:00Z"}, "control.expireTime is "),
        ({"expireTime": "2001-01-31T12:00:00Z"}, "control.expireTime is 2001-01-31T12:00:00.000"),
        (
            {"ttlSeconds": 5, "expireTime": "2099-01-31T12:00:00Z"},
            "control.ttlSeconds and control.expireTime exclude each other",
        ),
        ({"lease": "gone"}, "lease is 'gone', which is not there: create it first"),
        ({"lease": 1}, "control.lease is 1, allowed are strings"),
    ],
)
def test_a_control_that_cannot_be_is_refused(
    http: Http, control: Control, control_value: Any, message: str
) -> None:
    status, told = http.told("POST", ITEM, interceptor(control=control_value))

    assert status == 400
    assert told.startswith(message)
    assert control.published == []
