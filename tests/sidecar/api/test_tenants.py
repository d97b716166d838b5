"""Virtual clusters, user mappings and alias topics through real channels."""

from collections.abc import Callable
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from sidecar.gen.kafka.chaos.v1 import alias_topic_service_pb2 as apb
from sidecar.gen.kafka.chaos.v1 import interceptor_service_pb2 as ipb
from sidecar.gen.kafka.chaos.v1 import token_service_pb2 as tpb
from sidecar.gen.kafka.chaos.v1 import user_mapping_service_pb2 as upb
from sidecar.gen.kafka.chaos.v1 import virtual_cluster_service_pb2 as vpb
from sidecar.gen.kafka.chaos.v1.alias_topic_pb2 import AliasTopic
from sidecar.gen.kafka.chaos.v1.fault_pb2 import LeaderElection
from sidecar.gen.kafka.chaos.v1.interceptor_pb2 import Interceptor, Scope
from sidecar.gen.kafka.chaos.v1.user_mapping_pb2 import UserMapping
from sidecar.gen.kafka.chaos.v1.virtual_cluster_pb2 import VirtualCluster
from tests.sidecar.api.harness import ADMIN, VIEWER, Control, running
from tests.sidecar.api.test_calls import refused

Code = grpc.StatusCode
NEW_SERVICES = ("VirtualClusterService", "UserMappingService", "AliasTopicService")


def map_user(control: Control, **fields: Any) -> UserMapping:
    request = upb.CreateUserMappingRequest(user_mapping=UserMapping(**fields))
    return control.user_mapping.CreateUserMapping(request, metadata=ADMIN).user_mapping


def alias(
    control: Control, virtual_cluster: str = "teamA", logical: str = "in", physical: str = "orders"
) -> apb.CreateAliasTopicResponse:
    wanted = AliasTopic(
        virtual_cluster=virtual_cluster, logical_name=logical, physical_name=physical
    )
    request = apb.CreateAliasTopicRequest(alias_topic=wanted)
    return control.alias_topic.CreateAliasTopic(request, metadata=ADMIN)


def token(control: Control, virtual_cluster: str) -> str:
    request = tpb.CreateTokenRequest(
        virtual_cluster=virtual_cluster, username="sa", lifetime_seconds=60
    )
    return control.token.CreateToken(request, metadata=ADMIN).token


def clusters(control: Control) -> list[VirtualCluster]:
    request = vpb.ListVirtualClustersRequest()
    answer = control.virtual_cluster.ListVirtualClusters(request, metadata=VIEWER)
    return list(answer.virtual_clusters)


def delete_cluster(control: Control, name: str) -> None:
    request = vpb.DeleteVirtualClusterRequest(name=name)
    control.virtual_cluster.DeleteVirtualCluster(request, metadata=ADMIN)


def test_virtual_clusters_come_into_being_by_use(control: Control) -> None:
    assert clusters(control) == []

    token(control, "teamA")
    token(control, "")
    map_user(control, virtual_cluster="teamB", username="alice", groups=["dev", "ops", "dev"])
    alias(control, "teamC")

    assert clusters(control) == [
        VirtualCluster(name="teamA", tokens=1),
        VirtualCluster(name="teamB", user_mappings=1, groups=2),
        VirtualCluster(name="teamC", alias_topics=1),
    ]
    request = vpb.GetVirtualClusterRequest(name="teamB")
    found = control.virtual_cluster.GetVirtualCluster(request, metadata=VIEWER).virtual_cluster
    assert found == clusters(control)[1]


def test_configured_virtual_clusters_are_told_as_such() -> None:
    with running(configured=("teamA",)) as control:
        assert clusters(control) == [VirtualCluster(name="teamA", configured=True)]
        code, _, fields = refused(lambda: token(control, "teamB"))
        assert code is Code.INVALID_ARGUMENT
        assert fields == {
            "virtual_cluster": "virtual_cluster is 'teamB', GATEWAY_VCLUSTERS allows teamA"
        }
        assert refused(lambda: delete_cluster(control, "teamA"))[0] is Code.FAILED_PRECONDITION


