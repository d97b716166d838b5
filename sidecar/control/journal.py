"""The memory of what was done and seen: injections and their counts, and observations."""

from sidecar.control.ring import Ring
from sidecar.model.injection import Injection, Noted
from sidecar.model.observation import Observation, Observed

Entry = tuple[int, Injection]
"""``(sequence, injection)``; the sequence counts from 1 without holes."""


class Journal(Ring[Noted, Injection]):
    """Keeps the latest `capacity` injections and counts all of them.

    `publish` and `skip` belong to one thread, the hub's; everything else may be called from any.

    Args:
        capacity: of this, and of the observations.
    """

    def __init__(self, capacity: int = 10_000) -> None:
        super().__init__(_whole, capacity)
        self._counts: dict[str, int] = {}
        self.observations: Ring[Observed, Observation] = Ring(_observation, capacity)
        """Has sequences of its own."""

    def publish(self, item: Noted) -> None:
        """Remember and count an injection, wake who waits for it. Never blocks, takes no lock."""
        uid = item.interceptor_uid
        self._counts[uid] = self._counts.get(uid, 0) + 1
        super().publish(item)

    def skip(self, uid: str, count: int) -> None:
        """Count injections that will never be known any closer; readers find a gap."""
        self._counts[uid] = self._counts.get(uid, 0) + count
        self.pass_over(count)

    def count(self, uid: str) -> int:
        """Return how many injections the interceptor with this uid has caused."""
        return self._counts.get(uid, 0)

    def forget(self, uid: str) -> None:
        """Drop the counter of an interceptor that is gone."""
        self._counts.pop(uid, None)

    def close(self) -> None:
        """Close every subscription, so that whoever waits on one comes back."""
        super().close()
        self.observations.close()


def _whole(noted: Noted) -> Injection:
    return noted.whole()


def _observation(seen: Observed) -> Observation:
    return seen.whole()
