"""Access control entries: whose they are, the resource's type, name and pattern type say together.

A virtual cluster's entries are those on its topics, groups and transactional ids::

    its clients say             the cluster has
    LITERAL x                   LITERAL prefix + x
    PREFIXED x                  PREFIXED prefix + x
    LITERAL * (everything)      PREFIXED prefix

What else the cluster has is not theirs: its own wildcard, prefixes shorter than the virtual
cluster's, a LITERAL bare prefix or prefix + "*", which no client here can say, and every other type
of resource. Principals and hosts are the physical cluster's, and stay. Names are never those of
alias topics, which are somebody else's to protect.

* DescribeAcls is forwarded with a filter that finds what was asked for and maybe more; the answer
  is mapped, and then held against the client's filter as brokers do (`ResourcePatternFilter`).
* CreateAcls denies, entry by entry, other types of resources and patterns, and a topic's alias.
* DeleteAcls denies, filter by filter, all that might find entries of others: other types of
  resources, any type, no name, pattern type MATCH (it finds the cluster's wildcard and shorter
  prefixes). ANY with the name "*" is denied because no single filter says it: LITERAL and PREFIXED
  may be asked for one after the other.
* Version 0 knows LITERAL only and no way to say the prefix: there "*" is denied, since it would
  mean everybody's, and DescribeAcls does not find it.

Denied is CLUSTER_AUTHORIZATION_FAILED, the error that brokers have for this.
"""

from typing import Any, Final, NamedTuple

from codec.api_keys import ApiKey
from codec.schema import Response, Struct
from sidecar.dataplane.tenancy.edits.base import Edit
from sidecar.dataplane.tenancy.edits.refused import all_refused, put_in, refusal, take_out
from sidecar.dataplane.tenancy.exchange import Exchange, decoded, encoded

ANY: Final = 1
"""Of resource types as well as of pattern types."""
TOPIC, GROUP, TRANSACTIONAL_ID = 2, 3, 5
MATCH, LITERAL, PREFIXED = 2, 3, 4
WILDCARD: Final = "*"
_OWN: Final = frozenset({TOPIC, GROUP, TRANSACTIONAL_ID})
_PATTERNS_SINCE: Final = 1


class _Filter(NamedTuple):
    """What a client asks for."""

    resource_type: int
    pattern_type: int
    name: str | None

    def matches(self, resource_type: int, pattern_type: int, name: str) -> bool:
        """As brokers decide it, for a pattern as the client says it."""
        if self.resource_type not in (ANY, resource_type):
            return False
        if self.pattern_type not in (ANY, MATCH, pattern_type):
            return False
        if self.name is None:
            return True
        if self.pattern_type != MATCH:
            return name == self.name
        if pattern_type == PREFIXED:
            return self.name.startswith(name)
        return name in (self.name, WILDCARD)


def _physical(pattern_type: int, name: str, exchange: Exchange) -> tuple[int, str]:
    if pattern_type == LITERAL and name == WILDCARD:
        return PREFIXED, decoded(exchange.names.prefix)
    return pattern_type, exchange.name(name)


def _logical(acl: Any, exchange: Exchange) -> tuple[int, str] | None:
    """Pattern type and name as clients say them; None if the resource is not theirs."""
    name = exchange.logical_name(acl.resource_name)
    if acl.resource_type not in _OWN or name is None:
        return None
    if acl.pattern_type == PREFIXED:
        return (PREFIXED, name) if name else (LITERAL, WILDCARD)
    if acl.pattern_type == LITERAL and name not in ("", WILDCARD):
        return LITERAL, name
    return None


def _own(acls: Any, wanted: _Filter | None, exchange: Exchange) -> list[Any]:
    """The entries that are the client's, as it says them; of these, those wanted."""
    found = []
    for acl in acls:
        logical = _logical(acl, exchange)
        if logical is not None and (wanted is None or wanted.matches(acl.resource_type, *logical)):
            acl.pattern_type, acl.resource_name = logical
            found.append(acl)
    return found


# DescribeAcls


def _describe(request: Any, version: int, exchange: Exchange) -> None:
    wanted = _Filter(
        request.resource_type_filter, request.pattern_type_filter, request.resource_name_filter
    )
    exchange.kept = wanted
    if wanted.name is None:
        if wanted.pattern_type == LITERAL:
            # The client's literal wildcard is prefixed on the cluster.
            request.pattern_type_filter = ANY
        return
    pattern_type = wanted.pattern_type
    if pattern_type == ANY and wanted.name == WILDCARD:
        # Both a bare prefix and one that ends in "*": this finds them, and more.
        pattern_type = MATCH
    request.pattern_type_filter, request.resource_name_filter = _physical(
        pattern_type, wanted.name, exchange
    )


def _described(response: Any, version: int, exchange: Exchange) -> None:
    response.resources = _own(response.resources, exchange.kept, exchange)


# CreateAcls


def _create(request: Any, version: int, exchange: Exchange) -> Response | None:
    def refuse(acl: Any) -> Struct | None:
        allowed = (
            acl.resource_type in _OWN
            and acl.resource_pattern_type in (LITERAL, PREFIXED)
            and not _is_everybodys(acl.resource_name, version)
            and not _is_alias(acl, exchange)
        )
        return None if allowed else refusal(ApiKey.CREATE_ACLS, "results")

    request.creations, exchange.kept = take_out(request.creations, refuse)
    if exchange.kept and not request.creations:
        return all_refused(ApiKey.CREATE_ACLS, "results", exchange.kept)
    for acl in request.creations:
        # No resource is called nothing: brokers say so.
        if acl.resource_name:
            acl.resource_pattern_type, acl.resource_name = _physical(
                acl.resource_pattern_type, acl.resource_name, exchange
            )
    return None


def _is_alias(acl: Any, exchange: Exchange) -> bool:
    return (
        acl.resource_type == TOPIC
        and acl.resource_pattern_type == LITERAL
        and exchange.names.is_alias(encoded(acl.resource_name))
    )


def _is_everybodys(name: str, version: int) -> bool:
    return name == WILDCARD and version < _PATTERNS_SINCE


def _created(response: Any, version: int, exchange: Exchange) -> None:
    response.results = put_in(response.results, exchange.kept or {})


# DeleteAcls


def _delete(request: Any, version: int, exchange: Exchange) -> Response | None:
    def refuse(wanted: Any) -> Struct | None:
        name = wanted.resource_name_filter
        pattern_type = wanted.pattern_type_filter
        allowed = (
            wanted.resource_type_filter in _OWN
            and name
            and pattern_type in (LITERAL, PREFIXED, ANY)
            and not (pattern_type == ANY and name == WILDCARD)
            and not _is_everybodys(name, version)
        )
        return None if allowed else refusal(ApiKey.DELETE_ACLS, "filter_results")

    request.filters, exchange.kept = take_out(request.filters, refuse)
    if exchange.kept and not request.filters:
        return all_refused(ApiKey.DELETE_ACLS, "filter_results", exchange.kept)
    for wanted in request.filters:
        wanted.pattern_type_filter, wanted.resource_name_filter = _physical(
            wanted.pattern_type_filter, wanted.resource_name_filter, exchange
        )
    return None


def _deleted(response: Any, version: int, exchange: Exchange) -> None:
    for result in response.filter_results:
        result.matching_acls = _own(result.matching_acls, None, exchange)
    response.filter_results = put_in(response.filter_results, exchange.kept or {})


DESCRIBE_ACLS = Edit(_describe, _described)
CREATE_ACLS = Edit(_create, _created)
DELETE_ACLS = Edit(_delete, _deleted)
