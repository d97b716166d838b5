"""Pauses, leases, limits and the kill switch through a real gRPC server."""

from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.error_details_pb2 import BadRequest  # type: ignore[import-untyped]
from grpc_status import rpc_status

from sidecar.gen.kafka.chaos.v1 import interceptor_pb2 as pb
from sidecar.gen.kafka.chaos.v1 import interceptor_service_pb2 as ipb
from sidecar.gen.kafka.chaos.v1 import lease_service_pb2 as lpb
from sidecar.gen.kafka.chaos.v1 import sidecar_service_pb2 as spb
from tests.sidecar.api.harness import ADMIN, VIEWER, Control

FAULT: dict[str, Any] = {"leader_election": {"rate_in_percent": 50}}


def create(control: Control, **fields: Any) -> pb.Interceptor:
    wanted = pb.Interceptor(**{"name": "x", **FAULT, **fields})
    request = ipb.CreateInterceptorRequest(interceptor=wanted)
    return control.interceptor.CreateInterceptor(request, metadata=ADMIN).interceptor


def refusal(call: Any, request: Any, metadata: Any = ADMIN) -> tuple[str, str, list[str]]:
    """Code, message and fields of a call that is refused."""
    with pytest.raises(grpc.RpcError) as caught:
        call(request, metadata=metadata)
    fields = []
    status = rpc_status.from_call(caught.value)
    for detail in status.details if status else ():
        bad = BadRequest()
        if detail.Unpack(bad):
            fields = [violation.field for violation in bad.field_violations]
    return caught.value.code().name, caught.value.details(), fields


def refused(control: Control, **fields: Any) -> tuple[str, str, list[str]]:
    wanted = pb.Interceptor(**{"name": "x", **FAULT, **fields})
    request = ipb.CreateInterceptorRequest(interceptor=wanted)
    return refusal(control.interceptor.CreateInterceptor, request)


def test_everything_comes_back_as_it_was_given(control: Control) -> None:
    lease = {"name": "l", "duration": {"seconds": 60}}
    control.lease.CreateLease(lpb.CreateLeaseRequest(lease=lease), metadata=ADMIN)
    selector = pb.Selector(
        topics=["orders.*"],
        partitions=[0, 1],
        client_ids=["app"],
        principals=["sa"],
        groups=["g"],
        brokers=[1],
        apis=["PRODUCE"],
        acks=[-1],
    )
    limits = pb.Limits(max_injections=5, max_per_second=2.5)

    found = create(
        control, selector=selector, limits=limits, lease="l", expire_time={"seconds": 4_000_000_000}
    )

    assert found.selector == selector
    assert found.limits == limits
    assert found.lease == "l"
    assert found.expire_time == Timestamp(seconds=4_000_000_000)
    assert (found.paused, found.state) == (False, pb.Interceptor.STATE_ACTIVE)
    written = ipb.UpdateInterceptorRequest(interceptor=found)
    same = control.interceptor.UpdateInterceptor(written, metadata=ADMIN).interceptor
    assert same == found
    assert len(control.published) == 2


def test_without_controls_none_are_told(control: Control) -> None:
    found = create(control)

    for field in ("selector", "limits", "expire_time", "ttl"):
        assert not found.HasField(field)
    assert found.lease == ""


def test_a_time_to_live_tells_when_it_expires(control: Control) -> None:
    found = create(control, ttl={"seconds": 3600})

    assert found.HasField("expire_time")
    assert not found.HasField("ttl")
    assert create(control, ttl={"seconds": 3600}) == found
    assert refused(control, ttl={"seconds": 1})[0] == "ALREADY_EXISTS"


