"""The page docs/fidelity.md: numbers, sequences, differences with their causes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from statistics import median
from textwrap import fill

from tests.kafka.fidelity import causes, differences
from tests.kafka.fidelity.cases import CASES, Case
from tests.kafka.fidelity.clients import CLIENTS
from tests.kafka.fidelity.differences import Difference
from tests.kafka.fidelity.measures import Measures
from tests.kafka.fidelity.prose import CLIENT_NOTES, HEAD, METHOD
from tests.kafka.fidelity.results import Results

UNEXPLAINED = "UNEXPLAINED"
Cell = Callable[[Sequence[Measures]], str]
"""What a table says of several runs of one client in one case."""


def page(found: Results) -> str:
    """All of it."""
    cases = [case for name, case in CASES.items() if any(m.case == name for m in found.measured)]
    lines = [HEAD, *_method(found, cases), *_summary(found, cases), *_causes(found)]
    for client in found.clients:
        lines += _client(found, client, cases)
    return "\n".join([*lines, ""])


def unexplained(measured: Sequence[Measures]) -> list[Difference]:
    """Differences without a cause."""
    return [one for one in differences.differences(measured) if not causes.explained(one)]


def _of(found: Results, client: str, case: str) -> list[Measures]:
    return [each for each in found.measured if (each.client, each.case) == (client, case)]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]


def _method(found: Results, cases: Sequence[Case]) -> Iterator[str]:
    yield METHOD.format(
        date=found.date,
        machine=found.machine,
        kafka=found.kafka,
        runs=found.runs,
        interval=found.interval_ms,
    )
    clients = ((name, made, CLIENTS[name].producer) for name, made in found.clients.items())
    yield from _table(("client", "versions", "producer"), clients)
    yield ""
    yield from _table(
        ("case", "what happens", "observed"),
        ((case.title, case.what, f"{case.observed:g} s") for case in cases),
    )


def _summary(found: Results, cases: Sequence[Case]) -> Iterator[str]:
    yield "\n## In numbers\n"
    yield "Milliseconds from the first error, or lost connection, to the next acknowledgement of"
    yield "the partition: median (least to most).\n"
    head = ["client", *(case.title for case in cases)]
    yield from _table(head, _rows(found, cases, recovered))
    yield "\nMetadata requests from the first error to the end of the observation.\n"
    yield from _table(head, _rows(found, cases, asked))
    yield "\nThe record that waited longest for its acknowledgement, in milliseconds, as the"
    yield "client's user sees it; and what was given up.\n"
    yield from _table(head, _rows(found, cases, waited))


def _rows(found: Results, cases: Sequence[Case], cell: Cell) -> Iterator[list[str]]:
    for client in found.clients:
        yield [client, *(cell(_of(found, client, case.name)) for case in cases)]


def spread(numbers: Sequence[float]) -> str:
    """Median, and the least and most if they differ."""
    if not numbers:
        return "-"
    middle, least, most = (round(each) for each in (median(numbers), min(numbers), max(numbers)))
    return f"{middle:,}" if least == most else f"{middle:,} ({least:,} to {most:,})"


def recovered(measured: Sequence[Measures]) -> str:
    """How long it took."""
    times = [each.recovered for each in measured if each.recovered is not None]
    never = len(measured) - len(times)
    return spread(times) + (f", never in {never}" if never else "")


def asked(measured: Sequence[Measures]) -> str:
    """How often Metadata was asked for."""
    return spread([each.metadata_all for each in measured])


def disturbed(measured: Sequence[Measures]) -> str:
    """How long it was until the last error was over."""
    return spread([each.disturbed for each in measured if each.disturbed is not None])


def failed(measured: Sequence[Measures]) -> str:
    """How many Produce requests were for nothing."""
    return spread([each.refused + each.unanswered for each in measured])


def waited(measured: Sequence[Measures]) -> str:
    """What users saw."""
    given_up = {each.traits[causes.LOST] for each in measured} - {"none"}
    return spread([each.slowest for each in measured]) + "".join(f", {each}" for each in given_up)


NUMBERS: dict[str, Cell] = {
    differences.TIME: recovered,
    "until the last error is over, ms": disturbed,
    "Produce requests that failed": failed,
    differences.ASKED: asked,
}


def _causes(found: Results) -> Iterator[str]:
    yield "\n## Differences, and why\n"
    yield "The tables behind this name these causes where one of ours differs from a real case;"
    yield "what several runs had differently is between slashes. Sequences are of the run with the"
    yield "median time.\n"
    all_of_them = differences.differences(found.measured)
    used = {cause.name for one in all_of_them for cause in causes.explained(one)}
    for cause in causes.CAUSES:
        if cause.name in used:
            yield fill(f"- **{cause.name}**: {cause.text}", 100, subsequent_indent="  ")
    for one in all_of_them:
        if not causes.explained(one):
            yield (
                f"- **{UNEXPLAINED}**: {one.client}, {one.trait}: {one.there!r} in "
                f"{CASES[one.real].title}, {one.here!r} in {CASES[one.ours].title}"
            )


def _client(found: Results, client: str, cases: Sequence[Case]) -> Iterator[str]:
    own = [each for each in found.measured if each.client == client]
    yield f"\n## {client}\n"
    if client in CLIENT_NOTES:
        yield f"{fill(CLIENT_NOTES[client], 100)}\n"
    yield from _table(["", *(case.title for case in cases)], _traits(found, client, cases))
    for case in cases:
        measured = _of(found, client, case.name)
        if measured:
            yield f"\n{case.title[0].upper()}{case.title[1:]}:\n"
            yield "\n".join(["```text", *_typical(measured).sequence, "```"])
    assert own, client


def _traits(found: Results, client: str, cases: Sequence[Case]) -> Iterator[list[str]]:
    own = [each for each in found.measured if each.client == client]
    different = differences.differences(own)
    for trait in [*differences.names(own), *NUMBERS]:
        row = [trait]
        for case in cases:
            measured = _of(found, client, case.name)
            text = NUMBERS.get(trait)
            value = text(measured) if text else " / ".join(differences.values(measured, trait))
            row.append(value + _marks(different, trait, case))
        yield row


def _marks(different: Sequence[Difference], trait: str, case: Case) -> str:
    """The names of the causes of what is different in one of ours."""
    ones = [one for one in different if (one.trait, one.ours) == (trait, case.name)]
    names = [[cause.name for cause in causes.explained(one)] or [UNEXPLAINED] for one in ones]
    unique = dict.fromkeys(name for each in names for name in each)
    return f" *({', '.join(unique)})*" if unique else ""


def _typical(measured: Sequence[Measures]) -> Measures:
    """The run whose time to recover is the median."""
    ordered = sorted(measured, key=lambda each: (each.recovered is None, each.recovered or 0))
    return ordered[len(ordered) // 2]
