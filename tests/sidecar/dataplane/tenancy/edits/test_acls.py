"""Access control entries: a virtual cluster's clients see, make and delete those on its resources.

Tests with every filter hold a cluster with everybody's entries, seen through the sidecar, against a
cluster that has this virtual cluster's only, seen as it is.
"""

from typing import Any, NamedTuple

import pytest

from codec.messages.create_acls import CreateAclsRequest, CreateAclsResponse
from codec.messages.delete_acls import DeleteAclsRequest, DeleteAclsResponse
from codec.messages.describe_acls import DescribeAclsRequest, DescribeAclsResponse
from tests.support.conversation import Conversation

ANY, MATCH, LITERAL, PREFIXED = 1, 2, 3, 4
TOPIC, GROUP, CLUSTER, TRANSACTIONAL_ID, TOKEN, USER = 2, 3, 4, 5, 6, 7
TEXT = "Cluster authorization failed."


class Pattern(NamedTuple):
    resource: int
    kind: int
    name: str


class Filter(NamedTuple):
    resource: int
    kind: int
    name: str | None


def finds(wanted: Filter, pattern: Pattern) -> bool:
    """Kafka's ResourcePatternFilter.matches."""
    if wanted.resource not in (ANY, pattern.resource):
        return False
    if wanted.kind not in (ANY, MATCH) and wanted.kind != pattern.kind:
        return False
    if wanted.name is None:
        return True
    if wanted.kind in (ANY, pattern.kind):
        return wanted.name == pattern.name
    if pattern.kind == LITERAL:
        return pattern.name in (wanted.name, "*")
    return wanted.name.startswith(pattern.name)


OWN = {
    Pattern(TOPIC, PREFIXED, "teamA"): Pattern(TOPIC, LITERAL, "*"),
    Pattern(GROUP, PREFIXED, "teamA"): Pattern(GROUP, LITERAL, "*"),
} | {
    Pattern(resource, kind, "teamA" + name): Pattern(resource, kind, name)
    for resource in (TOPIC, GROUP, TRANSACTIONAL_ID)
    for kind, name in (
        (LITERAL, "cars"),
        (LITERAL, "ca"),
        (LITERAL, "teamA"),
        (PREFIXED, "ca"),
        (PREFIXED, "cars"),
        (PREFIXED, "*"),
        (PREFIXED, "c"),
    )
}
"""Patterns as the cluster and as the virtual cluster's clients say them."""
FOREIGN = {
    Pattern(resource, kind, name)
    for resource in (TOPIC, GROUP, CLUSTER, TRANSACTIONAL_ID, TOKEN, USER)
    for kind, name in (
        (LITERAL, "*"),
        (LITERAL, "cars"),
        (LITERAL, "teamBcars"),
        (LITERAL, "tea"),
        (LITERAL, "teamA"),
        (LITERAL, "teamA*"),
        (PREFIXED, "t"),
        (PREFIXED, "team"),
        (PREFIXED, "*"),
        (PREFIXED, "teamB"),
        (PREFIXED, "ca"),
    )
} | {Pattern(CLUSTER, LITERAL, "kafka-cluster"), Pattern(USER, LITERAL, "teamAsa")}


def wanted_by(request: Any, version: int) -> Filter:
    kind = request.pattern_type_filter if version else LITERAL
    return Filter(request.resource_type_filter, kind, request.resource_name_filter)


FILTERS = [
    Filter(resource, kind, name)
    for resource in (ANY, TOPIC, GROUP, CLUSTER, TRANSACTIONAL_ID, TOKEN, USER)
    for kind in (ANY, MATCH, LITERAL, PREFIXED)
    for name in (
        *(None, "", "*", "c", "ca", "cars", "carsten"),
        *("teamA", "teamAcars", "*x", "kafka-cluster"),
    )
]


# DescribeAcls


def describing(wanted: Filter) -> DescribeAclsRequest:
    return DescribeAclsRequest(
        resource_type_filter=wanted.resource,
        pattern_type_filter=wanted.kind,
        resource_name_filter=wanted.name,
        principal_filter="User:teamAx",
        host_filter="*",
        operation=3,
        permission_type=1,
    )


def described(patterns: Any) -> DescribeAclsResponse:
    resource = DescribeAclsResponse.DescribeAclsResource
    acl = resource.AclDescription(principal="User:teamAx", host="*", operation=3)
    return DescribeAclsResponse(
        resources=[
            resource(
                resource_type=p.resource, pattern_type=p.kind, resource_name=p.name, acls=[acl]
            )
            for p in patterns
        ]
    )


