"""ACLs of a tenant against a model of a cluster: it finds, adds and deletes its own, and no others.

The model matches as `ResourcePatternFilter` of Kafka's clients does.
"""

from typing import Any, NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from codec.messages.create_acls import CreateAclsRequest, CreateAclsResponse
from codec.messages.delete_acls import DeleteAclsRequest, DeleteAclsResponse
from codec.messages.describe_acls import DescribeAclsRequest, DescribeAclsResponse
from tests.support.tenants import PREFIX, Tenant

TOPIC, GROUP, CLUSTER, TRANSACTIONAL_ID, TOKEN, USER = 2, 3, 4, 5, 6, 7
ANY, MATCH, LITERAL, PREFIXED = 1, 2, 3, 4
DENIED = (31, "Cluster authorization failed.")


class Entry(NamedTuple):
    """A resource pattern with an entry."""

    resource_type: int
    name: str
    pattern_type: int = LITERAL


FOREIGN = {
    Entry(TOPIC, "*"),
    Entry(GROUP, "*"),
    Entry(TOPIC, "team", PREFIXED),
    Entry(TOPIC, "t", PREFIXED),
    Entry(TOPIC, "teamBcars"),
    Entry(TOPIC, "teamB", PREFIXED),
    Entry(CLUSTER, "kafka-cluster"),
    Entry(USER, "teamAcars"),
    Entry(TOKEN, "teamAcars"),
    # Below the prefix, but of a spelling that no client can say.
    Entry(TOPIC, "teamA"),
    Entry(TOPIC, "teamA*"),
}
NAMES = ["*", "c", "ca", "cars", "carsAndMore", "x"]
OWN = st.builds(
    Entry,
    st.sampled_from([TOPIC, GROUP, TRANSACTIONAL_ID]),
    st.sampled_from(NAMES),
    st.sampled_from([LITERAL, PREFIXED]),
)
FILTER = st.tuples(
    st.sampled_from([1, TOPIC, GROUP, CLUSTER, TRANSACTIONAL_ID, TOKEN, USER]),
    st.sampled_from([None, "", *NAMES]),
    st.sampled_from([ANY, MATCH, LITERAL, PREFIXED]),
)


def matches(resource_type: int, name: str | None, pattern_type: int, entry: Entry) -> bool:
    """Whether a filter of these finds the entry."""
    if resource_type not in (1, entry.resource_type):
        return False
    if pattern_type not in (ANY, MATCH, entry.pattern_type):
        return False
    if name is None or name == entry.name:
        return True
    if pattern_type != MATCH:
        return False
    if entry.pattern_type == PREFIXED:
        return name.startswith(entry.name)
    return entry.name == "*"


