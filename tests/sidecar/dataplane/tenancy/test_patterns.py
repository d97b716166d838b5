"""Patterns over logical names become patterns over physical ones, and never reach further.

Brokers read RE2, which the standard library does not have: expected texts are written out, and for
what Python's `re` reads alike, matches are compared.
"""

import re
import warnings

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from sidecar.dataplane.tenancy.names import Names

NAMES = Names("team.A")
OPENING = rb"team\.A(?:"


@pytest.mark.parametrize(
    ("logical", "physical"),
    [
        ("cars", "cars"),
        (".*", ".*"),
        ("a|b", "a|b"),
        ("(?i)cars", "(?i)cars"),
        ("(?P<n>a)(?<m>b)", "(?P<n>a)(?<m>b)"),
        (r"\(", r"\("),
        (r"\\", r"\\"),
        ("[)]", "[)]"),
        ("[]))]", "[]))]"),
        ("[^]))]", "[^]))]"),
        (r"[\])]", r"[\])]"),
        ("[[:alpha:])]", "[[:alpha:])]"),
        ("[[)]", "[[)]"),
        (r"\Q)(\E", r"\Q)(\E"),
        ("a{2,3}", "a{2,3}"),
        ("日本|\udcff", "日本|\udcff"),
        # Anchors with nothing before them.
        ("^cars$", "(?:^|)cars$"),
        (r"\Acars\z", r"(?:\A|)cars\z"),
        ("^a|^b", "(?:^|)a|(?:^|)b"),
        ("(^a|(?:^b))c", "((?:^|)a|(?:(?:^|)b))c"),
        ("(?i)^a", "(?i)(?:^|)a"),
        ("(?P<n>^a)", "(?P<n>(?:^|)a)"),
        ("^^a", "(?:^|)(?:^|)a"),
        ("^*a", "(?:^|)*a"),
        ("(?:^|)a", "(?:(?:^|)|)a"),
        # Anchors that cannot match behind something, and what only looks like one.
        ("a^b", "a^b"),
        ("(a|b)^", "(a|b)^"),
        ("a(?:^|)", "a(?:^|)"),
        (r"\^a", r"\^a"),
        ("[^a]", "[^a]"),
        (r"\Q^\Ea", r"\Q^\Ea"),
    ],
)
def test_a_pattern_is_a_group_behind_the_prefix_and_can_be_shown_as_it_was(
    logical: str, physical: str
) -> None:
    given_, wanted = (text.encode("utf-8", "surrogateescape") for text in (logical, physical))

    found = NAMES.physical_pattern(given_)

    assert found == OPENING + wanted + b")"
    assert NAMES.logical_pattern(found) == given_


@pytest.mark.parametrize(
    "logical",
    [
        "a)(b",
        ")",
        "a)|(.*",
        "(a",
        "((a)",
        "[a",
        "[]",
        "[^]",
        "[a\\",
        "a\\",
        r"\Qa\E)",
        r"\Qa\E)|(?:.*",
        "(?i",
        # RE2 ends such a class at the first "]", since the range comes first.
        "[!-[:alpha:])|(?:.*]?",
        "[[:)]|.*",
        "[[:alpha]",
    ],
)
def test_a_pattern_that_is_not_valid_does_not_become_so(logical: str) -> None:
    assert NAMES.physical_pattern(logical.encode()) == OPENING


def test_a_quotation_without_end_gets_one_before_the_group_ends() -> None:
    found = NAMES.physical_pattern(rb"a\Q)|(")

    assert found == OPENING + rb"a\Q)|(\E)"
    assert NAMES.logical_pattern(found) == rb"a\Q)|(\E"


@pytest.mark.parametrize("pattern", [b".*", b"teamB(?:a)", b"teamXA(?:a)", OPENING, OPENING + b"a"])
def test_a_pattern_that_no_client_of_these_names_gave_is_not_shown(pattern: bytes) -> None:
    assert NAMES.logical_pattern(pattern) == b""


def test_no_pattern_stays_none_and_without_a_prefix_nothing_changes() -> None:
    assert NAMES.physical_pattern(b"") == NAMES.logical_pattern(b"") == b""
    assert Names("").physical_pattern(b"a)(") == Names("").logical_pattern(b"a)(") == b"a)("


# Read alike by RE2 and by Python.
ATOMS = ["a", "b", ".", "*", "+", "?", "|", "(", "(?:", ")", "$", "[ab]", "[^a)]", "[", "]", "\\(",
         "\\)", "\\[", "\\\\", "\\", "{2}", "a)|(?:.*", ".*"]  # fmt: skip
WORDS = st.text("ab.)[(", max_size=4)


def matches(pattern: str, name: str) -> bool | None:
    """Whether Python's `re` takes the whole name; None if it does not take the pattern."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return re.fullmatch(pattern, name, re.DOTALL) is not None
    except re.error:
        return None


@given(pattern=st.lists(st.sampled_from(ATOMS), min_size=1, max_size=8).map("".join), name=WORDS)
@example(pattern="a)|(?:.*", name="a")
@settings(max_examples=500, deadline=None)
def test_the_pattern_matches_own_names_as_it_would_alone_and_no_others(
    pattern: str, name: str
) -> None:
    # A word boundary at the start sees what stands before it.
    assume(r"\b" not in pattern)
    physical = NAMES.physical_pattern(pattern.encode()).decode()

    alone = matches(pattern, name)
    assert matches(physical, "team.A" + name) is alone
    for other in (name, "team.B" + name, "teamXA" + name, "team." + name):
        assert not matches(physical, other)


@given(pattern=st.text("ab^|()[]\\QE?:iA-", min_size=1, max_size=12))
@settings(max_examples=500, deadline=None)
def test_what_is_sent_can_be_shown_as_it_was(pattern: str) -> None:
    assume(r"\Q" not in pattern)
    physical = NAMES.physical_pattern(pattern.encode())

    if physical != OPENING:
        assert NAMES.logical_pattern(physical) == pattern.encode()
