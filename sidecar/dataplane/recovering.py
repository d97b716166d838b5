"""How long clients go without success on a partition because of what was injected.

A recovery opens with the first injected error on a topic-partition, and closes with the next answer
about it that has none, whichever connection of the client it comes on. While one is open the
client's Produce or Fetch requests are looked at (`Injector.wants`); otherwise nothing is.

A client is who has the same identity and client id: it may come back on another connection.
"""

from collections.abc import Callable, Iterable
from typing import Final
from weakref import WeakValueDictionary, ref

from codec.api_keys import ApiKey
from sidecar.faults.base import Place
from sidecar.model.identity import Identity
from sidecar.model.injection import DRAWN, Injection
from sidecar.model.observation import FETCH, PRODUCE, Ended

PATIENCE: Final = 300.0
"""Seconds without success after which a recovery is given up; producers give up after 120."""
MAX_OPEN: Final = 10_000
"""Open recoveries in this process; beyond, the oldest is given up."""

_API: Final = {PRODUCE: ApiKey.PRODUCE, FETCH: ApiKey.FETCH}
_NOBODY: Final[dict[Place, "_Open"]] = {}


class _Open:
    """A recovery that has not ended."""

    __slots__ = ("broker_id", "client", "errors", "first", "refreshes", "retries", "since")

    def __init__(self, client: "ClientRecoveries", first: Injection, since: float) -> None:
        self.client = client
        self.first = first
        self.broker_id = first.broker_id
        self.since = since
        self.errors = 1
        self.retries = 0
        self.refreshes = client.refreshes


class ClientRecoveries:
    """Those of one client. Its connections share it.

    Args:
        owner: told of every change.
        client_id: empty where it has none.
    """

    def __init__(self, owner: "Recoveries", client_id: str) -> None:
        self._owner = owner
        self.client_id = client_id
        self.produce: dict[Place, _Open] = {}
        """Open ones by topic and partition, as the client calls them."""
        self.fetch: dict[Place, _Open] = {}
        self.refreshes = 0
        """Metadata requests so far."""
        self._watchers: list[ref[Watcher]] = []

    def watched(self, watcher: "Watcher") -> None:
        """From now on a connection hears of changes, as long as it is there."""
        there = [each for each in self._watchers if each() is not None]
        self._watchers = [*there, ref(watcher)]

    def changed(self, api_key: ApiKey) -> None:
        """The first of an API has opened, or the last has closed."""
        for each in self._watchers:
            watcher = each()
            if watcher is not None:
                watcher.changed(api_key)

    def opens(self, api_key: int) -> dict[Place, _Open]:
        """The open ones of this API."""
        if api_key == ApiKey.PRODUCE:
            return self.produce
        return self.fetch if api_key == ApiKey.FETCH else _NOBODY

    def failed(self, place: Place, first: Injection, now: float, *, retry: bool) -> None:
        """An error was injected, on record already.

        Args:
            first: the injection, or one that differs from it in numbers only.
            retry: whether the request counts as one more try.
        """
        opens = self.produce if first.api == PRODUCE else self.fetch
        known = opens.get(place)
        if known is None:
            self._owner.open(_Open(self, first, now), opens, place)
            return
        known.errors += 1
        known.retries += retry

    def told(self, injections: Iterable[Injection], now: float, *, forwarded: bool) -> None:
        """Injections were recorded; those that are errors on a topic-partition count.

        Args:
            forwarded: whether the request was, and so has been counted as a retry already.
        """
        for each in injections:
            if (
                each.error_code
                and each.api in (PRODUCE, FETCH)
                and each.acks != 0  # whose success nobody is told of
                and each.topic is not None
                and each.partition is not None
            ):
                retry = each.reason == DRAWN and not forwarded
                self.failed((each.topic, each.partition), each, now, retry=retry)

    def succeeded(self, opens: dict[Place, _Open], place: Place, now: float) -> None:
        """An answer without error leaves; `opens` is one of this client's."""
        known = opens.pop(place, None)
        if known is not None:
            self._owner.close(known, place, now, recovered=True)


class Watcher:
    """A connection of a client.

    Args:
        changed: told which requests have to be looked at, or have not any more.
    """

    __slots__ = ("__weakref__", "changed")

    def __init__(self, changed: Callable[[ApiKey], None]) -> None:
        self.changed = changed


class Recoveries:
    """All of this process.

    Args:
        tell: given each that has ended; must not wait.
    """

    def __init__(self, tell: Callable[[Ended], None]) -> None:
        self._tell = tell
        self._clients: WeakValueDictionary[tuple[str, str, str], ClientRecoveries] = (
            WeakValueDictionary()
        )
        self._open: dict[_Open, tuple[dict[Place, _Open], Place]] = {}
        """In the order in which they opened."""

    def __len__(self) -> int:
        return len(self._open)

    def client(self, who: Identity, client_id: str | None) -> ClientRecoveries:
        """Those of a client, which may be none."""
        key = (who.virtual_cluster, who.username, client_id or "")
        found = self._clients.get(key)
        if found is None:
            found = self._clients[key] = ClientRecoveries(self, key[2])
        return found

    def open(self, recovery: _Open, opens: dict[Place, _Open], place: Place) -> None:
        """One begins."""
        if len(self._open) >= MAX_OPEN:
            oldest = next(iter(self._open))
            self._give_up(oldest, recovery.since)
        news = not opens
        opens[place] = recovery
        self._open[recovery] = opens, place
        if news:
            recovery.client.changed(_API[recovery.first.api])

    def close(self, recovery: _Open, place: Place, now: float, *, recovered: bool) -> None:
        """One has ended, and is not among its client's any more."""
        opens, _ = self._open.pop(recovery)
        if not opens:
            recovery.client.changed(_API[recovery.first.api])
        self._tell(
            Ended(
                recovery.first,
                place,
                now,
                recovered,
                max(0.0, now - recovery.since),
                recovery.errors,
                recovery.retries,
                recovery.client.refreshes - recovery.refreshes,
            )
        )

    def expire(self, now: float) -> None:
        """Give up those that are older than anybody's patience."""
        while self._open:
            oldest = next(iter(self._open))
            if now - oldest.since < PATIENCE:
                return
            self._give_up(oldest, now)

    def _give_up(self, recovery: _Open, now: float) -> None:
        opens, place = self._open[recovery]
        del opens[place]
        self.close(recovery, place, now, recovered=False)
