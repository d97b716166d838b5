"""The items of one kind in the snapshot, by key: made once for each snapshot that changes them."""

from collections.abc import Callable
from typing import Generic, TypeVar

Key = TypeVar("Key")
Item = TypeVar("Item")


class Index(Generic[Key, Item]):
    """Reads without a lock, as the snapshot is read.

    Args:
        read: the items of the current snapshot, in order.
        key: of an item.
        weight: bytes of an item in a listing.
    """

    def __init__(
        self,
        read: Callable[[], tuple[Item, ...]],
        key: Callable[[Item], Key],
        weight: Callable[[Item], int] = lambda _: 0,
    ) -> None:
        self._read = read
        self._key = key
        self._weight = weight
        self._known: tuple[tuple[Item, ...], dict[Key, Item], int] = ((), {}, 0)

    @property
    def items(self) -> dict[Key, Item]:
        """The items by key, in order; not to be changed."""
        return self._current()[1]

    @property
    def bytes(self) -> int:
        """The weights of all of them together."""
        return self._current()[2]

    def remember(self, items: dict[Key, Item], size: int) -> None:
        """Take what a writer has made of the current snapshot, so that nothing is counted anew."""
        now = self._read()
        if now == tuple(items.values()):
            self._known = now, items, size

    def _current(self) -> tuple[tuple[Item, ...], dict[Key, Item], int]:
        known = self._known
        now = self._read()
        if now is not known[0]:
            known = now, {self._key(item): item for item in now}, sum(map(self._weight, now))
            self._known = known
        return known
