"""The producers that are compared: programs that produce steadily, and what they are made of."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.kafka import node
from tests.kafka.distribution import Distribution
from tests.kafka.java_process import compiled

INTERVAL_MS = 20
START_SECONDS, END_SECONDS = 60.0, 60.0
ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Client:
    """One library; `command` starts a program with bootstrap, topic and interval added."""

    name: str
    made_of: Callable[[Distribution], str]
    """Its version, for people."""
    producer: str
    """How it produces here."""
    command: Callable[[Distribution], list[str]]


def _java(distribution: Distribution) -> list[str]:
    command = distribution.command("Steady")
    at = command.index("-cp") + 1
    command[at] = os.pathsep.join([str(compiled(distribution)), command[at]])
    return command


def _python(library: str) -> Callable[[Distribution], list[str]]:
    return lambda _: [sys.executable, "-m", "tests.kafka.fidelity.steady", library]


def _node(_: Distribution) -> list[str]:
    return ["node", str(node.installed() / node.STEADY)]


def _librdkafka(_: Distribution) -> str:
    import confluent_kafka

    library = confluent_kafka.libversion()[0]
    return f"librdkafka {library} (confluent-kafka {version('confluent-kafka')})"


def _of_kafkajs(_: Distribution) -> str:
    package = json.loads((node.SOURCES / "package.json").read_text())
    shown = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    return f"kafkajs {package['dependencies']['kafkajs']} (Node {shown.stdout.strip()})"


CLIENTS: dict[str, Client] = {
    each.name: each
    for each in (
        Client(
            "java",
            lambda distribution: f"kafka-clients {distribution.version}",
            "idempotent, as is its default",
            _java,
        ),
        Client(
            "librdkafka",
            _librdkafka,
            "not idempotent, as is its default",
            _python("librdkafka"),
        ),
        Client(
            "kafka-python",
            lambda _: f"kafka-python {version('kafka-python')}",
            "idempotent, as is its default",
            _python("kafka-python"),
        ),
        Client(
            "aiokafka",
            lambda _: f"aiokafka {version('aiokafka')}",
            "not idempotent, as is its default; acks=all, which is not",
            _python("aiokafka"),
        ),
        Client(
            "kafkajs",
            _of_kafkajs,
            "not idempotent, as is its default; each record is awaited before the next",
            _node,
        ),
    )
}


@dataclass
class Producing:
    """A client at work, and in the end what it told its user."""

    told: dict[str, Any] = field(default_factory=dict)
    """sent, acknowledged, failed (by error), slowest_ms."""


@contextlib.contextmanager
def producing(
    client: Client, distribution: Distribution, bootstrap: str, topic: str
) -> Iterator[Producing]:
    """A client that produces for the length of a with block; first it has been acknowledged once.

    Raises RuntimeError, with what it printed, if it does not begin or does not end well.
    """
    arguments = [*client.command(distribution), bootstrap, topic, str(INTERVAL_MS)]
    result = Producing()
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            arguments,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            # Ctrl-C is for us: the client is told by its stdin.
            start_new_session=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        patience = threading.Timer(START_SECONDS, process.kill)
        patience.start()
        try:
            first = process.stdout.readline().strip()
            patience.cancel()
            if first == "ready":
                yield result
                patience = threading.Timer(END_SECONDS, process.kill)
                patience.start()
                process.stdin.close()
                last = process.stdout.readline()
                if process.wait() == 0 and last:
                    result.told = json.loads(last)
                    return
            errors.seek(0)
            raise RuntimeError(f"{client.name} did not work: {first}\n{errors.read()[-2000:]}")
        finally:
            patience.cancel()
            process.kill()
            process.wait(10)
            for stream in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    stream.close()
