"""Regular expressions over topic names: whole matches, refusals, and no way to hang the process."""

import subprocess
import sys
import time

import pytest

from sidecar.faults.matching import matcher
from sidecar.model.errors import InvalidArgument
from sidecar.model.faults import Checks
from sidecar.model.patterns import MAX_NAME, MAX_PATTERN, PatternError, compiled

EVIL = [
    "(a+)+b",
    "(a|a)*b",
    "(a|aa)+b",
    "(.*a){20}",
    "a*a*a*a*a*a*b",
    "(" * 170 + "a*" + ")*" * 170,
]
"""With which `re` takes from minutes to for ever over a long name of nothing but a."""


@pytest.mark.parametrize(
    ("pattern", "name", "whether"),
    [
        ("orders", "orders", True),
        ("orders", "orders2", False),
        ("rders", "orders", False),
        ("orders|bills", "orders", True),
        ("a|ab", "ab", True),
        ("orders-.*", "orders-", True),
        ("(?i)ORDERS", "orders", True),
        (r"\d{3}", "123", True),
        (".*", "", True),
        (".*", "anything at all", True),
        (".+", "o" * MAX_NAME, True),
        (".+", "o" * (MAX_NAME + 1), False),
        (r"[a-zA-Z0-9._-]{1,249}", "o" * MAX_NAME, True),
        (r"\pL+", "größe", True),
    ],
)
def test_the_whole_name_has_to_match(pattern: str, name: str, whether: bool) -> None:
    assert matcher(pattern)(name) is whether


@pytest.mark.parametrize(
    ("pattern", "cause"),
    [
        ("", "it is empty"),
        ("(a", "missing ): (a"),
        ("[a", "missing ]: [a"),
        ("*", "no argument for repetition operator: *"),
        (r"(a)\1", r"invalid escape sequence: \1"),
        ("(?=a)", "invalid perl operator: (?="),
        ("((a{100}){100}){100}", "invalid repetition size: {100}"),
        ("(.{1,30}){1,30}", "pattern too large - compile failed"),
    ],
)
def test_what_is_not_valid_is_refused_with_the_field_and_the_cause(
    pattern: str, cause: str
) -> None:
    checks = Checks()

    checks.pattern("topic", pattern)

    with pytest.raises(InvalidArgument) as refusal:
        checks.done()
    [violation] = refusal.value.violations
    assert violation.field == "topic"
    assert violation.description == (
        f"topic is {pattern!r}, allowed are RE2 regular expressions of 1 to 512 characters: {cause}"
    )
    with pytest.raises(PatternError):
        matcher(pattern)


def test_a_long_one_is_refused_without_being_repeated() -> None:
    checks = Checks()

    checks.pattern("topic", "a" * MAX_PATTERN)
    checks.done()
    checks.pattern("topic", "a" * (MAX_PATTERN + 1))

    with pytest.raises(InvalidArgument, match=r"it has 513 characters") as refusal:
        checks.done()
    assert len(str(refusal.value)) < 300


@pytest.mark.parametrize("pattern", EVIL, ids=range(len(EVIL)))
def test_none_takes_long(pattern: str) -> None:
    name = "a" * MAX_NAME
    started = time.perf_counter()

    try:
        matches = compiled(pattern)
    except PatternError:
        pass
    else:
        for _ in range(10):
            matches(name)

    assert time.perf_counter() - started < 0.1


def test_the_library_is_loaded_with_the_first_expression_only() -> None:
    script = (
        "import sys; from sidecar.model.patterns import compiled; import sidecar.faults.registry\n"
        "compiled('.*'); print('re2' in sys.modules); compiled('a'); print('re2' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "True"]
