"""Refusals: what becomes of a request that cannot be served, and of gRPC's statuses."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.error_details_pb2 import BadRequest  # type: ignore[import-untyped]  # no py.typed
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # no py.typed

from sidecar.gen.kafka.chaos.v1.interceptor_pb2 import Interceptor, Limits, Selector

REALM = "kafka-chaos-sidecar"

_HTTP = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.FAILED_PRECONDITION: 400,  # as in google.rpc.Code
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
}


@dataclass(frozen=True, slots=True)
class Words:
    """What a dialect calls the fields of our API.

    Args:
        fields: by paths or names; both occur in the API's requests.
        config: where the config of a plugin is, whose keys are the fields of a fault in lowerCamel.
        control: where selector and limits are, with keys in lowerCamel too.
    """

    fields: Mapping[str, str]
    config: str
    control: str


_FIELDS = {
    "interceptor.annotations": "config",
    "interceptor.priority": "priority",
    "interceptor.name": "name",
    "interceptor.scope.virtual_cluster": "vcluster",
    "interceptor.scope.group": "group",
    "interceptor.scope.username": "username",
    "interceptor.ttl": "control.ttlSeconds",
    "interceptor.expire_time": "control.expireTime",
    "interceptor.lease": "control.lease",
    "scope.virtual_cluster": "vcluster",
    "scope.group": "group",
    "scope.username": "username",
    "user_mapping.virtual_cluster": "vcluster",
    "user_mapping.username": "username",
    "user_mapping.principal": "principal",
    "user_mapping.groups": "groups",
    "alias_topic.virtual_cluster": "vcluster",
    "alias_topic.logical_name": "logicalTopicName",
    "alias_topic.physical_name": "physicalTopicName",
    "virtual_cluster": "vcluster",
    "lifetime_seconds": "lifeTimeSeconds",
}
V1 = Words(_FIELDS, "config", "control")

_CONTROLS = {"selector": Selector.DESCRIPTOR, "limits": Limits.DESCRIPTOR}


class Refusal(Exception):
    """An answer other than success; ``str()`` is its message.

    Args:
        status: of the HTTP answer.
        code: gRPC's, when the sidecar refused; None when the bridge did.
        headers: to add to the answer.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: grpc.StatusCode | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = dict(headers or {})


def bad_request(message: str) -> Refusal:
    """The request itself is wrong."""
    return Refusal(400, message)


def unauthorized(message: str, code: grpc.StatusCode | None = None) -> Refusal:
    """Credentials are missing or wrong."""
    return Refusal(
        401,
        message,
        code=code,
        headers={"WWW-Authenticate": f'Basic realm="{REALM}", charset="UTF-8"'},
    )


def from_rpc(error: grpc.RpcError, target: str, words: Words = V1) -> Refusal:
    """Return what an HTTP caller is told when a call to the sidecar at `target` failed."""
    call = cast(grpc.Call, error)  # what stubs raise is both
    code = call.code()
    message = _message(call, words)
    if code is grpc.StatusCode.UNAUTHENTICATED:
        return unauthorized(message, code)
    if code is grpc.StatusCode.UNAVAILABLE and not _details(call):
        message = f"the sidecar's control API at {target} cannot be reached"
    elif code is grpc.StatusCode.DEADLINE_EXCEEDED:
        message = f"the sidecar's control API at {target} did not answer in time"
    return Refusal(_HTTP.get(code, 500), message, code=code)


def _message(error: grpc.Call, words: Words) -> str:
    fields = BadRequest()
    for detail in _details(error):
        detail.Unpack(fields)  # leaves `fields` alone when it is something else
    if not fields.field_violations:
        return error.details() or "the sidecar gave no reason"
    return "; ".join(
        v.description.replace(v.field, _renamed(v.field, words), 1) for v in fields.field_violations
    )


def _renamed(path: str, words: Words) -> str:
    name, bracket, rest = path.partition("[")
    return _renamed_field(name, words) + bracket + rest


def _renamed_field(name: str, words: Words) -> str:
    if name in words.fields:
        return words.fields[name]
    first, _, rest = name.partition(".")
    fault, _, field = rest.partition(".")
    if first == "interceptor" and fault in _CONTROLS and field:
        return f"{words.control}.{_CONTROLS[fault].fields_by_name[field].json_name}"
    faults = Interceptor.DESCRIPTOR.oneofs_by_name["fault"].fields
    for known in faults:
        message = known.message_type
        if first == "interceptor" and fault == known.name and message is not None and field:
            return f"{words.config}.{message.fields_by_name[field].json_name}"
    return name


def _details(error: grpc.Call) -> list[AnyMessage]:
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            return list(Status.FromString(value).details)
    return []
