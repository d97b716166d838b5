"""Kafka answers a connection's requests in request order, whoever produced the answer."""

from collections import deque
from typing import Any, NamedTuple

from sidecar.dataplane.actions import Chunks


class Pending(NamedTuple):
    """A forwarded request that waits for its response.

    Args:
        correlation_id, api_key, api_version: as the client sent them.
        context: what the request's mapping left for the response's; None to pass it untouched.
    """

    correlation_id: int
    api_key: int
    api_version: int
    context: Any = None


class ResponseOrder:
    """The answers of one connection: forwarded requests in flight, local answers among them."""

    def __init__(self) -> None:
        self._queue: deque[Pending | Chunks] = deque()

    def __len__(self) -> int:
        return len(self._queue)

    def forwarded(self, pending: Pending) -> None:
        """A request went upstream whose response takes the next place."""
        self._queue.append(pending)

    def local(self, chunks: Chunks) -> Chunks:
        """A local answer takes the next place; returns what may leave now (it, or nothing)."""
        if not self._queue:
            return chunks
        self._queue.append(chunks)
        return []

    def expected(self) -> Pending | None:
        """The request whose response comes next from the broker."""
        head = self._queue[0] if self._queue else None
        return head if isinstance(head, Pending) else None

    def answered(self, chunks: Chunks) -> Chunks:
        """The expected response came; returns it and the local answers that waited behind it."""
        self._queue.popleft()
        ready = list(chunks)
        while self._queue and not isinstance(self._queue[0], Pending):
            ready.extend(self._queue.popleft())
        return ready