def test_a_name_that_could_share_topics_is_refused_at_every_door(control: Control) -> None:
    token(control, "team")
    doors: list[Callable[[], object]] = [
        lambda: token(control, "teamA"),
        lambda: map_user(control, virtual_cluster="teamA", username="alice"),
        lambda: alias(control, "teamA"),
    ]

    for door in doors:
        code, message, _ = refused(door)
        assert code is Code.ALREADY_EXISTS
        assert message.startswith("virtual cluster 'teamA' cannot stand beside 'team': one name")
    assert [found.name for found in clusters(control)] == ["team"]
    assert [snapshot.virtual_clusters for snapshot in control.published] == [("team",)]
    assert not any(s.user_mappings or s.alias_topics for s in control.published)


def test_an_interceptor_makes_no_virtual_cluster_but_keeps_one(control: Control) -> None:
    wanted = Interceptor(
        name="x",
        scope=Scope(virtual_cluster="teamA"),
        leader_election=LeaderElection(rate_in_percent=1),
    )
    request = ipb.CreateInterceptorRequest(interceptor=wanted)
    control.interceptor.CreateInterceptor(request, metadata=ADMIN)
    assert clusters(control) == []

    token(control, "teamA")

    code, message, _ = refused(lambda: delete_cluster(control, "teamA"))
    assert code is Code.FAILED_PRECONDITION
    assert "interceptors: 1" in message


def test_deleting_a_virtual_cluster(control: Control) -> None:
    assert refused(lambda: delete_cluster(control, "team"))[0] is Code.NOT_FOUND
    request = vpb.DeleteVirtualClusterRequest(name="team", allow_missing=True)
    control.virtual_cluster.DeleteVirtualCluster(request, metadata=ADMIN)
    token(control, "team")
    for count, expected in ((2, Code.FAILED_PRECONDITION), (None, Code.UNAVAILABLE)):
        control.around.connected["team"] = count
        assert refused(lambda: delete_cluster(control, "team"))[0] is expected

    control.around.connected["team"] = 0
    delete_cluster(control, "team")
    token(control, "teamA")

    assert [found.name for found in clusters(control)] == ["teamA"]


def test_a_token_that_is_refused_claims_nothing(control: Control) -> None:
    request = tpb.CreateTokenRequest(virtual_cluster="teamA", username="sa", lifetime_seconds=0)

    code, _, fields = refused(lambda: control.token.CreateToken(request, metadata=ADMIN))

    assert (code, list(fields)) == (Code.INVALID_ARGUMENT, ["lifetime_seconds"])
    assert clusters(control) == []


def test_user_mappings_one_by_one(control: Control) -> None:
    stub = control.user_mapping
    made = map_user(control, virtual_cluster="teamA", username="alice", groups=["ops", "dev"])
    assert made == UserMapping(
        virtual_cluster="teamA", username="alice", principal="alice", groups=["dev", "ops"]
    )
    assert (
        map_user(control, virtual_cluster="teamA", username="alice", groups=["dev", "ops"]) == made
    )
    code, message, _ = refused(lambda: map_user(control, virtual_cluster="teamA", username="alice"))
    assert (code, message) == (
        Code.ALREADY_EXISTS,
        "user mapping 'alice' in virtual cluster 'teamA' exists with other content",
    )
    new = upb.CreateUserMappingRequest(user_mapping=made, require_new=True)
    assert refused(lambda: stub.CreateUserMapping(new, metadata=ADMIN))[0] is Code.ALREADY_EXISTS
    bob = map_user(control, username="bob", principal="CN=bob")
    assert bob.virtual_cluster == "passthrough"

    get = upb.GetUserMappingRequest(username="bob")
    assert stub.GetUserMapping(get, metadata=VIEWER).user_mapping == bob
    for request, expected in (
        (upb.ListUserMappingsRequest(), [made, bob]),
        (upb.ListUserMappingsRequest(virtual_cluster=""), [bob]),
        (upb.ListUserMappingsRequest(virtual_cluster="teamA"), [made]),
        (upb.ListUserMappingsRequest(virtual_cluster="other"), []),
    ):
        assert list(stub.ListUserMappings(request, metadata=VIEWER).user_mappings) == expected

    bob.groups.append("dev")
    update = upb.UpdateUserMappingRequest(user_mapping=bob)
    answer = stub.UpdateUserMapping(update, metadata=ADMIN)
    assert (answer.user_mapping, answer.created) == (bob, False)
    update.user_mapping.username = "carol"
    assert refused(lambda: stub.UpdateUserMapping(update, metadata=ADMIN))[0] is Code.NOT_FOUND
    update.allow_missing = True
    assert stub.UpdateUserMapping(update, metadata=ADMIN).created

    delete = upb.DeleteUserMappingRequest(username="bob")
    stub.DeleteUserMapping(delete, metadata=ADMIN)
    assert refused(lambda: stub.DeleteUserMapping(delete, metadata=ADMIN))[0] is Code.NOT_FOUND
    delete.allow_missing = True
    stub.DeleteUserMapping(delete, metadata=ADMIN)
    assert refused(lambda: stub.GetUserMapping(get, metadata=VIEWER))[0] is Code.NOT_FOUND
    usernames = [mapping.username for mapping in control.published[-1].user_mappings]
    assert usernames == ["alice", "carol"]


