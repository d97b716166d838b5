"""Who a mapping speaks of, and what it adds."""

import pytest

from sidecar.model.errors import InvalidArgument
from sidecar.model.identity import Identity
from sidecar.model.user_mapping import UserMapping, mapped

ALICE = UserMapping("teamA", "alice", "CN=alice", frozenset({"dev"}))


def test_the_principal_is_the_username_unless_given() -> None:
    assert UserMapping("teamA", "alice").principal == "alice"
    assert UserMapping("teamA", "alice") == UserMapping("teamA", "alice", "alice")
    assert ALICE.principal == "CN=alice"


def test_everything_wrong_is_told_at_once() -> None:
    with pytest.raises(InvalidArgument) as refusal:
        UserMapping("_", "a/b", "x" * 513, frozenset({"ok", "g/h", ""}))

    assert [(v.field, v.description) for v in refusal.value.violations] == [
        (
            "virtual_cluster",
            "virtual_cluster is '_', names that begin with '_' are reserved:"
            " those of Kafka's internal topics do",
        ),
        ("username", "username is 'a/b', allowed are printable characters without '/'"),
        ("principal", "principal has 513 characters, at most 512 are allowed"),
        ("groups[0]", "groups[0] must not be empty"),
        ("groups[1]", "groups[1] is 'g/h', allowed are printable characters without '/'"),
    ]


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        (
            Identity("CN=alice", "teamA"),
            Identity("CN=alice", "teamA", frozenset({"dev"}), frozenset({"alice"})),
        ),
        (Identity("alice", "teamA"), Identity("alice", "teamA", frozenset({"dev"}))),
        (
            Identity("alice", "teamA", frozenset({"ops"})),
            Identity("alice", "teamA", frozenset({"ops", "dev"})),
        ),
        (Identity("alice", "teamB"), Identity("alice", "teamB")),
        (Identity("alice"), Identity("alice")),
        (Identity("bob", "teamA"), Identity("bob", "teamA")),
    ],
)
def test_a_mapping_adds_to_its_user_in_its_virtual_cluster(
    who: Identity, expected: Identity
) -> None:
    assert mapped(who, [ALICE]) == expected


def test_several_mappings_of_one_user_add_up() -> None:
    also = UserMapping("teamA", "bot", "CN=alice", frozenset({"ops"}))

    assert mapped(Identity("CN=alice", "teamA"), [ALICE, also]) == Identity(
        "CN=alice", "teamA", frozenset({"dev", "ops"}), frozenset({"alice", "bot"})
    )
