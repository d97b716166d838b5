"""The bytes of Kafka's own ConsumerProtocol are those that are committed, and those we write."""

from __future__ import annotations

import pytest

from tests.codec.test_consumer_protocol import LINES, MADE
from tests.kafka.java_program import lines_of

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]
PREFIX = "teamA"


def written(prefix: str) -> list[str]:
    """The lines of ConsumerProtocolBytes with this prefix before every topic."""
    return lines_of("ConsumerProtocolBytes", prefix)


def test_the_committed_bytes_are_kafkas() -> None:
    assert written("") == LINES


def test_renamed_bytes_are_what_kafka_writes_for_the_other_names() -> None:
    renamed = [made.rewrite(lambda name: PREFIX.encode() + name).hex() for made in MADE]
    assert renamed == [line.split()[-1] for line in written(PREFIX)]
