"""Draws of an election that numbers them itself: for each partition, or for requests about leaders.

The n-th draw for a partition depends on the seed, the topic, the partition and n only, and the n-th
for a request on the seed and n. With several processes each has numbers of its own.
"""

from collections.abc import Iterable, Iterator
from hashlib import blake2b

from sidecar.faults.base import Asked, Place
from sidecar.faults.draws import draw
from sidecar.faults.marks import Marks
from sidecar.faults.windows import MAX_PARTITIONS


class ElectionDraws:
    """Those of one interceptor.

    Args:
        rate: share of what is drawn, 0 to 1.
        marks: whose numbers they have.
    """

    def __init__(self, rate: float, marks: Marks) -> None:
        self._rate = rate
        self._marks = marks
        self._counts: dict[tuple[str, Place], Iterator[int]] = {}
        self._requests: Iterator[int] | None = None

    def partitions(self, asked: Asked, places: Iterable[Place]) -> list[Place]:
        """Those of which the next draw is below the rate."""
        return [place for place in places if self._chooses(asked, place)]

    def request(self, asked: Asked) -> bool:
        """Whether the next draw for a request is below the rate."""
        if self._requests is None:
            self._requests = self._marks.numbers()
        return draw(asked.seed, next(self._requests)) < self._rate

    def _chooses(self, asked: Asked, place: Place) -> bool:
        counts, key = self._counts, (asked.virtual_cluster, place)
        if key not in counts:
            if len(counts) >= MAX_PARTITIONS:
                counts.clear()
            counts[key] = self._marks.numbers()
        return draw(_seed_of(asked.seed, place), next(counts[key])) < self._rate


def _seed_of(seed: int, place: Place) -> int:
    """The seed of the draws for one partition."""
    topic, partition = place
    text = f"{seed}\0{partition}\0{topic}".encode("utf-8", "surrogateescape")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")
