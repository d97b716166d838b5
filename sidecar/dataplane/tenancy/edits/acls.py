"""Access control entries of a virtual cluster: those whose pattern lies below its prefix.

Topics, groups and transactional ids are mapped, and whatever lies below the prefix is the virtual
cluster's, whoever made it. A literal ``*`` of a client is a prefixed pattern on the cluster, with
the bare prefix as name, and back. Principals and hosts are left as they are. Names are not looked
up among alias topics: who may use somebody else's topic is not for this virtual cluster to say.

- DescribeAcls: a filter that finds at least the wanted entries is sent, and the answer is put
  through the client's own filter, as `ResourcePatternFilter` in Kafka's clients matches. So match
  filters find the ``*`` of the virtual cluster, and not that of the physical one.
- CreateAcls: entries of clusters, delegation tokens and users are denied, each by itself.
- DeleteAcls: a filter is denied that could match what is not below the prefix: without a name, of
  other resource types, and of pattern type match, which would reach ``*`` and shorter prefixes of
  the physical cluster. One for any type becomes one for each mapped type, since the prefix and a
  name could spell another resource, such as ``kafka-cluster``.
- Version 0 has no prefixed patterns, so there is no ``*``: to make or delete one is denied.
"""

from itertools import islice
from typing import Any, Final, NamedTuple

from codec.api_keys import ApiKey
from codec.errors import DecodeError
from codec.schema import Response
from sidecar.dataplane.tenancy.edits.base import Edit
from sidecar.dataplane.tenancy.edits.refused import all_refused, put_in, refusal, take_out
from sidecar.dataplane.tenancy.exchange import Exchange, decoded

ANY: Final = 1
MATCH: Final = 2
LITERAL: Final = 3
PREFIXED: Final = 4
_ANY_TYPE: Final = 1
_MAPPED: Final = (2, 3, 5)
"""Topic, group, transactional id."""
_KINDS: Final = (LITERAL, PREFIXED)
"""What entries have; others may come to mean anything."""
_WILDCARD: Final = "*"
_PREFIXED_SINCE = 1


class _Filter(NamedTuple):
    """Which resources a client asks for; as `ResourcePatternFilter`."""

    resource_type: int
    name: str | None
    pattern_type: int

    def matches(self, entry: Any) -> bool:
        """Whether it finds an entry, which has a logical name."""
        kind, name = entry.pattern_type, entry.resource_name
        if self.resource_type not in (_ANY_TYPE, entry.resource_type):
            return False
        if self.pattern_type not in (ANY, MATCH, kind):
            return False
        if self.name is None or self.name == name:
            return True
        if self.pattern_type != MATCH:
            return False
        return self.name.startswith(name) if kind == PREFIXED else bool(name == _WILDCARD)


def _physical(name: str, pattern_type: int, exchange: Exchange) -> tuple[str, int]:
    """Name and type of the pattern on the cluster. An empty name stays: brokers refuse it."""
    if not name:
        return name, pattern_type
    if (name, pattern_type) == (_WILDCARD, LITERAL):
        return decoded(exchange.names.prefix), PREFIXED
    return exchange.name(name), pattern_type


def _logical(entry: Any, exchange: Exchange) -> bool:
    """Gives an entry of a response its logical name and type; False if it is not the client's."""
    name = exchange.logical_name(entry.resource_name)
    if name is None or entry.resource_type not in _MAPPED:
        return False
    if not name:
        if entry.pattern_type != PREFIXED:
            return False
        name, entry.pattern_type = _WILDCARD, LITERAL
    elif (name, entry.pattern_type) == (_WILDCARD, LITERAL):
        return False
    entry.resource_name = name
    return True


# DescribeAcls


def _describe_request(request: Any, version: int, exchange: Exchange) -> None:
    name, kind = request.resource_name_filter, request.pattern_type_filter
    exchange.kept = _Filter(request.resource_type_filter, name, kind)
    if version < _PREFIXED_SINCE:
        request.resource_name_filter = name and exchange.name(name)
    elif name is None:
        # A literal one may be "*", which is prefixed on the cluster.
        request.pattern_type_filter = ANY if kind == LITERAL else kind
    elif kind == MATCH or (name, kind) == (_WILDCARD, ANY):
        # "*" has another name on the cluster, which matches all of the tenant's.
        request.resource_name_filter, request.pattern_type_filter = exchange.name(name), MATCH
    else:
        found = _physical(name, kind, exchange)
        request.resource_name_filter, request.pattern_type_filter = found


