"""The gRPC server: builds the services, listens, and stops. Owns the limits of the transport."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from sidecar.api.auditing import Audit, Refusing
from sidecar.api.auth import Authorizer
from sidecar.api.control_tls import ControlTls
from sidecar.api.guard import MAX_ARRIVING, MAX_REFLECTIONS, Guard
from sidecar.api.injections import InjectionServicer
from sidecar.api.leases import LeaseServicer
from sidecar.api.rate import TokenBucket
from sidecar.api.servicers import AuditLog, InterceptorServicer, SidecarServicer, TokenServicer
from sidecar.api.tenants import AliasTopicServicer, UserMappingServicer, VirtualClusterServicer
from sidecar.api.working import Working
from sidecar.control.alias_topics import AliasTopicService
from sidecar.control.interceptors import InterceptorService
from sidecar.control.journal import Journal
from sidecar.control.leases import LeaseService
from sidecar.control.ports import BuildInfo, MetricsSource, StatusSource
from sidecar.control.state import ControlState
from sidecar.control.tokens import TokenAuthority
from sidecar.control.user_mappings import UserMappingService
from sidecar.control.users import AdminUsers
from sidecar.control.virtual_clusters import VirtualClusterService
from sidecar.gen.kafka.chaos.v1 import (
    alias_topic_service_pb2,
    alias_topic_service_pb2_grpc,
    injection_service_pb2,
    injection_service_pb2_grpc,
    interceptor_service_pb2,
    interceptor_service_pb2_grpc,
    lease_service_pb2,
    lease_service_pb2_grpc,
    sidecar_service_pb2,
    sidecar_service_pb2_grpc,
    token_service_pb2,
    token_service_pb2_grpc,
    user_mapping_service_pb2,
    user_mapping_service_pb2_grpc,
    virtual_cluster_service_pb2,
    virtual_cluster_service_pb2_grpc,
)

MAX_REQUEST_BYTES = 64 * 1024
MAX_CONCURRENT_CALLS = 64
"""Calls in work and waiting for a place; more are refused with RESOURCE_EXHAUSTED."""
MAX_IN_WORK = 8
HANDSHAKE_SECONDS = 30
"""For what comes before the first call of a connection, TLS or not."""
_THREADS = MAX_CONCURRENT_CALLS + 2 * MAX_ARRIVING + MAX_REFLECTIONS
"""One for each call that may wait for something, so that no other has to; made as needed."""
_AT_ONCE = 2 * _THREADS
"""Calls that gRPC hands over; those beyond the threads are refused as soon as they have one."""

STORE = "kafka.chaos.store"
"""The health service's name for the store; unknown where the state is in memory."""

_SERVICES = tuple(
    module.DESCRIPTOR.services_by_name[name].full_name
    for module, name in (
        (interceptor_service_pb2, "InterceptorService"),
        (lease_service_pb2, "LeaseService"),
        (token_service_pb2, "TokenService"),
        (injection_service_pb2, "InjectionService"),
        (sidecar_service_pb2, "SidecarService"),
        (virtual_cluster_service_pb2, "VirtualClusterService"),
        (user_mapping_service_pb2, "UserMappingService"),
        (alias_topic_service_pb2, "AliasTopicService"),
    )
)
_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_REQUEST_BYTES),
    # Otherwise a second sidecar on the same port would silently share it.
    ("grpc.so_reuseport", 0),
    ("grpc.max_concurrent_streams", MAX_CONCURRENT_CALLS),
    ("grpc.server_handshake_timeout_ms", HANDSHAKE_SECONDS * 1000),
)


def _untold(*_: object, **__: object) -> None:
    """There is no log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the server is a door to.

    Args:
        state: what is halted.
        start_time: of the process, in seconds since the epoch.
        clock: seconds since the epoch, for the expiry of tokens.
        audit: logs an event and its fields; on any thread.
        refused: takes note of calls that were turned away; on any thread.
    """

    interceptors: InterceptorService
    leases: LeaseService
    state: ControlState
    virtual_clusters: VirtualClusterService
    user_mappings: UserMappingService
    alias_topics: AliasTopicService
    tokens: TokenAuthority
    journal: Journal
    status: StatusSource
    metrics: MetricsSource
    build: BuildInfo
    start_time: float
    clock: Callable[[], float] = time.time
    audit: AuditLog = _untold
    refused: Refusing = _untold