def test_every_bad_field_of_a_mapping_is_told_by_its_place_in_the_request(
    control: Control,
) -> None:
    code, _, fields = refused(
        lambda: map_user(
            control,
            virtual_cluster="_",
            username="a/b",
            principal="x" * 513,
            groups=["z", "y/z", "", "a"],
        )
    )

    assert code is Code.INVALID_ARGUMENT
    assert fields == {
        "user_mapping.groups[1]": (
            "user_mapping.groups[1] is 'y/z', allowed are printable characters without '/'"
        ),
        "user_mapping.groups[2]": "user_mapping.groups[2] must not be empty",
        "user_mapping.virtual_cluster": (
            "user_mapping.virtual_cluster is '_', names that begin with '_' are reserved:"
            " those of Kafka's internal topics do"
        ),
        "user_mapping.username": (
            "user_mapping.username is 'a/b', allowed are printable characters without '/'"
        ),
        "user_mapping.principal": (
            "user_mapping.principal has 513 characters, at most 512 are allowed"
        ),
    }
    many = [f"group{i}" for i in range(101)]
    code, _, fields = refused(lambda: map_user(control, username="alice", groups=many))
    assert (code, fields) == (
        Code.INVALID_ARGUMENT,
        {"user_mapping.groups": ("user_mapping.groups has 101 names, at most 100 are allowed")},
    )


