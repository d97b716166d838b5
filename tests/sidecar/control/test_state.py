"""One snapshot, changed in turn."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from sidecar.control.ports import Outrun
from sidecar.control.state import ATTEMPTS, ControlState
from sidecar.model.alias_topic import AliasTopic
from sidecar.model.errors import Aborted, Unavailable
from sidecar.model.snapshot import Snapshot
from sidecar.model.user_mapping import UserMapping

ALIAS = AliasTopic("teamA", "orders", "shared")
MAPPING = UserMapping("teamA", "alice")


def test_a_commit_replaces_what_it_names_and_keeps_the_rest() -> None:
    published: list[Snapshot] = []
    state = ControlState(published.append)

    state.commit(alias_topics=(ALIAS,))
    state.commit(user_mappings=(MAPPING,))

    assert published == [
        Snapshot(1, alias_topics=(ALIAS,)),
        Snapshot(2, alias_topics=(ALIAS,), user_mappings=(MAPPING,)),
    ]
    assert state.snapshot is published[-1]


def test_what_was_not_published_is_not_kept() -> None:
    def fail(_: Snapshot) -> None:
        raise RuntimeError("the data plane is gone")

    state = ControlState(fail)
    with pytest.raises(RuntimeError):
        state.commit(alias_topics=(ALIAS,))

    assert state.snapshot == Snapshot()


def test_a_snapshot_is_kept_only_after_it_was_published() -> None:
    seen: list[Snapshot] = []
    state = ControlState(lambda _: seen.append(state.snapshot))

    state.commit(alias_topics=(ALIAS,))

    assert seen == [Snapshot()]


# With a store


class Shared:
    """A store that several states share, as sidecars do; who is behind is outrun."""

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}
        self.version = 0
        self.down = False

    def member(self) -> "Member":
        return Member(self)


class Member:
    """One sidecar's side of it."""

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.known = 0
        self.lacking = False
        self.outrun = 0

    def news(self, *, everything: bool = False) -> Mapping[str, Any] | None:
        if self.known == self.shared.version and not everything:
            return None
        self.known = self.shared.version
        return dict(self.shared.fields)

    def save(self, wanted: Snapshot) -> None:
        if self.shared.down:
            raise Unavailable("the store is away")
        if self.known != self.shared.version:
            self.outrun += 1
            raise Outrun
        self.shared.fields = {
            name: getattr(wanted, name) for name in ("user_mappings", "halted", "virtual_clusters")
        }
        self.shared.version += 1
        self.known = self.shared.version


def test_a_change_that_was_outrun_is_made_on_the_newer_state() -> None:
    shared = Shared()
    mine, theirs = shared.member(), shared.member()
    state, other = ControlState(lambda _: None, mine), ControlState(lambda _: None, theirs)
    tried: list[int] = []

    def change() -> None:
        if not tried:
            other.in_turn(lambda: other.commit(user_mappings=(MAPPING,)))
        tried.append(len(state.snapshot.user_mappings))
        bob = UserMapping("teamA", "bob")
        state.commit(user_mappings=(*state.snapshot.user_mappings, bob))

    state.in_turn(change)

    assert tried == [0, 1]
    assert mine.outrun == 1
    other.refresh()
    assert [m.username for m in other.snapshot.user_mappings] == ["alice", "bob"]


def test_whoever_is_always_outrun_gives_up() -> None:
    shared = Shared()
    state = ControlState(lambda _: None, shared.member())

    def change() -> None:
        shared.version += 1
        state.commit(halted=True)

    with pytest.raises(Aborted, match=f"changed the shared state {ATTEMPTS} times meanwhile"):
        state.in_turn(change)
    assert state.snapshot == replace(Snapshot(), revision=state.snapshot.revision)


def test_what_cannot_be_stored_is_not_done() -> None:
    shared = Shared()
    published: list[Snapshot] = []
    state = ControlState(published.append, shared.member())
    shared.down = True

    with pytest.raises(Unavailable):
        state.in_turn(lambda: state.commit(user_mappings=(MAPPING,)))

    assert published == []
    assert state.snapshot == Snapshot()


def test_what_was_stored_and_not_published_is_published_next() -> None:
    shared = Shared()
    published: list[Snapshot] = []
    broken = [True]

    def publish(snapshot: Snapshot) -> None:
        if broken:
            raise RuntimeError(broken.pop())
        published.append(snapshot)

    state = ControlState(publish, shared.member())
    with pytest.raises(RuntimeError):
        state.in_turn(lambda: state.commit(user_mappings=(MAPPING,)))

    state.in_turn(lambda: state.commit(halted=True))

    assert published[-1].user_mappings == (MAPPING,)
    assert shared.fields["user_mappings"] == (MAPPING,)


def test_halting_works_without_the_store_and_is_told_later() -> None:
    shared = Shared()
    state, other = (
        ControlState(lambda _: None, shared.member()),
        ControlState(lambda _: None, shared.member()),
    )
    other.in_turn(lambda: other.commit(user_mappings=(MAPPING,)))
    shared.down = True

    with pytest.raises(Unavailable, match="this sidecar is halted, others were not told"):
        state.halt()
    assert state.snapshot.halted
    assert state.snapshot.user_mappings == (MAPPING,)
    with pytest.raises(Unavailable):
        state.refresh()
    assert state.snapshot.halted

    shared.down = False
    state.refresh()
    other.refresh()
    assert other.snapshot.halted
    other.halt(False)
    state.refresh()
    assert not state.snapshot.halted


def test_a_store_that_lost_everything_gets_it_again() -> None:
    shared = Shared()
    mine = shared.member()
    state = ControlState(lambda _: None, mine)
    state.in_turn(lambda: state.commit(user_mappings=(MAPPING,)))
    shared.fields, mine.lacking = {}, True

    state.refresh()

    assert shared.fields["user_mappings"] == (MAPPING,)
