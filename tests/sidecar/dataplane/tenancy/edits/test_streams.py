"""Texts of Streams groups name topics of a request that somebody else sent."""

from typing import Any

import pytest

from codec.messages.streams_group_heartbeat import (
    StreamsGroupHeartbeatRequest,
    StreamsGroupHeartbeatResponse,
)
from tests.support.tenants import Tenant

TEXTS = [
    ("Source topics teamAin, ops-orders are missing.", "Source topics in, orders are missing."),
    ("Internal topics are missing: [teamAx-log]", "Internal topics are missing: [x-log]"),
    (
        "Existing topic teamAr.x has different number of partitions: expected 2, found 3",
        "Existing topic r.x has different number of partitions: expected 2, found 3",
    ),
    (
        "Following topics do not have the same number of partitions: [{teamAb=1, teamAc=2}]",
        "Following topics do not have the same number of partitions: [{b=1, c=2}]",
    ),
    (
        "Number of partitions [1] of repartition topic [teamAr] doesn't match number of"
        " partitions [2] of the source topic.",
        "Number of partitions [1] of repartition topic [r] doesn't match number of"
        " partitions [2] of the source topic.",
    ),
    ("Topic teamAr is not in the topology.", "Topic r is not in the topology."),
    ("Missing source topics: teamAr", "Missing source topics: r"),
    ("No partition count for source topic teamAr.", "No partition count for source topic r."),
    ("Internal topics are missing: [teamBx, teamAx]", "Internal topics are missing: [teamBx, x]"),
    ("", ""),
]  # fmt: skip


def told(tenant: Tenant, detail: str, message: str | None) -> tuple[Any, Any]:
    """Both texts of a heartbeat without topology, as the client reads them."""
    _, exchange = tenant.sends(StreamsGroupHeartbeatRequest(group_id="g"), 0)
    status = StreamsGroupHeartbeatResponse.Status(status_code=1, status_detail=detail)
    answer = StreamsGroupHeartbeatResponse(error_message=message, status=[status])
    found = tenant.reads(answer, 0, exchange)
    return found.status[0].status_detail, found.error_message


@pytest.mark.parametrize(("physical", "logical"), TEXTS)
def test_topics_are_called_as_the_client_calls_them(physical: str, logical: str) -> None:
    assert told(Tenant({"orders": "ops-orders"}), physical, physical) == (logical, logical)


@pytest.mark.parametrize("prefix", ["a", "t", "m", "in", "p"])
def test_kafkas_own_words_stay_whatever_the_virtual_cluster_is_called(prefix: str) -> None:
    text = "Source topics {}cars, {}bikes are missing. Internal topics are missing: [{}x]"

    detail, _ = told(Tenant(prefix=prefix), text.format(prefix, prefix, prefix), None)

    assert detail == text.format("", "", "")


def test_a_response_without_texts_stays_without() -> None:
    tenant = Tenant()
    _, exchange = tenant.sends(StreamsGroupHeartbeatRequest(group_id="g"), 0)

    found = tenant.reads(StreamsGroupHeartbeatResponse(status=None), 0, exchange)

    assert (found.status, found.error_message) == (None, None)
