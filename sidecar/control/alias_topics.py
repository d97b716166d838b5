"""The alias topics: names of virtual clusters for topics that are not below their prefix."""

from sidecar.control.index import Index
from sidecar.control.ports import Claim, TopicSource
from sidecar.control.state import ControlState, in_turn
from sidecar.model.alias_topic import AliasTopic
from sidecar.model.errors import (
    AlreadyExists,
    FailedPrecondition,
    NotFound,
    ResourceExhausted,
    Unavailable,
)

MAX_ALIAS_TOPICS = 2000
"""Keeps a listing below 4 MiB, which is what gRPC clients take, and a change short."""

_Key = tuple[str, str]


class AliasTopicService:
    """Creates and deletes alias topics.

    Args:
        state: where they are published.
        claim: makes a virtual cluster exist; raises DomainError when it may not.
        topics: knows which topics there are.
    """

    def __init__(self, state: ControlState, claim: Claim, topics: TopicSource) -> None:
        self._state = state
        self._claim = claim
        self._topics = topics
        self._index = Index(lambda: state.snapshot.alias_topics, _key)

    @property
    def _items(self) -> dict[_Key, AliasTopic]:
        return self._index.items

    def create(self, wanted: AliasTopic, *, validate_only: bool = False) -> tuple[AliasTopic, bool]:
        """Add `wanted`; return it and whether it was created by this, not there before.

        With `validate_only` nothing is added, but all else is the same.

        Raises:
            AlreadyExists: the logical name leads elsewhere, the virtual cluster has another alias
                for the topic, or it cannot be (as all that `claim` raises).
            FailedPrecondition: the cluster has no such topic.
            ResourceExhausted: there are too many.
            Unavailable: whether the topic exists cannot be told now.
        """
        if self._present(wanted):
            return wanted, False
        self._check_topic(wanted.physical_name)  # may wait, so not in turn
        return self._create(wanted, validate_only=validate_only)

    @in_turn
    def _create(self, wanted: AliasTopic, *, validate_only: bool) -> tuple[AliasTopic, bool]:
        if self._present(wanted):
            return wanted, False
        if len(self._items) >= MAX_ALIAS_TOPICS:
            raise ResourceExhausted(
                f"there are {len(self._items)} alias topics, no more are allowed: delete some"
            )
        self._claim(wanted.virtual_cluster, validate_only=validate_only)
        if not validate_only:
            self._commit({**self._items, _key(wanted): wanted})
        return wanted, True

    def get(self, virtual_cluster: str, logical_name: str) -> AliasTopic:
        """Return one alias, or raise NotFound."""
        found = self._items.get((virtual_cluster, logical_name))
        if found is None:
            raise NotFound(
                f"there is no alias topic {logical_name!r} in virtual cluster {virtual_cluster!r}"
            )
        return found

    def list(self, virtual_cluster: str | None = None) -> tuple[AliasTopic, ...]:
        """Return those of one virtual cluster, or all for None, in order of creation."""
        return tuple(
            alias
            for alias in self._items.values()
            if virtual_cluster in (None, alias.virtual_cluster)
        )

    @in_turn
    def delete(
        self, virtual_cluster: str, logical_name: str, *, allow_missing: bool = False
    ) -> None:
        """Remove an alias, or raise NotFound unless `allow_missing`. The topic stays."""
        if allow_missing and (virtual_cluster, logical_name) not in self._items:
            return
        present = self.get(virtual_cluster, logical_name)
        self._commit({k: item for k, item in self._items.items() if item is not present})

    @in_turn
    def purge(self, virtual_cluster: str) -> int:
        """Remove all of a virtual cluster's at once; return how many there were."""
        others = {key: item for key, item in self._items.items() if key[0] != virtual_cluster}
        gone = len(self._items) - len(others)
        if gone:
            self._commit(others)
        return gone

    def _present(self, wanted: AliasTopic) -> bool:
        """Return whether `wanted` is there, or refuse what is in its way."""
        present = self._items.get(_key(wanted))
        if present == wanted:
            return True
        if present is not None:
            raise AlreadyExists(
                f"alias topic {wanted.logical_name!r} of virtual cluster"
                f" {wanted.virtual_cluster!r} leads to {present.physical_name!r}: delete it first"
            )
        for other in self.list(wanted.virtual_cluster):
            if other.physical_name == wanted.physical_name:
                raise AlreadyExists(
                    f"virtual cluster {wanted.virtual_cluster!r} reaches topic"
                    f" {wanted.physical_name!r} as {other.logical_name!r} already:"
                    " a topic has one name there"
                )
        return False

    def _check_topic(self, physical_name: str) -> None:
        # The reference's words, which scripts look for.
        exists = self._topics.exists(physical_name)
        if exists is None:
            raise Unavailable(
                f"Error when calling backend kafka to verify if topic named {physical_name} exists"
            )
        if not exists:
            raise FailedPrecondition(
                f"Physical topic named {physical_name} does not exist in your kafka cluster"
            )

    def _commit(self, items: dict[_Key, AliasTopic]) -> None:
        self._state.commit(alias_topics=tuple(items.values()))


def _key(alias: AliasTopic) -> _Key:
    return alias.virtual_cluster, alias.logical_name
