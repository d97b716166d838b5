"""The control API through real channels: every method, every refusal."""

from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_status import rpc_status
from structlog.testing import capture_logs

from sidecar.gen.kafka.chaos.v1 import interceptor_service_pb2 as ipb
from sidecar.gen.kafka.chaos.v1 import sidecar_service_pb2 as spb
from sidecar.gen.kafka.chaos.v1 import token_service_pb2 as tpb
from sidecar.gen.kafka.chaos.v1.fault_pb2 import LeaderElection
from sidecar.gen.kafka.chaos.v1.injection_service_pb2 import ListInjectionsRequest
from sidecar.gen.kafka.chaos.v1.interceptor_pb2 import Interceptor, Scope
from sidecar.model.identity import Identity
from tests.sidecar.api.harness import (
    ADMIN,
    METRICS,
    NOW,
    VIEWER,
    Control,
    basic,
    injection,
    running,
)

TEAM_A = Scope(virtual_cluster="teamA")
Code = grpc.StatusCode


def wanted(**changes: Any) -> Interceptor:
    values: dict[str, Any] = {
        "name": "elections",
        "scope": TEAM_A,
        "leader_election": LeaderElection(rate_in_percent=50),
    }
    return Interceptor(**(values | changes))


def create(control: Control, interceptor: Interceptor | None = None) -> Interceptor:
    request = ipb.CreateInterceptorRequest(interceptor=interceptor or wanted())
    return control.interceptor.CreateInterceptor(request, metadata=ADMIN).interceptor


