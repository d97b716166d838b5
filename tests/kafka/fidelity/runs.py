"""One client through one case: what was heard, and what its user was told."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tests.kafka.fidelity.cases import Case
from tests.kafka.fidelity.clients import Client, producing
from tests.kafka.fidelity.reading import Heard, heard
from tests.kafka.fidelity.stage import Stage

CALM_SECONDS = 4.0
"""Of producing before anything happens."""


@dataclass(frozen=True)
class Run:
    """What one client did in one case. Times are seconds of the monotonic clock."""

    client: str
    case: str
    began: float
    """When it was told to happen."""
    ended: float
    """When nobody listened any more."""
    heard: Heard
    told: dict[str, Any] = field(default_factory=dict)
    """What the client told its user: sent, acknowledged, failed, slowest_ms."""


def run(stage: Stage, client: Client, case: Case, number: int, calm: float = CALM_SECONDS) -> Run:
    """Have `client` produce, let it happen, and listen."""
    topic = f"fidelity-{case.name}-{uuid4().hex[:8]}"
    stage.create_topic(topic, case.replicas)
    if case.name == "election":
        stage.prefer(topic)
    pause = threading.Event()
    stage.ear.forget()
    try:
        with producing(client, stage.kafka.distribution, stage.bootstrap, topic) as producer:
            pause.wait(calm)
            began = time.monotonic()
            with case.event(stage, topic, number):
                pause.wait(max(0.0, began + case.observed - time.monotonic()))
                ended = time.monotonic()
                conversations = list(stage.ear.conversations)
                said = heard(conversations, stage.sidecar.port, topic)
    finally:
        stage.delete_topic(topic)
    return Run(client.name, case.name, began, ended, said, producer.told)