@pytest.mark.parametrize("version", range(1, 4))
@pytest.mark.parametrize("wanted", FILTERS)
def test_a_filter_shows_what_it_would_show_on_a_cluster_of_ones_own(
    wanted: Filter, version: int
) -> None:
    talk = Conversation(describing(wanted), version)
    sent = wanted_by(talk.sent, version)

    found = talk.heard(described(p for p in sorted({*OWN, *FOREIGN}) if finds(sent, p)))

    shown = [Pattern(r.resource_type, r.pattern_type, r.resource_name) for r in found.resources]
    assert sorted(shown) == sorted(p for p in OWN.values() if finds(wanted, p))
    for resource in found.resources:
        [acl] = resource.acls
        assert (acl.principal, acl.host, acl.operation) == ("User:teamAx", "*", 3)
    assert (talk.sent.principal_filter, talk.sent.host_filter, talk.sent.operation) == (
        "User:teamAx",
        "*",
        3,
    )


@pytest.mark.parametrize("wanted", FILTERS)
def test_the_oldest_version_shows_literal_patterns_but_the_wildcard(wanted: Filter) -> None:
    talk = Conversation(describing(wanted), 0)
    sent = wanted_by(talk.sent, 0)

    found = talk.heard(described(p for p in sorted({*OWN, *FOREIGN}) if finds(sent, p)))

    literal = wanted._replace(kind=LITERAL)
    assert sorted((r.resource_type, r.resource_name) for r in found.resources) == sorted(
        (p.resource, p.name) for p in OWN.values() if finds(literal, p) and p.name != "*"
    )


@pytest.mark.parametrize("version", range(4))
def test_an_error_of_a_description_is_the_brokers(version: int) -> None:
    talk = Conversation(describing(Filter(TOPIC, LITERAL, "cars")), version)

    found = talk.heard(DescribeAclsResponse(error_code=54, error_message="not teamAcars"))

    assert (found.error_code, found.error_message) == (54, "not cars")


# CreateAcls


def creating(*patterns: Pattern) -> CreateAclsRequest:
    creation = CreateAclsRequest.AclCreation
    return CreateAclsRequest(
        creations=[
            creation(
                resource_type=p.resource,
                resource_pattern_type=p.kind,
                resource_name=p.name,
                principal="User:teamAx",
                host="*",
            )
            for p in patterns
        ]
    )


def created(request: Any) -> list[Pattern]:
    return [
        Pattern(c.resource_type, c.resource_pattern_type, c.resource_name)
        for c in request.creations
    ]


def created_answer(*codes: int) -> CreateAclsResponse:
    result = CreateAclsResponse.AclCreationResult
    return CreateAclsResponse(
        results=[result(error_code=c, error_message=f"teamAcars is {c}") for c in codes]
    )


@pytest.mark.parametrize("version", range(1, 4))
def test_entries_are_made_on_own_resources_only_and_told_in_order(version: int) -> None:
    talk = Conversation(
        creating(
            Pattern(CLUSTER, LITERAL, "kafka-cluster"),
            Pattern(TOPIC, LITERAL, "cars"),
            Pattern(GROUP, PREFIXED, "b"),
            Pattern(USER, LITERAL, "u"),
            Pattern(TOKEN, LITERAL, "t"),
            Pattern(TRANSACTIONAL_ID, LITERAL, "*"),
            Pattern(GROUP, PREFIXED, "*"),
            Pattern(TOPIC, MATCH, "cars"),
            Pattern(TOPIC, ANY, "cars"),
            Pattern(TOPIC, 9, "cars"),
            Pattern(ANY, LITERAL, "cars"),
            Pattern(TOPIC, LITERAL, ""),
            Pattern(TOPIC, PREFIXED, ""),
        ),
        version,
    )

    assert created(talk.sent) == [
        Pattern(TOPIC, LITERAL, "teamAcars"),
        Pattern(GROUP, PREFIXED, "teamAb"),
        Pattern(TRANSACTIONAL_ID, PREFIXED, "teamA"),
        Pattern(GROUP, PREFIXED, "teamA*"),
        Pattern(TOPIC, LITERAL, ""),
        Pattern(TOPIC, PREFIXED, ""),
    ]
    assert {(c.principal, c.host) for c in talk.sent.creations} == {("User:teamAx", "*")}
    found = talk.heard(created_answer(0, 1, 0, 3, 42, 42))
    assert [r.error_code for r in found.results] == [31, 0, 1, 31, 31, 0, 3] + [31] * 4 + [42, 42]
    assert [r.error_message for r in found.results[:3]] == [TEXT, "cars is 0", "cars is 1"]


def test_the_oldest_version_cannot_make_an_entry_on_everything() -> None:
    talk = Conversation(creating(Pattern(TOPIC, LITERAL, "*"), Pattern(TOPIC, LITERAL, "a")), 0)

    assert created(talk.sent) == [Pattern(TOPIC, LITERAL, "teamAa")]
    assert [r.error_code for r in talk.heard(created_answer(0)).results] == [31, 0]


@pytest.mark.parametrize("version", range(4))
def test_entries_that_are_all_denied_never_reach_a_broker(version: int) -> None:
    talk = Conversation(creating(*[Pattern(CLUSTER, LITERAL, "kafka-cluster")] * 2), version)

    assert talk.sent is None
    assert [(r.error_code, r.error_message) for r in talk.answer.results] == [(31, TEXT)] * 2


