"""Blackhole, slow close and bandwidth: what they decide, and what becomes of a session."""

from typing import Any

import pytest

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from codec.messages.heartbeat import HeartbeatRequest, HeartbeatResponse
from sidecar.dataplane.actions import Close, Pace, Silence, ToBroker
from sidecar.dataplane.pipeline import Pipeline
from sidecar.dataplane.throttles import Rates
from sidecar.faults.bandwidth import Bandwidth, BandwidthRule
from sidecar.faults.base import Asked, Swallow, Throttle
from sidecar.faults.blackhole import Blackhole, BlackholeRule
from sidecar.faults.latency import FORWARDED, Latency
from sidecar.faults.slow_close import SlowClose, SlowCloseRule
from sidecar.model.errors import InvalidArgument
from sidecar.model.faults import Fault
from sidecar.model.limits import Limits
from sidecar.model.selector import Selector
from sidecar.model.snapshot import Snapshot
from tests.support.messages import batch, produce, response
from tests.support.sessions import NOW, Client, closes, interceptor, striking, to_broker, to_client

BEAT = HeartbeatRequest(group_id="g", generation_id=1, member_id="m")
BEATEN = response(HeartbeatResponse(), 4)
DEAD = ErrorCode.NETWORK_EXCEPTION


def client(*faults: Fault, **fields: Any) -> Client:
    found = [striking(each, name=f"n{n}", **fields) for n, each in enumerate(faults)]
    return Client(*found)


def told(one: Client) -> list[tuple[Any, ...]]:
    found = one.recorded.injections
    return [(i.outcome, i.error, i.api, i.topic, i.partition, i.delay_ms) for i in found]


def without(one: Client, *left: Any, **fields: Any) -> None:
    """The pipeline is replaced by one with these interceptors only."""
    one.shared.pipeline = Pipeline(Snapshot(2, left, **fields), one.shared.pipeline)


# What they decide


@pytest.mark.parametrize(
    ("rule", "decision"),
    [
        (BlackholeRule(Blackhole(rate_in_percent=50)), Swallow(DEAD)),
        (BlackholeRule(Blackhole(rate_in_percent=50, moment="AFTER")), Swallow(DEAD, True)),
        (SlowCloseRule(SlowClose(rate_in_percent=50, delay_ms=1500)), Swallow(DEAD, False, 1.5)),
        (
            SlowCloseRule(SlowClose(rate_in_percent=50, delay_ms=1, moment="AFTER")),
            Swallow(DEAD, True, 0.001),
        ),
        (BandwidthRule(Bandwidth(rate_in_percent=50, bytes_per_second=9)), Throttle(9, 9)),
        (
            BandwidthRule(Bandwidth(rate_in_percent=50, bytes_per_second=9, direction="REQUESTS")),
            Throttle(9, None),
        ),
        (
            BandwidthRule(Bandwidth(rate_in_percent=50, bytes_per_second=9, direction="ANSWERS")),
            Throttle(None, 9),
        ),
    ],
)
@pytest.mark.parametrize("api", [ApiKey.PRODUCE, ApiKey.FETCH, ApiKey.HEARTBEAT])
def test_whatever_is_drawn_gets_the_same(rule: Any, decision: Any, api: ApiKey) -> None:
    assert rule.decide(Asked(api, 4, None, lambda: 0.5)) == decision
    assert (rule.share, rule.apis, rule.watches) == (0.5, FORWARDED, frozenset())
    assert not rule.memorable


def test_at_a_rate_of_0_nothing_is_drawn_for() -> None:
    assert BlackholeRule(Blackhole(rate_in_percent=0)).apis == frozenset()
    assert SlowCloseRule(SlowClose(rate_in_percent=0, delay_ms=1)).apis == frozenset()
    assert BandwidthRule(Bandwidth(rate_in_percent=0, bytes_per_second=1)).apis == frozenset()


@pytest.mark.parametrize(
    ("make", "fields"),
    [
        (lambda: Blackhole(rate_in_percent=-1, moment="DURING"), ["rate_in_percent", "moment"]),
        (
            lambda: SlowClose(rate_in_percent=101, delay_ms=0, moment="", seed=-1),
            ["rate_in_percent", "delay_ms", "moment", "seed"],
        ),
        (lambda: SlowClose(rate_in_percent=1, delay_ms=3_600_001), ["delay_ms"]),
        (
            lambda: Bandwidth(rate_in_percent=101, bytes_per_second=0, direction="UP"),
            ["rate_in_percent", "bytes_per_second", "direction"],
        ),
        (
            lambda: Bandwidth(rate_in_percent=1, bytes_per_second=10**9 + 1),
            ["bytes_per_second"],
        ),
    ],
)
def test_whatever_is_wrong_is_named(make: Any, fields: list[str]) -> None:
    with pytest.raises(InvalidArgument) as caught:
        make()

    assert [violation.field for violation in caught.value.violations] == fields


