"""A slow broker: each drawn request is delayed by a time between the two, drawn evenly."""

import pytest

from codec.api_keys import ApiKey
from sidecar.faults.base import Asked, Delay
from sidecar.faults.slow_broker import SlowBroker, SlowBrokerRule
from sidecar.model.errors import InvalidArgument


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 2.0), (0.5, 2.5), (0.999, 2.999)])
@pytest.mark.parametrize("api", [ApiKey.PRODUCE, ApiKey.FETCH])
def test_the_delay_is_drawn_evenly(api: ApiKey, chance: float, seconds: float) -> None:
    rule = SlowBrokerRule(SlowBroker(rate_in_percent=50, min_latency_ms=2000, max_latency_ms=3000))

    decision = rule.decide(Asked(api, 9, None, lambda: chance))

    assert isinstance(decision, Delay)
    assert decision.seconds == pytest.approx(seconds)
    assert (rule.share, rule.apis) == (0.5, {ApiKey.PRODUCE, ApiKey.FETCH})


def test_at_a_rate_of_0_nothing_is_drawn_for() -> None:
    config = SlowBroker(rate_in_percent=0, min_latency_ms=0, max_latency_ms=0)

    assert SlowBrokerRule(config).apis == frozenset()


@pytest.mark.parametrize(
    ("least", "most", "field"),
    [
        (-1, 5, "min_latency_ms"),
        (0, 3_600_001, "max_latency_ms"),
        (6, 5, "max_latency_ms"),
    ],
)
def test_a_range_that_is_none_is_refused(least: int, most: int, field: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        SlowBroker(rate_in_percent=1, min_latency_ms=least, max_latency_ms=most)

    assert [violation.field for violation in caught.value.violations] == [field]
