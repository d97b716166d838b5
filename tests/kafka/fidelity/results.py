"""What was measured, with where and when, as one file of JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.kafka.fidelity.clients import CLIENTS, INTERVAL_MS
from tests.kafka.fidelity.measures import Measures


@dataclass(frozen=True)
class Results:
    """One time of `make fidelity`."""

    date: str
    machine: str
    kafka: str
    clients: dict[str, str]
    """What each is made of."""
    runs: int
    interval_ms: int
    measured: list[Measures]

    def save(self, path: Path) -> None:
        """Write them; `load` reads them."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")


def load(path: Path) -> Results:
    """Read what `save` wrote."""
    plain: dict[str, Any] = json.loads(path.read_text())
    return Results(**plain | {"measured": [Measures(**each) for each in plain["measured"]]})


def results(kafka: str, clients: dict[str, str], runs: int, found: Sequence[Measures]) -> Results:
    """Of here and now."""
    return Results(
        datetime.now(UTC).date().isoformat(),
        machine(),
        kafka,
        {name: clients[name] for name in CLIENTS if name in clients},
        runs,
        INTERVAL_MS,
        list(found),
    )


def machine() -> str:
    """Processors, system and Python, in a few words."""
    cores = os.cpu_count()
    python = platform.python_version()
    return f"{cores} cores ({_model()}), {platform.system()} {platform.release()}, Python {python}"


def _model() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