def test_a_control_is_kept_or_given_but_not_both(control: Control) -> None:
    made = create(control, limits={"max_injections": 5}, ttl={"seconds": 3600})
    plain = pb.Interceptor(name="x", priority=7, **FAULT)

    kept = control.interceptor.UpdateInterceptor(
        ipb.UpdateInterceptorRequest(interceptor=plain, keep_control=True), metadata=ADMIN
    ).interceptor

    assert (kept.limits, kept.expire_time, kept.priority) == (made.limits, made.expire_time, 7)
    given = pb.Interceptor(name="x", limits={}, lease="l", ttl={"seconds": 1}, **FAULT)
    request = ipb.UpdateInterceptorRequest(interceptor=given, keep_control=True)
    code, message, fields = refusal(control.interceptor.UpdateInterceptor, request)
    assert code == "INVALID_ARGUMENT"
    assert fields == ["interceptor.limits", "interceptor.ttl", "interceptor.lease"]
    assert "interceptor.lease is set, which keep_control excludes" in message


def test_the_last_moment_of_all_is_told_back(control: Control) -> None:
    last = Timestamp(seconds=253402300799, nanos=999_999_999)

    found = create(control, expire_time=last)

    assert 253402300799 * 10**9 < found.expire_time.ToNanoseconds() <= last.ToNanoseconds()
    assert create(control, expire_time=last) == found
    assert create(control, expire_time=found.expire_time) == found
    listed = control.interceptor.ListInterceptors(ipb.ListInterceptorsRequest(), metadata=ADMIN)
    assert list(listed.interceptors) == [found]


def test_all_that_is_wrong_is_told_at_once_with_its_place(control: Control) -> None:
    code, message, fields = refused(
        control,
        selector={"topics": ["("], "apis": ["PRODUCE", "produce"], "acks": [5]},
        limits={"max_injections": 0, "max_per_second": 0},
        ttl={"seconds": 1},
        expire_time={"seconds": 4_000_000_000},
    )

    assert code == "INVALID_ARGUMENT"
    assert fields == [
        "interceptor.selector.topics[0]",
        "interceptor.selector.acks[0]",
        "interceptor.selector.apis[1]",
        "interceptor.limits.max_injections",
        "interceptor.limits.max_per_second",
        "interceptor.ttl",
    ]
    assert "interceptor.selector.apis[1] is 'produce', allowed are the names of Kafka's" in message
    assert "interceptor.ttl and expire_time exclude each other" in message


@pytest.mark.parametrize(
    ("fields", "code", "path"),
    [
        ({"ttl": {}}, "INVALID_ARGUMENT", ["interceptor.ttl"]),
        ({"ttl": {"seconds": -5}}, "INVALID_ARGUMENT", ["interceptor.ttl"]),
        ({"expire_time": {"seconds": 1}}, "INVALID_ARGUMENT", ["interceptor.expire_time"]),
        ({"expire_time": {"seconds": -1}}, "INVALID_ARGUMENT", ["interceptor.expire_time"]),
        ({"expire_time": {"seconds": 2**60}}, "INVALID_ARGUMENT", ["interceptor.expire_time"]),
        ({"lease": "a/b"}, "INVALID_ARGUMENT", ["interceptor.lease"]),
        ({"lease": "gone"}, "FAILED_PRECONDITION", []),
    ],
)
def test_an_end_that_cannot_be_is_refused(
    control: Control, fields: dict[str, Any], code: str, path: list[str]
) -> None:
    found = refused(control, **fields)

    assert (found[0], found[2]) == (code, path)
    assert control.published == []


def test_pause_resume_and_reset(control: Control) -> None:
    first = create(control)
    stub = control.interceptor

    paused = stub.PauseInterceptor(
        ipb.PauseInterceptorRequest(name="x", etag=first.etag), metadata=ADMIN
    ).interceptor
    assert (paused.paused, paused.state) == (True, pb.Interceptor.STATE_PAUSED)
    stale = ipb.ResumeInterceptorRequest(name="x", etag=first.etag)
    assert refusal(stub.ResumeInterceptor, stale)[0] == "ABORTED"
    resumed = stub.ResumeInterceptor(ipb.ResumeInterceptorRequest(name="x"), metadata=ADMIN)
    assert resumed.interceptor == first

    other = {"virtual_cluster": "teamA"}
    missing = ipb.PauseInterceptorRequest(name="x", scope=other)
    assert refusal(stub.PauseInterceptor, missing)[0] == "NOT_FOUND"
    reset = ipb.ResetInterceptorsRequest(scope=other)
    assert stub.ResetInterceptors(reset, metadata=ADMIN).deleted == 0
    assert stub.ResetInterceptors(ipb.ResetInterceptorsRequest(), metadata=ADMIN).deleted == 1
    assert control.published[-1].interceptors == ()


