"""Domain errors to gRPC statuses with google.rpc details; the one place that decides on codes."""

from typing import NoReturn

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import (  # type: ignore[import-untyped]  # no py.typed
    BadRequest,
    ErrorInfo,
    RetryInfo,
)
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # no py.typed
from grpc_status import rpc_status

from sidecar.model import errors

DOMAIN = "kafka-chaos-sidecar"
MAX_MESSAGE = 1024
"""Bytes of one text in UTF-8.

The status travels in trailers, of which clients take 8 KiB. The message is in them twice, and once
of these with three bytes for each that is not ASCII.
"""
MAX_FIELDS = 2048
"""Bytes of all field violations together; those that come behind are left out."""

_CODES: dict[type[errors.DomainError], grpc.StatusCode] = {
    errors.InvalidArgument: grpc.StatusCode.INVALID_ARGUMENT,
    errors.NotFound: grpc.StatusCode.NOT_FOUND,
    errors.AlreadyExists: grpc.StatusCode.ALREADY_EXISTS,
    errors.FailedPrecondition: grpc.StatusCode.FAILED_PRECONDITION,
    errors.Aborted: grpc.StatusCode.ABORTED,
    errors.Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    errors.PermissionDenied: grpc.StatusCode.PERMISSION_DENIED,
    errors.ResourceExhausted: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.Refused: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.Unavailable: grpc.StatusCode.UNAVAILABLE,
}


def status_of(error: errors.DomainError) -> Status:
    """Return the status that tells a caller about `error`; ErrorInfo.reason is the code's name."""
    code = _CODES[type(error)]
    details: list[Message] = [ErrorInfo(reason=code.name, domain=DOMAIN)]
    if isinstance(error, errors.InvalidArgument):
        details.append(BadRequest(field_violations=_fields(error)))
    if isinstance(error, errors.Refused):
        retry = RetryInfo()
        retry.retry_delay.FromSeconds(error.retry_seconds)
        details.append(retry)
    return Status(code=code.value[0], message=_cut(str(error)), details=map(_packed, details))


def abort(context: grpc.ServicerContext, error: errors.DomainError) -> NoReturn:
    """End the call with the status of `error`."""
    context.abort_with_status(rpc_status.to_status(status_of(error)))


def abort_internal(context: grpc.ServicerContext) -> NoReturn:
    """End the call with INTERNAL; what happened is in the log and none of the caller's business."""
    context.abort(grpc.StatusCode.INTERNAL, "internal error, the sidecar's log has the details")


def _fields(error: errors.InvalidArgument) -> list[Message]:
    found: list[Message] = []
    size = 0
    for violation in error.violations:
        field = BadRequest.FieldViolation(
            field=_cut(violation.field), description=_cut(violation.description)
        )
        size += field.ByteSize()
        if found and size > MAX_FIELDS:
            break
        found.append(field)
    return found


def _cut(text: str) -> str:
    return text.encode()[:MAX_MESSAGE].decode(errors="ignore")


def _packed(detail: Message) -> AnyMessage:
    packed = AnyMessage()
    packed.Pack(detail)
    return packed
