"""InterceptorService, TokenService and SidecarService: translate, call control, translate back."""

from collections.abc import Callable

import grpc

from sidecar.api import convert
from sidecar.api.controls import refuse_controls
from sidecar.api.violations import below
from sidecar.control.interceptors import InterceptorService, View
from sidecar.control.journal import Journal
from sidecar.control.ports import BuildInfo, MetricsSource, StatusSource
from sidecar.control.state import ControlState
from sidecar.control.tokens import TokenAuthority
from sidecar.control.virtual_clusters import VirtualClusterService
from sidecar.gen.kafka.chaos.v1 import interceptor_service_pb2 as ipb
from sidecar.gen.kafka.chaos.v1 import interceptor_service_pb2_grpc as ipb_grpc
from sidecar.gen.kafka.chaos.v1 import sidecar_pb2
from sidecar.gen.kafka.chaos.v1 import sidecar_service_pb2 as spb
from sidecar.gen.kafka.chaos.v1 import sidecar_service_pb2_grpc as spb_grpc
from sidecar.gen.kafka.chaos.v1 import token_service_pb2 as tpb
from sidecar.gen.kafka.chaos.v1 import token_service_pb2_grpc as tpb_grpc
from sidecar.model.names import PASSTHROUGH

Context = grpc.ServicerContext
AuditLog = Callable[..., object]
"""Logs an event and its fields."""


class InterceptorServicer(ipb_grpc.InterceptorServiceServicer):
    """The door to the interceptors."""

    def __init__(
        self,
        interceptors: InterceptorService,
        virtual_clusters: VirtualClusterService,
        audit: AuditLog,
    ) -> None:
        self._interceptors = interceptors
        self._virtual_clusters = virtual_clusters
        self._audit = audit

    def CreateInterceptor(
        self, request: ipb.CreateInterceptorRequest, context: Context
    ) -> ipb.CreateInterceptorResponse:
        """Create, as the proto says."""
        wanted = convert.interceptor_from_proto(request.interceptor)
        with below("interceptor"):
            view = self._interceptors.create(wanted, require_new=request.require_new)
        self._told(view)
        return ipb.CreateInterceptorResponse(interceptor=convert.interceptor_to_proto(view))

    def _told(self, view: View) -> None:
        """Tell the log what an interceptor is, with all that it takes to have it again."""
        item = view.interceptor
        self._audit(
            "interceptor_set",
            interceptor=item.name,
            interceptor_uid=item.uid,
            definition=convert.definition(view),
        )

    def GetInterceptor(
        self, request: ipb.GetInterceptorRequest, context: Context
    ) -> ipb.GetInterceptorResponse:
        """Get, as the proto says."""
        view = self._interceptors.get(request.name, convert.scope_from_proto(request.scope))
        return ipb.GetInterceptorResponse(interceptor=convert.interceptor_to_proto(view))

    def ListInterceptors(
        self, request: ipb.ListInterceptorsRequest, context: Context
    ) -> ipb.ListInterceptorsResponse:
        """List, as the proto says."""
        scope = convert.scope_from_proto(request.scope) if request.HasField("scope") else None
        views = self._interceptors.list(scope)
        return ipb.ListInterceptorsResponse(
            interceptors=[convert.interceptor_to_proto(view) for view in views]
        )

    def UpdateInterceptor(
        self, request: ipb.UpdateInterceptorRequest, context: Context
    ) -> ipb.UpdateInterceptorResponse:
        """Update, as the proto says."""
        if request.keep_control:
            refuse_controls(request.interceptor)
        wanted = convert.interceptor_from_proto(request.interceptor)
        if request.require_scope:
            self._virtual_clusters.check_scope(wanted.scope)
        with below("interceptor"):
            view, created, changed = self._interceptors.update(
                wanted,
                allow_missing=request.allow_missing,
                etag=request.interceptor.etag,
                validate_only=request.validate_only,
                keep_control=request.keep_control,
            )
        if changed and not request.validate_only:
            self._told(view)
        return ipb.UpdateInterceptorResponse(
            interceptor=convert.interceptor_to_proto(view), created=created, changed=changed
        )

    def DeleteInterceptor(
        self, request: ipb.DeleteInterceptorRequest, context: Context
    ) -> ipb.DeleteInterceptorResponse:
        """Delete, as the proto says."""
        self._interceptors.delete(
            request.name,
            convert.scope_from_proto(request.scope),
            allow_missing=request.allow_missing,
            etag=request.etag,
        )
        return ipb.DeleteInterceptorResponse()

    def PauseInterceptor(
        self, request: ipb.PauseInterceptorRequest, context: Context
    ) -> ipb.PauseInterceptorResponse:
        """Pause, as the proto says."""
        scope = convert.scope_from_proto(request.scope)
        view = self._interceptors.pause(request.name, scope, etag=request.etag)
        return ipb.PauseInterceptorResponse(interceptor=convert.interceptor_to_proto(view))

    def ResumeInterceptor(
        self, request: ipb.ResumeInterceptorRequest, context: Context
    ) -> ipb.ResumeInterceptorResponse:
        """Resume, as the proto says."""
        scope = convert.scope_from_proto(request.scope)
        view = self._interceptors.pause(request.name, scope, paused=False, etag=request.etag)
        return ipb.ResumeInterceptorResponse(interceptor=convert.interceptor_to_proto(view))

    def ResetInterceptors(
        self, request: ipb.ResetInterceptorsRequest, context: Context
    ) -> ipb.ResetInterceptorsResponse:
        """Reset, as the proto says."""
        scope = convert.scope_from_proto(request.scope) if request.HasField("scope") else None
        return ipb.ResetInterceptorsResponse(deleted=self._interceptors.reset(scope))

    def ResolveInterceptors(
        self, request: ipb.ResolveInterceptorsRequest, context: Context
    ) -> ipb.ResolveInterceptorsResponse:
        """Resolve, as the proto says."""
        who = convert.identity_from_names(
            request.virtual_cluster, request.username, list(request.groups)
        )
        views = self._interceptors.resolve(who)
        return ipb.ResolveInterceptorsResponse(
            interceptors=[convert.interceptor_to_proto(view) for view in views]
        )


