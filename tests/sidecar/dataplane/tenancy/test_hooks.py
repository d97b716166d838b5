"""What responses are asked for names and ids, decided without a detour where that is usual."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from codec.schema import ZERO_UUID
from sidecar.dataplane.tenancy.exchange import Exchange
from sidecar.dataplane.tenancy.hooks import Learning
from sidecar.dataplane.tenancy.names import Names
from sidecar.dataplane.tenancy.topic_ids import Masks, TopicDirectory

FIRST, SECOND = b"1" * 16, b"2" * 16


def learning(names: Names, masks: Masks | None = None) -> tuple[Learning, TopicDirectory]:
    """Hooks of a response, and the directory that learns from them."""
    directory = TopicDirectory(b"secret")
    exchange = Exchange(names, directory, masks or Masks(b"secret"))
    return Learning(exchange, lambda _, host, port: (host, port)), directory


@given(
    prefix=st.sampled_from(["", "team", "team.", "t"]),
    aliases=st.sampled_from([{}, {"orders": "shared-orders"}, {"orders": "team.x"}]),
    name=st.lists(
        st.sampled_from([b"", b"t", b"team", b"team.", b"orders", b"shared-orders", b"x", b"\xff"]),
        max_size=3,
    ).map(b"".join),
)
@example(prefix="team", aliases={}, name=b"team")
@example(prefix="team", aliases={}, name=b"teamteam")
@example(prefix="team", aliases={}, name=b"")
@example(prefix="", aliases={}, name=b"team")
def test_topics_are_spelled_as_everywhere(
    prefix: str, aliases: dict[str, str], name: bytes
) -> None:
    names = Names(prefix, aliases)
    hooks, _ = learning(names)
    assert hooks.topic(name) == names.logical_topic(name)


@pytest.mark.parametrize("name", [b"team.a", b"other.a", b"shared"])
@pytest.mark.parametrize("aliases", [{}, {"a": "shared"}])
def test_an_id_is_of_the_topic_before_it(name: bytes, aliases: dict[str, str]) -> None:
    hooks, directory = learning(Names("team.", aliases))
    hooks.topic(name)
    assert hooks.topic_id(FIRST) == FIRST
    assert directory.name(FIRST) == name
    # As after a name that is null.
    assert hooks.topic_id(SECOND) == SECOND
    assert directory.name(SECOND) is None
    assert [directory.knows(each) for each in (FIRST, SECOND)] == [True, False]


def test_a_known_id_takes_the_name_before_it_all_the_same() -> None:
    hooks, directory = learning(Names("team."))
    for name in (b"team.a", b"team.b"):
        hooks.topic(name)
        hooks.topic_id(FIRST)
    assert directory.name(FIRST) == b"team.a"
    hooks.topic_id(SECOND)
    assert directory.name(SECOND) is None


def test_no_id_is_nothing_to_learn() -> None:
    hooks, directory = learning(Names("team."))
    hooks.topic(b"team.a")
    assert hooks.topic_id(ZERO_UUID) == ZERO_UUID
    assert not directory.knows(ZERO_UUID)


def test_masked_ids_come_back_as_they_were_sent() -> None:
    masks = Masks(b"secret")
    masked = masks.mask(FIRST)
    hooks, _ = learning(Names("team."), masks)
    assert hooks.topic_id(masked) == FIRST
    assert hooks.topic_id(SECOND) == SECOND
