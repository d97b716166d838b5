"""What a stream tells, as lines for people."""

from typing import Any

import pytest

from sidecar.api.observations import observation_to_proto
from sidecar.cli.ctl.rows import event_line
from sidecar.gen.kafka.chaos.v1.injection_service_pb2 import Gap, WatchInjectionsResponse
from tests.support import observations


def recovery(**changes: Any) -> Any:
    return {"recovery": observation_to_proto(1, observations.ended(**changes).whole())}


def anomaly(**changes: Any) -> Any:
    return {"sequence_anomaly": observation_to_proto(1, observations.anomaly(**changes))}


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (
            recovery(),
            "2023-11-14T22:13:20.250Z elections teamA RECOVERED in 1.250 s PRODUCE my-topic-3"
            " client=producer-1 errors=4 retries=3 metadata-refreshes=2",
        ),
        (
            recovery(recovered=False, seconds=300.0),
            "2023-11-14T22:13:20.250Z elections teamA NOT RECOVERED in 300 s PRODUCE my-topic-3"
            " client=producer-1 errors=4 retries=3 metadata-refreshes=2",
        ),
        (
            anomaly(),
            "2023-11-14T22:13:20.250Z REORDERED teamA cars-3 producer=4000/5 sequence=9"
            " expected=11 offset=12 other-offset=40",
        ),
        (
            anomaly(kind="GAP", other_offset=None, client_id="app"),
            "2023-11-14T22:13:20.250Z GAP teamA cars-3 client=app producer=4000/5 sequence=9"
            " expected=11 offset=12",
        ),
        ({"gap": Gap(missed=3)}, "GAP: 3 injections went by that it can no longer tell"),
        (
            {"gap": Gap(missed_observations=3)},
            "GAP: 3 observations went by that it can no longer tell",
        ),
        (
            {"gap": Gap(restarted=True)},
            "GAP: the sidecar was started anew; its injections from here on",
        ),
    ],
)
def test_lines(event: dict[str, Any], line: str) -> None:
    assert event_line(WatchInjectionsResponse(**event)) == line


def test_what_is_not_known_is_said_so() -> None:
    assert "does not know" in event_line(WatchInjectionsResponse())