class TokenServicer(tpb_grpc.TokenServiceServicer):
    """The door to the token authority; `clock` gives seconds since the epoch."""

    def __init__(
        self,
        tokens: TokenAuthority,
        virtual_clusters: VirtualClusterService,
        clock: Callable[[], float],
    ) -> None:
        self._tokens = tokens
        self._virtual_clusters = virtual_clusters
        self._clock = clock

    def CreateToken(
        self, request: tpb.CreateTokenRequest, context: Context
    ) -> tpb.CreateTokenResponse:
        """Create, as the proto says."""
        virtual_cluster = request.virtual_cluster or PASSTHROUGH
        token, expiry = self._tokens.mint(
            request.username, virtual_cluster, request.lifetime_seconds, self._clock()
        )
        self._virtual_clusters.count_token(virtual_cluster)
        return tpb.CreateTokenResponse(token=token, expire_time=convert.timestamp(expiry))


class SidecarServicer(spb_grpc.SidecarServiceServicer):
    """The door to what the sidecar tells about itself, and to its kill switch.

    Args:
        state: what is halted.
        start_time: of the process, in seconds since the epoch.
    """

    def __init__(
        self,
        build: BuildInfo,
        start_time: float,
        status: StatusSource,
        metrics: MetricsSource,
        interceptors: InterceptorService,
        journal: Journal,
        state: ControlState,
    ) -> None:
        self._build = build
        self._start_time = start_time
        self._status = status
        self._metrics = metrics
        self._interceptors = interceptors
        self._journal = journal
        self._state = state

    def GetBuildInfo(
        self, request: spb.GetBuildInfoRequest, context: Context
    ) -> spb.GetBuildInfoResponse:
        """Tell, as the proto says."""
        return spb.GetBuildInfoResponse(build=convert.build_to_proto(self._build))

    def GetStatus(self, request: spb.GetStatusRequest, context: Context) -> spb.GetStatusResponse:
        """Tell, as the proto says."""
        now = self._status.status()
        return spb.GetStatusResponse(
            status=sidecar_pb2.SidecarStatus(
                build=convert.build_to_proto(self._build),
                start_time=convert.timestamp(self._start_time),
                brokers=[convert.broker_to_proto(broker) for broker in now.brokers],
                connections=now.connections,
                interceptors=len(self._interceptors),
                injections=self._journal.total,
                injection_paused=now.injection_paused,
                halted=self._state.snapshot.halted,
                store=sidecar_pb2.StoreStatus(
                    type=now.store.type, reachable=not now.store.trouble, detail=now.store.trouble
                ),
            )
        )

    def GetMetrics(
        self, request: spb.GetMetricsRequest, context: Context
    ) -> spb.GetMetricsResponse:
        """Tell, as the proto says."""
        content_type, text = self._metrics.exposition()
        return spb.GetMetricsResponse(content_type=content_type, text=text)

    def Halt(self, request: spb.HaltRequest, context: Context) -> spb.HaltResponse:
        """Halt, as the proto says."""
        self._state.halt()
        return spb.HaltResponse()

    def Resume(self, request: spb.ResumeRequest, context: Context) -> spb.ResumeResponse:
        """Resume, as the proto says."""
        self._state.halt(False)
        return spb.ResumeResponse()
