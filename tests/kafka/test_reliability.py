"""Some of `make faults`, shortly; the page has the rest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kafka.cluster import RealKafka
from tests.kafka.reliability.faults import FAULTS
from tests.kafka.reliability.row import tried
from tests.kafka.reliability.world import World

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
SHORT = ("sigkill", "descriptors")


@pytest.fixture(scope="module")
def world(mortal_kafka: RealKafka) -> Iterator[World]:
    made = World(mortal_kafka, gone_seconds=3)
    yield made
    made.stop()


@pytest.mark.kafka
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", SHORT)
def test_what_was_acknowledged_is_there_whatever_happens(world: World, name: str) -> None:
    [fault] = [each for each in FAULTS if each.name == name]

    row = tried(world, fault, SHORT.index(name))

    assert row.kept, row
    assert row.acknowledged > 400
    assert all(seen.acked for seen in world.load.seen)


def test_the_page_has_every_fault() -> None:
    rows = [line.split(" | ")[0] for line in PAGE.read_text().splitlines()]

    assert [row[2:] for row in rows if row[:2] == "| " and row[2:] != "fault"] == [
        fault.name for fault in FAULTS
    ]