@pytest.mark.parametrize("group", ["", "a/b", "\N{CAT FACE}" * 127 + "/", "/" * 128])
def test_as_many_bad_fields_as_a_status_can_hold_are_told(control: Control, group: str) -> None:
    code, _, fields = refused(
        lambda: map_user(
            control, username="alice", groups=[group] * (60_000 // (len(group) * 4 + 4))
        )
    )

    assert code is Code.INVALID_ARGUMENT
    assert list(fields)[:3] == [f"user_mapping.groups[{i}]" for i in range(3)]


def test_resolving_adds_the_groups_of_the_user(control: Control) -> None:
    for group in ("dev", "ops"):
        wanted = Interceptor(
            name=group,
            scope=Scope(virtual_cluster="teamA", group=group),
            leader_election=LeaderElection(rate_in_percent=1),
        )
        request = ipb.CreateInterceptorRequest(interceptor=wanted)
        control.interceptor.CreateInterceptor(request, metadata=ADMIN)
    map_user(control, virtual_cluster="teamA", username="alice", principal="sa", groups=["dev"])
    machine = "CN=a/b," + "OU=x," * 90
    map_user(control, virtual_cluster="teamA", username="eve", principal=machine, groups=["ops"])

    def resolved(**fields: Any) -> list[str]:
        request = ipb.ResolveInterceptorsRequest(virtual_cluster="teamA", **fields)
        answer = control.interceptor.ResolveInterceptors(request, metadata=VIEWER)
        return [item.name for item in answer.interceptors]

    assert resolved(username="alice") == resolved(username="sa") == ["dev"]
    assert resolved(username="eve") == resolved(username=machine) == ["ops"]
    assert resolved(username="alice", groups=["ops"]) == ["dev", "ops"]
    assert resolved(username="bob") == resolved() == []


def test_alias_topics_one_by_one(control: Control) -> None:
    stub = control.alias_topic
    first = alias(control)
    assert first.created
    assert not alias(control).created
    assert alias(control).alias_topic == first.alias_topic
    second = alias(control, logical="other", physical="shared").alias_topic
    third = alias(control, "teamB", physical="shared").alias_topic

    get = apb.GetAliasTopicRequest(virtual_cluster="teamB", logical_name="in")
    assert stub.GetAliasTopic(get, metadata=VIEWER).alias_topic == third
    for request, expected in (
        (apb.ListAliasTopicsRequest(), [first.alias_topic, second, third]),
        (apb.ListAliasTopicsRequest(virtual_cluster="teamA"), [first.alias_topic, second]),
        (apb.ListAliasTopicsRequest(virtual_cluster="other"), []),
    ):
        assert list(stub.ListAliasTopics(request, metadata=VIEWER).alias_topics) == expected

    delete = apb.DeleteAliasTopicRequest(virtual_cluster="teamB", logical_name="in")
    stub.DeleteAliasTopic(delete, metadata=ADMIN)
    assert refused(lambda: stub.DeleteAliasTopic(delete, metadata=ADMIN))[0] is Code.NOT_FOUND
    delete.allow_missing = True
    stub.DeleteAliasTopic(delete, metadata=ADMIN)
    purge = apb.PurgeAliasTopicsRequest(virtual_cluster="teamA")
    assert stub.PurgeAliasTopics(purge, metadata=ADMIN).purge_count == 2
    assert stub.PurgeAliasTopics(purge, metadata=ADMIN).purge_count == 0
    nobody = apb.PurgeAliasTopicsRequest()
    code, _, fields = refused(lambda: stub.PurgeAliasTopics(nobody, metadata=ADMIN))
    assert (code, list(fields)) == (Code.INVALID_ARGUMENT, ["virtual_cluster"])
    assert control.published[-1].alias_topics == ()


@pytest.mark.parametrize(
    ("fields", "code", "words"),
    [
        (
            ("teamA", "x", "nowhere"),
            Code.FAILED_PRECONDITION,
            "topic named nowhere does not exist",
        ),
        (("teamA", "x", "dark"), Code.UNAVAILABLE, "verify if topic named dark exists"),
        (("teamA", "in", "shared"), Code.ALREADY_EXISTS, "leads to 'orders': delete it first"),
        (("teamA", "x", "orders"), Code.ALREADY_EXISTS, "reaches topic 'orders' as 'in'"),
        (("teamA", "x", "teamAx"), Code.INVALID_ARGUMENT, "alias_topic.physical_name is 'teamAx'"),
        (("passthrough", "x", "orders"), Code.INVALID_ARGUMENT, "alias_topic.virtual_cluster is"),
        (
            ("", "x", "orders"),
            Code.INVALID_ARGUMENT,
            "alias_topic.virtual_cluster must not be empty",
        ),
    ],
)
def test_aliases_that_are_refused(
    control: Control, fields: tuple[str, str, str], code: grpc.StatusCode, words: str
) -> None:
    control.around.topics["dark"] = None
    alias(control)

    found, message, _ = refused(lambda: alias(control, *fields))

    assert found is code
    assert words in message
    assert len(control.published) == 1


def test_viewers_may_read_but_not_write(control: Control) -> None:
    calls: list[Callable[[], object]] = [
        lambda: control.virtual_cluster.DeleteVirtualCluster(
            vpb.DeleteVirtualClusterRequest(), metadata=VIEWER
        ),
        lambda: control.user_mapping.CreateUserMapping(
            upb.CreateUserMappingRequest(), metadata=VIEWER
        ),
        lambda: control.user_mapping.UpdateUserMapping(
            upb.UpdateUserMappingRequest(), metadata=VIEWER
        ),
        lambda: control.user_mapping.DeleteUserMapping(
            upb.DeleteUserMappingRequest(), metadata=VIEWER
        ),
        lambda: control.alias_topic.CreateAliasTopic(
            apb.CreateAliasTopicRequest(), metadata=VIEWER
        ),
        lambda: control.alias_topic.DeleteAliasTopic(
            apb.DeleteAliasTopicRequest(), metadata=VIEWER
        ),
        lambda: control.alias_topic.PurgeAliasTopics(
            apb.PurgeAliasTopicsRequest(), metadata=VIEWER
        ),
    ]

    for call in calls:
        assert refused(call)[0] is Code.PERMISSION_DENIED


def test_health_and_reflection_know_the_services(control: Control) -> None:
    names = {f"kafka.chaos.v1.{name}" for name in NEW_SERVICES}
    health = health_pb2_grpc.HealthStub(control.channel)
    for name in names:
        answer = health.Check(health_pb2.HealthCheckRequest(service=name))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    stub = reflection_pb2_grpc.ServerReflectionStub(control.channel)
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    [listed] = stub.ServerReflectionInfo(iter([request]))
    assert names <= {service.name for service in listed.list_services_response.service}
