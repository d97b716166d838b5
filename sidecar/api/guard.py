"""Stands before every call: credentials, rate, its message, and errors turned into statuses.

Who calls is asked before a message is waited for, and strangers do not use up what users may do.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

import grpc
import structlog

from sidecar.api.arrivals import Arrivals
from sidecar.api.auditing import Audit
from sidecar.api.auth import BUILD_INFO, Authorizer
from sidecar.api.callers import Caller
from sidecar.api.rate import TokenBucket
from sidecar.api.status import abort, abort_internal
from sidecar.api.working import Working
from sidecar.control.users import AdminUser
from sidecar.model.errors import DomainError, ResourceExhausted

MAX_ARRIVING: Final = 64
"""Calls of users whose message has not come; as many of methods that are open to everybody."""
MAX_REFLECTIONS: Final = 2
"""Reflection streams that may be open at once."""
OPEN_RATE: Final = 20
"""Calls a second of methods that are open to everybody and not free, twice as many at once."""

_HEALTH = "/grpc.health."
_REFLECTION = "/grpc.reflection."

if TYPE_CHECKING:  # grpc's classes take no parameters at run time
    Handler = grpc.RpcMethodHandler[Any, Any]

_Messages = Iterator[bytes]
_Parse = Callable[[bytes], Any]

_log = structlog.get_logger(__name__)


class Guard(grpc.ServerInterceptor):
    """Checks calls before their servicers see them, and speaks for servicers that raise.

    Health checks and GetBuildInfo, which goes with them, pass unchecked. Reflection is open, but
    each of its streams holds a thread, so few of them may be open.

    To gRPC every method has a stream of requests: it hands those over at once, where it would keep
    a thread waiting for a single one.

    Args:
        bucket: calls of users.
        working: places for calls in work.
        audit: told of every other call.
    """

    def __init__(
        self, authorizer: Authorizer, bucket: TokenBucket, working: Working, audit: Audit
    ) -> None:
        self._audit = audit
        self._authorizer = authorizer
        self._bucket = bucket
        self._open_bucket = TokenBucket(OPEN_RATE, 2 * OPEN_RATE)
        self._working = working
        self._users_arriving = Arrivals(MAX_ARRIVING)
        self._others_arriving = Arrivals(MAX_ARRIVING)
        self._reflections = threading.BoundedSemaphore(MAX_REFLECTIONS)

    def intercept_service(
        self,
        continuation: "Callable[[grpc.HandlerCallDetails], Handler | None]",
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "Handler | None":
        """Return the method's handler with the checks around it."""
        handler = continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None:
            return handler
        if method.startswith(_REFLECTION):
            return self._counted(handler)
        parse = handler.request_deserializer
        assert parse is not None, f"{method} takes bytes"
        if handler.unary_stream is not None:
            return grpc.stream_stream_rpc_method_handler(
                self._streaming(method, parse, handler.unary_stream),
                None,
                handler.response_serializer,
            )
        assert handler.unary_unary is not None, f"{method} takes a stream"
        return grpc.stream_unary_rpc_method_handler(
            self._guarded(method, parse, handler.unary_unary), None, handler.response_serializer
        )

    @contextmanager
    def _admitted(
        self, method: str, parse: _Parse, messages: _Messages, context: grpc.ServicerContext
    ) -> Iterator[Any]:
        """Give the message of a call that may go on, and log the call either way."""
        with _answering(method, context):
            if method == BUILD_INFO or method.startswith(_HEALTH):
                # Whoever looks whether the sidecar is there does so often.
                yield self._others_arriving.receive(messages, context, parse)
                return
            caller = self._authorizer.caller(context)
            with self._audit.call(method, caller) as call:
                user = self._entered(method, caller, context)
                call.user = user.username if user is not None else None
                arriving = self._others_arriving if user is None else self._users_arriving
                call.request = arriving.receive(messages, context, parse)
                if user is not None:
                    self._authorizer.authorize(method, user)
                with self._working.place():
                    yield call.request

    def _entered(
        self, method: str, caller: Caller, context: grpc.ServicerContext
    ) -> AdminUser | None:
        """Let a call in; return whose it is, None where that is not asked."""
        if self._authorizer.is_open(method):
            self._open_bucket.take()
            return None
        user = self._authorizer.authenticate(context.invocation_metadata(), caller)
        self._bucket.take()
        return user

    def _guarded(
        self, method: str, parse: _Parse, call: Callable[[Any, grpc.ServicerContext], Any]
    ) -> Callable[[_Messages, grpc.ServicerContext], Any]:
        def guarded(messages: _Messages, context: grpc.ServicerContext) -> Any:
            with self._admitted(method, parse, messages, context) as request:
                return call(request, context)

        return guarded

    def _streaming(
        self, method: str, parse: _Parse, call: Callable[..., Any]
    ) -> Callable[..., Iterator[Any]]:
        if method.startswith(_HEALTH):
            return self._watching(method, parse, call)

        def guarded(messages: _Messages, context: grpc.ServicerContext) -> Iterator[Any]:
            with self._admitted(method, parse, messages, context) as request:
                yield from call(request, context)

        return guarded

    def _watching(self, method: str, parse: _Parse, call: Callable[..., Any]) -> Callable[..., Any]:
        """Health's own stream, which is told whom to send to and holds no thread: gRPC's attributes
        of the method say so."""

        @wraps(call)
        def guarded(messages: _Messages, context: grpc.ServicerContext, *send: Any) -> Any:
            with self._admitted(method, parse, messages, context) as request:
                return call(request, context, *send)

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
    except grpc.RpcError:  # the caller has gone
        raise
    except Exception:  # noqa: BLE001 - whatever it is, the caller gets an answer and the log the rest
        _log.exception("control_call_failed", method=method)
        abort_internal(context)
