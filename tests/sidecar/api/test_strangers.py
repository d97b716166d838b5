"""What strangers cost those who are known: nothing."""

import contextlib
from collections import Counter
from typing import Any

import grpc

from sidecar.api.guard import OPEN_RATE
from sidecar.api.lockout import FAILURES_AT_ONCE
from sidecar.gen.kafka.chaos.v1 import sidecar_service_pb2 as spb
from tests.sidecar.api.harness import VIEWER, basic, running
from tests.sidecar.api.test_calls import refused


def test_strangers_use_up_nothing_of_users() -> None:
    refusals: list[tuple[str, str]] = []
    events: list[str] = []

    def note(door: str, reason: str, address: str) -> None:
        refusals.append((door, reason))

    def audit(event: str, **fields: object) -> None:
        events.append(f"{fields['method']} {fields['outcome']}")

    options: dict[str, Any] = {"rate": 0.001, "burst": 2, "metrics_open": True}
    with running(refused=note, audit=audit, **options) as control:
        wrong = (("authorization", basic("admin", "wrong")),)
        for _ in range(50):
            refused(lambda: control.sidecar.GetStatus(spb.GetStatusRequest()))
            refused(lambda: control.sidecar.GetStatus(spb.GetStatusRequest(), metadata=wrong))
        for _ in range(3 * OPEN_RATE):
            with contextlib.suppress(grpc.RpcError):
                control.sidecar.GetMetrics(spb.GetMetricsRequest())
        assert control.sidecar.GetStatus(spb.GetStatusRequest(), metadata=VIEWER)
        assert control.sidecar.GetStatus(spb.GetStatusRequest(), metadata=VIEWER)
        refused(lambda: control.sidecar.GetStatus(spb.GetStatusRequest(), metadata=VIEWER))

    told, counted = Counter(events), Counter(refusals)
    failed = told["SidecarService/GetStatus Unauthenticated"]
    assert failed + counted["grpc", "lockout"] == 100
    assert 2 * FAILURES_AT_ONCE <= failed < 100
    asked = told["SidecarService/GetMetrics OK"]
    assert 2 * OPEN_RATE <= asked <= 3 * OPEN_RATE
    assert asked + counted["grpc", "rate"] == 3 * OPEN_RATE + 1
    assert told["SidecarService/GetStatus OK"] == 2
    assert set(told.values()) == {failed, asked, 2}
