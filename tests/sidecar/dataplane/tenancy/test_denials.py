"""Every denied API in every version: the error wherever it fits, and nothing of a cluster."""

from collections.abc import Iterator
from typing import Any

import pytest

import codec
from codec.api_keys import ApiKey
from codec.registry import SUPPORTED
from codec.schema import Field, Kind, Struct
from sidecar.dataplane.tenancy.denials import REASON, denial
from sidecar.dataplane.tenancy.policy import DENIED

K = ApiKey
CASES = [
    (key, version)
    for key in sorted(DENIED)
    for version in range(SUPPORTED[key].min_version, SUPPORTED[key].max_version + 1)
]
SILENT = [(K.DESCRIBE_LOG_DIRS, 0), (K.DESCRIBE_LOG_DIRS, 1), (K.DESCRIBE_LOG_DIRS, 2)]
"""Without directories there is no place for an error, and that is how clients read it."""


def stuffed(kind: type[Struct], version: int) -> Any:
    """A request in which every array has two elements, and every text says which field it is."""
    return kind(**{f.name: _value(f, version) for f in kind.FIELDS if version in f.versions})


def _value(field: Field, version: int) -> Any:
    if isinstance(field.element, type):
        if field.kind is Kind.ARRAY:
            return [stuffed(field.element, version), stuffed(field.element, version)]
        return stuffed(field.element, version)
    if field.kind is Kind.ARRAY:
        return [field.name, field.name] if field.element is Kind.STRING else [3, 4]
    return {Kind.STRING: field.name, Kind.BYTES: b"secret", Kind.UUID: b"u" * 16}.get(
        field.kind, field.default
    )


def answered(key: ApiKey, version: int, request: Any) -> Any:
    """The denial as the client reads it."""
    sent = codec.decode_request(key, version, codec.encode(request, version))
    return codec.decode_response(key, version, codec.encode(denial(sent, version), version))


def errors(message: Struct, version: int) -> Iterator[tuple[str, Any]]:
    """Every error code and message in it, however deep."""
    for field in message.FIELDS:
        if version in field.versions:
            value = getattr(message, field.name)
            if field.name.startswith("error_"):
                yield field.name, value
            elif isinstance(field.element, type) and value:
                for item in value if isinstance(value, list) else [value]:
                    yield from errors(item, version)


@pytest.mark.parametrize(("key", "version"), CASES)
def test_every_place_for_an_error_says_so(key: ApiKey, version: int) -> None:
    found = list(errors(answered(key, version, stuffed(SUPPORTED[key].request, version)), version))

    assert {value for name, value in found if name == "error_message"} <= {REASON}
    codes = [value for name, value in found if name == "error_code"]
    assert set(codes) == (set() if (key, version) in SILENT else {31})


@pytest.mark.parametrize(("key", "version"), CASES)
def test_the_least_a_client_can_ask_is_denied_too(key: ApiKey, version: int) -> None:
    request = SUPPORTED[key].request
    nulls = {f.name: None for f in request.FIELDS if version in f.nullable and f.tag is None}

    found = list(errors(answered(key, version, request(**nulls)), version))

    assert {value for name, value in found if name == "error_code"} <= {31}


P, Q = {"partition_index": 3, "error_code": 31}, {"partition_index": 4, "error_code": 31}


@pytest.mark.parametrize(
    ("key", "version", "wanted"),
    [
        (
            K.ALTER_REPLICA_LOG_DIRS,
            1,
            {"results": [{"topic_name": "name", "partitions": [P, Q]}] * 4},
        ),
        (K.DESCRIBE_LOG_DIRS, 2, {"results": []}),
        (K.DESCRIBE_LOG_DIRS, 4, {"error_code": 31, "results": []}),
        (
            K.ELECT_LEADERS,
            0,
            {
                "replica_election_results": [
                    {
                        "topic": "topic",
                        "partition_result": [
                            {"partition_id": 3, "error_code": 31, "error_message": REASON},
                            {"partition_id": 4, "error_code": 31, "error_message": REASON},
                        ],
                    }
                ]
                * 2
            },
        ),
        (
            K.ALTER_PARTITION_REASSIGNMENTS,
            1,
            {
                "error_code": 31,
                "error_message": REASON,
                "responses": [
                    {
                        "name": "name",
                        "partitions": [
                            {"partition_index": 0, "error_code": 31, "error_message": REASON}
                        ]
                        * 2,
                    }
                ]
                * 2,
            },
        ),
        (K.LIST_PARTITION_REASSIGNMENTS, 0, {"error_code": 31, "topics": []}),
        (
            K.CREATE_DELEGATION_TOKEN,
            3,
            {
                "error_code": 31,
                "principal_name": "ANONYMOUS",
                "token_requester_principal_name": "ANONYMOUS",
                "expiry_timestamp_ms": -1,
                "token_id": "",
                "hmac": b"",
            },
        ),
        (K.RENEW_DELEGATION_TOKEN, 0, {"error_code": 31, "expiry_timestamp_ms": -1}),
        (K.DESCRIBE_DELEGATION_TOKEN, 3, {"error_code": 31, "tokens": []}),
        (K.DESCRIBE_CLIENT_QUOTAS, 0, {"error_code": 31, "entries": None}),
        (
            K.ALTER_CLIENT_QUOTAS,
            1,
            {
                "entries": [
                    {
                        "error_code": 31,
                        "entity": [{"entity_type": "entity_type", "entity_name": "entity_name"}]
                        * 2,
                    }
                ]
                * 2
            },
        ),
        (
            K.DESCRIBE_USER_SCRAM_CREDENTIALS,
            0,
            {"error_code": 31, "results": [{"user": "name", "error_code": 31}] * 2},
        ),
        (
            K.ALTER_USER_SCRAM_CREDENTIALS,
            0,
            {"results": [{"user": "name", "error_code": 31, "error_message": REASON}]},
        ),
        (K.DESCRIBE_QUORUM, 2, {"error_code": 31, "topics": [], "nodes": []}),
        (K.UPDATE_FEATURES, 1, {"error_code": 31, "results": []}),
        (K.UNREGISTER_BROKER, 0, {"error_code": 31, "error_message": REASON}),
    ],
)
def test_what_was_asked_for_is_called_as_the_client_called_it(
    key: ApiKey, version: int, wanted: dict[str, Any]
) -> None:
    found = answered(key, version, stuffed(SUPPORTED[key].request, version))

    _assert_holds(found, wanted)


def _assert_holds(found: Any, wanted: Any) -> None:
    if isinstance(wanted, list):
        assert len(found) == len(wanted)
        for item, expected in zip(found, wanted, strict=True):
            _assert_holds(item, expected)
    elif isinstance(wanted, dict):
        for name, value in wanted.items():
            _assert_holds(getattr(found, name), value)
    else:
        assert found == wanted
