"""How many calls are in work at once: each takes its share of the processor from the data plane."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sidecar.model.errors import Refused


class Working:
    """Places for calls in work. Any thread may call it.

    Args:
        places: calls in work at once.
        most: calls in work and waiting for a place; more are refused.
    """

    def __init__(self, places: int, most: int) -> None:
        self._places = threading.BoundedSemaphore(places)
        self._all = threading.BoundedSemaphore(most)
        self._refusal = f"too many control calls at once: {most} are allowed, retry later"

    @contextmanager
    def place(self) -> Iterator[None]:
        """Have a place inside, waiting for one; raise Refused when too many wait."""
        if not self._all.acquire(blocking=False):
            raise Refused("busy", self._refusal)
        try:
            with self._places:
                yield
        finally:
            self._all.release()
