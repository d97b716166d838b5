"""APIs a virtual cluster does not have: denied as by a broker, in every version."""

from collections.abc import Iterator
from typing import Any

import pytest

import codec
from codec.api_keys import ApiKey as K
from codec.registry import SUPPORTED, request_class
from codec.schema import Kind, Struct
from sidecar.dataplane.tenancy.denials import denial
from sidecar.dataplane.tenancy.policy import DENIED

TEXT = "Cluster authorization failed."
VERSIONS = [
    (key, version)
    for key in sorted(DENIED)
    for version in range(SUPPORTED[key].min_version, SUPPORTED[key].max_version + 1)
]
WORDLESS = {(K.DESCRIBE_LOG_DIRS, version) for version in range(3)}
"""Where an error has no place: clients read an empty answer as a denial."""


def made(kind: type[Struct], path: str, /, **values: Any) -> Any:
    """An item of a message: the class of the array at this path of it."""
    for name in path.split("."):
        [field] = [field for field in kind.FIELDS if field.name == name]
        assert isinstance(field.element, type)
        kind = field.element
    return kind(**values)


def request(key: K) -> Any:
    """A request of this API with two items wherever brokers echo items."""
    kind = request_class(key)

    def item(path: str, /, **values: Any) -> Any:
        return made(kind, path, **values)

    if key is K.ALTER_REPLICA_LOG_DIRS:
        topics = [item("dirs.topics", name=name, partitions=[0, 2]) for name in ("a", "b")]
        return kind(dirs=[item("dirs", path="/d", topics=[t]) for t in topics])
    if key is K.DESCRIBE_LOG_DIRS:
        return kind(topics=[item("topics", topic="a", partitions=[0, 2])])
    if key is K.ELECT_LEADERS:
        found = [item("topic_partitions", topic=t, partitions=[0, 2]) for t in ("a", "b")]
        return kind(topic_partitions=found)
    if key is K.ALTER_PARTITION_REASSIGNMENTS:
        places = [item("topics.partitions", partition_index=i, replicas=[1]) for i in (0, 2)]
        return kind(topics=[item("topics", name=t, partitions=places) for t in ("a", "b")])
    if key is K.LIST_PARTITION_REASSIGNMENTS:
        return kind(topics=[item("topics", name=t, partition_indexes=[0, 2]) for t in ("a", "b")])
    if key is K.ALTER_CLIENT_QUOTAS:
        parts = [
            item("entries.entity", entity_type="user", entity_name="u"),
            item("entries.entity", entity_type="client-id", entity_name=None),
        ]
        return kind(entries=[item("entries", entity=parts), item("entries", entity=parts[:1])])
    if key is K.DESCRIBE_USER_SCRAM_CREDENTIALS:
        return kind(users=[item("users", name=name) for name in ("u", "v")])
    if key is K.ALTER_USER_SCRAM_CREDENTIALS:
        return kind(
            deletions=[item("deletions", name="u", mechanism=1)],
            upsertions=[
                item("upsertions", name=name, salted_password=b"secret") for name in ("v", "u")
            ],
        )
    return kind()


def answered(key: K, version: int, message: Any) -> Any:
    """The denial as the client reads it."""
    sent = codec.decode_request(key, version, codec.encode(message, version))
    return codec.decode_response(key, version, codec.encode(denial(sent, version), version))


def fields(message: Struct, version: int, name: str) -> Iterator[Any]:
    """The values of all fields of this name, however deep, that this version has."""
    for field in message.FIELDS:
        if version not in field.versions:
            continue
        value = getattr(message, field.name)
        if field.name == name:
            yield value
        elif field.kind is Kind.ARRAY and isinstance(field.element, type):
            for element in value or ():
                yield from fields(element, version, name)


@pytest.mark.parametrize(("key", "version"), VERSIONS)
def test_every_error_code_of_a_denial_is_this_one(key: K, version: int) -> None:
    found = answered(key, version, request(key))

    codes = list(fields(found, version, "error_code"))
    assert set(codes) == (set() if (key, version) in WORDLESS else {31})
    assert set(fields(found, version, "error_message")) <= {TEXT}
    assert b"secret" not in codec.encode(found, version)
    if any(f.name == "error_code" and version in f.versions for f in found.FIELDS):
        assert found.error_code == 31


@pytest.mark.parametrize(("key", "version"), VERSIONS)
def test_a_request_without_items_is_denied_too(key: K, version: int) -> None:
    kind = request_class(key)
    nothing = {f.name: None for f in kind.FIELDS if version in f.versions and version in f.nullable}

    found = answered(key, version, kind(**nothing))

    assert set(fields(found, version, "error_code")) <= {31}


def echoed(found: Any, array: str, name: str, inner: str, index: str) -> list[Any]:
    """Names of the items, with the indexes of the items within."""
    return [
        (getattr(item, name), [getattr(part, index) for part in getattr(item, inner)])
        for item in getattr(found, array)
    ]


@pytest.mark.parametrize(
    ("key", "where"),
    [
        (K.ALTER_REPLICA_LOG_DIRS, ("results", "topic_name", "partitions", "partition_index")),
        (
            K.ELECT_LEADERS,
            ("replica_election_results", "topic", "partition_result", "partition_id"),
        ),
        (K.ALTER_PARTITION_REASSIGNMENTS, ("responses", "name", "partitions", "partition_index")),
        (K.LIST_PARTITION_REASSIGNMENTS, ("topics", "name", "partitions", "partition_index")),
    ],
)
def test_topics_and_partitions_are_those_the_client_named(
    key: K, where: tuple[str, str, str, str]
) -> None:
    api = SUPPORTED[key]
    for version in range(api.min_version, api.max_version + 1):
        found = answered(key, version, request(key))

        assert echoed(found, *where) == [("a", [0, 2]), ("b", [0, 2])]


@pytest.mark.parametrize("version", [0, 1])
def test_quotas_are_denied_entity_by_entity(version: int) -> None:
    found = answered(K.ALTER_CLIENT_QUOTAS, version, request(K.ALTER_CLIENT_QUOTAS))

    assert echoed(found, "entries", "error_code", "entity", "entity_name") == [
        (31, ["u", None]),
        (31, ["u"]),
    ]


@pytest.mark.parametrize("key", [K.DESCRIBE_USER_SCRAM_CREDENTIALS, K.ALTER_USER_SCRAM_CREDENTIALS])
def test_each_user_is_denied_once(key: K) -> None:
    found = answered(key, 0, request(key))

    assert [(r.user, r.error_code, r.error_message) for r in found.results] == [
        ("u", 31, TEXT),
        ("v", 31, TEXT),
    ]


@pytest.mark.parametrize("version", range(4))
def test_a_denied_token_is_nobodys_and_empty(version: int) -> None:
    found = answered(K.CREATE_DELEGATION_TOKEN, version, request(K.CREATE_DELEGATION_TOKEN))

    assert (found.principal_type, found.principal_name) == ("User", "ANONYMOUS")
    assert (found.issue_timestamp_ms, found.expiry_timestamp_ms, found.max_timestamp_ms) == (
        -1,
        -1,
        -1,
    )
    assert (found.token_id, bytes(found.hmac)) == ("", b"")


@pytest.mark.parametrize("version", [0, 1])
def test_denied_quotas_are_null_and_not_none(version: int) -> None:
    found = answered(K.DESCRIBE_CLIENT_QUOTAS, version, request(K.DESCRIBE_CLIENT_QUOTAS))

    assert found.entries is None
