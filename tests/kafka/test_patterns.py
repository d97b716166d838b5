"""Patterns over physical names, as RE2/J reads them, which brokers match names with."""

from __future__ import annotations

import random
import re

import pytest

from sidecar.dataplane.tenancy.names import Names
from tests.kafka.java_program import lines_of

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]
PREFIX = "team.A"
INVALID = "invalid"
#: Patterns are made of these: what opens, closes, quotes, repeats, or changes how others are read.
PIECES = [
    *("a", "b", "A", "é", "-", ".", "$", "^", "|", "*", "+", "?", "{2}", "{1,2}", ".*", "\n"),
    *("(", ")", "(?:", "(?i)", "(?i:", "(?s)", "(?-s:", "(?U)", "(?m)", "(?P<n>", "(?<m>"),
    *(
        "(?",
        "(?P<n",
        "(?#",
        "(?^i:",
        "a)|(?:.*",
        "[",
        "]",
        "[^",
        "[ab]",
        "[^a)]",
        "[a-",
        "b]",
        "!-",
    ),
    *("[:", ":]", "[:alpha:]", "[[:alpha:]]", "[[:^alpha:]]", "[\\d", "[\\Q", "\\", "\\\\", "\\("),
    *("\\)", "\\[", "\\]", "\\Q", "\\E", "\\A", "\\z", "\\b", "\\B", "\\d", "\\n", "\\C", "\\07"),
    *("\\x61", "\\x{61}", "\\x{", "\\p", "\\pL", "\\PL", "\\p{Greek}", "\\141"),
]
WORDS = [
    "",
    *"abA.)[(-",
    "aa",
    "ab",
    "ba",
    "a)",
    "(a",
    "a-",
    "[:",
    "aab",
    "abab",
    "a\n",
    "\\E",
    "^a",
]
FOREIGN = ["", "team.B", "teamXA", "team.", "TEAM.A", "xteam.A", "z"]
#: An anchor or word boundary sees what stands before it, and there it is the prefix.
LOOKS_BACK = re.compile(r".\^|.\\A|\\[bB]", re.DOTALL)


def some_patterns(count: int) -> list[str]:
    """Distinct patterns, most of which are not valid."""
    rng = random.Random(21)
    found: dict[str, None] = {}
    while len(found) < count:
        found["".join(rng.choices(PIECES, k=rng.randint(1, 8)))] = None
    return list(found)


def verdicts(patterns: list[str], names: list[str]) -> list[str]:
    """For each pattern `INVALID`, or a digit for each name: 1 if all of it matches."""
    stdin = "".join(f"{pattern.encode().hex()}\n" for pattern in patterns)
    found = lines_of("Patterns", *names, stdin=stdin)
    assert len(found) == len(patterns)
    return found


def test_no_pattern_matches_a_name_of_others_or_becomes_valid() -> None:
    patterns = some_patterns(30_000)
    names = Names(PREFIX)
    physical = [names.physical_pattern(pattern.encode()).decode() for pattern in patterns]
    others = [lead + word for lead in FOREIGN for word in WORDS]
    others = [name for name in others if not name.startswith(PREFIX)]

    alone = verdicts(patterns, WORDS)
    behind = verdicts(physical, [PREFIX + word for word in WORDS])
    foreign = verdicts(physical, others)

    assert not [p for p, found in zip(patterns, foreign, strict=True) if "1" in found]
    valid = matching = 0
    for pattern, logical, mapped in zip(patterns, alone, behind, strict=True):
        if logical == INVALID:
            assert mapped == INVALID, pattern
        elif mapped == INVALID:
            # What might be read in two ways is refused: see sidecar.dataplane.tenancy.patterns.
            assert "[:" in pattern, pattern
        else:
            valid += 1
            matching += "1" in mapped
            assert LOOKS_BACK.search(pattern) or mapped == logical, pattern
    assert valid > 3000
    assert matching > 1000
