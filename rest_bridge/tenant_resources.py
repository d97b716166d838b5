"""Virtual clusters, their topic mappings and their users: what each path does."""

import grpc

from rest_bridge import tenant_bodies
from rest_bridge.errors import Refusal
from rest_bridge.json_body import show
from rest_bridge.resources import Answer, Call, Resource, answer
from rest_bridge.translate import PASSTHROUGH

TOPIC_TAKEN = "You can't update the physicalTopicName for an existing topic mapping."
MAPPING_CREATED = "User mapping is created"
"""The reference's words, as the one above."""


def _virtual_clusters(call: Call) -> Answer:
    found = call.client.list_virtual_clusters(call.authorization)
    return answer(200, {"vclusters": [item.name for item in found if item.alias_topics]})


def _topics(call: Call) -> Answer:
    found = call.client.list_aliases(call.path["vcluster"], call.authorization)
    return answer(200, [tenant_bodies.topic_mapping_to(alias) for alias in found])


def _delete_topics(call: Call) -> Answer:
    vcluster = call.path["vcluster"]
    if not call.client.purge_aliases(vcluster, call.authorization):
        message = f"there is no topic mapping in vcluster {show(vcluster, 200)}"
        raise Refusal(404, message, code=grpc.StatusCode.NOT_FOUND)
    return Answer(204)


def _post_topic(call: Call) -> Answer:
    return _map_topic(call, 201)


def _put_topic(call: Call) -> Answer:
    return _map_topic(call, 200)


def _map_topic(call: Call, status_of_known: int) -> Answer:
    vcluster, topic = call.path["vcluster"], call.path["topic"]
    wanted = tenant_bodies.topic_mapping_from(vcluster, topic, call.body)
    try:
        alias, created = call.client.create_alias(wanted, call.authorization)
    except Refusal as refusal:
        if refusal.code is grpc.StatusCode.ALREADY_EXISTS:
            present = call.client.list_aliases(vcluster, call.authorization)
            if any(alias.logical_name == topic for alias in present):
                raise Refusal(409, TOPIC_TAKEN, code=refusal.code) from None
        raise
    return answer(201 if created else status_of_known, tenant_bodies.topic_mapping_to(alias))


def _delete_topic(call: Call) -> Answer:
    call.client.delete_alias(call.path["vcluster"], call.path["topic"], call.authorization)
    return Answer(204)


def _no_concentration(call: Call) -> Answer:
    raise Refusal(501, "concentration rules are not supported, only topic mappings of type ALIAS")


def _users(call: Call) -> Answer:
    found = call.client.list_user_mappings(_vcluster(call), call.authorization)
    return answer(200, [mapping.username for mapping in found])


def _post_user(call: Call) -> Answer:
    wanted = tenant_bodies.user_mapping_from(_vcluster(call), None, call.body)
    call.client.create_user_mapping(wanted, call.authorization)
    return answer(201, {"message": MAPPING_CREATED})


def _put_user(call: Call) -> Answer:
    wanted = tenant_bodies.user_mapping_from(_vcluster(call), call.path["username"], call.body)
    if call.client.put_user_mapping(wanted, call.authorization):
        return answer(201, {"message": MAPPING_CREATED})
    return Answer(204)


def _get_user(call: Call) -> Answer:
    found = call.client.get_user_mapping(_vcluster(call), call.path["username"], call.authorization)
    return answer(200, tenant_bodies.user_mapping_to(found))


def _delete_user(call: Call) -> Answer:
    call.client.delete_user_mapping(_vcluster(call), call.path["username"], call.authorization)
    return Answer(204)


def _vcluster(call: Call) -> str:
    return call.path.get("vcluster", PASSTHROUGH)


VIRTUAL_CLUSTERS: Resource = {"GET": _virtual_clusters}
TOPICS: Resource = {"GET": _topics, "DELETE": _delete_topics}
TOPIC: Resource = {"POST": _post_topic, "PUT": _put_topic, "DELETE": _delete_topic}
CONCENTRATION_RULES: Resource = dict.fromkeys(("GET", "POST", "PUT", "DELETE"), _no_concentration)
USERS: Resource = {"GET": _users, "POST": _post_user}
USER: Resource = {"GET": _get_user, "PUT": _put_user, "DELETE": _delete_user}
