"""Stands before every call: rate, credentials, and errors turned into statuses."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import grpc
import structlog

from sidecar.api.auditing import Audit
from sidecar.api.auth import Authorizer
from sidecar.api.callers import caller_of
from sidecar.api.rate import TokenBucket
from sidecar.api.status import abort, abort_internal
from sidecar.model.errors import DomainError, ResourceExhausted

_HEALTH = "/grpc.health."
_REFLECTION = "/grpc.reflection."

if TYPE_CHECKING:  # grpc's classes take no parameters at run time
    Handler = grpc.RpcMethodHandler[Any, Any]

_log = structlog.get_logger(__name__)


class Guard(grpc.ServerInterceptor):
    """Checks calls before their servicers see them, and speaks for servicers that raise.

    Health checks pass unchecked. Reflection is open, but each of its streams holds a thread, so
    `max_reflections` of them may be open at once.

    Args:
        audit: told of every other call.
    """

    def __init__(
        self,
        authorizer: Authorizer,
        bucket: TokenBucket,
        audit: Audit,
        *,
        max_reflections: int = 2,
    ) -> None:
        self._audit = audit
        self._authorizer = authorizer
        self._bucket = bucket
        self._reflections = threading.BoundedSemaphore(max_reflections)

    def intercept_service(
        self,
        continuation: "Callable[[grpc.HandlerCallDetails], Handler | None]",
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "Handler | None":
        """Return the method's handler with the checks around it."""
        handler = continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or method.startswith(_HEALTH):
            return handler
        if method.startswith(_REFLECTION):
            return self._counted(handler)
        if handler.unary_stream is not None:
            return grpc.unary_stream_rpc_method_handler(
                self._guarded_stream(method, handler.unary_stream),
                handler.request_deserializer,
                handler.response_serializer,
            )
        assert handler.unary_unary is not None, f"{method} takes a stream"
        return grpc.unary_unary_rpc_method_handler(
            self._guarded(method, handler.unary_unary),
            handler.request_deserializer,
            handler.response_serializer,
        )

    @contextmanager
    def _checked(self, method: str, request: Any, context: grpc.ServicerContext) -> Iterator[None]:
        """Let a call through that may go on, and log it either way."""
        with _answering(method, context):
            self._bucket.take()
            caller = caller_of(context)
            if self._authorizer.is_open(method):
                yield  # whoever looks whether the sidecar is there does so often
                return
            with self._audit.call(method, caller, request) as fields:
                fields["user"] = self._authorizer.check(
                    method, context.invocation_metadata(), caller
                )
                yield

    def _guarded(
        self, method: str, call: Callable[[Any, grpc.ServicerContext], Any]
    ) -> Callable[[Any, grpc.ServicerContext], Any]:
        def guarded(request: Any, context: grpc.ServicerContext) -> Any:
            with self._checked(method, request, context):
                return call(request, context)

        return guarded

    def _guarded_stream(
        self, method: str, call: Callable[[Any, grpc.ServicerContext], Iterator[Any]]
    ) -> Callable[[Any, grpc.ServicerContext], Iterator[Any]]:
        def guarded(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            with self._checked(method, request, context):
                yield from call(request, context)

        return guarded

    def _counted(self, handler: "Handler") -> "Handler":
        call = handler.stream_stream
        assert call is not None, "reflection is one stream each way"

        def counted(requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
            if not self._reflections.acquire(blocking=False):
                abort(context, ResourceExhausted("too many reflection streams are open"))
            try:
                yield from call(requests, context)
            finally:
                self._reflections.release()

        return grpc.stream_stream_rpc_method_handler(
            counted, handler.request_deserializer, handler.response_serializer
        )


@contextmanager
def _answering(method: str, context: grpc.ServicerContext) -> Iterator[None]:
    """Turn what is raised inside into a status."""
    try:
        yield
    except DomainError as error:
        abort(context, error)
    except Exception:  # noqa: BLE001 - whatever it is, the caller gets an answer and the log the rest
        _log.exception("control_call_failed", method=method)
        abort_internal(context)
