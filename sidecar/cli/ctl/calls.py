"""What each command asks a sidecar."""

import argparse
from collections import deque
from typing import Any

from sidecar.cli.ctl import controls
from sidecar.cli.ctl.faults import KINDS
from sidecar.cli.ctl.targets import Client, UsageError
from sidecar.gen.kafka.chaos.v1 import injection_service_pb2 as jpb
from sidecar.gen.kafka.chaos.v1 import interceptor_service_pb2 as ipb
from sidecar.gen.kafka.chaos.v1 import lease_service_pb2 as lpb
from sidecar.gen.kafka.chaos.v1 import sidecar_service_pb2 as spb
from sidecar.gen.kafka.chaos.v1 import token_service_pb2 as tpb
from sidecar.gen.kafka.chaos.v1 import virtual_cluster_service_pb2 as vpb
from sidecar.gen.kafka.chaos.v1.injection_service_pb2_grpc import InjectionServiceStub
from sidecar.gen.kafka.chaos.v1.interceptor_pb2 import Interceptor, Scope
from sidecar.gen.kafka.chaos.v1.interceptor_service_pb2_grpc import InterceptorServiceStub
from sidecar.gen.kafka.chaos.v1.lease_pb2 import Lease
from sidecar.gen.kafka.chaos.v1.lease_service_pb2_grpc import LeaseServiceStub
from sidecar.gen.kafka.chaos.v1.sidecar_service_pb2_grpc import SidecarServiceStub
from sidecar.gen.kafka.chaos.v1.token_service_pb2_grpc import TokenServiceStub
from sidecar.gen.kafka.chaos.v1.virtual_cluster_service_pb2_grpc import VirtualClusterServiceStub

_PAGE = 1000


def create(client: Client, arguments: argparse.Namespace) -> Any:
    """Create an interceptor, or with --replace put it in the place of another."""
    service, wanted = InterceptorServiceStub(client.channel), _wanted(arguments)
    if arguments.replace:
        update = ipb.UpdateInterceptorRequest(interceptor=wanted, allow_missing=True)
        return client.ask(service.UpdateInterceptor, update)
    return client.ask(service.CreateInterceptor, ipb.CreateInterceptorRequest(interceptor=wanted))


def get(client: Client, arguments: argparse.Namespace) -> Any:
    """One interceptor."""
    request = ipb.GetInterceptorRequest(name=arguments.name, scope=_scope(arguments))
    return client.ask(InterceptorServiceStub(client.channel).GetInterceptor, request)


def delete(client: Client, arguments: argparse.Namespace) -> Any:
    """Delete one interceptor."""
    request = ipb.DeleteInterceptorRequest(
        name=arguments.name, scope=_scope(arguments), allow_missing=arguments.if_exists
    )
    return client.ask(InterceptorServiceStub(client.channel).DeleteInterceptor, request)


def list_all(client: Client, arguments: argparse.Namespace) -> Any:
    """The interceptors of one scope, or of all."""
    request = ipb.ListInterceptorsRequest(scope=_one_or_all(arguments))
    return client.ask(InterceptorServiceStub(client.channel).ListInterceptors, request)


def resolve(client: Client, arguments: argparse.Namespace) -> Any:
    """The interceptors that apply to a client of the sidecar."""
    request = ipb.ResolveInterceptorsRequest(
        virtual_cluster=arguments.vcluster, username=arguments.username, groups=arguments.group
    )
    return client.ask(InterceptorServiceStub(client.channel).ResolveInterceptors, request)


def injections(client: Client, arguments: argparse.Namespace) -> Any:
    """The latest injections: pages begin with the oldest, so all are read."""
    service = InjectionServiceStub(client.channel)
    request = jpb.ListInjectionsRequest(
        virtual_cluster=arguments.vcluster, interceptor=arguments.interceptor, page_size=_PAGE
    )
    latest, missed = deque[Any](maxlen=arguments.limit), 0
    while True:
        page = client.ask(service.ListInjections, request)
        latest.extend(page.injections)
        missed += page.missed
        if not page.next_page_token:
            return jpb.ListInjectionsResponse(injections=latest, missed=missed)
        request.page_token = page.next_page_token


