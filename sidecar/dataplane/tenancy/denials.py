"""Answers to requests that a virtual cluster does not have: CLUSTER_AUTHORIZATION_FAILED.

They are what a broker says to somebody without rights on the cluster: the error at the top, and
for each thing the request names, which is called as the client called it; everything else is
empty. Before version 3 DescribeLogDirs has no place for it, and clients take an answer without
directories for the error; ElectLeaders 0 has one only for partitions that were named.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from codec.registry import response_class
from codec.schema import Message, Response, Struct

REASON: Final = "Cluster authorization failed."
"""What brokers say with the error."""
_NO_TIME: Final = -1
_NOBODY: Final = ("User", "ANONYMOUS")

S = TypeVar("S", bound=Struct)


def denied(kind: type[S], **values: object) -> S:
    """A struct of this kind that says so, in the fields for errors it has."""
    error = {"error_code": ErrorCode.CLUSTER_AUTHORIZATION_FAILED, "error_message": REASON}
    names = {field.name for field in kind.FIELDS}
    return kind(**{name: error[name] for name in error.keys() & names}, **values)


def denial(request: Message, version: int) -> Response:
    """The response a broker gives to somebody who may not do this.

    Args:
        request: of an API in `policy.DENIED`.
        version: that of the request; what it lacks is not encoded.
    """
    kind = response_class(request.API_KEY)
    items = _ITEMS.get(request.API_KEY)
    return denied(kind, **(items(request, kind) if items else {}))


def _alter_replica_log_dirs(request: Any, kind: Any) -> dict[str, object]:
    result = kind.AlterReplicaLogDirTopicResult
    partition = result.AlterReplicaLogDirPartitionResult
    return {
        "results": [
            result(
                topic_name=topic.name,
                partitions=[denied(partition, partition_index=p) for p in topic.partitions],
            )
            for directory in request.dirs
            for topic in directory.topics
        ]
    }


def _elect_leaders(request: Any, kind: Any) -> dict[str, object]:
    result = kind.ReplicaElectionResult
    return {
        "replica_election_results": [
            result(
                topic=topic.topic,
                partition_result=[
                    denied(result.PartitionResult, partition_id=p) for p in topic.partitions
                ],
            )
            for topic in request.topic_partitions or ()
        ]
    }


def _alter_partition_reassignments(request: Any, kind: Any) -> dict[str, object]:
    result = kind.ReassignableTopicResponse
    partition = result.ReassignablePartitionResponse
    return {
        "responses": [
            result(
                name=topic.name,
                partitions=[
                    denied(partition, partition_index=p.partition_index) for p in topic.partitions
                ],
            )
            for topic in request.topics
        ]
    }


def _create_delegation_token(request: Any, kind: Any) -> dict[str, object]:
    principal, name = _NOBODY
    return {
        "principal_type": principal,
        "principal_name": name,
        "token_requester_principal_type": principal,
        "token_requester_principal_name": name,
        "issue_timestamp_ms": _NO_TIME,
        "expiry_timestamp_ms": _NO_TIME,
        "max_timestamp_ms": _NO_TIME,
    }


def _token_expiry(request: Any, kind: Any) -> dict[str, object]:
    return {"expiry_timestamp_ms": _NO_TIME}


def _describe_client_quotas(request: Any, kind: Any) -> dict[str, object]:
    return {"entries": None}


def _alter_client_quotas(request: Any, kind: Any) -> dict[str, object]:
    return {"entries": [denied(kind.EntryData, entity=entry.entity) for entry in request.entries]}


def _describe_user_scram_credentials(request: Any, kind: Any) -> dict[str, object]:
    result = kind.DescribeUserScramCredentialsResult
    return {"results": [denied(result, user=user.name) for user in request.users or ()]}


def _alter_user_scram_credentials(request: Any, kind: Any) -> dict[str, object]:
    result = kind.AlterUserScramCredentialsResult
    users = {item.name for item in (*request.deletions, *request.upsertions)}
    return {"results": [denied(result, user=user) for user in sorted(users)]}


_ITEMS: Final[dict[int, Callable[[Any, Any], dict[str, object]]]] = {
    ApiKey.ALTER_REPLICA_LOG_DIRS: _alter_replica_log_dirs,
    ApiKey.ELECT_LEADERS: _elect_leaders,
    ApiKey.ALTER_PARTITION_REASSIGNMENTS: _alter_partition_reassignments,
    ApiKey.CREATE_DELEGATION_TOKEN: _create_delegation_token,
    ApiKey.RENEW_DELEGATION_TOKEN: _token_expiry,
    ApiKey.EXPIRE_DELEGATION_TOKEN: _token_expiry,
    ApiKey.DESCRIBE_CLIENT_QUOTAS: _describe_client_quotas,
    ApiKey.ALTER_CLIENT_QUOTAS: _alter_client_quotas,
    ApiKey.DESCRIBE_USER_SCRAM_CREDENTIALS: _describe_user_scram_credentials,
    ApiKey.ALTER_USER_SCRAM_CREDENTIALS: _alter_user_scram_credentials,
}
