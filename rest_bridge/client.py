"""The bridge's own client of the sidecar's gRPC API: deadlines, credentials, refusals."""

from collections.abc import Sequence
from typing import TypeVar

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from rest_bridge.errors import from_rpc, unauthorized
from sidecar.gen.kafka.chaos.v1 import interceptor_service_pb2 as ipb
from sidecar.gen.kafka.chaos.v1 import sidecar_service_pb2 as spb
from sidecar.gen.kafka.chaos.v1 import token_service_pb2 as tpb
from sidecar.gen.kafka.chaos.v1.interceptor_pb2 import Interceptor, Scope
from sidecar.gen.kafka.chaos.v1.interceptor_service_pb2_grpc import InterceptorServiceStub
from sidecar.gen.kafka.chaos.v1.sidecar_pb2 import BuildInfo
from sidecar.gen.kafka.chaos.v1.sidecar_service_pb2_grpc import SidecarServiceStub
from sidecar.gen.kafka.chaos.v1.token_service_pb2_grpc import TokenServiceStub

DEADLINE_SECONDS = 5.0
MAX_AUTHORIZATION = 4096
"""Characters of an Authorization header; gRPC's metadata is limited to 8 KiB in all."""

Request = TypeVar("Request")
Response = TypeVar("Response")


class SidecarClient:
    """Calls the sidecar; every method but `health` raises Refusal when a call fails.

    Args:
        channel: to the sidecar; closing it is the caller's business.
        target: its name for messages.
    """

    def __init__(self, channel: grpc.Channel, target: str) -> None:
        self.target = target
        self._interceptors = InterceptorServiceStub(channel)
        self._tokens = TokenServiceStub(channel)
        self._sidecar = SidecarServiceStub(channel)
        self._health = health_pb2_grpc.HealthStub(channel)

    def authenticate(self, authorization: str | None) -> None:
        """Return if the sidecar knows this caller; for answers that need nothing else from it."""
        self._call(self._sidecar.GetStatus, spb.GetStatusRequest(), authorization)

    def create_token(
        self, virtual_cluster: str, username: str, lifetime: int, authorization: str | None
    ) -> str:
        """Return a token, valid for `lifetime` seconds."""
        request = tpb.CreateTokenRequest(
            virtual_cluster=virtual_cluster, username=username, lifetime_seconds=lifetime
        )
        return self._call(self._tokens.CreateToken, request, authorization).token

    def create(self, wanted: Interceptor, authorization: str | None) -> None:
        """Create an interceptor that must not exist yet."""
        request = ipb.CreateInterceptorRequest(interceptor=wanted, require_new=True)
        self._call(self._interceptors.CreateInterceptor, request, authorization)

    def put(self, wanted: Interceptor, authorization: str | None) -> bool:
        """Create or replace an interceptor; return whether it was created."""
        request = ipb.UpdateInterceptorRequest(interceptor=wanted, allow_missing=True)
        return self._call(self._interceptors.UpdateInterceptor, request, authorization).created

    def get(self, name: str, scope: Scope, authorization: str | None) -> Interceptor:
        """Return one interceptor."""
        request = ipb.GetInterceptorRequest(name=name, scope=scope)
        return self._call(self._interceptors.GetInterceptor, request, authorization).interceptor

    def delete(self, name: str, scope: Scope, authorization: str | None) -> None:
        """Delete one interceptor."""
        request = ipb.DeleteInterceptorRequest(name=name, scope=scope)
        self._call(self._interceptors.DeleteInterceptor, request, authorization)

    def list(self, scope: Scope | None, authorization: str | None) -> Sequence[Interceptor]:
        """Return the interceptors of one scope, or all for None."""
        request = ipb.ListInterceptorsRequest(scope=scope)
        return self._call(self._interceptors.ListInterceptors, request, authorization).interceptors

    def resolve(
        self, request: ipb.ResolveInterceptorsRequest, authorization: str | None
    ) -> Sequence[Interceptor]:
        """Return what applies to a client, in order."""
        answer = self._call(self._interceptors.ResolveInterceptors, request, authorization)
        return answer.interceptors

    def metrics(self, authorization: str | None) -> tuple[str, str]:
        """Return ``(content type, text)``."""
        answer = self._call(self._sidecar.GetMetrics, spb.GetMetricsRequest(), authorization)
        return answer.content_type, answer.text

    def health(self) -> tuple[bool, BuildInfo]:
        """Return whether the sidecar serves, and its build; needs no credentials, never raises."""
        build = BuildInfo()
        try:
            check = health_pb2.HealthCheckRequest()
            # The stubs know the class, but not its methods.
            answer = self._health.Check(check, timeout=DEADLINE_SECONDS)  # type: ignore[attr-defined]
            request = spb.GetBuildInfoRequest()
            build = self._sidecar.GetBuildInfo(request, timeout=DEADLINE_SECONDS).build
        except grpc.RpcError:
            return False, build
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING), build

    def _call(
        self,
        method: "grpc.UnaryUnaryMultiCallable[Request, Response]",
        request: Request,
        authorization: str | None,
    ) -> Response:
        try:
            return method(request, timeout=DEADLINE_SECONDS, metadata=_metadata(authorization))
        except grpc.RpcError as error:
            raise from_rpc(error, self.target) from None


def _metadata(authorization: str | None) -> tuple[tuple[str, str], ...]:
    if authorization is None:
        return ()
    # What gRPC cannot carry cannot be right either: Basic credentials are base64.
    if len(authorization) > MAX_AUTHORIZATION or not _is_printable_ascii(authorization):
        raise unauthorized("the Authorization header is malformed")
    return (("authorization", authorization),)


def _is_printable_ascii(text: str) -> bool:
    return text.isascii() and text.isprintable()
