"""What was heard as lines for people: one for each thing that happened, repetition folded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.kafka.fidelity.reading import Exchange, Heard, Leader, Link

LONGEST_BLOCK = 6
MOST_LINES = 14
#: Said with every new connection, and therefore not by itself.
GREETING = "API_VERSIONS"


@dataclass(frozen=True)
class Moment:
    """One thing that happened, at a time in seconds."""

    at: float
    text: str


@dataclass(frozen=True)
class Run:
    """The same thing several times, one behind the other."""

    at: float
    text: str
    count: int


@dataclass(frozen=True)
class Block:
    """Lines that come `times` times over; each with the fewest and the most of it in a row."""

    at: float
    lines: tuple[tuple[str, int, int], ...]
    times: int


def moments(heard: Heard) -> list[Moment]:
    """Everything in order, but what is said with every new connection."""
    found = [Moment(each.when, _exchange(each)) for each in heard.exchanges if each.api != GREETING]
    for link in heard.links:
        found += _link(link)
    return sorted(found, key=lambda moment: moment.at)


def told(api: str) -> str:
    """The name of an API as in Kafka's documentation."""
    return "".join(word.title() for word in api.split("_"))


def _exchange(each: Exchange) -> str:
    name = f"{told(each.api)} v{each.version}"
    if each.api == "METADATA":
        return f"{name}: {_metadata(each)}"
    if each.answered is None:
        return f"{name} to {each.node}: no answer, the connection is lost"
    hint = f" (hint: {_leader(each.leader)})" if each.leader else ""
    return f"{name} to {each.node}: {each.error or 'ok'}{hint}"


def _metadata(each: Exchange) -> str:
    if each.answered is None:
        return "no answer, the connection is lost"
    if each.leader is None:
        return each.error or "nothing about the topic"
    error = f"{each.error}, " if each.error else ""
    return f"{error}{_leader(each.leader)}"


def _leader(leader: Leader) -> str:
    who = "no leader" if leader.node < 0 else f"leader {leader.node}"
    return who if leader.epoch < 0 else f"{who}, epoch {leader.epoch}"


def _link(link: Link) -> list[Moment]:
    broker = f"connection to {link.node}"
    if not link.used and link.closed is not None:
        return [Moment(link.closed, f"{broker}: closed before any answer")]
    found = [Moment(link.opened, f"{broker}: opened")]
    if link.closed is not None:
        by = "client" if link.by_client else "broker"
        found.append(Moment(link.closed, f"{broker}: closed by the {by}"))
    return found


def folded(found: Sequence[Moment]) -> list[Block]:
    """The same, with what is repeated said once."""
    runs: list[Run] = []
    for moment in found:
        if runs and runs[-1].text == moment.text:
            runs[-1] = Run(runs[-1].at, moment.text, runs[-1].count + 1)
        else:
            runs.append(Run(moment.at, moment.text, 1))
    blocks, at = [], 0
    while at < len(runs):
        size, times = _best(runs, at)
        taken = runs[at : at + size * times]
        lines = tuple(
            (taken[n].text, min(counts), max(counts))
            for n in range(size)
            for counts in [[each.count for each in taken[n::size]]]
        )
        blocks.append(Block(taken[0].at, lines, times))
        at += size * times
    return blocks


def _best(runs: Sequence[Run], at: int) -> tuple[int, int]:
    """Length and number of the repeated block that covers most from here on; (1, 1) for none."""
    best = (1, 1)
    for size in range(2, LONGEST_BLOCK + 1):
        block = [each.text for each in runs[at : at + size]]
        times = 1
        while [each.text for each in runs[at + size * times : at + size * (times + 1)]] == block:
            times += 1
        if times > 1 and size * times > best[0] * best[1]:
            best = (size, times)
    return best


def shown(blocks: Sequence[Block], zero: float) -> list[str]:
    """Lines with the milliseconds since `zero`, seconds; what is in the middle of many is left out.

    A block that is repeated has its lines marked, and the number at the first.
    """
    lines = []
    for block in blocks:
        when = f"{(block.at - zero) * 1000:+8.0f} ms  "
        for n, (text, fewest, most) in enumerate(block.lines):
            many = f" x {most}" if fewest == most else f" x {fewest} to {most}"
            times = f"{many if most > 1 else ''}"
            mark = "" if block.times == 1 else "| "
            over = f"   <- {block.times} times" if block.times > 1 and n == 0 else ""
            lines.append(f"{when if n == 0 else ' ' * len(when)}{mark}{text}{times}{over}")
    if len(lines) > MOST_LINES:
        head, tail = MOST_LINES * 2 // 3, MOST_LINES // 3
        left = len(lines) - head - tail
        lines = [*lines[:head], f"{'':13}... {left} more lines like these", *lines[-tail:]]
    return lines
