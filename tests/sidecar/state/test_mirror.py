"""A store's texts and the snapshot they are a picture of."""

import itertools
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.model.alias_topic import AliasTopic
from sidecar.model.snapshot import Snapshot
from sidecar.model.user_mapping import UserMapping
from sidecar.state.mirror import FIELDS, Mirror
from tests.sidecar.state.test_documents import FULL

SNAPSHOT = Snapshot(
    interceptors=(replace(FULL, name="b"), replace(FULL, name="a")),
    user_mappings=(UserMapping("teamA", "zoe"), UserMapping("teamA", "al")),
    alias_topics=(AliasTopic("teamA", "orders", "shared"),),
    virtual_clusters=("teamA", "blue"),
    halted=True,
    signing_key_id="k1",
)


class Fixture:
    def __init__(self) -> None:
        self.refused: list[tuple[str, str]] = []
        ticks = itertools.count(1)
        self.mirror = Mirror(lambda: float(next(ticks)), lambda *each: self.refused.append(each))

    def save(self, wanted: Snapshot) -> dict[str, str | None]:
        changes = self.mirror.missing(wanted)
        self.mirror.take(changes.items())
        return changes


def loaded(texts: dict[str, str]) -> Snapshot:
    other = Fixture()
    # Whatever order a store gives them back in.
    other.mirror.take(sorted(texts.items(), reverse=True))
    assert other.refused == []
    return Snapshot(**other.mirror.fields(FIELDS))


def test_another_process_reads_what_one_has_saved_in_its_order() -> None:
    fixture = Fixture()
    fixture.save(SNAPSHOT)

    assert loaded(fixture.mirror.texts) == SNAPSHOT
    assert fixture.save(SNAPSHOT) == {}


def test_only_what_changes_is_written() -> None:
    fixture = Fixture()
    fixture.save(SNAPSHOT)
    changed = replace(SNAPSHOT.interceptors[1], priority=1)
    wanted = replace(
        SNAPSHOT, interceptors=(SNAPSHOT.interceptors[0], changed), alias_topics=(), halted=False
    )

    changes = fixture.save(wanted)

    assert set(changes) == {
        '["interceptor","teamA","dev","","a"]',
        '["alias-topic","teamA","orders"]',
        '["halted"]',
    }
    assert changes['["alias-topic","teamA","orders"]'] is None
    assert loaded(fixture.mirror.texts) == wanted


def test_nothing_is_written_of_an_empty_state() -> None:
    assert Fixture().save(Snapshot(revision=7)) == {}


def test_what_others_change_is_told_by_field() -> None:
    fixture = Fixture()
    fixture.save(SNAPSHOT)
    other = Fixture()
    other.mirror.take(fixture.mirror.texts.items())
    mapping = UserMapping("blue", "new")

    changes = other.save(replace(SNAPSHOT, user_mappings=(*SNAPSHOT.user_mappings, mapping)))

    assert fixture.mirror.take(changes.items()) == {"user_mappings"}
    assert fixture.mirror.fields(["user_mappings"])["user_mappings"][-1] == mapping
    assert fixture.mirror.take([('["halted"]', None), ('["nothing"]', None)]) == {"halted"}
    assert fixture.mirror.fields(["halted"]) == {"halted": False}


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ('["interceptor","","","","x"]', '{"version":2,"created":1,"interceptor":{}}'),
        ('["interceptor","","","","x"]', '{"version":1,"created":1,"interceptor":{"hue":1}}'),
        ('["interceptor","","","","x"]', '{"version":1,"created":1}'),
        ('["weather"]', '{"version":1,"created":1,"weather":"fine"}'),
        ('["halted"]', '{"version":1,"created":1,"halted":"yes"}'),
        ("3", "{}"),
        ("[[]]", "{}"),
        ("", ""),
        ("\x00", "[" * 5000),
    ],
)
def test_what_cannot_be_read_is_told_and_left_alone(key: str, text: str) -> None:
    fixture = Fixture()
    fixture.save(SNAPSHOT)

    fixture.mirror.take([(key, text)])

    assert [each[0] for each in fixture.refused] == [key]
    assert fixture.mirror.texts[key] == text
    kept = fixture.mirror.fields(FIELDS)
    assert kept["interceptors"] == SNAPSHOT.interceptors
    assert fixture.mirror.missing(replace(SNAPSHOT, halted=kept["halted"])).get(key, "") is not None


@given(st.text(), st.text())
def test_no_text_makes_it_raise(key: str, text: str) -> None:
    Fixture().mirror.take([(key, text), (json.dumps([key]), text), ('["halted"]', text)])


NAMES = st.lists(st.sampled_from("abcdef"), unique=True)


@given(st.lists(NAMES, max_size=6))
def test_any_sequence_of_states_leaves_the_last_one(states: list[list[str]]) -> None:
    fixture = Fixture()
    last = Snapshot()
    for names in states:
        last = Snapshot(user_mappings=tuple(UserMapping("t", name) for name in names))
        fixture.save(last)

    assert set(loaded(fixture.mirror.texts).user_mappings) == set(last.user_mappings)