def test_a_halt_shows_in_the_status_and_in_every_interceptor(control: Control) -> None:
    create(control)

    def halted() -> tuple[bool, int]:
        status = control.sidecar.GetStatus(spb.GetStatusRequest(), metadata=VIEWER).status
        listed = control.interceptor.ListInterceptors(
            ipb.ListInterceptorsRequest(), metadata=VIEWER
        )
        return status.halted, listed.interceptors[0].state

    assert halted() == (False, pb.Interceptor.STATE_ACTIVE)
    control.sidecar.Halt(spb.HaltRequest(), metadata=ADMIN)
    control.sidecar.Halt(spb.HaltRequest(), metadata=ADMIN)
    assert halted() == (True, pb.Interceptor.STATE_HALTED)
    control.sidecar.Resume(spb.ResumeRequest(), metadata=ADMIN)
    assert halted() == (False, pb.Interceptor.STATE_ACTIVE)
    assert [snapshot.halted for snapshot in control.published] == [False, True, False]


def test_a_lease_from_creation_to_release(control: Control) -> None:
    stub = control.lease
    wanted = lpb.CreateLeaseRequest(lease={"name": "l", "duration": {"seconds": 60}})
    made = stub.CreateLease(wanted, metadata=ADMIN).lease
    assert made.duration.ToSeconds() == 60
    create(control, lease="l")

    renewed = stub.RenewLease(
        lpb.RenewLeaseRequest(name="l", duration={"seconds": 90}), metadata=ADMIN
    ).lease
    assert renewed.expire_time.ToMicroseconds() >= made.expire_time.ToMicroseconds() + 30_000_000
    [listed] = stub.ListLeases(lpb.ListLeasesRequest(), metadata=VIEWER).leases
    assert listed == renewed
    assert listed.interceptors == 1
    stub.ReleaseLease(lpb.ReleaseLeaseRequest(name="l"), metadata=ADMIN)
    assert not stub.ListLeases(lpb.ListLeasesRequest(), metadata=VIEWER).leases
    assert refusal(stub.RenewLease, lpb.RenewLeaseRequest(name="l"))[0] == "NOT_FOUND"
    assert refusal(stub.ReleaseLease, lpb.ReleaseLeaseRequest(name="l"))[0] == "NOT_FOUND"
    stub.ReleaseLease(lpb.ReleaseLeaseRequest(name="l", allow_missing=True), metadata=ADMIN)
    get = ipb.GetInterceptorRequest(name="x")
    found = control.interceptor.GetInterceptor(get, metadata=VIEWER).interceptor
    assert found.state == pb.Interceptor.STATE_EXPIRED


def test_a_lease_that_cannot_be_is_refused_with_all_that_is_wrong(control: Control) -> None:
    code, _, fields = refusal(control.lease.CreateLease, lpb.CreateLeaseRequest())

    assert (code, fields) == ("INVALID_ARGUMENT", ["lease.name", "lease.duration"])


def test_viewers_may_look_and_change_nothing(control: Control) -> None:
    for call, request in (
        (control.interceptor.PauseInterceptor, ipb.PauseInterceptorRequest(name="x")),
        (control.interceptor.ResumeInterceptor, ipb.ResumeInterceptorRequest(name="x")),
        (control.interceptor.ResetInterceptors, ipb.ResetInterceptorsRequest()),
        (control.sidecar.Halt, spb.HaltRequest()),
        (control.sidecar.Resume, spb.ResumeRequest()),
        (control.lease.CreateLease, lpb.CreateLeaseRequest()),
        (control.lease.RenewLease, lpb.RenewLeaseRequest()),
        (control.lease.ReleaseLease, lpb.ReleaseLeaseRequest()),
    ):
        assert refusal(call, request, VIEWER)[0] == "PERMISSION_DENIED"
    control.lease.ListLeases(lpb.ListLeasesRequest(), metadata=VIEWER)
