"""What members of groups tell each other: topics are the client's own, whatever the version."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import pytest

import codec
from codec.messages.describe_groups import DescribeGroupsRequest, DescribeGroupsResponse
from codec.messages.join_group import JoinGroupRequest, JoinGroupResponse
from codec.messages.sync_group import SyncGroupRequest, SyncGroupResponse
from sidecar.dataplane.tenancy.edits import members
from tests.support.conversation import Conversation

JOINS, SYNCS, DESCRIBES = range(10), range(6), range(7)
TYPE_IN_SYNC = 5
CARS, TRUCKS = "cars", "trucks"
ALIASES = {"shared": "elsewhere"}


def texts(names: Sequence[str]) -> list[bytes]:
    return [struct.pack(">h", len(name)) + name.encode() for name in names]


def array(elements: list[bytes]) -> bytes:
    return struct.pack(">i", len(elements)) + b"".join(elements)


def subscription(*names: str) -> bytes:
    """Version 1, with the topics owned as well, and a name in the user data that stays."""
    owned = [text + array([bytes(4)]) for text in texts(names)]
    return b"\0\1" + array(texts(names)) + b"\0\0\0\4cars" + array(owned)


def assignment(*names: str) -> bytes:
    return b"\0\1" + array([t + array([bytes(4)]) for t in texts(names)]) + b"\0\0\0\4cars"


def joining(version: int, metadata: bytes, protocol_type: str = "consumer") -> Conversation:
    protocol = JoinGroupRequest.JoinGroupRequestProtocol
    request = JoinGroupRequest(
        group_id="group",
        protocol_type=protocol_type,
        protocols=[protocol(name="range", metadata=metadata), protocol(name="x", metadata=b"")],
    )
    return Conversation(request, version, aliases=ALIASES)


def joined(version: int, metadata: bytes, protocol_type: str = "consumer") -> JoinGroupResponse:
    return JoinGroupResponse(
        protocol_type=protocol_type if version >= 7 else None,
        protocol_name="range",
        members=[JoinGroupResponse.JoinGroupResponseMember(metadata=m) for m in (metadata, b"")],
    )


def syncing(version: int, blob: bytes, protocol_type: str = "consumer") -> Conversation:
    each = SyncGroupRequest.SyncGroupRequestAssignment
    request = SyncGroupRequest(
        group_id="group",
        protocol_type=protocol_type,
        assignments=[each(member_id="a", assignment=blob), each(member_id="b", assignment=b"")],
    )
    return Conversation(request, version, aliases=ALIASES)


def synced(blob: bytes, protocol_type: str = "consumer") -> SyncGroupResponse:
    return SyncGroupResponse(protocol_type=protocol_type, assignment=blob)


def described(*groups: tuple[str, bytes, bytes]) -> DescribeGroupsResponse:
    group = DescribeGroupsResponse.DescribedGroup
    member = group.DescribedGroupMember
    return DescribeGroupsResponse(
        groups=[
            group(
                group_id="teamAgroup",
                protocol_type=kind,
                members=[member(member_metadata=metadata, member_assignment=given)],
            )
            for kind, metadata, given in groups
        ]
    )


@pytest.mark.parametrize("version", JOINS)
def test_join_group(version: int) -> None:
    talk = joining(version, subscription(CARS, TRUCKS, "shared"))

    first, second = talk.sent.protocols
    assert first.metadata == subscription("teamAcars", "teamAtrucks", "elsewhere")
    assert second.metadata == b""
    answer = joined(version, subscription("teamBcars", "teamAcars", "elsewhere", "cars"))
    first, second = talk.heard(answer).members
    assert first.metadata == subscription(CARS, "shared")
    assert second.metadata == b""


@pytest.mark.parametrize("version", JOINS)
def test_join_group_that_failed(version: int) -> None:
    answer = JoinGroupResponse(error_code=79, protocol_type=None, protocol_name="", member_id="m")
    found = joining(version, subscription(CARS)).heard(answer)
    assert (found.error_code, found.member_id, list(found.members)) == (79, "m", [])


@pytest.mark.parametrize("version", SYNCS)
def test_sync_group(version: int) -> None:
    talk = syncing(version, assignment(CARS, TRUCKS, "shared"))

    first, second = talk.sent.assignments
    assert first.assignment == assignment("teamAcars", "teamAtrucks", "elsewhere")
    assert second.assignment == b""
    answer = synced(assignment("teamBcars", "teamAcars", "elsewhere", "cars"))
    assert talk.heard(answer).assignment == assignment(CARS, "shared")


@pytest.mark.parametrize("version", SYNCS)
def test_sync_group_that_failed(version: int) -> None:
    answer = SyncGroupResponse(error_code=27, protocol_type=None, protocol_name=None)
    found = syncing(version, b"").heard(answer)
    assert (found.error_code, found.assignment) == (27, b"")


@pytest.mark.parametrize("version", DESCRIBES)
def test_describe_groups(version: int) -> None:
    talk = Conversation(DescribeGroupsRequest(groups=["group"]), version, aliases=ALIASES)
    names = ("teamBcars", "teamAcars", "elsewhere")
    blobs = (subscription(*names), assignment(*names))

    found = talk.heard(described(("consumer", *blobs), ("connect", *blobs), ("", b"", b"")))

    assert [
        (group.protocol_type, one.member_metadata, one.member_assignment)
        for group in found.groups
        for one in group.members
    ] == [
        ("consumer", subscription(CARS, "shared"), assignment(CARS, "shared")),
        ("connect", *blobs),
        ("", b"", b""),
    ]


@pytest.mark.parametrize("version", JOINS)
def test_other_types_join_as_they_are(version: int) -> None:
    blob = subscription("teamBcars", CARS)
    talk = joining(version, blob, "connect")
    assert talk.sent.protocols[0].metadata == blob
    assert talk.heard(joined(version, blob, "connect")).members[0].metadata == blob


def test_other_types_sync_as_they_are_where_it_is_told() -> None:
    blob = assignment("teamBcars", CARS)
    talk = syncing(TYPE_IN_SYNC, blob, "connect")
    assert talk.sent.assignments[0].assignment == blob
    assert talk.heard(synced(blob, "connect")).assignment == blob


# Beginnings of what Connect's workers and Schema Registry's nodes hand out, and other bytes.
OPAQUE = [
    b"\0\1\0\0\0\x24connect-1-5e0a7b1c-6f0e-4b1e-9c56-0d3f\0\x15http://10.0.0.1:8083/" + bytes(12),
    b'{"error":0,"master":"sr-1-cars","master_identity":{"host":"cars","port":8081}}',
    b"\0",
    bytes(100),
    b"\0\0\0\0\0\1\0\7not all" + array([]) + b"\xff\xff\xff\xff",
]


@pytest.mark.parametrize("blob", OPAQUE)
def test_what_is_no_assignment_comes_back_as_it_went(blob: bytes) -> None:
    for version in SYNCS:
        talk = syncing(version, blob, "connect")
        assert talk.sent.assignments[0].assignment == blob
        assert talk.heard(synced(blob, "connect")).assignment == blob


@pytest.mark.parametrize("version", range(TYPE_IN_SYNC))
def test_a_name_that_no_topic_has_hides_no_other(version: int) -> None:
    """A broker would read it, and must not find names of others."""
    talk = syncing(version, assignment("no topic!", "teamBcars", ""))
    sent = talk.sent.assignments[0].assignment
    assert sent == assignment("no topic!", "teamAteamBcars", "")
    assert talk.heard(synced(sent)).assignment == assignment("no topic!", "teamBcars", "")


@pytest.mark.parametrize("blob", [subscription(CARS)[:-1], b"\xff\xff" + bytes(8), b"noise"])
@pytest.mark.parametrize("version", JOINS)
def test_a_subscription_that_no_broker_reads_comes_back_as_it_went(
    version: int, blob: bytes
) -> None:
    talk = joining(version, blob)
    assert talk.sent.protocols[0].metadata == blob
    assert talk.heard(joined(version, blob)).members[0].metadata == blob


def test_newer_versions_are_mapped_as_brokers_read_them() -> None:
    newer = b"\0\x09" + subscription(CARS)[2:] + bytes(4) + b"\xff\xff" + b"more"
    expected = b"\0\x09" + subscription("teamAcars")[2:] + bytes(4) + b"\xff\xff" + b"more"
    assert joining(9, newer).sent.protocols[0].metadata == expected


def test_too_many_names_are_an_error_and_never_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "MEMBERS_NAME_LIMIT", 4)
    fits, too_long = subscription(CARS, TRUCKS), subscription(CARS, TRUCKS, CARS)
    assert joining(9, fits).sent.protocols[0].metadata == subscription("teamAcars", "teamAtrucks")
    with pytest.raises(codec.DecodeError, match="more than 4 topics"):
        joining(9, too_long)
    with pytest.raises(codec.DecodeError, match="more than 4 topics"):
        joining(9, fits).heard(joined(9, too_long))
    with pytest.raises(codec.DecodeError, match="more than 4 topics"):
        syncing(0, assignment(*[CARS] * 5))
    with pytest.raises(codec.DecodeError, match="more than 4 topics"):
        Conversation(DescribeGroupsRequest(), 0).heard(
            described(("consumer", fits, b""), ("consumer", b"", assignment(CARS)))
        )


def test_too_many_distinct_names_are_an_error_and_never_pass() -> None:
    """The limit of the whole request, which is lower."""
    with pytest.raises(codec.DecodeError, match="more than 100000 names"):
        joining(9, b"\0\0" + array(texts([f"t{n}" for n in range(100_001)])) + b"\xff" * 4)
