"""VirtualClusterService, UserMappingService and AliasTopicService: translate and call control."""

from collections.abc import Iterable

import grpc

from sidecar.api import convert
from sidecar.api.violations import below
from sidecar.control.alias_topics import AliasTopicService
from sidecar.control.user_mappings import FIELDS, UserMappingService
from sidecar.control.virtual_clusters import VirtualClusterService
from sidecar.gen.kafka.chaos.v1 import alias_topic_service_pb2 as apb
from sidecar.gen.kafka.chaos.v1 import alias_topic_service_pb2_grpc as apb_grpc
from sidecar.gen.kafka.chaos.v1 import user_mapping_service_pb2 as upb
from sidecar.gen.kafka.chaos.v1 import user_mapping_service_pb2_grpc as upb_grpc
from sidecar.gen.kafka.chaos.v1 import virtual_cluster_service_pb2 as vpb
from sidecar.gen.kafka.chaos.v1 import virtual_cluster_service_pb2_grpc as vpb_grpc
from sidecar.model.errors import InvalidArgument
from sidecar.model.names import PASSTHROUGH, virtual_cluster_name

Context = grpc.ServicerContext


class VirtualClusterServicer(vpb_grpc.VirtualClusterServiceServicer):
    """The door to the virtual clusters."""

    def __init__(self, virtual_clusters: VirtualClusterService) -> None:
        self._virtual_clusters = virtual_clusters

    def CreateVirtualCluster(
        self, request: vpb.CreateVirtualClusterRequest, context: Context
    ) -> vpb.CreateVirtualClusterResponse:
        """Create, as the proto says."""
        with below("virtual_cluster"):
            view, created = self._virtual_clusters.create(
                request.virtual_cluster.name, validate_only=request.validate_only
            )
        return vpb.CreateVirtualClusterResponse(
            virtual_cluster=convert.virtual_cluster_to_proto(view), created=created
        )

    def ListVirtualClusters(
        self, request: vpb.ListVirtualClustersRequest, context: Context
    ) -> vpb.ListVirtualClustersResponse:
        """List, as the proto says."""
        views = self._virtual_clusters.list()
        return vpb.ListVirtualClustersResponse(
            virtual_clusters=[convert.virtual_cluster_to_proto(view) for view in views]
        )

    def GetVirtualCluster(
        self, request: vpb.GetVirtualClusterRequest, context: Context
    ) -> vpb.GetVirtualClusterResponse:
        """Get, as the proto says."""
        view = self._virtual_clusters.get(request.name)
        return vpb.GetVirtualClusterResponse(virtual_cluster=convert.virtual_cluster_to_proto(view))

    def DeleteVirtualCluster(
        self, request: vpb.DeleteVirtualClusterRequest, context: Context
    ) -> vpb.DeleteVirtualClusterResponse:
        """Delete, as the proto says."""
        self._virtual_clusters.delete(request.name, allow_missing=request.allow_missing)
        return vpb.DeleteVirtualClusterResponse()


