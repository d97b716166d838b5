"""What is different between what brokers do and what the sidecar does, client by client."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from tests.kafka.fidelity.cases import CASES
from tests.kafka.fidelity.measures import Measures

TIME, ASKED = "time to recover, ms", "Metadata requests"
"""Compared as numbers: longer or shorter, more or fewer."""
FACTOR, SLACK_MS, SLACK_ASKED = 2.0, 100.0, 2
"""Less than so many times as much, or apart by less, is no difference."""


@dataclass(frozen=True)
class Difference:
    """In one trait, between a real case and one of ours, for one client."""

    client: str
    trait: str
    real: str
    ours: str
    """The names of the cases."""
    there: str
    here: str
    """The values: for numbers "less" and "more"."""


def values(measured: Sequence[Measures], trait: str) -> list[str]:
    """What runs of one client in one case have as a trait, without repetition."""
    return sorted({each.traits[trait] for each in measured})


def names(measured: Sequence[Measures]) -> list[str]:
    """The traits of the first, which are those of all."""
    return list(measured[0].traits) if measured else []


def differences(measured: Sequence[Measures]) -> list[Difference]:
    """All of them. What several runs of a case do differently is compared one by one."""
    found: list[Difference] = []
    for client in dict.fromkeys(each.client for each in measured):
        own = [each for each in measured if each.client == client]
        cases = {name: [each for each in own if each.case == name] for name in CASES}
        for real in (name for name, case in CASES.items() if case.real and cases[name]):
            for ours in (name for name, case in CASES.items() if not case.real and cases[name]):
                found += _between(client, real, ours, cases[real], cases[ours])
    return found


def _between(
    client: str, real: str, ours: str, there: Sequence[Measures], here: Sequence[Measures]
) -> list[Difference]:
    found = []
    for trait in names(there):
        far, near = values(there, trait), values(here, trait)
        if far != near:
            pairs = ((a, b) for a in far for b in near if a != b)
            found += [Difference(client, trait, real, ours, a, b) for a, b in pairs]
    for trait, slack in ((TIME, SLACK_MS), (ASKED, SLACK_ASKED)):
        a, b = _number(there, trait), _number(here, trait)
        if abs(a - b) > slack and max(a, b) > FACTOR * min(a, b):
            less = ("less", "more") if a < b else ("more", "less")
            found.append(Difference(client, trait, real, ours, *less))
    return found


def _number(measured: Sequence[Measures], trait: str) -> float:
    if trait == ASKED:
        return median(each.metadata_all for each in measured)
    times = [each.recovered for each in measured if each.recovered is not None]
    return median(times) if times else float("inf")