class Cluster:
    """A cluster with entries of everybody, and the tenant's own by their logical names."""

    def __init__(self, own: set[Entry]) -> None:
        self.entries = set(FOREIGN)
        self.tenant = Tenant()
        self.create(sorted(own))

    def create(self, own: list[Entry], version: int = 1) -> list[tuple[int, str | None]]:
        """What the client is told."""
        creation = CreateAclsRequest.AclCreation
        request = CreateAclsRequest(
            creations=[
                creation(resource_type=t, resource_name=n, resource_pattern_type=p)
                for t, n, p in own
            ]
        )
        sent, exchange = self.tenant.sends(request, version)
        if exchange is not None:
            for c in sent.creations:
                self.entries.add(Entry(c.resource_type, c.resource_name, c.resource_pattern_type))
            result = CreateAclsResponse.AclCreationResult
            answer = CreateAclsResponse(
                # Any code will do that tells them apart.
                results=[result(error_code=n) for n, _ in enumerate(sent.creations, 1)]
            )
            sent = self.tenant.reads(answer, version, exchange)
        return [(r.error_code, r.error_message) for r in sent.results]

    def describe(self, wanted: tuple[int, str | None, int], version: int = 1) -> list[Entry]:
        """What the client finds."""
        kind, name, pattern = wanted
        request = DescribeAclsRequest(
            resource_type_filter=kind, resource_name_filter=name, pattern_type_filter=pattern
        )
        sent, exchange = self.tenant.sends(request, version)
        found = self._find(sent)
        resource = DescribeAclsResponse.DescribeAclsResource
        answer = DescribeAclsResponse(
            resources=[
                resource(resource_type=t, resource_name=n, pattern_type=p) for t, n, p in found
            ]
        )
        read = self.tenant.reads(answer, version, exchange)
        return [Entry(r.resource_type, r.resource_name, r.pattern_type) for r in read.resources]

    def delete(self, wanted: list[tuple[int, str | None, int]], version: int = 1) -> list[Any]:
        """For each filter the error, or what the client is told was deleted."""
        each = DeleteAclsRequest.DeleteAclsFilter
        request = DeleteAclsRequest(
            filters=[
                each(resource_type_filter=t, resource_name_filter=n, pattern_type_filter=p)
                for t, n, p in wanted
            ]
        )
        sent, exchange = self.tenant.sends(request, version)
        if exchange is not None:
            result = DeleteAclsResponse.DeleteAclsFilterResult
            acl = result.DeleteAclsMatchingAcl
            results = []
            for one in sent.filters:
                found = self._find(one)
                self.entries -= set(found)
                acls = [acl(resource_type=t, resource_name=n, pattern_type=p) for t, n, p in found]
                results.append(result(matching_acls=acls))
            answer = DeleteAclsResponse(filter_results=results)
            sent = self.tenant.reads(answer, version, exchange)
        return [
            (r.error_code, r.error_message)
            if r.error_code
            else [Entry(a.resource_type, a.resource_name, a.pattern_type) for a in r.matching_acls]
            for r in sent.filter_results
        ]

    def _find(self, sent: Any) -> list[Entry]:
        wanted = sent.resource_type_filter, sent.resource_name_filter, sent.pattern_type_filter
        return sorted(entry for entry in self.entries if matches(*wanted, entry))


@given(own=st.sets(OWN, max_size=12), wanted=FILTER)
@settings(max_examples=400, deadline=None)
@example(own={Entry(TOPIC, "*")}, wanted=(TOPIC, "cars", MATCH))
@example(own={Entry(TOPIC, "*"), Entry(TOPIC, "*", PREFIXED)}, wanted=(TOPIC, "*", ANY))
@example(own={Entry(TOPIC, "*")}, wanted=(1, "", MATCH))
def test_a_filter_finds_what_it_would_in_a_cluster_of_its_own(
    own: set[Entry], wanted: tuple[int, str | None, int]
) -> None:
    found = Cluster(own).describe(wanted)

    assert sorted(found) == sorted(entry for entry in own if matches(*wanted, entry))


@given(own=st.sets(OWN, max_size=12), wanted=st.lists(FILTER, min_size=1, max_size=4))
@settings(max_examples=400, deadline=None)
@example(own={Entry(TOPIC, "*"), Entry(TOPIC, "x")}, wanted=[(TOPIC, "*", LITERAL)])
@example(own={Entry(TOPIC, "x"), Entry(GROUP, "x")}, wanted=[(1, "x", ANY), (TOPIC, "x", MATCH)])
def test_a_deletion_takes_away_what_it_would_alone_or_is_denied(
    own: set[Entry], wanted: list[tuple[int, str | None, int]]
) -> None:
    cluster = Cluster(own)
    left = set(own)

    results = cluster.delete(wanted)

    assert len(results) == len(wanted)
    for (kind, name, pattern), result in zip(wanted, results, strict=True):
        if name is None or pattern == MATCH or kind in (CLUSTER, TOKEN, USER):
            assert result == DENIED
        else:
            gone = {entry for entry in left if matches(kind, name, pattern, entry)}
            assert sorted(result) == sorted(gone)
            left -= gone
    assert cluster.entries >= FOREIGN
    assert sorted(cluster.describe((1, None, ANY))) == sorted(left)


