"""Bodies of virtual clusters, alias topics, service accounts and groups, there and back.

A service account is a user mapping: a LOCAL one goes by its own name, an EXTERNAL one by the name
in its credentials. A group is what user mappings name.
"""

from collections.abc import Iterable

from rest_bridge.errors import bad_request
from rest_bridge.json_body import Json, show
from rest_bridge.plugins import refuse_unknown
from rest_bridge.translate import PASSTHROUGH, body_object, text
from rest_bridge.v2.bodies import (
    Object,
    object_in,
    optional_text,
    require,
    resource_from,
    resource_to,
)
from sidecar.gen.kafka.chaos.v1.alias_topic_pb2 import AliasTopic
from sidecar.gen.kafka.chaos.v1.group_pb2 import Group, GroupMember
from sidecar.gen.kafka.chaos.v1.user_mapping_pb2 import UserMapping

VIRTUAL_CLUSTER = "VirtualCluster"
ALIAS_TOPIC = "AliasTopic"
SERVICE_ACCOUNT = "GatewayServiceAccount"
GROUP = "GatewayGroup"
LOCAL, EXTERNAL = "LOCAL", "EXTERNAL"

_PLACED = ("name", "vCluster")


def virtual_cluster_from(body: bytes) -> str:
    """Return the name of the virtual cluster a PUT asks for, or raise Refusal (400)."""
    spec_keys = ("aclEnabled", "superUsers", "type")
    metadata, spec = resource_from(body, (VIRTUAL_CLUSTER,), ("name",), spec_keys)
    # The sidecar has no ACLs of its own, and no other kind of virtual cluster.
    for key, only in (("aclEnabled", False), ("superUsers", [])):
        if spec.get(key) is not None and spec[key] != only:
            raise bad_request(f"spec.{key} is {show(spec[key])}, allowed are {show(only)}")
    kind = optional_text(spec, "type", "spec.")
    if kind is not None and kind.lower() != "standard":
        raise bad_request(f"spec.type is {show(kind)}, allowed are Standard")
    return text(metadata["name"], "metadata.name")


def virtual_cluster_to(name: str) -> dict[str, Json]:
    """Return the resource."""
    spec: dict[str, Json] = {"aclEnabled": False, "superUsers": [], "type": "Standard"}
    return resource_to(VIRTUAL_CLUSTER, {"name": name}, spec)


def alias_topic_from(body: bytes) -> AliasTopic:
    """Return the alias topic a PUT asks for, or raise Refusal (400)."""
    metadata, spec = resource_from(body, (ALIAS_TOPIC,), _PLACED, ("physicalName",))
    require(spec, "physicalName", "spec.")
    place, name = _place_and_name(metadata, "metadata.")
    return AliasTopic(
        virtual_cluster=place,
        logical_name=name,
        physical_name=text(spec["physicalName"], "spec.physicalName"),
    )


def alias_topic_to(alias: AliasTopic) -> dict[str, Json]:
    """Return the resource."""
    metadata: dict[str, Json] = {"name": alias.logical_name, "vCluster": alias.virtual_cluster}
    return resource_to(ALIAS_TOPIC, metadata, {"physicalName": alias.physical_name})


def service_account_from(body: bytes) -> UserMapping:
    """Return the user mapping, without groups, that a PUT asks for, or raise Refusal (400)."""
    spec_keys = ("type", "externalNames")
    metadata, spec = resource_from(body, (SERVICE_ACCOUNT,), _PLACED, spec_keys)
    require(spec, "type", "spec.")
    kind = account_type(spec["type"], "spec.type")
    place, name = _place_and_name(metadata, "metadata.")
    names = spec.get("externalNames")
    if kind == LOCAL:
        if names not in (None, []):
            raise bad_request(f"spec.externalNames is {show(names)}, a LOCAL account has none")
        return UserMapping(virtual_cluster=place, username=name)
    if not isinstance(names, list) or len(names) != 1:
        raise bad_request(
            f"spec.externalNames is {show(names)}, a list of one string is needed for EXTERNAL"
        )
    principal = text(names[0], "spec.externalNames[0]")
    if not principal:  # our API would take it for one that is left out
        raise bad_request("spec.externalNames[0] must not be empty")
    return UserMapping(virtual_cluster=place, username=name, principal=principal)


def service_account_to(mapping: UserMapping) -> dict[str, Json]:
    """Return the resource."""
    spec: dict[str, Json] = {"type": type_of(mapping)}
    if spec["type"] == EXTERNAL:
        spec["externalNames"] = [mapping.principal]
    metadata: dict[str, Json] = {"name": mapping.username, "vCluster": mapping.virtual_cluster}
    return resource_to(SERVICE_ACCOUNT, metadata, spec)


def type_of(mapping: UserMapping) -> str:
    """Return which type of service account a user mapping is."""
    return LOCAL if mapping.principal == mapping.username else EXTERNAL


def account_type(value: Json, name: str) -> str:
    """Return a type of service account in capitals, or raise Refusal (400) that names it."""
    for known in (LOCAL, EXTERNAL):
        if isinstance(value, str) and value.lower() == known.lower():
            return known
    raise bad_request(f"{name} is {show(value)}, allowed are {LOCAL}, {EXTERNAL}")


def group_from(body: bytes) -> Group:
    """Return the group a PUT asks for, or raise Refusal (400)."""
    spec_keys = ("members", "externalGroups")
    metadata, spec = resource_from(body, (GROUP,), ("name",), spec_keys)
    if spec.get("externalGroups") not in (None, []):
        shown = show(spec["externalGroups"])
        raise bad_request(f"spec.externalGroups is {shown}, allowed are []: groups have members")
    members = spec.get("members", [])
    if not isinstance(members, list):
        raise bad_request(f"spec.members is {show(members)}, a list is needed")
    result = Group(name=text(metadata["name"], "metadata.name"))
    for i, item in enumerate(members):
        path = f"spec.members[{i}]"
        fields = object_in(item, path)
        refuse_unknown(fields, _PLACED, f"{path}.")
        require(fields, "name", f"{path}.")
        place, name = _place_and_name(fields, f"{path}.")
        result.members.append(GroupMember(virtual_cluster=place, username=name))
    return result


def group_to(group: Group) -> dict[str, Json]:
    """Return the resource."""
    members: list[Json] = [
        {"vCluster": member.virtual_cluster, "name": member.username} for member in group.members
    ]
    return resource_to(GROUP, {"name": group.name}, {"members": members, "externalGroups": []})


def groups_of(mappings: Iterable[UserMapping]) -> dict[str, Group]:
    """Return the groups that user mappings name, by and in order of their names.

    Members are in order of virtual cluster and username.
    """
    found: dict[str, Group] = {}
    for mapping in sorted(mappings, key=lambda m: (m.virtual_cluster, m.username)):
        for name in mapping.groups:
            member = GroupMember(virtual_cluster=mapping.virtual_cluster, username=mapping.username)
            found.setdefault(name, Group(name=name)).members.append(member)
    return dict(sorted(found.items()))


def placed_name_from(body: bytes) -> tuple[str, str]:
    """Return ``(virtual cluster, name)`` of what a DELETE is about, or raise Refusal (400)."""
    fields = body_object(body)
    refuse_unknown(fields, _PLACED)
    require(fields, "name")
    return _place_and_name(fields, "")


def _place_and_name(fields: Object, prefix: str) -> tuple[str, str]:
    place = optional_text(fields, "vCluster", prefix) or PASSTHROUGH
    return place, text(fields["name"], f"{prefix}name")
