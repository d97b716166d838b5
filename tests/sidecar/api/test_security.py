"""Who may call from where, what is logged of it, and TLS."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme

from sidecar.api.control_tls import ControlTls
from sidecar.api.lockout import FAILURES_AT_ONCE
from sidecar.control.users import AdminUsers
from sidecar.gen.kafka.chaos.v1 import interceptor_pb2
from sidecar.gen.kafka.chaos.v1 import interceptor_service_pb2 as ipb
from sidecar.gen.kafka.chaos.v1 import sidecar_service_pb2 as spb
from sidecar.gen.kafka.chaos.v1 import token_service_pb2 as tpb
from sidecar.gen.kafka.chaos.v1.interceptor_service_pb2_grpc import InterceptorServiceStub
from sidecar.gen.kafka.chaos.v1.sidecar_service_pb2_grpc import SidecarServiceStub
from sidecar.gen.kafka.chaos.v1.token_service_pb2_grpc import TokenServiceStub
from sidecar.tls.contexts import ServerTls
from sidecar.tls.stores import StoreFile
from tests.sidecar.api.harness import ADMIN, VIEWER, basic, running

Event = dict[str, Any]
Metadata = tuple[tuple[str, str], ...]


def code(call: Callable[[], Any]) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as failure:
        call()
    return failure.value.code(), failure.value.details()


def wanted(rate: float = 50) -> interceptor_pb2.Interceptor:
    message = interceptor_pb2.Interceptor(name="slow")
    message.leader_election.rate_in_percent = rate
    return message


def test_every_call_is_told_with_what_it_changed() -> None:
    events: list[Event] = []
    with running(
        audit=lambda event, **fields: events.append({"event": event, **fields})
    ) as control:
        create = ipb.CreateInterceptorRequest(interceptor=wanted())
        control.interceptor.CreateInterceptor(create, metadata=ADMIN)
        update = ipb.UpdateInterceptorRequest(interceptor=wanted(70))
        control.interceptor.UpdateInterceptor(update, metadata=ADMIN)
        code(lambda: control.interceptor.CreateInterceptor(create, metadata=VIEWER))
        code(lambda: control.interceptor.CreateInterceptor(create))
        get = ipb.GetInterceptorRequest(name="none")
        code(lambda: control.interceptor.GetInterceptor(get, metadata=VIEWER))
        delete = ipb.DeleteInterceptorRequest(name="slow")
        control.interceptor.DeleteInterceptor(delete, metadata=ADMIN)
        control.sidecar.GetBuildInfo(spb.GetBuildInfoRequest())

    told = [each for each in events if each["event"] == "control_call"]
    assert [(e["method"], e["user"], e["outcome"], len(e["changes"])) for e in told] == [
        ("InterceptorService/CreateInterceptor", "admin", "OK", 1),
        ("InterceptorService/UpdateInterceptor", "admin", "OK", 1),
        ("InterceptorService/CreateInterceptor", "viewer", "PermissionDenied", 0),
        ("InterceptorService/CreateInterceptor", None, "Unauthenticated", 0),
        ("InterceptorService/GetInterceptor", "viewer", "NotFound", 0),
        ("InterceptorService/DeleteInterceptor", "admin", "OK", 1),
    ]
    assert {(e["door"], e["address"]) for e in told} == {("grpc", "127.0.0.1")}
    [updated] = told[1]["changes"]
    assert updated["resource"] == '["interceptor","","","","slow"]'
    assert updated["before"]["fault"] == {"kind": "leader_election", "rate_in_percent": 50.0}
    assert updated["after"]["fault"] == {"kind": "leader_election", "rate_in_percent": 70.0}
    assert told[0]["changes"][0]["before"] is None
    assert told[-1]["changes"][0]["after"] is None
    assert told[0]["request"]["interceptor"]["name"] == "slow"


def test_a_token_is_in_no_event() -> None:
    events: list[Event] = []
    with running(audit=lambda event, **fields: events.append(fields)) as control:
        request = tpb.CreateTokenRequest(
            virtual_cluster="teamA", username="sa", lifetime_seconds=60
        )
        token = control.token.CreateToken(request, metadata=ADMIN).token

    assert events
    assert token.split(".")[2] not in str(events)
    assert "conduktor" not in str(events)


def test_who_guesses_is_held_up_and_others_are_not() -> None:
    wrong = (("authorization", "Basic YWRtaW46d3Jvbmc="),)
    with running() as control:
        ask = spb.GetStatusRequest()
        for _ in range(FAILURES_AT_ONCE):
            refusal = code(lambda: control.sidecar.GetStatus(ask, metadata=wrong))
            assert refusal[0] is grpc.StatusCode.UNAUTHENTICATED
        held_up, words = code(lambda: control.sidecar.GetStatus(ask, metadata=ADMIN))
        control.sidecar.GetStatus(ask, metadata=VIEWER)

    assert held_up is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "too many failed authentications from 127.0.0.1: retry in" in words


def test_the_user_that_everybody_knows_is_for_this_machine_only(tmp_path: Path) -> None:
    users = AdminUsers([("admin", "conduktor", True)], local_only=True)
    private = str(tmp_path / "grpc.sock")
    with running(users=users, private=private) as control:
        ask = spb.GetStatusRequest()
        control.sidecar.GetStatus(ask, metadata=ADMIN)
        with grpc.insecure_channel(f"unix:{private}") as channel:
            bridge = SidecarServiceStub(channel)
            bridge.GetStatus(ask, metadata=(*ADMIN, ("x-chaos-caller", "127.0.0.1")))
            bridge.GetStatus(ask, metadata=(*ADMIN, ("x-chaos-caller", "::1")))
            for told in ("10.1.2.3", "2001:db8::1", "localhost", ""):
                metadata = (*ADMIN, ("x-chaos-caller", told)) if told else ADMIN
                refusal, words = code(partial(bridge.GetStatus, ask, metadata=metadata))
                assert refusal is grpc.StatusCode.UNAUTHENTICATED
                assert "set GATEWAY_ADMIN_API_USERS" in words
        # A bridge of its own on this machine: what it claims costs its clients, and gains nothing.
        local = (*ADMIN, ("x-chaos-caller", "127.0.0.1"))
        control.sidecar.GetStatus(ask, metadata=local)
        for told in ("10.1.2.3", "2001:db8::1", "nonsense"):
            metadata = (*ADMIN, ("x-chaos-caller", told))
            refusal, words = code(partial(control.sidecar.GetStatus, ask, metadata=metadata))
            assert refusal is grpc.StatusCode.UNAUTHENTICATED
            assert "set GATEWAY_ADMIN_API_USERS" in words


def tls(folder: Path, authority: trustme.CA, *, require: bool) -> ControlTls:
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    leaf = authority.issue_cert("localhost", "127.0.0.1")
    leaf.private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    stores = StoreFile(str(folder / "server.pem")), StoreFile(str(folder / "ca.pem"))
    pem = ServerTls(*stores, "REQUIRE" if require else "NONE").pem()
    return ControlTls(lambda: pem, require)


def stub(port: int, authority: bytes, pair: bytes | None = None) -> Any:
    secured = grpc.ssl_channel_credentials(authority, pair, pair)
    return SidecarServiceStub(grpc.secure_channel(f"localhost:{port}", secured))


def test_certificates_say_who_calls(tmp_path: Path) -> None:
    authority = trustme.CA()
    trusted = authority.cert_pem.bytes()
    users = AdminUsers(
        [("admin", "conduktor", True), ("orchestrator", "", True)],
        {"chaos-orchestrator": "orchestrator"},
    )
    known, other, strange = (
        ca.issue_cert("x@example.org", common_name=name).private_key_and_cert_chain_pem.bytes()
        for ca, name in (
            (authority, "chaos-orchestrator"),
            (authority, "somebody"),
            (trustme.CA(), "chaos-orchestrator"),
        )
    )
    events: list[Event] = []
    secured = tls(tmp_path, authority, require=True)
    with running(
        users=users, tls=secured, audit=lambda event, **fields: events.append(fields)
    ) as control:
        port, ask = control.server.port, spb.GetStatusRequest()
        stub(port, trusted, known).GetStatus(ask, timeout=10)
        stub(port, trusted, other).GetStatus(ask, metadata=ADMIN, timeout=10)
        refusal = code(lambda: stub(port, trusted, other).GetStatus(ask, timeout=10))
        assert refusal[0] is grpc.StatusCode.UNAUTHENTICATED
        for pair in (None, strange):
            unknown = stub(port, trusted, pair)
            assert code(partial(unknown.GetStatus, ask, timeout=10))[0] in (
                grpc.StatusCode.UNAVAILABLE,
                grpc.StatusCode.DEADLINE_EXCEEDED,
            )
        wrong = stub(port, trustme.CA().cert_pem.bytes(), known)
        assert code(lambda: wrong.GetStatus(ask, timeout=10))[0] is grpc.StatusCode.UNAVAILABLE
        basic = grpc.insecure_channel(f"localhost:{port}")
        refusal = code(
            lambda: InterceptorServiceStub(basic).ListInterceptors(
                ipb.ListInterceptorsRequest(), metadata=ADMIN, timeout=10
            )
        )
        assert refusal[0] is grpc.StatusCode.UNAVAILABLE
        create = tpb.CreateTokenRequest(virtual_cluster="teamA", username="sa", lifetime_seconds=60)
        channel = grpc.secure_channel(
            f"localhost:{port}", grpc.ssl_channel_credentials(trusted, known, known)
        )
        assert TokenServiceStub(channel).CreateToken(create, timeout=10).token

    assert [event["user"] for event in events] == ["orchestrator", "admin", None, "orchestrator"]


def test_new_certificates_are_taken_with_the_next_handshake(tmp_path: Path) -> None:
    old, new = trustme.CA(), trustme.CA()
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    pems = {
        name: tls(tmp_path / name, authority, require=False).certificates()
        for name, authority in (("old", old), ("new", new))
    }
    served = ["old"]
    with running(tls=ControlTls(lambda: pems[served[0]])) as control:
        port, ask = control.server.port, spb.GetStatusRequest()
        stub(port, old.cert_pem.bytes()).GetStatus(ask, metadata=ADMIN, timeout=10)
        served[0] = "new"
        stub(port, new.cert_pem.bytes()).GetStatus(ask, metadata=ADMIN, timeout=10)


def test_a_bridge_that_shows_a_certificate_is_believed_whose_call_it_is(tmp_path: Path) -> None:
    authority = trustme.CA()
    users = AdminUsers(
        [("admin", "conduktor", True), ("viewer", "looks", False), ("bridge", "", False)],
        {"a-bridge": "bridge"},
    )
    known, unknown = (
        authority.issue_cert("x@example.org", common_name=name).private_key_and_cert_chain_pem
        for name in ("a-bridge", "another")
    )
    events: list[Event] = []
    secured = tls(tmp_path, authority, require=True)
    with running(
        users=users, tls=secured, audit=lambda event, **fields: events.append(fields)
    ) as control:
        ask, trusted = spb.GetStatusRequest(), authority.cert_pem.bytes()
        bridge = stub(control.server.port, trusted, known.bytes())
        guesser, other = (("x-chaos-caller", "10.0.0.1"),), (("x-chaos-caller", "10.0.0.2"),)
        wrong = (("authorization", basic("admin", "wrong")),)
        for _ in range(FAILURES_AT_ONCE):
            code(lambda: bridge.GetStatus(ask, metadata=(*wrong, *guesser), timeout=10))
        refusal = code(lambda: bridge.GetStatus(ask, metadata=(*ADMIN, *guesser), timeout=10))
        assert refusal[0] is grpc.StatusCode.RESOURCE_EXHAUSTED
        bridge.GetStatus(ask, metadata=(*ADMIN, *other), timeout=10)
        # Its certificate says who the bridge is, not who its clients are.
        refusal = code(lambda: bridge.GetStatus(ask, metadata=other, timeout=10))
        assert refusal[0] is grpc.StatusCode.UNAUTHENTICATED
        bridge.GetStatus(ask, timeout=10)
        stranger = stub(control.server.port, trusted, unknown.bytes())
        stranger.GetStatus(ask, metadata=(*ADMIN, *guesser), timeout=10)

    whence = ("user", "door", "address", "bridge", "claimed", "outcome")
    assert [tuple(event.get(name) for name in whence) for event in events[FAILURES_AT_ONCE:]] == [
        ("admin", "rest", "10.0.0.2", "127.0.0.1", None, "OK"),
        (None, "rest", "10.0.0.2", "127.0.0.1", None, "Unauthenticated"),
        ("bridge", "grpc", "127.0.0.1", None, None, "OK"),
        ("admin", "grpc", "127.0.0.1", None, "10.0.0.1", "OK"),
    ]


def test_open_metrics_are_told_too() -> None:
    events: list[Event] = []
    with running(metrics_open=True, audit=lambda event, **fields: events.append(fields)) as control:
        control.sidecar.GetMetrics(spb.GetMetricsRequest())

    [event] = events
    assert (event["method"], event["user"], event["outcome"]) == (
        "SidecarService/GetMetrics",
        None,
        "OK",
    )