def _describe_response(response: Any, version: int, exchange: Exchange) -> None:
    wanted = exchange.kept
    response.resources = [
        entry for entry in response.resources if _logical(entry, exchange) and wanted.matches(entry)
    ]


DESCRIBE_ACLS: Final = Edit(_describe_request, _describe_response)


# CreateAcls


def _create_request(request: Any, version: int, exchange: Exchange) -> Response | None:
    def refuse(entry: Any) -> Any:
        wildcard = (entry.resource_name, entry.resource_pattern_type) == (_WILDCARD, LITERAL)
        known = entry.resource_type in _MAPPED and entry.resource_pattern_type in _KINDS
        if known and not (wildcard and version < _PREFIXED_SINCE):
            return None
        return refusal(ApiKey.CREATE_ACLS, "results")

    request.creations, exchange.kept = take_out(request.creations, refuse)
    if exchange.kept and not request.creations:
        return all_refused(ApiKey.CREATE_ACLS, "results", exchange.kept)
    for entry in request.creations:
        found = _physical(entry.resource_name, entry.resource_pattern_type, exchange)
        entry.resource_name, entry.resource_pattern_type = found
    return None


def _create_response(response: Any, version: int, exchange: Exchange) -> None:
    response.results = put_in(response.results, exchange.kept or {})


CREATE_ACLS: Final = Edit(_create_request, _create_response)


# DeleteAcls


class _Deletion(NamedTuple):
    """What the response to a deletion is put together from.

    Args:
        refused: results of filters that were not sent, by their place.
        counts: for each other filter, how many were sent in its place.
    """

    refused: dict[int, Any]
    counts: list[int]


def _delete_request(request: Any, version: int, exchange: Exchange) -> Response | None:
    def refuse(wanted: Any) -> Any:
        if _is_safe(wanted, version):
            return None
        return refusal(ApiKey.DELETE_ACLS, "filter_results")

    filters, refused = take_out(request.filters, refuse)
    if refused and not filters:
        return all_refused(ApiKey.DELETE_ACLS, "filter_results", refused)
    parts = [_parts(wanted, exchange) for wanted in filters]
    exchange.kept = _Deletion(refused, [len(part) for part in parts])
    request.filters = [each for part in parts for each in part]
    return None


def _is_safe(wanted: Any, version: int) -> bool:
    """Whether a filter can be sent so that it matches nothing but the client's own."""
    name, kind = wanted.resource_name_filter, wanted.pattern_type_filter
    if name is None or kind not in (ANY, *_KINDS):
        return False
    if name == _WILDCARD and version < _PREFIXED_SINCE:
        return False
    return wanted.resource_type_filter in (_ANY_TYPE, *_MAPPED)


def _parts(wanted: Any, exchange: Exchange) -> list[Any]:
    """The filters that find together what the client's would in a cluster of its own."""
    name, kind = wanted.resource_name_filter, wanted.pattern_type_filter
    kinds = (LITERAL, PREFIXED) if (name, kind) == (_WILDCARD, ANY) else (kind,)
    patterns = [_physical(name, each, exchange) for each in kinds]
    types = _MAPPED if wanted.resource_type_filter == _ANY_TYPE else (wanted.resource_type_filter,)
    return [
        wanted.copy(
            resource_type_filter=resource_type,
            resource_name_filter=physical,
            pattern_type_filter=pattern_type,
        )
        for resource_type in types
        for physical, pattern_type in patterns
    ]


def _delete_response(response: Any, version: int, exchange: Exchange) -> None:
    results = iter(response.filter_results)
    merged = [_merged(list(islice(results, n)), exchange) for n in exchange.kept.counts]
    response.filter_results = put_in(merged, exchange.kept.refused)


def _merged(parts: list[Any], exchange: Exchange) -> Any:
    """The result of a filter: its first error, if there is one, and all entries."""
    if not parts:
        raise DecodeError("it has fewer results than the request has filters")
    result = next((part for part in parts if part.error_code), parts[0])
    entries = [entry for part in parts for entry in part.matching_acls]
    result.matching_acls = [entry for entry in entries if _logical(entry, exchange)]
    return result


DELETE_ACLS: Final = Edit(_delete_request, _delete_response)