class UserMappingServicer(upb_grpc.UserMappingServiceServicer):
    """The door to the user mappings."""

    def __init__(self, mappings: UserMappingService) -> None:
        self._mappings = mappings

    def CreateUserMapping(
        self, request: upb.CreateUserMappingRequest, context: Context
    ) -> upb.CreateUserMappingResponse:
        """Create, as the proto says."""
        wanted = convert.user_mapping_from_proto(request.user_mapping)
        with below("user_mapping"):
            mapping = self._mappings.create(wanted, require_new=request.require_new)
        return upb.CreateUserMappingResponse(user_mapping=convert.user_mapping_to_proto(mapping))

    def GetUserMapping(
        self, request: upb.GetUserMappingRequest, context: Context
    ) -> upb.GetUserMappingResponse:
        """Get, as the proto says."""
        mapping = self._mappings.get(request.virtual_cluster or PASSTHROUGH, request.username)
        return upb.GetUserMappingResponse(user_mapping=convert.user_mapping_to_proto(mapping))

    def ListUserMappings(
        self, request: upb.ListUserMappingsRequest, context: Context
    ) -> upb.ListUserMappingsResponse:
        """List, as the proto says."""
        wanted = request.HasField("virtual_cluster")
        found = self._mappings.list((request.virtual_cluster or PASSTHROUGH) if wanted else None)
        return upb.ListUserMappingsResponse(
            user_mappings=[convert.user_mapping_to_proto(mapping) for mapping in found]
        )

    def UpdateUserMapping(
        self, request: upb.UpdateUserMappingRequest, context: Context
    ) -> upb.UpdateUserMappingResponse:
        """Update, as the proto says."""
        wanted = convert.user_mapping_from_proto(request.user_mapping)
        fields = _masked(request.update_mask.paths) if request.HasField("update_mask") else FIELDS
        with below("user_mapping"):
            mapping, created, changed = self._mappings.update(
                wanted,
                allow_missing=request.allow_missing,
                fields=fields,
                validate_only=request.validate_only,
            )
        return upb.UpdateUserMappingResponse(
            user_mapping=convert.user_mapping_to_proto(mapping), created=created, changed=changed
        )

    def DeleteUserMapping(
        self, request: upb.DeleteUserMappingRequest, context: Context
    ) -> upb.DeleteUserMappingResponse:
        """Delete, as the proto says."""
        self._mappings.delete(
            request.virtual_cluster or PASSTHROUGH,
            request.username,
            allow_missing=request.allow_missing,
            require_ungrouped=request.require_ungrouped,
        )
        return upb.DeleteUserMappingResponse()

    def UpdateGroup(
        self, request: upb.UpdateGroupRequest, context: Context
    ) -> upb.UpdateGroupResponse:
        """Update, as the proto says."""
        name = request.group.name
        members = {(m.virtual_cluster or PASSTHROUGH, m.username) for m in request.group.members}
        with below("group"):
            created, changed = self._mappings.update_group(
                name, members, validate_only=request.validate_only
            )
        return upb.UpdateGroupResponse(
            group=convert.group_to_proto(name, members), created=created, changed=changed
        )

    def DeleteGroup(
        self, request: upb.DeleteGroupRequest, context: Context
    ) -> upb.DeleteGroupResponse:
        """Delete, as the proto says."""
        self._mappings.delete_group(request.name)
        return upb.DeleteGroupResponse()


class AliasTopicServicer(apb_grpc.AliasTopicServiceServicer):
    """The door to the alias topics."""

    def __init__(self, aliases: AliasTopicService) -> None:
        self._aliases = aliases

    def CreateAliasTopic(
        self, request: apb.CreateAliasTopicRequest, context: Context
    ) -> apb.CreateAliasTopicResponse:
        """Create, as the proto says."""
        wanted = convert.alias_topic_from_proto(request.alias_topic)
        with below("alias_topic"):
            alias, created = self._aliases.create(wanted, validate_only=request.validate_only)
        return apb.CreateAliasTopicResponse(
            alias_topic=convert.alias_topic_to_proto(alias), created=created
        )

    def GetAliasTopic(
        self, request: apb.GetAliasTopicRequest, context: Context
    ) -> apb.GetAliasTopicResponse:
        """Get, as the proto says."""
        alias = self._aliases.get(request.virtual_cluster, request.logical_name)
        return apb.GetAliasTopicResponse(alias_topic=convert.alias_topic_to_proto(alias))

    def ListAliasTopics(
        self, request: apb.ListAliasTopicsRequest, context: Context
    ) -> apb.ListAliasTopicsResponse:
        """List, as the proto says."""
        found = self._aliases.list(request.virtual_cluster or None)
        return apb.ListAliasTopicsResponse(
            alias_topics=[convert.alias_topic_to_proto(alias) for alias in found]
        )

    def DeleteAliasTopic(
        self, request: apb.DeleteAliasTopicRequest, context: Context
    ) -> apb.DeleteAliasTopicResponse:
        """Delete, as the proto says."""
        self._aliases.delete(
            request.virtual_cluster, request.logical_name, allow_missing=request.allow_missing
        )
        return apb.DeleteAliasTopicResponse()

    def PurgeAliasTopics(
        self, request: apb.PurgeAliasTopicsRequest, context: Context
    ) -> apb.PurgeAliasTopicsResponse:
        """Purge, as the proto says."""
        count = self._aliases.purge(virtual_cluster_name(request.virtual_cluster))
        return apb.PurgeAliasTopicsResponse(purge_count=count)


def _masked(paths: Iterable[str]) -> frozenset[str]:
    """Return the fields an update_mask names, or raise InvalidArgument."""
    fields = frozenset(paths)
    for path in sorted(fields - FIELDS):
        raise InvalidArgument.of(
            "update_mask", f"update_mask has {path!r}, allowed are {', '.join(sorted(FIELDS))}"
        )
    return fields
