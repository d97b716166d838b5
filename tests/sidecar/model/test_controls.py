"""What an orchestrator controls a fault by, as values: which of them can be."""

import math
from typing import Any

import pytest

from sidecar.faults.leader_election import LeaderElection
from sidecar.model.errors import InvalidArgument
from sidecar.model.interceptor import MAX_TTL, NEVER, Interceptor, Scope
from sidecar.model.lease import Lease
from sidecar.model.limits import Limits
from sidecar.model.selector import EVERYTHING, MAX_ENTRIES, Selector

RE2 = "allowed are RE2 regular expressions of 1 to 512 characters"


@pytest.mark.parametrize(
    ("field", "entries"),
    [
        ("topics", (".*", "orders\\.(eu|us)")),
        ("partitions", (0, 2**31 - 1)),
        ("client_ids", ("app-[0-9]+",)),
        ("principals", ("sa", "CN=billing,O=x/y")),
        ("groups", ("g", "a" * 512)),
        ("brokers", (0, 2**31 - 1)),
        ("apis", ("PRODUCE",)),
        ("acks", (-1, 0, 1)),
        ("topics", tuple(f"t{i}" for i in range(MAX_ENTRIES))),
    ],
)
def test_a_selector_takes(field: str, entries: Any) -> None:
    selector = Selector(**{field: entries})

    assert selector
    assert selector != EVERYTHING


@pytest.mark.parametrize(
    ("field", "entries", "words"),
    [
        ("topics", ("ok", "("), f"selector.topics[1] is '(', {RE2}: missing ): ("),
        ("topics", ("",), f"selector.topics[0] is '', {RE2}: it is empty"),
        ("client_ids", ("(?=x)",), f"selector.client_ids[0] is '(?=x)', {RE2}:"),
        ("partitions", (-1,), "selector.partitions[0] is -1, allowed are 0 to 2147483647"),
        ("brokers", (2**31,), "selector.brokers[0] is 2147483648, allowed are 0 to 2147483647"),
        ("principals", ("",), "selector.principals[0] has 0 characters, allowed are 1 to 512"),
        ("groups", ("g" * 513,), "selector.groups[0] has 513 characters, allowed are 1 to 512"),
        ("apis", ("",), "selector.apis[0] has 0 characters, allowed are 1 to"),
        ("acks", (-1, 2), "selector.acks[1] is 2, allowed are -1 to 1"),
        ("acks", (1,) * 101, "selector.acks has 101 entries, at most 100 are allowed"),
    ],
)
def test_a_selector_refuses(field: str, entries: Any, words: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        Selector(**{field: entries})

    [violation] = caught.value.violations
    assert words in violation.description
    assert violation.field.startswith(f"selector.{field}")


def test_a_selector_tells_all_that_is_wrong_at_once() -> None:
    with pytest.raises(InvalidArgument) as caught:
        Selector(topics=("(", "["), acks=(7,))

    fields = [violation.field for violation in caught.value.violations]
    assert fields == ["selector.topics[0]", "selector.topics[1]", "selector.acks[0]"]


def test_an_empty_selector_selects_everything() -> None:
    assert not Selector()
    assert Selector() == EVERYTHING


@pytest.mark.parametrize("most", [1, 2**64 - 1])
@pytest.mark.parametrize("rate", [0.001, 2.5, 100_000])
def test_limits_take(most: int, rate: float) -> None:
    assert Limits(max_injections=most, max_per_second=rate) != Limits()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("max_injections", 0, "is 0, allowed are 1 to 18446744073709551615"),
        ("max_injections", 2**64, "allowed are 1 to 18446744073709551615"),
        ("max_per_second", 0.0, "is 0, allowed are 0.001 to 100000"),
        ("max_per_second", 100_000.1, "is 100000.1, allowed are 0.001 to 100000"),
        ("max_per_second", math.nan, "is nan, allowed are 0.001 to 100000"),
    ],
)
def test_limits_refuse(field: str, value: float, words: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        Limits(**{field: value})

    [violation] = caught.value.violations
    assert violation.field == f"limits.{field}"
    assert words in violation.description


@pytest.mark.parametrize("duration", [1, 86_400])
def test_a_lease_lasts(duration: float) -> None:
    assert Lease(name="controller", duration=duration).duration == duration


@pytest.mark.parametrize(
    ("name", "duration", "fields"),
    [
        ("x", 0.5, ["duration"]),
        ("x", 86_401, ["duration"]),
        ("x", math.nan, ["duration"]),
        ("", 0, ["name", "duration"]),
        ("a/b", 10, ["name"]),
    ],
)
def test_a_lease_refuses(name: str, duration: float, fields: list[str]) -> None:
    with pytest.raises(InvalidArgument) as caught:
        Lease(name=name, duration=duration)

    assert [violation.field for violation in caught.value.violations] == fields


def ending(**fields: Any) -> Interceptor:
    fault = LeaderElection(rate_in_percent=1)
    return Interceptor(name="x", scope=Scope(), priority=1, fault=fault, **fields)


@pytest.mark.parametrize(
    ("ttl", "words"),
    [(0, "ttl is 0 s"), (-1, "ttl is -1 s"), (MAX_TTL + 1, "up to 31622400 s"), (math.nan, "nan")],
)
def test_a_time_to_live_is_above_nothing_and_below_ages(ttl: float, words: str) -> None:
    with pytest.raises(InvalidArgument, match=words):
        ending(ttl=ttl)


def test_the_name_of_a_lease_is_a_name() -> None:
    with pytest.raises(InvalidArgument, match="lease is 'a/b'"):
        ending(lease="a/b")


@pytest.mark.parametrize(
    ("expires", "lease", "end"),
    [
        (None, "", NEVER),
        (5.0, "", 5.0),
        (None, "there", 9.0),
        (5.0, "there", 5.0),
        (12.0, "there", 9.0),
        (12.0, "gone", -NEVER),
    ],
)
def test_an_interceptor_ends_with_what_ends_first(
    expires: float | None, lease: str, end: float
) -> None:
    there = Lease(name="x", duration=9, expires=9.0, uid="there")

    assert ending(expires=expires, lease_uid=lease).ends({"there": there}) == end