def refused(call: Callable[[], object]) -> tuple[grpc.StatusCode, str, dict[str, str]]:
    """Return code, message and field violations of a refusal, after looking at its ErrorInfo."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    status = rpc_status.from_call(caught.value)
    assert status is not None
    info, fields = ErrorInfo(), BadRequest()
    for detail in status.details:
        detail.Unpack(info)
        detail.Unpack(fields)
    code = caught.value.code()
    assert (info.domain, info.reason) == ("kafka-chaos-sidecar", code.name)
    return code, status.message, {v.field: v.description for v in fields.field_violations}


def test_create_is_published_before_the_call_returns(control: Control) -> None:
    made = create(control, wanted(annotations={"by": "test"}))

    [snapshot] = control.published
    [item] = snapshot.interceptors
    assert (item.name, item.scope.virtual_cluster, item.priority) == ("elections", "teamA", 100)
    assert (made.uid, made.effective_seed) == (item.uid, item.seed)
    assert made.etag
    assert made.priority == 100
    assert dict(made.annotations) == {"by": "test"}
    assert not made.leader_election.HasField("seed")


def test_create_again_is_ok_and_other_content_is_not(control: Control) -> None:
    made = create(control)

    assert create(control) == made
    code, message, _ = refused(
        lambda: create(control, wanted(leader_election=LeaderElection(rate_in_percent=51)))
    )
    assert code is Code.ALREADY_EXISTS
    assert "'elections' exists in virtual cluster 'teamA' with other content" in message
    request = ipb.CreateInterceptorRequest(interceptor=wanted(), require_new=True)
    call = control.interceptor.CreateInterceptor
    assert refused(lambda: call(request, metadata=ADMIN))[0] is Code.ALREADY_EXISTS


def test_every_bad_field_is_told_at_once(control: Control) -> None:
    bad = Interceptor(
        name="a/b",
        scope=Scope(group="g"),
        priority=-1,
        leader_election=LeaderElection(rate_in_percent=100.5),
    )
    code, message, fields = refused(lambda: create(control, bad))

    assert code is Code.INVALID_ARGUMENT
    assert fields == {
        "interceptor.scope.group": (
            "interceptor.scope.group needs scope.virtual_cluster beside it"
        ),
        "interceptor.leader_election.rate_in_percent": (
            "interceptor.leader_election.rate_in_percent is 100.5, allowed are 0 to 100"
        ),
        "interceptor.name": (
            "interceptor.name is 'a/b', allowed are printable characters without '/'"
        ),
    }
    assert all(description in message for description in fields.values())


@pytest.mark.parametrize(
    ("interceptor", "field", "words"),
    [
        (Interceptor(name="a"), "interceptor.fault", "is required, allowed are leader_election"),
        (
            wanted(leader_election=LeaderElection()),
            "interceptor.leader_election.rate_in_percent",
            "is required, allowed are 0 to 100",
        ),
        (
            wanted(leader_election=LeaderElection(rate_in_percent=float("nan"))),
            "interceptor.leader_election.rate_in_percent",
            "is nan, allowed are 0 to 100",
        ),
        (wanted(priority=-5), "interceptor.priority", "is -5, allowed are 0 to 2147483647"),
        (wanted(name=""), "interceptor.name", "must not be empty"),
        (
            wanted(scope=Scope(virtual_cluster="a b")),
            "interceptor.scope.virtual_cluster",
            "is 'a b', allowed are letters",
        ),
    ],
)
def test_bad_interceptors(
    control: Control, interceptor: Interceptor, field: str, words: str
) -> None:
    code, _, fields = refused(lambda: create(control, interceptor))

    assert code is Code.INVALID_ARGUMENT
    assert f"{field} {words}" in fields[field]
    assert control.published == []


def test_get_list_update_delete(control: Control) -> None:
    stub = control.interceptor
    made = create(control)
    create(control, wanted(name="everywhere", scope=None))

    get = ipb.GetInterceptorRequest(name="elections", scope=TEAM_A)
    assert stub.GetInterceptor(get, metadata=VIEWER).interceptor == made

    def listed(request: ipb.ListInterceptorsRequest) -> list[str]:
        answer = stub.ListInterceptors(request, metadata=VIEWER)
        return [item.name for item in answer.interceptors]

    assert listed(ipb.ListInterceptorsRequest()) == ["elections", "everywhere"]
    assert listed(ipb.ListInterceptorsRequest(scope=Scope())) == ["everywhere"]
    assert listed(ipb.ListInterceptorsRequest(scope=TEAM_A)) == ["elections"]

    stale = ipb.UpdateInterceptorRequest(interceptor=wanted(priority=1, etag="stale"))
    assert refused(lambda: stub.UpdateInterceptor(stale, metadata=ADMIN))[0] is Code.ABORTED
    update = ipb.UpdateInterceptorRequest(interceptor=wanted(priority=1, etag=made.etag))
    updated = stub.UpdateInterceptor(update, metadata=ADMIN)
    assert (updated.created, updated.interceptor.priority) == (False, 1)
    missing = ipb.UpdateInterceptorRequest(interceptor=wanted(name="new"))
    assert refused(lambda: stub.UpdateInterceptor(missing, metadata=ADMIN))[0] is Code.NOT_FOUND
    missing.allow_missing = True
    assert stub.UpdateInterceptor(missing, metadata=ADMIN).created

    delete = ipb.DeleteInterceptorRequest(name="elections", scope=TEAM_A)
    stub.DeleteInterceptor(delete, metadata=ADMIN)
    code, message, _ = refused(lambda: stub.DeleteInterceptor(delete, metadata=ADMIN))
    assert code is Code.NOT_FOUND
    assert message == "there is no interceptor 'elections' in virtual cluster 'teamA'"
    delete.allow_missing = True
    stub.DeleteInterceptor(delete, metadata=ADMIN)


def test_resolve(control: Control) -> None:
    create(control, wanted(name="late", priority=9, scope=None))
    create(control, wanted(name="early", priority=1))
    create(control, wanted(name="mine", scope=Scope(virtual_cluster="passthrough", group="g")))

    def resolved(request: ipb.ResolveInterceptorsRequest) -> list[str]:
        answer = control.interceptor.ResolveInterceptors(request, metadata=VIEWER)
        return [item.name for item in answer.interceptors]

    team = ipb.ResolveInterceptorsRequest(virtual_cluster="teamA", username="sa")
    assert resolved(team) == ["early", "late"]
    assert resolved(ipb.ResolveInterceptorsRequest(groups=["g"])) == ["late", "mine"]
    bad = ipb.ResolveInterceptorsRequest(groups=["ok", ""])
    code, _, fields = refused(lambda: resolved(bad))
    assert (code, list(fields)) == (Code.INVALID_ARGUMENT, ["groups[1]"])


def test_injections_are_counted_on_their_interceptor(control: Control) -> None:
    create(control)
    control.journal.publish(injection(interceptor_uid="uid-1"))

    request = ipb.GetInterceptorRequest(name="elections", scope=TEAM_A)
    answer = control.interceptor.GetInterceptor(request, metadata=VIEWER)
    assert answer.interceptor.injections == 1


def test_tokens_open_their_virtual_cluster(control: Control) -> None:
    request = tpb.CreateTokenRequest(
        virtual_cluster="teamA", username="sa", lifetime_seconds=7776000
    )
    answer = control.token.CreateToken(request, metadata=ADMIN)

    assert control.tokens.verify(answer.token, NOW) == Identity("sa", "teamA")
    assert answer.expire_time.seconds == 1720469829
    request.virtual_cluster = ""
    token = control.token.CreateToken(request, metadata=ADMIN).token
    assert control.tokens.verify(token, NOW) == Identity("sa", "passthrough")
    request.lifetime_seconds = 0
    code, _, fields = refused(lambda: control.token.CreateToken(request, metadata=ADMIN))
    assert (code, list(fields)) == (Code.INVALID_ARGUMENT, ["lifetime_seconds"])


def test_status_and_metrics(control: Control) -> None:
    create(control)
    control.journal.publish(injection())
    status = control.sidecar.GetStatus(spb.GetStatusRequest(), metadata=VIEWER).status

    assert (status.build.version, status.build.commit) == ("1.2.3", "abc")
    assert status.start_time.ToMicroseconds() == round(NOW * 1e6)
    [broker] = status.brokers
    assert (broker.node_id, broker.host, broker.port) == (1, "kafka1", 9092)
    assert broker.client_port == 6969
    assert (status.connections, status.interceptors, status.injections) == (3, 1, 1)
    assert not status.injection_paused
    metrics = control.sidecar.GetMetrics(spb.GetMetricsRequest(), metadata=VIEWER)
    assert (metrics.content_type, metrics.text) == METRICS


def test_build_info_health_and_reflection_are_open(control: Control) -> None:
    build = control.sidecar.GetBuildInfo(spb.GetBuildInfoRequest()).build
    assert (build.version, build.time) == ("1.2.3", "2024-06-03T20:32:32+0000")

    health = health_pb2_grpc.HealthStub(control.channel)
    for service in ("", "kafka.chaos.v1.InterceptorService"):
        answer = health.Check(health_pb2.HealthCheckRequest(service=service))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING

    stub = reflection_pb2_grpc.ServerReflectionStub(control.channel)
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    [answer] = stub.ServerReflectionInfo(iter([request]))
    names = {service.name for service in answer.list_services_response.service}
    assert {"kafka.chaos.v1.TokenService", "grpc.health.v1.Health"} <= names


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (None, "credentials are missing"),
        ("Bearer x", "not Basic"),
        ("Basic ???", "malformed"),
        ("Basic /w==", "malformed"),
        ("Basic", "username or password is wrong"),
        (basic("admin", "wrong"), "username or password is wrong"),
    ],
)
def test_strangers(control: Control, header: str | None, words: str) -> None:
    metadata = () if header is None else (("authorization", header),)
    request = spb.GetStatusRequest()
    code, message, _ = refused(lambda: control.sidecar.GetStatus(request, metadata=metadata))

    assert code is Code.UNAUTHENTICATED
    assert words in message


def test_viewers_may_not_write(control: Control) -> None:
    interceptor, token = control.interceptor, control.token
    calls: list[Callable[[], object]] = [
        lambda: interceptor.CreateInterceptor(ipb.CreateInterceptorRequest(), metadata=VIEWER),
        lambda: interceptor.UpdateInterceptor(ipb.UpdateInterceptorRequest(), metadata=VIEWER),
        lambda: interceptor.DeleteInterceptor(ipb.DeleteInterceptorRequest(), metadata=VIEWER),
        lambda: token.CreateToken(tpb.CreateTokenRequest(), metadata=VIEWER),
    ]
    for call in calls:
        code, message, _ = refused(call)
        assert code is Code.PERMISSION_DENIED
        assert message.startswith("You do not have permission to call this API")


def test_metrics_need_credentials_unless_told_otherwise(control: Control) -> None:
    request = spb.GetMetricsRequest()
    assert refused(lambda: control.sidecar.GetMetrics(request))[0] is Code.UNAUTHENTICATED
    with running(metrics_open=True) as other:
        assert other.sidecar.GetMetrics(request).text == METRICS[1]


def test_a_flood_is_refused_but_health_goes_on() -> None:
    with running(rate=0.001, burst=2) as control:
        ask = spb.GetStatusRequest()
        for _ in range(2):
            control.sidecar.GetStatus(ask, metadata=VIEWER)
        code, message, _ = refused(lambda: control.sidecar.GetStatus(ask, metadata=ADMIN))
        assert code is Code.RESOURCE_EXHAUSTED
        assert "too many control calls" in message
        health = health_pb2_grpc.HealthStub(control.channel)
        for _ in range(10):
            health.Check(health_pb2.HealthCheckRequest())
            control.sidecar.GetBuildInfo(spb.GetBuildInfoRequest())


def test_the_unexpected_is_logged_once_and_not_told(control: Control) -> None:
    control.around.failure = RuntimeError("the secret reason")
    with capture_logs() as logs, pytest.raises(grpc.RpcError) as caught:
        control.sidecar.GetStatus(spb.GetStatusRequest(), metadata=VIEWER)

    assert caught.value.code() is Code.INTERNAL
    assert "secret" not in caught.value.details()
    [entry] = logs
    assert entry["event"] == "control_call_failed"
    assert entry["method"] == "/kafka.chaos.v1.SidecarService/GetStatus"


def test_requests_are_bounded(control: Control) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        create(control, wanted(annotations={"a": "x" * 70_000}))
    assert caught.value.code() is Code.RESOURCE_EXHAUSTED
    code, _, fields = refused(lambda: create(control, wanted(annotations={"a": "x" * 5000})))
    assert (code, list(fields)) == (Code.INVALID_ARGUMENT, ["interceptor.annotations"])


def test_long_refusals_still_arrive(control: Control) -> None:
    made = wanted(etag="x" * 20_000)
    create(control)
    request = ipb.UpdateInterceptorRequest(interceptor=made)
    call = control.interceptor.UpdateInterceptor
    code, message, _ = refused(lambda: call(request, metadata=ADMIN))

    assert (code, len(message)) == (Code.ABORTED, 1024)


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_a_long_refusal_arrives_in_any_script(control: Control, size: int) -> None:
    letter = ("x", "é", "日", "\N{CAT FACE}")[size - 1]
    request = ipb.GetInterceptorRequest(name=letter * 10_000)
    call = control.interceptor.GetInterceptor
    code, message, _ = refused(lambda: call(request, metadata=ADMIN))

    assert code is Code.NOT_FOUND
    assert 1020 < len(message.encode()) <= 1024


def test_pages_of_injections(control: Control) -> None:
    for partition in range(6):
        cluster = "teamA" if partition % 2 else "teamB"
        control.journal.publish(injection(partition=partition, virtual_cluster=cluster))
    call = control.injection.ListInjections

    first = call(ListInjectionsRequest(page_size=4), metadata=VIEWER)
    assert [item.sequence for item in first.injections] == [1, 2, 3, 4]
    for partition in range(6, 16):
        control.journal.publish(injection(partition=partition))
    request = ListInjectionsRequest(page_token=first.next_page_token)
    second = call(request, metadata=VIEWER)
    assert [item.sequence for item in second.injections] == list(range(9, 17))
    assert (second.missed, second.next_page_token) == (4, "")

    request = ListInjectionsRequest(virtual_cluster="teamA", interceptor="elections")
    assert len(call(request, metadata=VIEWER).injections) == 8
    request.interceptor = "other"
    assert len(call(request, metadata=VIEWER).injections) == 0


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (ListInjectionsRequest(page_size=-1), "page_size"),
        (ListInjectionsRequest(page_size=1001), "page_size"),
        (ListInjectionsRequest(page_token="x"), "page_token"),
        (ListInjectionsRequest(page_token="other:5"), "page_token"),
        (ListInjectionsRequest(page_token=f"other:{'9' * 30}"), "page_token"),
    ],
)
def test_bad_pages(control: Control, request_: ListInjectionsRequest, field: str) -> None:
    call = control.injection.ListInjections
    code, _, fields = refused(lambda: call(request_, metadata=VIEWER))

    assert (code, list(fields)) == (Code.INVALID_ARGUMENT, [field])


def test_a_taken_port_is_named(control: Control) -> None:
    port = control.server.port
    expected = rf"\(gRPC\) cannot listen on 127.0.0.1:{port}: is the port taken"
    with pytest.raises(OSError, match=expected), running(port=port):
        pass
