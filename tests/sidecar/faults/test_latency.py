"""Latency: the answers to all that is forwarded, by the same time."""

import pytest

from codec.api_keys import ApiKey
from sidecar.dataplane.versions import LOCAL
from sidecar.faults.base import Asked, Delay
from sidecar.faults.latency import Latency, LatencyRule
from sidecar.model.errors import InvalidArgument


def never() -> float:
    raise AssertionError("nothing is left to chance")


def test_every_api_that_is_forwarded_is_drawn_for() -> None:
    rule = LatencyRule(Latency(applied_percentage=10, latency_ms=1))

    assert rule.apis | LOCAL == set(ApiKey)
    assert not rule.apis & LOCAL
    assert rule.share == 0.1


@pytest.mark.parametrize("api", [ApiKey.METADATA, ApiKey.PRODUCE, ApiKey.FIND_COORDINATOR])
def test_the_delay_is_what_was_asked_for(api: ApiKey) -> None:
    rule = LatencyRule(Latency(applied_percentage=100, latency_ms=1500))

    assert rule.decide(Asked(api, 0, None, never)) == Delay(1.5)


def test_at_0_percent_nothing_is_drawn_for() -> None:
    assert LatencyRule(Latency(applied_percentage=0, latency_ms=10)).apis == frozenset()


@pytest.mark.parametrize(
    ("percentage", "latency", "refused"),
    [
        (101, 0, "applied_percentage is 101, allowed are 0 to 100"),
        (1, -1, "latency_ms is -1, allowed are 0 to 3600000"),
        (1, 3_600_001, "latency_ms is 3600001, allowed are 0 to 3600000"),
    ],
)
def test_what_is_out_of_range_is_refused(percentage: float, latency: int, refused: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        Latency(applied_percentage=percentage, latency_ms=latency)

    assert [violation.description for violation in caught.value.violations] == [refused]
