"""What a run comes to: numbers and traits, by which real and simulated elections are compared."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from tests.kafka.fidelity.reading import Exchange
from tests.kafka.fidelity.runs import Run
from tests.kafka.fidelity.sequence import folded, moments, shown, told
from tests.kafka.fidelity.stage import OLD

EPOCHS_SINCE = 7
"""The first version of Metadata that tells the leader's epoch."""
HINTS_SINCE = 10
"""The first version of Produce whose answers may carry a hint (KIP-951)."""
IN_FLIGHT = 0.05
"""Seconds in which what was in flight at the first refusal is refused as well."""
EXPECTED = {"PRODUCE", "METADATA", "API_VERSIONS"}


@dataclass(frozen=True)
class Measures:
    """One run. Times are milliseconds; None: it did not come to that."""

    client: str
    case: str
    first: float | None
    """From the beginning of the event to the first error, or lost connection."""
    recovered: float | None
    """From there to the next acknowledgement of the partition."""
    disturbed: float | None
    """From there to the acknowledgement behind the last error."""
    slowest: float
    """The record that waited longest for its acknowledgement, as the client's user sees it."""
    refused: int
    """Produce requests answered with an error."""
    unanswered: int
    """Produce requests whose connection was lost."""
    metadata: int
    """Requests from the first error to the next acknowledgement."""
    metadata_all: int
    """And to the end of the observation."""
    traits: dict[str, str]
    """What happened, by name."""
    sequence: list[str]
    """Lines for people, beginning just before the first error."""

    def plain(self) -> dict[str, Any]:
        """As a dict, for JSON."""
        return asdict(self)


def measure(run: Run) -> Measures:
    """The measures of a run. Raises AssertionError for a case that did nothing to the client."""
    after = [each for each in run.heard.exchanges if each.when >= run.began]
    produced = [each for each in after if each.api == "PRODUCE"]
    bad = [each for each in produced if not each.acknowledged]
    used = [each for each in run.heard.links if each.used and not each.by_client]
    lost = [each.closed for each in used if each.closed is not None and each.closed >= run.began]
    assert bad or lost, f"{run.client} did not notice {run.case}"
    first = min([*(each.when for each in bad), *lost])
    last = max((each.when for each in bad), default=first)
    good = [each.when for each in produced if each.acknowledged]
    recovered = next((at for at in good if at > first), None)
    asked = [each for each in after if each.api == "METADATA" and each.sent >= first]
    until = run.ended if recovered is None else recovered
    healed = next((at for at in good if at > last), None)
    return Measures(
        client=run.client,
        case=run.case,
        first=_ms(first, run.began),
        recovered=_ms(recovered, first),
        disturbed=_ms(healed, first),
        slowest=float(run.told["slowest_ms"]),
        refused=sum(each.refused for each in bad),
        unanswered=sum(each.answered is None for each in bad),
        metadata=sum(each.sent <= until for each in asked),
        metadata_all=len(asked),
        traits=traits(run, after, bad, first, bool(lost)),
        sequence=_sequence(run, first),
    )


def _ms(at: float | None, since: float) -> float | None:
    return None if at is None else round((at - since) * 1000, 1)


def _sequence(run: Run, first: float) -> list[str]:
    """From the last thing before the first error on."""
    found = [each for each in moments(run.heard) if each.at >= run.began]
    begin = next((n for n, each in enumerate(found) if each.at >= first), 0)
    return shown(folded(found[max(0, begin - 1) :]), first)


def traits(
    run: Run, after: list[Exchange], bad: list[Exchange], first: float, lost: bool
) -> dict[str, str]:
    """What happened, in words that can be compared."""
    asked = [each for each in after if each.api == "METADATA" and each.sent >= first]
    others = {each.api for each in after if each.api not in EXPECTED and each.when >= first}
    failed = run.told["failed"]
    return {
        "Produce is answered": _answers(bad),
        "errors come": _repeated(after, bad),
        "hint in Produce": _hints(bad),
        "Metadata names": _leaders(asked),
        "leader epoch": _epochs(run.heard.exchanges, bad),
        "acknowledged then by": _acknowledged(after, bad, first),
        "the leader's connection": "lost" if lost else "kept",
        "other requests": ", ".join(sorted(map(told, others))) or "none",
        "records given up": ", ".join(sorted(failed)) or "none",
    }


def _answers(bad: list[Exchange]) -> str:
    answers = Counter(each.error or "not at all" for each in bad)
    return ", ".join(sorted(answers)) or "as ever"


def _repeated(after: list[Exchange], bad: list[Exchange]) -> str:
    """Whether what was sent again is refused again."""
    if not bad:
        return "never"
    begin = bad[0].when + IN_FLIGHT
    again = [each.when for each in bad if each.sent > begin]
    good = [each.when for each in after if each.acknowledged and each.when > bad[0].when]
    if not again:
        return "once"
    return "again, behind acknowledgements" if good and good[0] < again[-1] else "again"


def _hints(bad: list[Exchange]) -> str:
    refused = [each for each in bad if each.refused]
    if not refused:
        return "no answer to carry it"
    if max(each.version for each in refused) < HINTS_SINCE:
        return f"not before v{HINTS_SINCE}"
    hints = {each.leader.node for each in refused if each.leader}
    if not hints:
        return "none"
    return "the same leader" if hints == {OLD} else "the new leader"


def _leaders(asked: list[Exchange]) -> str:
    """The leaders that Metadata names one after the other: the old, none, a new one."""
    names = {OLD: "the old leader", -1: "none"}
    told: list[str] = []
    for each in asked:
        if each.leader is not None:
            name = names.get(each.leader.node, "a new leader")
            if told[-1:] != [name]:
                told.append(name)
    return ", then ".join(told) or "nobody asks"


def _epochs(exchanges: tuple[Exchange, ...], bad: list[Exchange]) -> str:
    told = [each.leader.epoch for each in exchanges if each.leader and each.leader.epoch >= 0]
    if not told:
        return f"not told before Metadata v{EPOCHS_SINCE}"
    return "raised" if max(told) > told[0] else "kept"


def _acknowledged(after: list[Exchange], bad: list[Exchange], first: float) -> str:
    last = max((each.when for each in bad), default=first)
    nodes = [each.node for each in after if each.acknowledged and each.when > last]
    if not nodes:
        return "nobody"
    return "the same broker" if nodes[-1] == OLD else "another broker"
