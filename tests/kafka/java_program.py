"""One of our Java programs, run for what it prints."""

from __future__ import annotations

import os
import subprocess

from tests.kafka.conftest import unavailable
from tests.kafka.distribution import KAFKA_4, KafkaUnavailableError, ensure
from tests.kafka.java_process import compiled

TIMEOUT = 100


def lines_of(program: str, *arguments: str, stdin: str = "") -> list[str]:
    """What it prints with the classes of Kafka 4; skips the test where they are not to be had.

    Raises CalledProcessError if it fails, TimeoutExpired if it does not end.
    """
    reason = ""
    try:
        distribution = ensure(KAFKA_4)
        classes = compiled(distribution)
    except KafkaUnavailableError as exc:
        reason = str(exc)
    if reason:
        unavailable(reason)
    paths = os.pathsep.join([str(classes), distribution.classpath])
    command = [distribution.java, "-cp", paths, program, *arguments]
    done = subprocess.run(
        command, input=stdin, capture_output=True, text=True, timeout=TIMEOUT, check=True
    )
    return done.stdout.splitlines()
