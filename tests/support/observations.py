"""A recovery and an anomaly, with every field filled."""

from typing import Any

from sidecar.model.observation import Ended, SequenceAnomaly
from tests.sidecar.api.harness import injection

TIME = 1_700_000_000.25


def ended(**changes: Any) -> Ended:
    """A recovery; `changes` replace its fields."""
    return Ended(injection(), ("my-topic", 3), TIME, True, 1.25, 4, 3, 2)._replace(**changes)


def anomaly(**changes: Any) -> SequenceAnomaly:
    """A reordering; `changes` replace its fields."""
    values: dict[str, Any] = {
        "time": TIME,
        "kind": "REORDERED",
        "virtual_cluster": "teamA",
        "principal": "sa",
        "client_id": None,
        "topic": "cars",
        "partition": 3,
        "producer_id": 4000,
        "producer_epoch": 5,
        "base_sequence": 9,
        "record_count": 2,
        "base_offset": 12,
        "expected_sequence": 11,
        "other_offset": 40,
    }
    return SequenceAnomaly(**values | changes)
