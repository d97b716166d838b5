"""Answers to requests that a virtual cluster does not have: CLUSTER_AUTHORIZATION_FAILED.

They are what Kafka 3.9 and 4.3 answer to somebody who may not do this (`getErrorResponse` of each
request): the error stands at the top, and with each item of the request where brokers echo items,
spelled as the client spelled them. Two differ: the error's own text stands wherever there is a
field for it, which brokers leave null here and there, and DescribeUserScramCredentials names the
users asked for, where brokers forget to. DescribeLogDirs before version 3 has no error at the top
and nothing of the request in its items: as from a broker it is empty, which clients read as this
very error.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final, cast

from codec.api_keys import ApiKey as K
from codec.error_codes import ErrorCode
from codec.registry import response_class
from codec.schema import Message, Response, Struct

CODE: Final = ErrorCode.CLUSTER_AUTHORIZATION_FAILED
TEXT: Final = "Cluster authorization failed."


@dataclass(frozen=True, slots=True)
class _Items:
    """Items of a request that its response has too.

    Args:
        array: where the response has them.
        of: the items, from the request or from the item around them; null is none.
        echo: the fields of an item of the response that are not about the error.
        inner: items within each.
    """

    array: str
    of: Callable[[Any], Iterable[Any] | None]
    echo: Callable[[Any], dict[str, Any]]
    inner: "_Items | None" = None


def _partitions(array: str, index: str, of: str = "partitions") -> _Items:
    return _Items(array, attrgetter(of), lambda partition: {index: partition})


_ECHOED: Final[Mapping[K, _Items]] = {
    K.ALTER_REPLICA_LOG_DIRS: _Items(
        "results",
        lambda request: [topic for place in request.dirs for topic in place.topics],
        lambda topic: {"topic_name": topic.name},
        _partitions("partitions", "partition_index"),
    ),
    K.ELECT_LEADERS: _Items(
        "replica_election_results",
        attrgetter("topic_partitions"),
        lambda topic: {"topic": topic.topic},
        _partitions("partition_result", "partition_id"),
    ),
    K.ALTER_PARTITION_REASSIGNMENTS: _Items(
        "responses",
        attrgetter("topics"),
        lambda topic: {"name": topic.name},
        _Items(
            "partitions",
            attrgetter("partitions"),
            lambda partition: {"partition_index": partition.partition_index},
        ),
    ),
    K.LIST_PARTITION_REASSIGNMENTS: _Items(
        "topics",
        attrgetter("topics"),
        lambda topic: {"name": topic.name},
        _partitions("partitions", "partition_index", of="partition_indexes"),
    ),
    K.ALTER_CLIENT_QUOTAS: _Items(
        "entries", attrgetter("entries"), lambda entry: {"entity": entry.entity}
    ),
    K.DESCRIBE_USER_SCRAM_CREDENTIALS: _Items(
        "results", attrgetter("users"), lambda user: {"user": user.name}
    ),
    K.ALTER_USER_SCRAM_CREDENTIALS: _Items(
        "results",
        lambda request: dict.fromkeys(x.name for x in [*request.deletions, *request.upsertions]),
        lambda name: {"user": name},
    ),
}
_REST: Final[Mapping[K, Mapping[str, Any]]] = {
    K.CREATE_DELEGATION_TOKEN: {
        "principal_type": "User",
        "principal_name": "ANONYMOUS",
        "token_requester_principal_type": "User",
        "token_requester_principal_name": "ANONYMOUS",
        "issue_timestamp_ms": -1,
        "expiry_timestamp_ms": -1,
        "max_timestamp_ms": -1,
    },
    K.DESCRIBE_CLIENT_QUOTAS: {"entries": None},
}
"""What brokers leave in the other fields, if it is not the fields' default."""


def denial(request: Message, version: int) -> Response:
    """The response a broker gives to somebody who may not do this.

    Args:
        request: of an API in `policy.DENIED`, decoded, with the client's names.
        version: of the request, and of the response.
    """
    key = request.API_KEY
    made = _made(response_class(key), version, _REST.get(key, {}), _ECHOED.get(key), request)
    return cast(Response, made)


def _made(
    kind: type[Struct], version: int, values: Mapping[str, Any], items: _Items | None, source: Any
) -> Struct:
    fields = {field.name: field for field in kind.FIELDS if version in field.versions}
    found = {"error_code": int(CODE), "error_message": TEXT, **values}
    if items is not None:
        element = cast(type[Struct], fields[items.array].element)
        found[items.array] = [
            _made(element, version, items.echo(item), items.inner, item)
            for item in items.of(source) or ()
        ]
    return kind(**{name: value for name, value in found.items() if name in fields})