# Swallowed


def test_before_the_broker_sees_it_nothing_is_forwarded_any_more() -> None:
    one = client(Blackhole(rate_in_percent=100))

    assert one.sends(BEAT, 4, 1) == [Silence()]
    assert one.sends(BEAT, 4, 2) == []

    assert told(one) == [("SWALLOW", "NETWORK_EXCEPTION", "HEARTBEAT", None, None, None)]
    assert not one.session.owes
    assert one.session.halted


def test_after_the_broker_saw_it_its_answer_is_dropped() -> None:
    one = client(Blackhole(rate_in_percent=100, moment="AFTER"))
    records = {"a": {0: batch(), 1: batch()}}

    sent, silence = one.sends(produce(records), 9)

    assert isinstance(sent, ToBroker)
    assert silence == Silence()
    outcome = "APPEND_THEN_SWALLOW"
    assert told(one) == [
        (outcome, "NETWORK_EXCEPTION", "PRODUCE", "a", index, None) for index in (0, 1)
    ]
    assert one.broker_answers(BEATEN) == []
    assert not one.session.owes
    assert one.sends(BEAT, 4, 2) == []


@pytest.mark.parametrize("moment", ["BEFORE", "AFTER"])
def test_what_was_in_flight_before_it_is_answered_first(moment: str) -> None:
    one = client(Blackhole(rate_in_percent=100, moment=moment))
    struck = one.shared.pipeline
    without(one)
    assert to_broker(one.sends(BEAT, 4, 1))
    one.shared.pipeline = struck

    assert Silence() in one.sends(BEAT, 4, 2)
    assert one.session.owes

    actions = one.broker_answers(BEATEN)
    assert len(to_client(actions)) == 1
    assert closes(actions) == []
    assert not one.session.owes


@pytest.mark.parametrize(("moment", "sent"), [("BEFORE", 0), ("AFTER", 1)])
def test_without_an_answer_to_come_it_is_the_same(moment: str, sent: int) -> None:
    one = client(Blackhole(rate_in_percent=100, moment=moment))

    actions = one.sends(produce({"a": {0: batch()}}, acks=0), 9)

    assert len(to_broker(actions)) == sent
    assert actions[-1] == Silence()
    assert (len(told(one)), one.session.owes) == (1, False)


@pytest.mark.parametrize("moment", ["BEFORE", "AFTER"])
def test_what_cannot_be_recorded_goes_on(moment: str) -> None:
    one = client(Blackhole(rate_in_percent=100, moment=moment))
    one.recorded.accepts = False

    assert [type(action) for action in one.sends(BEAT, 4)] == [ToBroker]
    assert to_client(one.broker_answers(BEATEN))
    assert one.recorded.refused == 1


def test_the_fault_of_others_is_not_asked_any_more() -> None:
    """An answer that never comes cannot be delayed."""
    one = client(Blackhole(rate_in_percent=100), Latency(applied_percentage=100, latency_ms=9))

    assert one.sends(BEAT, 4) == [Silence()]
    assert [outcome for outcome, *_ in told(one)] == ["SWALLOW"]


def test_a_limit_of_one_lets_other_connections_go_on() -> None:
    one = client(Blackhole(rate_in_percent=100), limits=Limits(max_injections=1))
    other = Client()
    other.shared.pipeline = one.shared.pipeline

    assert one.sends(BEAT, 4) == [Silence()]
    assert to_broker(other.sends(BEAT, 4))


def test_what_is_not_selected_goes_on() -> None:
    one = client(Blackhole(rate_in_percent=100), selector=Selector(apis=("FETCH",)))

    assert to_broker(one.sends(BEAT, 4))


# The end of silence


def test_a_blackhole_ends_with_its_interceptor() -> None:
    one = client(Blackhole(rate_in_percent=100))
    assert one.session.silence_over(NOW) is None
    one.sends(BEAT, 4)
    assert one.session.silence_over(NOW + 1e9) is None

    without(one)

    close = one.session.silence_over(NOW)
    assert isinstance(close, Close)
    assert (close.reason, close.detail) == (
        "fault_injected",
        "a request was not answered, and the fault is over",
    )


