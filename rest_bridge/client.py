"""The bridge's own client of the sidecar's gRPC API: deadlines, credentials, refusals."""

from collections.abc import Sequence
from contextvars import ContextVar
from copy import copy
from typing import TypeVar

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from rest_bridge.errors import V1, Words, from_rpc, unauthorized
from sidecar.gen.kafka.chaos.v1 import alias_topic_service_pb2 as apb
from sidecar.gen.kafka.chaos.v1 import interceptor_service_pb2 as ipb
from sidecar.gen.kafka.chaos.v1 import sidecar_service_pb2 as spb
from sidecar.gen.kafka.chaos.v1 import token_service_pb2 as tpb
from sidecar.gen.kafka.chaos.v1 import user_mapping_service_pb2 as upb
from sidecar.gen.kafka.chaos.v1 import virtual_cluster_service_pb2 as vpb
from sidecar.gen.kafka.chaos.v1.alias_topic_pb2 import AliasTopic
from sidecar.gen.kafka.chaos.v1.alias_topic_service_pb2_grpc import AliasTopicServiceStub
from sidecar.gen.kafka.chaos.v1.group_pb2 import Group
from sidecar.gen.kafka.chaos.v1.interceptor_pb2 import Interceptor, Scope
from sidecar.gen.kafka.chaos.v1.interceptor_service_pb2_grpc import InterceptorServiceStub
from sidecar.gen.kafka.chaos.v1.sidecar_pb2 import BuildInfo
from sidecar.gen.kafka.chaos.v1.sidecar_service_pb2_grpc import SidecarServiceStub
from sidecar.gen.kafka.chaos.v1.token_service_pb2_grpc import TokenServiceStub
from sidecar.gen.kafka.chaos.v1.user_mapping_pb2 import UserMapping
from sidecar.gen.kafka.chaos.v1.user_mapping_service_pb2_grpc import UserMappingServiceStub
from sidecar.gen.kafka.chaos.v1.virtual_cluster_pb2 import VirtualCluster
from sidecar.gen.kafka.chaos.v1.virtual_cluster_service_pb2_grpc import VirtualClusterServiceStub

DEADLINE_SECONDS = 15.0
"""Of a call: one that stores in Kafka may take so long while the brokers are in trouble."""
STORE_HEALTH = "kafka.chaos.store"
"""The health service's name for the store."""
MAX_AUTHORIZATION = 4096
"""Characters of an Authorization header; gRPC's metadata is limited to 8 KiB in all."""

