"""What a tenant may not do to the physical cluster: a request of every denied API.

Each would reach something if it were forwarded, and each response has a place for an error code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from tests.kafka.api_matrix.shapes import Plain
from tests.kafka.api_matrix.spec import Exercise, exercise, refused
from tests.kafka.api_matrix.tenant import TOPIC, Tenant

_NAMED: Plain = {"name": TOPIC, "partitions": [0]}
_ENTITY: list[Plain] = [{"entity_type": "client-id", "entity_name": "matrix"}]
_QUOTA: Plain = {"key": "producer_byte_rate", "value": 1.0, "remove": False}
_SCRAM: Plain = {"name": "somebody", "mechanism": 1, "iterations": 4096}
_LISTENER: Plain = {"name": "CONTROLLER", "host": "localhost", "port": 9093}
_VOTER: Plain = {"cluster_id": None, "voter_id": 3, "voter_directory_id": bytes(15) + b"\x01"}

#: The first version of DescribeLogDirs that has an error code for the whole (KIP-784).
CODE_SINCE = 3

REQUESTS: Mapping[ApiKey, Plain] = {
    ApiKey.ALTER_REPLICA_LOG_DIRS: {"dirs": [{"path": "/tmp", "topics": [_NAMED]}]},
    ApiKey.DESCRIBE_LOG_DIRS: {"topics": None},
    ApiKey.CREATE_DELEGATION_TOKEN: {"renewers": [], "max_lifetime_ms": 1000},
    ApiKey.RENEW_DELEGATION_TOKEN: {"hmac": b"hmac", "renew_period_ms": 1000},
    ApiKey.EXPIRE_DELEGATION_TOKEN: {"hmac": b"hmac", "expiry_time_period_ms": 1000},
    ApiKey.DESCRIBE_DELEGATION_TOKEN: {"owners": None},
    ApiKey.ELECT_LEADERS: {
        "election_type": 0,
        "topic_partitions": [{"topic": TOPIC, "partitions": [0]}],
        "timeout_ms": 5000,
    },
    ApiKey.ALTER_PARTITION_REASSIGNMENTS: {
        "timeout_ms": 5000,
        "topics": [{"name": TOPIC, "partitions": [{"partition_index": 0, "replicas": [2]}]}],
    },
    ApiKey.LIST_PARTITION_REASSIGNMENTS: {"timeout_ms": 5000, "topics": None},
    ApiKey.DESCRIBE_CLIENT_QUOTAS: {"components": [], "strict": False},
    ApiKey.ALTER_CLIENT_QUOTAS: {
        "entries": [{"entity": _ENTITY, "ops": [_QUOTA]}],
        "validate_only": False,
    },
    ApiKey.DESCRIBE_USER_SCRAM_CREDENTIALS: {"users": None},
    ApiKey.ALTER_USER_SCRAM_CREDENTIALS: {
        "deletions": [],
        "upsertions": [{**_SCRAM, "salt": b"salt", "salted_password": b"password"}],
    },
    ApiKey.DESCRIBE_QUORUM: {
        "topics": [{"topic_name": "__cluster_metadata", "partitions": [{"partition_index": 0}]}]
    },
    ApiKey.UPDATE_FEATURES: {
        "timeout_ms": 5000,
        "feature_updates": [{"feature": "group.version", "max_version_level": 0}],
        "validate_only": True,
    },
    ApiKey.UNREGISTER_BROKER: {"broker_id": 99},
    ApiKey.ADD_RAFT_VOTER: {**_VOTER, "timeout_ms": 1000, "listeners": [_LISTENER]},
    ApiKey.REMOVE_RAFT_VOTER: _VOTER,
}


def _denied(key: ApiKey, values: Plain) -> Exercise:
    def ask(tenant: Tenant, version: int) -> None:
        answer = tenant.ask(key, version, values)
        if key == ApiKey.DESCRIBE_LOG_DIRS and version < CODE_SINCE:
            # Brokers deny with an empty list, there being no code; clients read it as a denial.
            assert answer["results"] == [], answer
            return
        refused(answer, ErrorCode.CLUSTER_AUTHORIZATION_FAILED)
        assert not _told(answer.body), answer

    return ask


def _told(body: Plain) -> list[Any]:
    """Names of things that a refusal has no business to mention."""
    return [body[name] for name in ("tokens", "nodes") if body.get(name)]


for _key, _values in REQUESTS.items():
    exercise(_key)(_denied(_key, _values))
