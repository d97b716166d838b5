"""The bytes of Kafka's own ConsumerProtocol are those that are committed, and those we write."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.codec.test_consumer_protocol import LINES, MADE
from tests.kafka.conftest import unavailable
from tests.kafka.distribution import KAFKA_4, KafkaUnavailableError, ensure
from tests.kafka.java_process import compiled

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]
PREFIX = "teamA"


def written(prefix: str) -> list[str]:
    """The lines of ConsumerProtocolBytes with this prefix before every topic."""
    reason = ""
    try:
        distribution = ensure(KAFKA_4)
        classes = compiled(distribution)
    except KafkaUnavailableError as exc:
        reason = str(exc)
    if reason:
        unavailable(reason)
    paths = os.pathsep.join([str(classes), distribution.classpath])
    command = [distribution.java, "-cp", paths, "ConsumerProtocolBytes", prefix]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)
    return done.stdout.splitlines()


def test_the_committed_bytes_are_kafkas() -> None:
    assert written("") == LINES


def test_renamed_bytes_are_what_kafka_writes_for_the_other_names() -> None:
    renamed = [made.rewrite(lambda name: PREFIX.encode() + name).hex() for made in MADE]
    assert renamed == [line.split()[-1] for line in written(PREFIX)]