def test_halting_and_pausing_end_it_too() -> None:
    struck = striking(Blackhole(rate_in_percent=100))
    for fields in ({"halted": True}, {}):
        one = Client(struck)
        one.sends(BEAT, 4)
        left = struck if fields else striking(Blackhole(rate_in_percent=100), paused=True)

        without(one, left, **fields)

        assert one.session.silence_over(NOW) is not None


def test_expiry_ends_it() -> None:
    one = client(Blackhole(rate_in_percent=100), expires=NOW + 5)
    one.sends(BEAT, 4)

    assert one.session.silence_over(NOW + 4.9) is None
    assert one.session.silence_over(NOW + 5) is not None


def test_a_limit_that_is_used_up_does_not() -> None:
    one = client(Blackhole(rate_in_percent=100), limits=Limits(max_injections=1))
    one.sends(BEAT, 4)

    assert one.session.silence_over(NOW + 60) is None


def test_a_slow_close_ends_after_its_time_too() -> None:
    one = client(SlowClose(rate_in_percent=100, delay_ms=1500))
    one.sends(BEAT, 4)

    assert told(one)[0][-1] == 1500
    assert one.session.silence_over(NOW + 1.4) is None
    close = one.session.silence_over(NOW + 1.5)
    assert close is not None
    assert close.detail == "a request was not answered, and the time is over"


# Slowed down


def test_a_connection_is_slow_from_its_first_drawn_request_on_and_once_on_record() -> None:
    one = client(Bandwidth(rate_in_percent=100, bytes_per_second=1000, direction="ANSWERS"))
    assert one.session.rates(NOW) == Rates()

    first = one.sends(produce({"a": {3: batch()}}), 9)
    second = one.sends(BEAT, 4, 2)

    assert [type(action) for action in first] == [ToBroker, Pace]
    assert [type(action) for action in second] == [ToBroker]
    assert one.session.rates(NOW) == Rates(None, 1000)
    assert told(one) == [("THROTTLE", "NONE", "PRODUCE", "a", 3, None)]


def test_the_slowest_counts_in_each_direction() -> None:
    one = client(
        Bandwidth(rate_in_percent=100, bytes_per_second=1000),
        Bandwidth(rate_in_percent=100, bytes_per_second=500, direction="REQUESTS"),
        Bandwidth(rate_in_percent=100, bytes_per_second=2000, direction="ANSWERS"),
    )

    one.sends(BEAT, 4)

    assert one.session.rates(NOW) == Rates(500, 1000)
    assert len(told(one)) == 3


def test_what_ends_is_lifted_and_would_begin_anew() -> None:
    kept = striking(Bandwidth(rate_in_percent=100, bytes_per_second=1000), name="kept")
    ends = striking(Bandwidth(rate_in_percent=100, bytes_per_second=10), name="ends")
    one = Client(kept, ends)
    one.sends(BEAT, 4)
    assert one.session.rates(NOW) == Rates(10, 10)

    without(one, kept)
    assert one.session.rates(NOW) == Rates(1000, 1000)
    without(one, kept, halted=True)
    assert one.session.rates(NOW) == Rates()
    without(one, kept)

    assert one.session.rates(NOW) == Rates()
    assert Pace() in one.sends(BEAT, 4, 2)
    assert [i.interceptor for i in one.recorded.injections] == ["ends", "kept", "kept"]


def test_what_cannot_be_recorded_is_not_slow() -> None:
    one = client(Bandwidth(rate_in_percent=100, bytes_per_second=1000))
    one.recorded.accepts = False
    assert [type(action) for action in one.sends(BEAT, 4)] == [ToBroker]
    assert one.session.rates(NOW) == Rates()

    one.recorded.accepts = True

    assert Pace() in one.sends(BEAT, 4, 2)


def test_a_request_that_is_refused_begins_nothing() -> None:
    """The rest of its connection could be slow, but nothing of it went on to be so."""
    slow = striking(Bandwidth(rate_in_percent=100, bytes_per_second=9), name="slow", priority=1)
    one = Client(slow, interceptor(100, priority=2))

    actions = one.sends(produce(), 9)

    assert [i.outcome for i in one.recorded.injections] == ["REJECT"]
    assert len(to_client(actions)) == 1
    assert one.session.rates(NOW) == Rates()
