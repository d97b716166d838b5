"""Virtual clusters, alias topics, service accounts and groups of v2: what each path does."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import grpc

from rest_bridge.errors import Refusal, bad_request
from rest_bridge.json_body import show
from rest_bridge.resources import Answer, Call, Resource, answer
from rest_bridge.translate import PASSTHROUGH
from rest_bridge.v2 import tenant_bodies as bodies
from rest_bridge.v2.resources import check_query, dry_mode, flag, upserted


@contextmanager
def _in_use() -> Iterator[None]:
    """Make a conflict (409) of what cannot be deleted because something refers to it."""
    try:
        yield
    except Refusal as refusal:
        if refusal.code is grpc.StatusCode.FAILED_PRECONDITION:
            raise Refusal(409, str(refusal), code=refusal.code) from None
        raise


def _virtual_clusters(call: Call) -> Answer:
    check_query(call)
    found = call.client.list_virtual_clusters(call.authorization)
    return answer(200, [bodies.virtual_cluster_to(item.name) for item in found])


def _put_virtual_cluster(call: Call) -> Answer:
    rehearsal = dry_mode(call)
    name = bodies.virtual_cluster_from(call.body)
    created = call.client.create_virtual_cluster(name, call.authorization, validate_only=rehearsal)
    return upserted(bodies.virtual_cluster_to(name), created=created, changed=created)


def _virtual_cluster(call: Call) -> Answer:
    check_query(call)
    found = call.client.get_virtual_cluster(call.path["name"], call.authorization)
    return answer(200, bodies.virtual_cluster_to(found.name))


def _delete_virtual_cluster(call: Call) -> Answer:
    check_query(call)
    name = call.path["name"]
    if name == PASSTHROUGH:
        raise bad_request(f"{PASSTHROUGH} cannot be deleted: it is the cluster as it is")
    with _in_use():
        call.client.delete_virtual_cluster(name, call.authorization)
    return Answer(204)


def _alias_topics(call: Call) -> Answer:
    _check_filters(call)
    found = call.client.list_aliases(call.query.get("vcluster", ""), call.authorization)
    name = call.query.get("name")
    kept = [alias for alias in found if name in (None, "", alias.logical_name)]
    return answer(200, [bodies.alias_topic_to(alias) for alias in kept])


def _put_alias_topic(call: Call) -> Answer:
    rehearsal = dry_mode(call)
    wanted = bodies.alias_topic_from(call.body)
    alias, created = call.client.create_alias(wanted, call.authorization, validate_only=rehearsal)
    return upserted(bodies.alias_topic_to(alias), created=created, changed=created)


def _delete_alias_topic(call: Call) -> Answer:
    check_query(call)
    place, name = bodies.placed_name_from(call.body)
    call.client.delete_alias(place, name, call.authorization)
    return Answer(204)


def _service_accounts(call: Call) -> Answer:
    _check_filters(call, "type")
    name, kind = call.query.get("name"), call.query.get("type")
    if kind:
        kind = bodies.account_type(kind, "query parameter type")
    found = call.client.list_user_mappings(call.query.get("vcluster") or None, call.authorization)
    kept = [
        mapping
        for mapping in found
        if name in (None, "", mapping.username) and kind in (None, "", bodies.type_of(mapping))
    ]
    return answer(200, [bodies.service_account_to(mapping) for mapping in kept])


def _put_service_account(call: Call) -> Answer:
    rehearsal = dry_mode(call)
    wanted = bodies.service_account_from(call.body)
    done = call.client.upsert_user(wanted, call.authorization, validate_only=rehearsal)
    resource = bodies.service_account_to(done.user_mapping)
    return upserted(resource, created=done.created, changed=done.changed)


def _delete_service_account(call: Call) -> Answer:
    check_query(call)
    place, name = bodies.placed_name_from(call.body)
    with _in_use():
        call.client.delete_user_mapping(place, name, call.authorization, require_ungrouped=True)
    return Answer(204)


def _groups(call: Call) -> Answer:
    check_query(call, "showDefaults")
    flag(call, "showDefaults")
    found = bodies.groups_of(call.client.list_user_mappings(None, call.authorization))
    return answer(200, [bodies.group_to(group) for group in found.values()])


def _put_group(call: Call) -> Answer:
    rehearsal = dry_mode(call)
    wanted = bodies.group_from(call.body)
    done = call.client.upsert_group(wanted, call.authorization, validate_only=rehearsal)
    return upserted(bodies.group_to(done.group), created=done.created, changed=done.changed)


def _group(call: Call) -> Answer:
    check_query(call, "showDefaults")
    flag(call, "showDefaults")
    name = call.path["name"]
    found = bodies.groups_of(call.client.list_user_mappings(None, call.authorization))
    if name not in found:
        message = f"there is no group {show(name, 200)}: no service account is in it"
        raise Refusal(404, message, code=grpc.StatusCode.NOT_FOUND)
    return answer(200, bodies.group_to(found[name]))


def _delete_group(call: Call) -> Answer:
    check_query(call)
    with _in_use():
        call.client.delete_group(call.path["name"], call.authorization)
    return Answer(204)


def _check_filters(call: Call, *more: str) -> None:
    check_query(call, "vcluster", "name", *more, "showDefaults")
    flag(call, "showDefaults")  # nothing is left out here, so there is nothing to show


def _no_concentration(call: Call) -> Answer:
    raise Refusal(501, "topic concentration is not supported, only alias topics are")


def _no_analytics(call: Call) -> Answer:
    raise Refusal(501, "analytics are not supported, see /metrics")


VIRTUAL_CLUSTERS: Resource = {"GET": _virtual_clusters, "PUT": _put_virtual_cluster}
VIRTUAL_CLUSTER: Resource = {"GET": _virtual_cluster, "DELETE": _delete_virtual_cluster}
ALIAS_TOPICS: Resource = {
    "GET": _alias_topics,
    "PUT": _put_alias_topic,
    "DELETE": _delete_alias_topic,
}
SERVICE_ACCOUNTS: Resource = {
    "GET": _service_accounts,
    "PUT": _put_service_account,
    "DELETE": _delete_service_account,
}
GROUPS: Resource = {"GET": _groups, "PUT": _put_group}
GROUP: Resource = {"GET": _group, "DELETE": _delete_group}
UNSUPPORTED: Mapping[str, Resource] = {
    "concentrated-topic": {"GET": _no_concentration},
    "concentration-rule": dict.fromkeys(("GET", "PUT", "DELETE"), _no_concentration),
    "analytics/lived": {"GET": _no_analytics},
}
"""By their paths: what the reference has and the sidecar has not."""
