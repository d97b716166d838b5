"""Refusals: what becomes of a request that cannot be served, and of gRPC's statuses."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.error_details_pb2 import BadRequest, RetryInfo  # type: ignore[import-untyped]  # no py.typed
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
_FAULTS = {
    field.name: field.message_type
    for field in Interceptor.DESCRIPTOR.oneofs_by_name["fault"].fields
    if field.message_type is not None
}
_OTHERS = re.compile(
    r"""(?<!\w)(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""  # values, which stay as they are
    r"|(?<![\w.-])((?:scope\.)?[a-z]+(?:_[a-z]+)+|scope\.[a-z]+)"
)
"""Another field in a message, by a name of several words, or of the scope."""


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
    return Refusal(_HTTP.get(code, 500), message, code=code, headers=_retry_after(call))


def _retry_after(error: grpc.Call) -> dict[str, str]:
    for detail in _details(error):
        retry = RetryInfo()
        if detail.Unpack(retry):
            return {"Retry-After": str(retry.retry_delay.seconds)}
    return {}


def _message(error: grpc.Call, words: Words) -> str:
    fields = BadRequest()
    for detail in _details(error):
        detail.Unpack(fields)  # leaves `fields` alone when it is something else
    if not fields.field_violations:
        return error.details() or "the sidecar gave no reason"
    return "; ".join(_in_words(v.field, v.description, words) for v in fields.field_violations)


def _in_words(path: str, description: str, words: Words) -> str:
    """A description with its field, and others in it, by the names that a dialect has for them."""
    before, _, behind = description.partition(path)
    place = path.partition("[")[0]
    renamed = _renamed(place, words) + path.removeprefix(place)
    if not before and behind:
        return renamed + _OTHERS.sub(lambda found: _other(place, found, words), behind)
    return description.replace(path, renamed, 1)


def _other(path: str, found: re.Match[str], words: Words) -> str:
    """What is found in the description of a field: one that is beside it, or above."""
    parts = path.split(".")
    for depth in range(len(parts) - 1, -1, -1):
        name = ".".join((*parts[:depth], found[1] or ""))
        renamed = _renamed(name, words)
        if renamed != name:
            return renamed
    return found[0]


def _renamed(path: str, words: Words) -> str:
    if path in words.fields:
        return words.fields[path]
    first, _, rest = path.partition(".")
    part, _, name = rest.partition(".")
    if first == "interceptor":
        for kinds, prefix in ((_CONTROLS, words.control), (_FAULTS, words.config)):
            field = kinds[part].fields_by_name.get(name) if part in kinds else None
            if field is not None:
                return f"{prefix}.{field.json_name}"
    return path


def _details(error: grpc.Call) -> list[AnyMessage]:
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            return list(Status.FromString(value).details)
    return []
