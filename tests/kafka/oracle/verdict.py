"""What is wrong with what is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from tests.kafka.oracle.clients import Producer, Value

SHOWN = 5
ENDS = ("APPEND_THEN_DISCONNECT", "APPEND_THEN_SWALLOW")


def lost(producers: Iterable[Producer], log: Sequence[Sequence[Value]]) -> list[str]:
    """Acknowledged records that are not there."""
    there = [set(partition) for partition in log]
    missing = [
        f"{producer.name}:{number} of partition {partition}"
        for producer in producers
        for number, partition in producer.acknowledged.items()
        if (producer.name, number) not in there[partition]
    ]
    return _told("acknowledged and lost", missing)


def repeated(log: Sequence[Sequence[Value]]) -> dict[int, int]:
    """By partition how many records are there that were there before."""
    return {
        partition: sum(count - 1 for count in Counter(values).values())
        for partition, values in enumerate(log)
    }


def reordered(log: Sequence[Sequence[Value]]) -> list[str]:
    """Records that come after a later one of their producer and partition."""
    found = []
    for partition, values in enumerate(log):
        last: dict[str, int] = {}
        for name, number in values:
            if number < last.get(name, -1):
                found.append(f"{name}:{number} behind {last[name]} on partition {partition}")
            last[name] = max(number, last.get(name, -1))
    return _told("out of order", found)


def unexplained(
    log: Sequence[Sequence[Value]], events: Iterable[dict[str, Any]], topic: str
) -> list[str]:
    """Partitions with repeated records though nothing was appended and then denied.

    A connection that closes, now or later, takes the answers of what was in flight beside the
    request with it, of other partitions too: then all that is repeated has a cause.
    """
    appended = [
        event
        for event in events
        if event["topic"] == topic and event["outcome"].startswith("APPEND_THEN_")
    ]
    if any(event["outcome"] in ENDS for event in appended):
        return []
    denied = {event["partition"] for event in appended}
    found = [
        f"partition {partition}: {count} records"
        for partition, count in repeated(log).items()
        if count and partition not in denied
    ]
    return _told("repeated without a cause", found)


def anomalous(events: Iterable[dict[str, Any]]) -> list[str]:
    """What the oracle on the wire found."""
    found = [
        f"{each['kind']} on {each['topic']}-{each['partition']},"
        f" producer {each['producer_id']}, sequence {each['base_sequence']}"
        for each in events
    ]
    return _told("wrong on the wire", found)


def unseen(producers: Iterable[Producer], seen: set[Value]) -> list[str]:
    """Acknowledged records that no consumer saw."""
    missing = [
        f"{producer.name}:{number}"
        for producer in producers
        for number in producer.acknowledged
        if (producer.name, number) not in seen
    ]
    return _told("acknowledged and not consumed", missing)


def _told(what: str, found: list[str]) -> list[str]:
    if not found:
        return []
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return [f"{len(found)} {what}: {', '.join(found[:SHOWN])}{more}"]
