"""Kafka answers a connection's requests in request order, whoever produced the answer."""

from abc import ABC, abstractmethod
from collections import deque
from typing import Any, Final, NamedTuple

from sidecar.dataplane.actions import Chunks
from sidecar.dataplane.fetch_walk import FetchForm

SWALLOWED: Final = object()
"""In the place of `Pending.faults`: the response is dropped, and none comes after it."""


class Pending(NamedTuple):
    """A forwarded request that waits for its response.

    Args:
        correlation_id, api_key, api_version: as the client sent them.
        context: what the request's mapping left for the response's; None to pass it untouched.
        faults: what the injector left for the response; None: nothing.
    """

    correlation_id: int
    api_key: int
    api_version: int
    context: Any = None
    faults: Any = None


class Own(Pending):
    """A question of the sidecar's own among the client's requests; `context` is told the answer.

    Args:
        context: called with the frame of the response, without its size; must not wait.
    """

    __slots__ = ()


class ReplyForm(NamedTuple):
    """What the response to a spliced request usually looks like: one name to replace.

    Args:
        at: offset in the response frame, size field included, at which `raw` must stand.
        raw, new: what is replaced by what.
        least: size the frame must have for `raw` to be in it.
        size: size the frame must have for this to be all there is to replace; 0: any.
        tags: offset of the header's tag count, which must be 0; 0 if there is none to check.
        api_key, api_version, context: as in `Pending`, for a response that is not of this form.
    """

    at: int
    raw: bytes
    new: bytes
    least: int
    size: int
    tags: int
    api_key: int
    api_version: int
    context: Any


class Heeded(ABC):
    """A forwarded request whose answer passes as usual, and is looked at on its way.

    Args:
        correlation_id: as the client sent it.
        at: offset in the response frame, size field included, of its only partition's index, error
            code and base offset.
        size: which the frame must have for them to stand there.
    """

    __slots__ = ("at", "correlation_id", "size", "usual")

    def __init__(self, correlation_id: int, at: int, size: int) -> None:
        self.correlation_id = correlation_id
        self.at = at
        self.size = size
        self.usual: int | tuple[int, ReplyForm] = correlation_id
        """What stands in the queue for such a request otherwise."""

    @abstractmethod
    def told(self, partition: int, error: int, base_offset: int, now: float) -> bool:
        """Take note of the answer; False if it is not about this request's partition."""

    @abstractmethod
    def pending(self) -> Pending:
        """What stands in the queue if the answer is not of that form."""


class ResponseOrder:
    """The answers of one connection: forwarded requests in flight, local answers among them.

    `queue` holds, in request order: a correlation id (its response passes untouched), one with the
    form of its response, a `Pending` (the session sees the response; of an `Own` one
    nobody but who asked), a `Heeded` one, or the buffers of a local answer. The relay works on it
    directly.
    """

    def __init__(self) -> None:
        self.queue: deque[int | tuple[int, ReplyForm | FetchForm] | Pending | Heeded | Chunks] = (
            deque()
        )

    def __len__(self) -> int:
        return len(self.queue)

    def forwarded(self, pending: Pending) -> None:
        """A request went upstream whose response takes the next place."""
        self.queue.append(pending)

    def local(self, chunks: Chunks) -> Chunks:
        """A local answer takes the next place; returns what may leave now (it, or nothing)."""
        if not self.queue:
            return chunks
        self.queue.append(chunks)
        return []

    def expected(self) -> Pending | None:
        """The request whose response comes next from the broker."""
        head = self.queue[0] if self.queue else None
        if isinstance(head, Pending):
            return head
        if isinstance(head, tuple):
            correlation_id, form = head
            return Pending(correlation_id, form.api_key, form.api_version, form.context)
        if head is None or isinstance(head, int | list):
            return None
        return head.pending()

    def is_own(self, frame: memoryview) -> bool:
        """Whether a response (without its size) is to an `Own` question; who asked is told then."""
        own = self.queue[0] if self.queue else None
        if not isinstance(own, Own) or frame[:4] != own.correlation_id.to_bytes(4, "big"):
            return False
        own.context(bytes(frame))
        return True

    def answered(self, chunks: Chunks) -> Chunks:
        """The expected response came; returns it and the local answers that waited behind it."""
        return [*chunks, *self.passed()]

    def passed(self) -> Chunks:
        """The expected response has left whole; returns the local answers that waited behind it."""
        queue = self.queue
        queue.popleft()
        ready: Chunks = []
        while queue and isinstance(queue[0], list):
            ready += queue.popleft()  # type: ignore[arg-type]  # deque elements do not narrow
        return ready
