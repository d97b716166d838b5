"""One scenario through both doors: whichever is used, the same happens and the same is seen."""

import json
from collections.abc import Callable
from typing import Protocol

import grpc
import pytest

from sidecar.control.interceptors import derived_seed
from sidecar.gen.kafka.chaos.v1 import interceptor_service_pb2 as ipb
from sidecar.gen.kafka.chaos.v1.fault_pb2 import LeaderElection
from sidecar.gen.kafka.chaos.v1.interceptor_pb2 import Interceptor, Scope
from sidecar.model.interceptor import Scope as ModelScope
from sidecar.model.snapshot import Snapshot
from tests.rest_bridge.harness import INTERCEPTORS, Http, interceptor
from tests.sidecar.api.harness import ADMIN, Control

SCOPE = Scope(virtual_cluster="teamA")


class Door(Protocol):
    """What both ways in can do; the answers are in the words of gRPC."""

    def create(self, name: str, rate: float, priority: int) -> str: ...

    def put(self, name: str, rate: float, priority: int) -> str: ...

    def delete(self, name: str) -> str: ...

    def listed(self) -> list[tuple[str, float, int]]: ...

    def resolve(self, username: str) -> list[str]: ...


def code_of(call: Callable[[], object]) -> str:
    try:
        call()
    except grpc.RpcError as error:
        return str(error.code().name)
    return "OK"


class GrpcDoor:
    """Straight in."""

    def __init__(self, control: Control) -> None:
        self.stub = control.interceptor

    def message(self, name: str, rate: float, priority: int) -> Interceptor:
        election = LeaderElection(rate_in_percent=rate)
        return Interceptor(name=name, scope=SCOPE, priority=priority, leader_election=election)

    def create(self, name: str, rate: float, priority: int) -> str:
        request = ipb.CreateInterceptorRequest(
            interceptor=self.message(name, rate, priority), require_new=True
        )
        return code_of(lambda: self.stub.CreateInterceptor(request, metadata=ADMIN))

    def put(self, name: str, rate: float, priority: int) -> str:
        request = ipb.UpdateInterceptorRequest(
            interceptor=self.message(name, rate, priority), allow_missing=True
        )
        return code_of(lambda: self.stub.UpdateInterceptor(request, metadata=ADMIN))

    def delete(self, name: str) -> str:
        request = ipb.DeleteInterceptorRequest(name=name, scope=SCOPE)
        return code_of(lambda: self.stub.DeleteInterceptor(request, metadata=ADMIN))

    def listed(self) -> list[tuple[str, float, int]]:
        answer = self.stub.ListInterceptors(
            ipb.ListInterceptorsRequest(scope=SCOPE), metadata=ADMIN
        )
        return [
            (item.name, item.leader_election.rate_in_percent, item.priority)
            for item in answer.interceptors
        ]

    def resolve(self, username: str) -> list[str]:
        request = ipb.ResolveInterceptorsRequest(virtual_cluster="teamA", username=username)
        answer = self.stub.ResolveInterceptors(request, metadata=ADMIN)
        return [item.name for item in answer.interceptors]


CODES = {
    **dict.fromkeys((200, 201, 204), "OK"),
    400: "INVALID_ARGUMENT",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
}


class RestDoor:
    """By way of the bridge."""

    def __init__(self, http: Http) -> None:
        self.http = http

    def send(self, method: str, name: str, body: str | None = None) -> str:
        path = f"{INTERCEPTORS}/vcluster/teamA/interceptor/{name}"
        return CODES[self.http(method, path, body).status_code]

    def create(self, name: str, rate: float, priority: int) -> str:
        config = json.dumps({"rateInPercent": rate})
        return self.send("POST", name, interceptor(config, priority=priority))

    def put(self, name: str, rate: float, priority: int) -> str:
        config = json.dumps({"rateInPercent": rate})
        return self.send("PUT", name, interceptor(config, priority=priority))

    def delete(self, name: str) -> str:
        return self.send("DELETE", name)

    def listed(self) -> list[tuple[str, float, int]]:
        answer = self.http("GET", f"{INTERCEPTORS}/vcluster/teamA")
        return [
            (item["name"], item["config"]["rateInPercent"], item["priority"])
            for item in json.loads(answer.text)["interceptors"]
        ]

    def resolve(self, username: str) -> list[str]:
        body = json.dumps({"vcluster": "teamA", "username": username})
        answer = self.http("POST", f"{INTERCEPTORS}/resolve", body)
        return [item["configName"] for item in json.loads(answer.text)]


@pytest.fixture(params=["grpc", "rest"])
def door(request: pytest.FixtureRequest, control: Control, http: Http) -> Door:
    """Each door in turn."""
    return GrpcDoor(control) if request.param == "grpc" else RestDoor(http)


def seen(snapshot: Snapshot) -> list[tuple[str, float, int]]:
    return [(i.name, i.fault.rate_in_percent, i.priority) for i in snapshot.interceptors]


def test_the_same_happens(door: Door, control: Control) -> None:
    assert door.create("a", 50, 100) == "OK"
    assert door.create("a", 50, 100) == "ALREADY_EXISTS"
    assert door.create("b", 12.5, 7) == "OK"
    assert door.create("c", 101, 7) == "INVALID_ARGUMENT"
    assert door.listed() == [("a", 50, 100), ("b", 12.5, 7)]
    assert door.resolve("anyone") == ["b", "a"]
    seeds = [item.seed for item in control.published[-1].interceptors]

    assert door.put("a", 60, 1) == "OK"
    assert door.put("c", 0, 2) == "OK"
    assert door.resolve("anyone") == ["a", "c", "b"]
    assert door.delete("b") == "OK"
    assert door.delete("b") == "NOT_FOUND"
    assert door.listed() == [("a", 60, 1), ("c", 0, 2)]

    assert [seen(snapshot) for snapshot in control.published] == [
        [("a", 50, 100)],
        [("a", 50, 100), ("b", 12.5, 7)],
        [("a", 60, 1), ("b", 12.5, 7)],
        [("a", 60, 1), ("b", 12.5, 7), ("c", 0, 2)],
        [("a", 60, 1), ("c", 0, 2)],
    ]
    # The seeds come from the process seed, so both doors draw the same.
    assert seeds == [derived_seed(42, ModelScope(virtual_cluster="teamA"), name) for name in "ab"]
