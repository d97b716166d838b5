"""One snapshot, changed in turn."""

import pytest

from sidecar.control.state import ControlState
from sidecar.model.alias_topic import AliasTopic
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