class ControlServer:
    """Serves the control API on ``host:port``, on native threads of its own.

    Args:
        port: 0 lets the system choose, see `port`.
        tls: of that port; None: plain text.
        private: path of a socket besides, for the REST bridge of this process; it must be in a
            folder that nobody else can enter.
        max_workers: calls in work; must exceed `max_watchers`, whose streams are.
        rate, burst: control calls of users per second, and at once.
        metrics_open: GetMetrics needs no credentials.
    """

    def __init__(
        self,
        services: Services,
        users: AdminUsers,
        host: str,
        port: int,
        *,
        max_workers: int = MAX_IN_WORK,
        max_watchers: int = 4,
        rate: float = 200,
        burst: float = 400,
        metrics_open: bool = False,
        tls: ControlTls | None = None,
        private: str | None = None,
    ) -> None:
        self._tls = tls
        self._private = private
        self._host = host
        self.port = port
        self._health = health.HealthServicer()
        self._injections = InjectionServicer(services.journal, max_watchers=max_watchers)
        audit = Audit(services.audit, services.refused)
        services.state.on_commit = audit.committed
        authorizer = Authorizer(users, metrics_open=metrics_open)
        working = Working(max_workers, MAX_CONCURRENT_CALLS)
        guard = Guard(authorizer, TokenBucket(rate, burst), working, audit)
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="grpc")
        self._server = grpc.server(
            self._pool,
            interceptors=[guard],
            options=_OPTIONS,
            maximum_concurrent_rpcs=_AT_ONCE,
        )
        self._register(services)

    def start(self, *, serving: bool = True) -> None:
        """Listen and serve; `port` is the real one afterwards.

        Args:
            serving: what the health service says; see `set_serving`.

        Raises:
            OSError: the address cannot be listened on; the message names it.
        """
        address = f"[{self._host}]" if ":" in self._host else self._host
        try:
            if self._private is not None:
                self._server.add_insecure_port(f"unix:{self._private}")
            where = f"{address}:{self.port}"
            if self._tls is None:
                self.port = self._server.add_insecure_port(where)
            else:
                self.port = self._server.add_secure_port(where, self._tls.credentials())
        except RuntimeError:
            raise OSError(
                f"the control API (gRPC) cannot listen on {address}:{self.port}:"
                " is the port taken, or the address not of this machine?"
            ) from None
        self.set_serving(serving)
        self._server.start()

    def set_serving(self, serving: bool) -> None:
        """Let the health service say whether clients of the data side are served yet."""
        response = health_pb2.HealthCheckResponse
        for name in ("", *_SERVICES):
            self._health.set(name, response.SERVING if serving else response.NOT_SERVING)

    def set_store_reachable(self, reachable: bool) -> None:
        """Let the health service tell, under `STORE`, whether changes can be stored now."""
        response = health_pb2.HealthCheckResponse
        self._health.set(STORE, response.SERVING if reachable else response.NOT_SERVING)

    def stop(self, grace: float = 5.0) -> None:
        """Refuse new calls, end the streams, and wait up to `grace` seconds for the rest."""
        self._health.enter_graceful_shutdown()
        stopped = self._server.stop(grace)
        self._injections.close()
        stopped.wait()
        self._pool.shutdown()

    def _register(self, services: Services) -> None:
        server = self._server
        interceptor_service_pb2_grpc.add_InterceptorServiceServicer_to_server(
            InterceptorServicer(services.interceptors, services.virtual_clusters, services.audit),
            server,
        )
        lease_service_pb2_grpc.add_LeaseServiceServicer_to_server(
            LeaseServicer(services.leases), server
        )
        token_service_pb2_grpc.add_TokenServiceServicer_to_server(
            TokenServicer(services.tokens, services.virtual_clusters, services.clock), server
        )
        virtual_cluster_service_pb2_grpc.add_VirtualClusterServiceServicer_to_server(
            VirtualClusterServicer(services.virtual_clusters), server
        )
        user_mapping_service_pb2_grpc.add_UserMappingServiceServicer_to_server(
            UserMappingServicer(services.user_mappings), server
        )
        alias_topic_service_pb2_grpc.add_AliasTopicServiceServicer_to_server(
            AliasTopicServicer(services.alias_topics), server
        )
        injection_service_pb2_grpc.add_InjectionServiceServicer_to_server(self._injections, server)
        sidecar_service_pb2_grpc.add_SidecarServiceServicer_to_server(
            SidecarServicer(
                services.build,
                services.start_time,
                services.status,
                services.metrics,
                services.interceptors,
                services.journal,
                services.state,
            ),
            server,
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        reflection.enable_server_reflection(
            (*_SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME), server
        )