def status(client: Client, arguments: argparse.Namespace) -> Any:
    """How a sidecar is doing."""
    return client.ask(SidecarServiceStub(client.channel).GetStatus, spb.GetStatusRequest())


def virtual_clusters(client: Client, arguments: argparse.Namespace) -> Any:
    """Which virtual clusters there are."""
    request = vpb.ListVirtualClustersRequest()
    return client.ask(VirtualClusterServiceStub(client.channel).ListVirtualClusters, request)


def create_token(client: Client, arguments: argparse.Namespace) -> Any:
    """A token for a user of a virtual cluster."""
    request = tpb.CreateTokenRequest(
        virtual_cluster=arguments.vcluster,
        username=arguments.username,
        lifetime_seconds=arguments.lifetime // 1000,
    )
    return client.ask(TokenServiceStub(client.channel).CreateToken, request)


def pause(client: Client, arguments: argparse.Namespace) -> Any:
    """Let an interceptor do nothing."""
    request = ipb.PauseInterceptorRequest(name=arguments.name, scope=_scope(arguments))
    return client.ask(InterceptorServiceStub(client.channel).PauseInterceptor, request)


def resume_one(client: Client, arguments: argparse.Namespace) -> Any:
    """Undo `pause`."""
    request = ipb.ResumeInterceptorRequest(name=arguments.name, scope=_scope(arguments))
    return client.ask(InterceptorServiceStub(client.channel).ResumeInterceptor, request)


def reset(client: Client, arguments: argparse.Namespace) -> Any:
    """Delete the interceptors of one scope, or all; UsageError if it was not said which."""
    scope = _one_or_all(arguments)
    if (scope is None) is not arguments.all:
        raise UsageError("reset needs one of --vcluster, --global and --all, and only one")
    request = ipb.ResetInterceptorsRequest(scope=scope)
    return client.ask(InterceptorServiceStub(client.channel).ResetInterceptors, request)


def halt(client: Client, arguments: argparse.Namespace) -> Any:
    """Let a sidecar inject nothing."""
    return client.ask(SidecarServiceStub(client.channel).Halt, spb.HaltRequest())


def resume(client: Client, arguments: argparse.Namespace) -> Any:
    """Undo `halt`."""
    return client.ask(SidecarServiceStub(client.channel).Resume, spb.ResumeRequest())


def create_lease(client: Client, arguments: argparse.Namespace) -> Any:
    """A lease that begins now."""
    lease = Lease(name=arguments.name)
    lease.duration.FromMilliseconds(arguments.duration)
    request = lpb.CreateLeaseRequest(lease=lease)
    return client.ask(LeaseServiceStub(client.channel).CreateLease, request)


def renew_lease(client: Client, arguments: argparse.Namespace) -> Any:
    """A lease lasts longer."""
    request = lpb.RenewLeaseRequest(name=arguments.name)
    if arguments.duration is not None:
        request.duration.FromMilliseconds(arguments.duration)
    return client.ask(LeaseServiceStub(client.channel).RenewLease, request)


def release_lease(client: Client, arguments: argparse.Namespace) -> Any:
    """End a lease."""
    request = lpb.ReleaseLeaseRequest(name=arguments.name, allow_missing=arguments.if_exists)
    return client.ask(LeaseServiceStub(client.channel).ReleaseLease, request)


def list_leases(client: Client, arguments: argparse.Namespace) -> Any:
    """Which leases there are."""
    return client.ask(LeaseServiceStub(client.channel).ListLeases, lpb.ListLeasesRequest())


def _wanted(arguments: argparse.Namespace) -> Interceptor:
    wanted = Interceptor(
        name=arguments.name,
        scope=_scope(arguments),
        priority=arguments.priority,
        annotations=arguments.annotation,
    )
    controls.write(arguments, wanted)
    next(kind for kind in KINDS if kind.command == arguments.fault).write(arguments, wanted)
    return wanted


def _scope(arguments: argparse.Namespace) -> Scope:
    return Scope(
        virtual_cluster=arguments.vcluster, group=arguments.group, username=arguments.username
    )


def _one_or_all(arguments: argparse.Namespace) -> Scope | None:
    scope = _scope(arguments)
    if arguments.only_global and scope != Scope():
        raise UsageError("--global excludes --vcluster, --group and --username")
    return scope if arguments.only_global or scope != Scope() else None
