"""Access control entries: on names of the tenant, never on the cluster."""

from __future__ import annotations

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from tests.kafka.api_matrix.shapes import Plain
from tests.kafka.api_matrix.spec import exercise, ok, only, refused, same
from tests.kafka.api_matrix.tenant import Tenant

ANY, TOPIC, GROUP, CLUSTER, TRANSACTIONAL_ID, TOKEN, USER = 1, 2, 3, 4, 5, 6, 7
ANY_PATTERN, MATCH, LITERAL, PREFIXED = 1, 2, 3, 4
ANY_OPERATION, READ, ALLOW, ANY_PERMISSION = 1, 3, 3, 1
PRINCIPAL = "User:somebody"
OWN = (TOPIC, GROUP, TRANSACTIONAL_ID)
PHYSICAL = {CLUSTER: "kafka-cluster", TOKEN: "a-token", USER: PRINCIPAL}
CREATE_VERSION = 3


def entry(kind: int, name: str, pattern: int = LITERAL) -> Plain:
    """A creation that allows somebody to read."""
    return {
        "resource_type": kind,
        "resource_name": name,
        "resource_pattern_type": pattern,
        "principal": PRINCIPAL,
        "host": "*",
        "operation": READ,
        "permission_type": ALLOW,
    }


def wanted(kind: int, name: str | None, pattern: int = ANY_PATTERN) -> Plain:
    """A filter for the entries of a resource, of anybody."""
    return {
        "resource_type_filter": kind,
        "resource_name_filter": name,
        "pattern_type_filter": pattern,
        "principal_filter": None,
        "host_filter": None,
        "operation": ANY_OPERATION,
        "permission_type": ANY_PERMISSION,
    }


def create(tenant: Tenant, creations: list[Plain], version: int = CREATE_VERSION) -> None:
    """Create entries, each of which must succeed."""
    answer = ok(tenant.ask(ApiKey.CREATE_ACLS, version, {"creations": creations}))
    assert len(answer["results"]) == len(creations)


def described(tenant: Tenant, values: Plain, version: int = 3) -> set[tuple[int, str, int]]:
    """Kind, name and pattern of the resources that match."""
    answer = ok(tenant.ask(ApiKey.DESCRIBE_ACLS, version, values))
    return {
        (r["resource_type"], r["resource_name"], r["pattern_type"]) for r in answer["resources"]
    }


def _seen(tenant: Tenant, values: Plain, expected: set[tuple[int, str, int]], version: int) -> None:
    """Entries reach the brokers one after the other."""
    tenant.until(lambda: described(tenant, values, version), lambda told: expected <= told)


@exercise(ApiKey.CREATE_ACLS)
def create_acls(tenant: Tenant, version: int) -> None:
    """On a topic, a group and a transactional id, literal and prefixed; on the rest denied."""
    names = [(kind, f"secured-{version}", p) for kind in OWN for p in (LITERAL, PREFIXED)]
    create(tenant, [entry(*each) for each in names], version)
    for kind in OWN:
        expected = {each for each in names if each[0] == kind}
        _seen(tenant, wanted(kind, f"secured-{version}"), expected, 3)
    for kind, name in PHYSICAL.items():
        values = {"creations": [entry(kind, name)]}
        refused(
            tenant.ask(ApiKey.CREATE_ACLS, version, values), ErrorCode.CLUSTER_AUTHORIZATION_FAILED
        )


@exercise(ApiKey.DESCRIBE_ACLS)
def describe_acls(tenant: Tenant, version: int) -> None:
    """By name, by matching, and all there are."""
    name = f"read-{version}"
    create(tenant, [entry(TOPIC, name), entry(TOPIC, "read-", PREFIXED)])
    literal, prefixed = (TOPIC, name, LITERAL), (TOPIC, "read-", PREFIXED)
    _seen(tenant, wanted(TOPIC, name, MATCH), {literal, prefixed}, version)
    same(described(tenant, wanted(TOPIC, name, LITERAL), version), {literal}, "literal entries")
    everything = described(tenant, wanted(ANY, None), version)
    assert {literal, prefixed} <= everything, everything
    assert {kind for kind, _, _ in everything} <= set(OWN), everything


@exercise(ApiKey.DELETE_ACLS)
def delete_acls(tenant: Tenant, version: int) -> None:
    """By name; of physical resources, and without a name, it is denied."""
    name = f"removed-{version}"
    create(tenant, [entry(TOPIC, name)])
    _seen(tenant, wanted(TOPIC, name), {(TOPIC, name, LITERAL)}, 3)
    values = {"filters": [wanted(TOPIC, name)]}
    result = only(ok(tenant.ask(ApiKey.DELETE_ACLS, version, values))["filter_results"])
    gone = only(result["matching_acls"])
    assert (gone["resource_type"], gone["resource_name"]) == (TOPIC, name), gone
    tenant.until(lambda: described(tenant, wanted(TOPIC, name, LITERAL)), lambda told: not told)
    for each in [wanted(kind, name) for kind, name in PHYSICAL.items()] + [wanted(TOPIC, None)]:
        answer = tenant.ask(ApiKey.DELETE_ACLS, version, {"filters": [each]})
        refused(answer, ErrorCode.CLUSTER_AUTHORIZATION_FAILED)