def test_a_prefix_and_a_name_that_spell_the_cluster_do_not_delete_its_entries() -> None:
    request = DeleteAclsRequest(
        filters=[
            DeleteAclsRequest.DeleteAclsFilter(
                resource_type_filter=1, resource_name_filter="x", pattern_type_filter=ANY
            )
        ]
    )

    sent, _ = Tenant().sends(request, 1)

    assert [f.resource_type_filter for f in sent.filters] == [TOPIC, GROUP, TRANSACTIONAL_ID]


@pytest.mark.parametrize("version", range(4))
def test_creations_are_denied_one_by_one_and_told_in_order(version: int) -> None:
    wildcard = (2, "") if version else DENIED
    entries = [
        Entry(CLUSTER, "kafka-cluster"),
        Entry(TOPIC, "cars"),
        Entry(TOKEN, "t"),
        Entry(GROUP, "*"),
        Entry(USER, "User:me"),
        Entry(TRANSACTIONAL_ID, "tx"),
    ]
    cluster = Cluster(set())

    told = cluster.create(entries, version)

    assert told == [DENIED, (1, ""), DENIED, wildcard, DENIED, (3 if version else 2, "")]
    added = {Entry(TOPIC, "teamAcars"), Entry(TRANSACTIONAL_ID, "teamAtx")}
    if version:
        added.add(Entry(GROUP, PREFIX, PREFIXED))
    assert cluster.entries - FOREIGN == added


@pytest.mark.parametrize("version", range(4))
def test_what_is_denied_alone_never_reaches_the_broker(version: int) -> None:
    cluster = Cluster(set())

    assert cluster.create([Entry(CLUSTER, "kafka-cluster")], version) == [DENIED]
    assert cluster.delete([(CLUSTER, "kafka-cluster", LITERAL)], version) == [DENIED]
    assert cluster.delete([(TOPIC, None, LITERAL)], version) == [DENIED]
    assert cluster.entries == FOREIGN


def test_an_empty_name_stays_for_the_broker_to_refuse() -> None:
    creation = CreateAclsRequest.AclCreation(resource_type=TOPIC, resource_pattern_type=PREFIXED)

    sent, _ = Tenant().sends(CreateAclsRequest(creations=[creation]), 2)

    assert sent.creations[0].resource_name == ""


def test_version_0_knows_literal_names_only() -> None:
    cluster = Cluster({Entry(TOPIC, "cars"), Entry(TOPIC, "*"), Entry(TOPIC, "c", PREFIXED)})

    assert cluster.describe((TOPIC, None, LITERAL), 0) == [Entry(TOPIC, "cars")]
    assert cluster.describe((TOPIC, "*", LITERAL), 0) == []
    assert cluster.delete([(TOPIC, "*", LITERAL)], 0) == [DENIED]
    assert cluster.delete([(TOPIC, "cars", LITERAL)], 0) == [[Entry(TOPIC, "cars")]]


@pytest.mark.parametrize("version", range(1, 4))
def test_an_error_of_one_part_is_that_of_the_filter(version: int) -> None:
    each = DeleteAclsRequest.DeleteAclsFilter
    result = DeleteAclsResponse.DeleteAclsFilterResult
    tenant = Tenant()
    request = DeleteAclsRequest(filters=[each(resource_type_filter=1, resource_name_filter="a")])
    _, exchange = tenant.sends(request, version)
    answer = DeleteAclsResponse(
        filter_results=[result(), result(error_code=42, error_message="teamAa"), result()]
    )

    [found] = tenant.reads(answer, version, exchange).filter_results

    assert (found.error_code, found.error_message) == (42, "a")


@pytest.mark.parametrize("version", range(4))
def test_a_cluster_without_an_authorizer_says_so(version: int) -> None:
    tenant = Tenant()
    _, exchange = tenant.sends(DescribeAclsRequest(resource_type_filter=TOPIC), version)
    answer = DescribeAclsResponse(error_code=54, error_message="No Authorizer is configured.")

    found = tenant.reads(answer, version, exchange)

    assert (found.error_code, list(found.resources)) == (54, [])
