"""Bodies of user mappings and topic mappings to messages of ours and back."""

from rest_bridge.errors import bad_request
from rest_bridge.json_body import Json, show
from rest_bridge.plugins import refuse_unknown
from rest_bridge.translate import body_object, text, texts
from sidecar.gen.kafka.chaos.v1.alias_topic_pb2 import AliasTopic
from sidecar.gen.kafka.chaos.v1.user_mapping_pb2 import UserMapping

CLUSTER_ID = "main"
"""Of the only physical cluster there is."""
ALIAS = "ALIAS"

_MAPPING_KEYS = ("username", "principal", "groups")
_TOPIC_KEYS = ("physicalTopicName", "readOnly", "type", "autoManaged", "clusterId")


def user_mapping_from(virtual_cluster: str, username: str | None, body: bytes) -> UserMapping:
    """Return the user mapping a POST or PUT asks for, or raise Refusal (400).

    Args:
        username: in the path, where the body may leave it out but not say another; or None.
    """
    fields = body_object(body)
    refuse_unknown(fields, _MAPPING_KEYS)
    if "username" not in fields and username is None:
        raise bad_request("username is required")
    given = text(fields.get("username", username), "username")
    if username not in (None, given):
        raise bad_request(f"username is {show(given)}, but the path says {show(username)}")
    principal = text(fields.get("principal", ""), "principal")
    if "principal" in fields and not principal:  # our API would take it for one that is left out
        raise bad_request("principal must not be empty")
    return UserMapping(
        virtual_cluster=virtual_cluster,
        username=given,
        principal=principal,
        groups=texts(fields.get("groups", []), "groups"),
    )


def user_mapping_to(mapping: UserMapping) -> dict[str, Json]:
    """Return the body that describes it, keys in the reference's order."""
    return {
        "vcluster": mapping.virtual_cluster,
        "username": mapping.username,
        "principal": mapping.principal,
        "groups": list(mapping.groups),
    }


def topic_mapping_from(virtual_cluster: str, logical_name: str, body: bytes) -> AliasTopic:
    """Return the alias topic a POST or PUT asks for, or raise Refusal (400)."""
    fields = body_object(body)
    refuse_unknown(fields, _TOPIC_KEYS)
    if "physicalTopicName" not in fields:
        raise bad_request("physicalTopicName is required")
    for key in ("readOnly", "autoManaged"):
        if fields.get(key, False) is not False:
            raise bad_request(f"{key} is {show(fields[key])}, allowed are false")
    kind = text(fields.get("type", ALIAS), "type")
    if kind.lower() != ALIAS.lower():  # letters of other scripts have A to Z as their capitals
        raise bad_request(f"type is {show(kind)}, allowed are {ALIAS}")
    cluster = fields.get("clusterId", CLUSTER_ID)
    if cluster != CLUSTER_ID:
        raise bad_request(f"clusterId is {show(cluster)}, allowed are {CLUSTER_ID}")
    return AliasTopic(
        virtual_cluster=virtual_cluster,
        logical_name=logical_name,
        physical_name=text(fields["physicalTopicName"], "physicalTopicName"),
    )


def topic_mapping_to(alias: AliasTopic) -> dict[str, Json]:
    """Return the body that describes it, keys in the reference's order."""
    return {
        "logicalTopicName": alias.logical_name,
        "clusterId": CLUSTER_ID,
        "physicalTopicName": alias.physical_name,
        "readOnly": False,
        "type": ALIAS,
    }
