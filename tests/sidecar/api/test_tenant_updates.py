"""Virtual clusters, users and groups through a real gRPC server: rehearsals, masks and groups."""

import grpc
import pytest

from sidecar.gen.kafka.chaos.v1 import interceptor_service_pb2 as ipb
from sidecar.gen.kafka.chaos.v1 import user_mapping_service_pb2 as upb
from sidecar.gen.kafka.chaos.v1 import virtual_cluster_service_pb2 as vpb
from sidecar.gen.kafka.chaos.v1.fault_pb2 import LeaderElection
from sidecar.gen.kafka.chaos.v1.group_pb2 import Group, GroupMember
from sidecar.gen.kafka.chaos.v1.interceptor_pb2 import Interceptor, Scope
from sidecar.gen.kafka.chaos.v1.user_mapping_pb2 import UserMapping
from sidecar.gen.kafka.chaos.v1.virtual_cluster_pb2 import VirtualCluster
from tests.sidecar.api.harness import ADMIN, VIEWER, Control
from tests.sidecar.api.test_tenants import Code, map_user


def test_virtual_clusters_are_created_or_only_checked(control: Control) -> None:
    stub = control.virtual_cluster

    def create(name: str, validate_only: bool = False) -> vpb.CreateVirtualClusterResponse:
        request = vpb.CreateVirtualClusterRequest(
            virtual_cluster=VirtualCluster(name=name), validate_only=validate_only
        )
        return stub.CreateVirtualCluster(request, metadata=ADMIN)

    assert create("teamA", validate_only=True).created
    assert not stub.ListVirtualClusters(
        vpb.ListVirtualClustersRequest(), metadata=ADMIN
    ).virtual_clusters
    made = create("teamA")
    assert (made.virtual_cluster.name, made.created, create("teamA").created) == (
        "teamA",
        True,
        False,
    )
    with pytest.raises(grpc.RpcError) as refusal:
        create("a b")
    assert "virtual_cluster.name is 'a b'" in refusal.value.details()


def test_a_mask_says_which_fields_of_a_mapping_are_replaced(control: Control) -> None:
    map_user(control, virtual_cluster="teamA", username="alice", groups=["dev"])
    wanted = UserMapping(virtual_cluster="teamA", username="alice", principal="CN=a")
    request = upb.UpdateUserMappingRequest(user_mapping=wanted)
    request.update_mask.paths.append("principal")

    answer = control.user_mapping.UpdateUserMapping(request, metadata=ADMIN)
    assert (answer.user_mapping.principal, list(answer.user_mapping.groups)) == ("CN=a", ["dev"])
    assert (answer.created, answer.changed) == (False, True)
    assert not control.user_mapping.UpdateUserMapping(request, metadata=ADMIN).changed

    request.update_mask.paths.append("username")
    with pytest.raises(grpc.RpcError) as refusal:
        control.user_mapping.UpdateUserMapping(request, metadata=ADMIN)
    assert refusal.value.code() is Code.INVALID_ARGUMENT
    assert "update_mask has 'username', allowed are groups, principal" in refusal.value.details()


def test_groups_are_replaced_and_deleted(control: Control) -> None:
    map_user(control, virtual_cluster="teamA", username="alice")
    map_user(control, username="bob")
    members = [
        GroupMember(virtual_cluster="teamA", username="alice"),
        GroupMember(username="bob"),
    ]
    request = upb.UpdateGroupRequest(group=Group(name="dev", members=members))

    answer = control.user_mapping.UpdateGroup(request, metadata=ADMIN)
    assert [(m.virtual_cluster, m.username) for m in answer.group.members] == [
        ("passthrough", "bob"),
        ("teamA", "alice"),
    ]
    assert (answer.created, answer.changed) == (True, True)
    assert not control.user_mapping.UpdateGroup(request, metadata=ADMIN).changed

    with pytest.raises(grpc.RpcError) as refusal:
        control.user_mapping.UpdateGroup(request, metadata=VIEWER)
    assert refusal.value.code() is Code.PERMISSION_DENIED
    for code in (None, Code.NOT_FOUND):
        delete = upb.DeleteGroupRequest(name="dev")
        if code is None:
            control.user_mapping.DeleteGroup(delete, metadata=ADMIN)
        else:
            with pytest.raises(grpc.RpcError) as refusal:
                control.user_mapping.DeleteGroup(delete, metadata=ADMIN)
            assert refusal.value.code() is code


def test_a_group_that_is_a_scope_is_not_deleted(control: Control) -> None:
    map_user(control, virtual_cluster="teamA", username="alice", groups=["dev"])
    interceptor = Interceptor(
        name="x",
        scope=Scope(virtual_cluster="teamA", group="dev"),
        leader_election=LeaderElection(rate_in_percent=0),
    )
    control.interceptor.CreateInterceptor(
        ipb.CreateInterceptorRequest(interceptor=interceptor), metadata=ADMIN
    )

    with pytest.raises(grpc.RpcError) as refusal:
        control.user_mapping.DeleteGroup(upb.DeleteGroupRequest(name="dev"), metadata=ADMIN)
    assert refusal.value.code() is Code.FAILED_PRECONDITION
    assert "group 'dev' is the scope of interceptors 'x'" in refusal.value.details()


def test_an_interceptor_may_require_its_scope(control: Control) -> None:
    request = ipb.UpdateInterceptorRequest(
        interceptor=Interceptor(
            name="x",
            scope=Scope(virtual_cluster="teamA"),
            leader_election=LeaderElection(rate_in_percent=0),
        ),
        allow_missing=True,
        require_scope=True,
        validate_only=True,
    )
    with pytest.raises(grpc.RpcError) as refusal:
        control.interceptor.UpdateInterceptor(request, metadata=ADMIN)
    assert refusal.value.code() is Code.NOT_FOUND

    map_user(control, virtual_cluster="teamA", username="alice")
    answer = control.interceptor.UpdateInterceptor(request, metadata=ADMIN)
    assert (answer.created, answer.changed, answer.interceptor.uid) == (True, True, "")
    request.validate_only = False
    answer = control.interceptor.UpdateInterceptor(request, metadata=ADMIN)
    assert (answer.created, answer.changed) == (True, True)
    answer = control.interceptor.UpdateInterceptor(request, metadata=ADMIN)
    assert (answer.created, answer.changed) == (False, False)
