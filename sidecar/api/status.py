"""Domain errors to gRPC statuses with google.rpc details; the one place that decides on codes."""

from typing import NoReturn

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import (  # type: ignore[import-untyped]  # no py.typed
    BadRequest,
    ErrorInfo,
)
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # no py.typed
from grpc_status import rpc_status

from sidecar.model import errors

DOMAIN = "kafka-chaos-sidecar"
MAX_MESSAGE = 1024
"""Characters; the status travels in trailers, which are limited to a few KiB."""

_CODES: dict[type[errors.DomainError], grpc.StatusCode] = {
    errors.InvalidArgument: grpc.StatusCode.INVALID_ARGUMENT,
    errors.NotFound: grpc.StatusCode.NOT_FOUND,
    errors.AlreadyExists: grpc.StatusCode.ALREADY_EXISTS,
    errors.FailedPrecondition: grpc.StatusCode.FAILED_PRECONDITION,
    errors.Aborted: grpc.StatusCode.ABORTED,
    errors.Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    errors.PermissionDenied: grpc.StatusCode.PERMISSION_DENIED,
    errors.ResourceExhausted: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.Unavailable: grpc.StatusCode.UNAVAILABLE,
}


def status_of(error: errors.DomainError) -> Status:
    """Return the status that tells a caller about `error`; ErrorInfo.reason is the code's name."""
    code = _CODES[type(error)]
    details: list[Message] = [ErrorInfo(reason=code.name, domain=DOMAIN)]
    if isinstance(error, errors.InvalidArgument):
        fields = [
            BadRequest.FieldViolation(field=v.field, description=v.description[:MAX_MESSAGE])
            for v in error.violations
        ]
        details.append(BadRequest(field_violations=fields))
    return Status(
        code=code.value[0], message=str(error)[:MAX_MESSAGE], details=map(_packed, details)
    )


def abort(context: grpc.ServicerContext, error: errors.DomainError) -> NoReturn:
    """End the call with the status of `error`."""
    context.abort_with_status(rpc_status.to_status(status_of(error)))


def abort_internal(context: grpc.ServicerContext) -> NoReturn:
    """End the call with INTERNAL; what happened is in the log and none of the caller's business."""
    context.abort(grpc.StatusCode.INTERNAL, "internal error, the sidecar's log has the details")


def _packed(detail: Message) -> AnyMessage:
    packed = AnyMessage()
    packed.Pack(detail)
    return packed