caller: ContextVar[str] = ContextVar("caller", default="")
"""Address of the HTTP client whose request is served now; the sidecar logs it, and counts failures
by it, where it can trust this bridge."""
_CALLER_KEY = "x-chaos-caller"

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
        self._words = V1
        self._interceptors = InterceptorServiceStub(channel)
        self._tokens = TokenServiceStub(channel)
        self._virtual_clusters = VirtualClusterServiceStub(channel)
        self._aliases = AliasTopicServiceStub(channel)
        self._users = UserMappingServiceStub(channel)
        self._sidecar = SidecarServiceStub(channel)
        self._health = health_pb2_grpc.HealthStub(channel)

    def speaking(self, words: Words) -> "SidecarClient":
        """Return a client on the same channel whose refusals are in these words."""
        result = copy(self)
        result._words = words
        return result

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

    def put(self, wanted: Interceptor, authorization: str | None, *, keep_control: bool) -> bool:
        """Create or replace an interceptor; return whether it was created."""
        request = ipb.UpdateInterceptorRequest(
            interceptor=wanted, allow_missing=True, keep_control=keep_control
        )
        return self._call(self._interceptors.UpdateInterceptor, request, authorization).created

    def upsert(
        self,
        wanted: Interceptor,
        authorization: str | None,
        *,
        keep_control: bool,
        validate_only: bool,
    ) -> ipb.UpdateInterceptorResponse:
        """Create or replace an interceptor in a scope that exists."""
        request = ipb.UpdateInterceptorRequest(
            interceptor=wanted,
            allow_missing=True,
            require_scope=True,
            validate_only=validate_only,
            keep_control=keep_control,
        )
        return self._call(self._interceptors.UpdateInterceptor, request, authorization)

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

    def list_virtual_clusters(self, authorization: str | None) -> Sequence[VirtualCluster]:
        """Return every virtual cluster."""
        request = vpb.ListVirtualClustersRequest()
        answer = self._call(self._virtual_clusters.ListVirtualClusters, request, authorization)
        return answer.virtual_clusters

    def get_virtual_cluster(self, name: str, authorization: str | None) -> VirtualCluster:
        """Return one virtual cluster."""
        request = vpb.GetVirtualClusterRequest(name=name)
        answer = self._call(self._virtual_clusters.GetVirtualCluster, request, authorization)
        return answer.virtual_cluster

    def create_virtual_cluster(
        self, name: str, authorization: str | None, *, validate_only: bool
    ) -> bool:
        """Create a virtual cluster; return whether it was not there before."""
        request = vpb.CreateVirtualClusterRequest(
            virtual_cluster=VirtualCluster(name=name), validate_only=validate_only
        )
        answer = self._call(self._virtual_clusters.CreateVirtualCluster, request, authorization)
        return answer.created

    def delete_virtual_cluster(self, name: str, authorization: str | None) -> None:
        """Delete one virtual cluster."""
        request = vpb.DeleteVirtualClusterRequest(name=name)
        self._call(self._virtual_clusters.DeleteVirtualCluster, request, authorization)

    def create_alias(
        self, wanted: AliasTopic, authorization: str | None, *, validate_only: bool = False
    ) -> tuple[AliasTopic, bool]:
        """Create an alias topic; return it and whether it was not there before."""
        request = apb.CreateAliasTopicRequest(alias_topic=wanted, validate_only=validate_only)
        answer = self._call(self._aliases.CreateAliasTopic, request, authorization)
        return answer.alias_topic, answer.created

    def list_aliases(self, virtual_cluster: str, authorization: str | None) -> Sequence[AliasTopic]:
        """Return the alias topics of a virtual cluster, or all for an empty name."""
        request = apb.ListAliasTopicsRequest(virtual_cluster=virtual_cluster)
        return self._call(self._aliases.ListAliasTopics, request, authorization).alias_topics

    def delete_alias(
        self, virtual_cluster: str, logical_name: str, authorization: str | None
    ) -> None:
        """Delete one alias topic."""
        request = apb.DeleteAliasTopicRequest(
            virtual_cluster=virtual_cluster, logical_name=logical_name
        )
        self._call(self._aliases.DeleteAliasTopic, request, authorization)

    def purge_aliases(self, virtual_cluster: str, authorization: str | None) -> int:
        """Delete all alias topics of a virtual cluster; return how many there were."""
        request = apb.PurgeAliasTopicsRequest(virtual_cluster=virtual_cluster)
        return self._call(self._aliases.PurgeAliasTopics, request, authorization).purge_count

    def create_user_mapping(self, wanted: UserMapping, authorization: str | None) -> None:
        """Create a user mapping that must not exist yet."""
        request = upb.CreateUserMappingRequest(user_mapping=wanted, require_new=True)
        self._call(self._users.CreateUserMapping, request, authorization)

    def put_user_mapping(self, wanted: UserMapping, authorization: str | None) -> bool:
        """Create or replace a user mapping; return whether it was created."""
        request = upb.UpdateUserMappingRequest(user_mapping=wanted, allow_missing=True)
        return self._call(self._users.UpdateUserMapping, request, authorization).created

    def upsert_user(
        self, wanted: UserMapping, authorization: str | None, *, validate_only: bool
    ) -> upb.UpdateUserMappingResponse:
        """Create a user mapping, or replace its principal; the groups stay what they are."""
        request = upb.UpdateUserMappingRequest(
            user_mapping=wanted, allow_missing=True, validate_only=validate_only
        )
        request.update_mask.paths.append("principal")
        return self._call(self._users.UpdateUserMapping, request, authorization)

    def get_user_mapping(
        self, virtual_cluster: str, username: str, authorization: str | None
    ) -> UserMapping:
        """Return one user mapping."""
        request = upb.GetUserMappingRequest(virtual_cluster=virtual_cluster, username=username)
        return self._call(self._users.GetUserMapping, request, authorization).user_mapping

    def list_user_mappings(
        self, virtual_cluster: str | None, authorization: str | None
    ) -> Sequence[UserMapping]:
        """Return the user mappings of a virtual cluster, or all for None."""
        request = upb.ListUserMappingsRequest(virtual_cluster=virtual_cluster)
        return self._call(self._users.ListUserMappings, request, authorization).user_mappings

    def delete_user_mapping(
        self,
        virtual_cluster: str,
        username: str,
        authorization: str | None,
        *,
        require_ungrouped: bool = False,
    ) -> None:
        """Delete one user mapping."""
        request = upb.DeleteUserMappingRequest(
            virtual_cluster=virtual_cluster,
            username=username,
            require_ungrouped=require_ungrouped,
        )
        self._call(self._users.DeleteUserMapping, request, authorization)

    def upsert_group(
        self, wanted: Group, authorization: str | None, *, validate_only: bool
    ) -> upb.UpdateGroupResponse:
        """Have exactly the members of `wanted` in a group."""
        request = upb.UpdateGroupRequest(group=wanted, validate_only=validate_only)
        return self._call(self._users.UpdateGroup, request, authorization)

    def delete_group(self, name: str, authorization: str | None) -> None:
        """Take a group out of all user mappings."""
        request = upb.DeleteGroupRequest(name=name)
        self._call(self._users.DeleteGroup, request, authorization)

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

    def store_health(self) -> bool | None:
        """Return whether changes can be stored now; None where nothing is stored, or no answer."""
        check = health_pb2.HealthCheckRequest(service=STORE_HEALTH)
        try:
            answer = self._health.Check(check, timeout=DEADLINE_SECONDS)  # type: ignore[attr-defined]
        except grpc.RpcError:
            return None
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    def _call(
        self,
        method: "grpc.UnaryUnaryMultiCallable[Request, Response]",
        request: Request,
        authorization: str | None,
    ) -> Response:
        try:
            return method(request, timeout=DEADLINE_SECONDS, metadata=_metadata(authorization))
        except grpc.RpcError as error:
            raise from_rpc(error, self.target, self._words) from None


def _metadata(authorization: str | None) -> tuple[tuple[str, str], ...]:
    told = ((_CALLER_KEY, caller.get()),) if caller.get() else ()
    if authorization is None:
        return told
    # What gRPC cannot carry cannot be right either: Basic credentials are base64.
    if len(authorization) > MAX_AUTHORIZATION or not _is_printable_ascii(authorization):
        raise unauthorized("the Authorization header is malformed")
    return (("authorization", authorization), *told)


def _is_printable_ascii(text: str) -> bool:
    return text.isascii() and text.isprintable()
