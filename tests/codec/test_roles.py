"""No field that can hold a name of a tenant's is declared without its role."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from codec.api_keys import ApiKey
from codec.fields import Field, Kind, Role
from codec.registry import SUPPORTED
from codec.schema import Struct

# Names of fields that never hold a name of a tenant's, wherever they stand, and what they hold.
HARMLESS = {
    "a secret or a credential": "auth_bytes hmac salt salted_password token_id",
    "records": "records unaligned_records",
    "a person or a machine that authenticates": (
        "principal principal_type principal_name principal_filter owner_principal_type "
        "owner_principal_name token_requester_principal_type token_requester_principal_name "
        "request_principal user"
    ),
    "what a client says of itself": (
        "client_id client_software_name client_software_version group_instance_id instance_id "
        "member_id leader process_id rack_id reason client_host client_host_address"
    ),
    "what an application stores with an offset": "committed_metadata",
    "a name of the protocol's own": (
        "assignor_name server_assignor mechanism mechanisms protocol_type protocol_name "
        "protocol_data requested_metrics subtopology_id feature listener"
    ),
    "a state or a type": (
        "group_state group_type transaction_state state_filters states_filter types_filter "
        "unknown_state_filters"
    ),
    "the host of an access control entry": "host_filter",
    "a part of a quota: a user, a client id, an address": "entity_type entity_name match",
    "about a configuration entry": "configuration_keys documentation",
    "the cluster, a place in it, or a directory": (
        "cluster_id rack path log_dir log_dirs offline_log_dirs cordoned_log_dirs "
        "candidate_directory_id replica_directory_id voter_directory_id"
    ),
    "an id of a process": "client_instance_id incarnation_id",
}
# The same for names of fields that mean different things in different structs.
HARMLESS_IN = {
    "a protocol of a group": {("JoinGroupRequestProtocol", "name")},
    "a feature": {
        ("SupportedFeatureKey", "name"),
        ("FinalizedFeatureKey", "name"),
        ("Feature", "name"),
    },
    "a configuration entry": {
        *((struct, field) for field in ("name", "value") for struct in (
            "CreatableTopicConfig",
            "CreatableTopicConfigs",
            "DescribeConfigsResourceResult",
            "DescribeConfigsSynonym",
            "AlterableConfig",
        )),
        ("KeyValue", "key"),
        ("KeyValue", "value"),
    },
    "a quota": {("ValueData", "key"), ("OpData", "key")},
    "a user": {
        ("UserName", "name"),
        ("ScramCredentialDeletion", "name"),
        ("ScramCredentialUpsertion", "name"),
    },
    "what an application stores with an offset": {
        ("OffsetFetchResponsePartition", "metadata"),
        ("OffsetFetchResponsePartitions", "metadata"),
    },
    "the host of an access control entry": {
        ("AclDescription", "host"),
        ("AclCreation", "host"),
        ("DeleteAclsMatchingAcl", "host"),
    },
    "where an application answers": {("Endpoint", "host")},
    "a directory": {("DirectoryData", "id")},
}  # fmt: skip
# Addresses in APIs that no client may use: there is nothing to point to instead.
BETWEEN_BROKERS = {
    ApiKey.LEADER_AND_ISR: "host_name",
    ApiKey.UPDATE_METADATA: "host v0_host",
    ApiKey.VOTE: "host",
    ApiKey.BEGIN_QUORUM_EPOCH: "name host",
    ApiKey.END_QUORUM_EPOCH: "name host",
    ApiKey.DESCRIBE_QUORUM: "name host",
    ApiKey.FETCH_SNAPSHOT: "host",
    ApiKey.BROKER_REGISTRATION: "name host",
    ApiKey.CONTROLLER_REGISTRATION: "name host",
    ApiKey.ADD_RAFT_VOTER: "name host",
    ApiKey.UPDATE_RAFT_VOTER: "name host",
}
# What the name of a field with a role looks like.
SPELLINGS = {
    Role.TOPIC: r"name|topic|topics|topic_names?|subscribed_topic_names|(source|.*_sink)_topics",
    Role.TOPIC_ID: r"topic_id",
    Role.GROUP: r"groups?|group_ids?|groups_names",
    Role.TRANSACTIONAL_ID: r"(.*_)?transactional_ids?",
    Role.TOPIC_PATTERN: r".*_topic_regex",
    Role.TRANSACTIONAL_ID_PATTERN: r"transactional_id_pattern",
    Role.TEXT: r"(.*_)?error_message|status_detail",
    Role.CONDITIONAL: r"key|coordinator_keys|resource_name(_filter)?",
    Role.EMBEDDED: r"(member_)?(metadata|assignment)|metrics|(request|response)_data",
    Role.BROKER: r"(node|broker)_id|host|port",
}
KINDS = {
    Role.TOPIC_ID: {Kind.UUID},
    Role.EMBEDDED: {Kind.BYTES},
    Role.BROKER: {Kind.INT32, Kind.STRING},
}


@dataclass(frozen=True)
class Place:
    """A field and where it stands."""

    key: ApiKey
    struct: type[Struct]
    field: Field

    def __str__(self) -> str:
        return f"{self.key.name} {self.struct.__qualname__}.{self.field.name}"

    @property
    def kind(self) -> object:
        """The kind of the field, or of the elements of an array."""
        return self.field.element if self.field.kind is Kind.ARRAY else self.field.kind


def places(key: ApiKey, struct: type[Struct]) -> Iterator[Place]:
    """All fields of a message that are not structs, each where it stands first."""
    for field in struct.FIELDS:
        if isinstance(field.element, type):
            yield from places(key, field.element)
        else:
            yield Place(key, struct, field)


PLACES = [
    place
    for key, api in SUPPORTED.items()
    for message in (api.request, api.response)
    for place in places(key, message)
]


def _holds_no_name(place: Place) -> bool:
    name = place.field.name
    return (
        any(name in names.split() for names in HARMLESS.values())
        or any((place.struct.__name__, name) in names for names in HARMLESS_IN.values())
        or name in BETWEEN_BROKERS.get(place.key, "").split()
    )


def test_whatever_can_hold_a_name_has_a_role() -> None:
    texts = [p for p in PLACES if p.kind in (Kind.STRING, Kind.BYTES, Kind.UUID)]
    assert len(texts) > 500
    without = [p for p in texts if p.field.role is None]
    assert [str(p) for p in without if not _holds_no_name(p)] == []


def test_no_exception_is_left_over() -> None:
    without = [p for p in PLACES if p.field.role is None]
    fields = {p.field.name for p in without}
    assert {name for names in HARMLESS.values() for name in names.split()} <= fields
    pairs = {(p.struct.__name__, p.field.name) for p in without}
    assert {pair for names in HARMLESS_IN.values() for pair in names} <= pairs
    hidden = {(p.key, p.field.name) for p in without}
    assert {(k, name) for k, names in BETWEEN_BROKERS.items() for name in names.split()} <= hidden


def test_harmless_names_are_harmless_everywhere() -> None:
    names = {name for names in HARMLESS.values() for name in names.split()}
    assert [str(p) for p in PLACES if p.field.role is not None and p.field.name in names] == []


@pytest.mark.parametrize("role", Role, ids=lambda role: role.name)
def test_roles_are_on_fields_that_can_have_them(role: Role) -> None:
    having = [place for place in PLACES if place.field.role is role]
    assert having
    for place in having:
        assert re.fullmatch(SPELLINGS[role], place.field.name), str(place)
        assert place.kind in KINDS.get(role, {Kind.STRING}), str(place)


def test_spellings_of_names_have_no_other_role() -> None:
    for place in PLACES:
        for role in (Role.TOPIC_ID, Role.TRANSACTIONAL_ID, Role.TOPIC_PATTERN, Role.TEXT):
            if re.fullmatch(SPELLINGS[role], place.field.name):
                assert place.field.role is role or place.kind is Kind.INT16, str(place)


def test_a_broker_is_a_node_id_a_host_and_a_port() -> None:
    structs = {p.struct for p in PLACES if p.field.role is Role.BROKER}
    assert len(structs) >= 7
    for struct in structs:
        first, *rest = [i for i, f in enumerate(struct.FIELDS) if f.role is Role.BROKER]
        assert rest == [first + 1, first + 2], struct.__qualname__
        node, host, port = struct.FIELDS[first : first + 3]
        assert (host.name, port.name) == ("host", "port")
        assert (node.kind, host.kind, port.kind) == (Kind.INT32, Kind.STRING, Kind.INT32)
        assert node.versions == host.versions == port.versions