@pytest.mark.parametrize("version", range(4))
def test_somebody_elses_topic_is_not_protected_by_its_alias(version: int) -> None:
    patterns = [Pattern(TOPIC, LITERAL, "shared"), Pattern(GROUP, LITERAL, "shared")]
    if version:
        patterns.append(Pattern(TOPIC, PREFIXED, "shared"))

    talk = Conversation(creating(*patterns), version, aliases={"shared": "x"})

    assert created(talk.sent) == [p._replace(name="teamAshared") for p in patterns[1:]]
    codes = [r.error_code for r in talk.heard(created_answer(*[0] * len(patterns[1:]))).results]
    assert codes == [31] + [0] * len(patterns[1:])


# DeleteAcls


def deleting(*filters: Filter) -> DeleteAclsRequest:
    kind = DeleteAclsRequest.DeleteAclsFilter
    return DeleteAclsRequest(
        filters=[
            kind(
                resource_type_filter=f.resource,
                pattern_type_filter=f.kind,
                resource_name_filter=f.name,
                principal_filter="User:teamAx",
            )
            for f in filters
        ]
    )


def deleted(*found: list[Pattern]) -> DeleteAclsResponse:
    result = DeleteAclsResponse.DeleteAclsFilterResult
    acl = result.DeleteAclsMatchingAcl
    return DeleteAclsResponse(
        filter_results=[
            result(
                error_code=0,
                error_message=None,
                matching_acls=[
                    acl(
                        resource_type=p.resource,
                        pattern_type=p.kind,
                        resource_name=p.name,
                        error_message=f"{p.name} is gone",
                    )
                    for p in patterns
                ],
            )
            for patterns in found
        ]
    )


def gone(result: Any) -> list[Pattern]:
    return [Pattern(m.resource_type, m.pattern_type, m.resource_name) for m in result.matching_acls]


@pytest.mark.parametrize("version", range(4))
def test_nothing_is_deleted_that_the_filter_would_not_find_on_a_cluster_of_ones_own(
    version: int,
) -> None:
    talk = Conversation(deleting(*FILTERS), version)
    filters = [f if version else f._replace(kind=LITERAL) for f in FILTERS]

    sent = [wanted_by(f, version) for f in talk.sent.filters]
    matched = [[p for p in sorted({*OWN, *FOREIGN}) if finds(f, p)] for f in sent]
    assert all(FOREIGN.isdisjoint(patterns) for patterns in matched)
    assert {f.principal_filter for f in talk.sent.filters} == {"User:teamAx"}
    results = talk.heard(deleted(*matched)).filter_results

    assert len(results) == len(filters)
    for asked, result in zip(filters, results, strict=True):
        if result.error_code:
            assert (result.error_code, result.error_message, gone(result)) == (31, TEXT, [])
            assert _is_denied(asked, version)
        else:
            assert not _is_denied(asked, version)
            assert sorted(gone(result)) == sorted(p for p in OWN.values() if finds(asked, p))


def _is_denied(asked: Filter, version: int) -> bool:
    return (
        asked.resource not in (TOPIC, GROUP, TRANSACTIONAL_ID)
        or not asked.name
        or asked.kind == MATCH
        or (asked.name == "*" and (version == 0 or asked.kind == ANY))
    )


@pytest.mark.parametrize("version", range(1, 4))
def test_what_is_deleted_is_told_as_the_client_says_it_and_what_is_not_ones_own_is_not(
    version: int,
) -> None:
    talk = Conversation(
        deleting(
            Filter(TOPIC, LITERAL, "cars"), Filter(TOPIC, MATCH, "x"), Filter(TOPIC, LITERAL, "*")
        ),
        version,
    )

    assert [wanted_by(f, version) for f in talk.sent.filters] == [
        Filter(TOPIC, LITERAL, "teamAcars"),
        Filter(TOPIC, PREFIXED, "teamA"),
    ]
    found = talk.heard(
        deleted(
            [Pattern(TOPIC, LITERAL, "teamAcars"), Pattern(TOPIC, LITERAL, "teamBcars")],
            [Pattern(TOPIC, PREFIXED, "teamA")],
        )
    )
    assert [(r.error_code, gone(r)) for r in found.filter_results] == [
        (0, [Pattern(TOPIC, LITERAL, "cars")]),
        (31, []),
        (0, [Pattern(TOPIC, LITERAL, "*")]),
    ]
    assert found.filter_results[0].matching_acls[0].error_message == "cars is gone"


@pytest.mark.parametrize("version", range(1, 4))
@pytest.mark.parametrize("kind", [0, 9])
def test_pattern_types_yet_to_come_delete_nothing(version: int, kind: int) -> None:
    talk = Conversation(deleting(Filter(TOPIC, kind, "cars")), version)

    assert talk.sent is None
    assert [r.error_code for r in talk.answer.filter_results] == [31]
