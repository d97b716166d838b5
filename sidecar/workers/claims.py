"""What a worker knows of virtual clusters: the first process decides about each first use."""

from collections.abc import Callable
from typing import Final

from gevent.event import Event

from sidecar.model.identity import AuthenticationFailed, Identity
from sidecar.model.names import PASSTHROUGH
from sidecar.workers.messages import Claim, Claimed

ANSWER_SECONDS: Final = 5.0
"""How long a client that authenticates waits for the first process."""


class Claims:
    """Asks for virtual clusters and remembers those that are granted, until told to forget.

    Args:
        ask: sends a question to the first process.
        answer_seconds: how long to wait for its answer.
    """

    def __init__(
        self, ask: Callable[[Claim], None], answer_seconds: float = ANSWER_SECONDS
    ) -> None:
        self._ask = ask
        self._answer_seconds = answer_seconds
        self._granted: set[str] = {PASSTHROUGH}
        self._pending: dict[str, _Question] = {}

    def admit(self, identity: Identity) -> None:
        """Ask for a client; waits on the greenlet that calls it. Raises AuthenticationFailed."""
        virtual_cluster = identity.virtual_cluster
        if virtual_cluster in self._granted:
            return
        question = self._pending.get(virtual_cluster)
        if question is None:
            question = self._pending[virtual_cluster] = _Question()
            self._ask(Claim(virtual_cluster))
        question.answered.wait(self._answer_seconds)
        if virtual_cluster in self._granted:
            return
        if self._pending.get(virtual_cluster) is question:
            del self._pending[virtual_cluster]  # the next client asks anew
        raise AuthenticationFailed(
            question.refusal
            or f"whether virtual cluster {virtual_cluster!r} may be used cannot be told now:"
            " try again"
        )

    def take(self, answer: Claimed) -> None:
        """Wake everybody who waits for this answer."""
        question = self._pending.pop(answer.virtual_cluster, None)
        if answer.refusal is None:
            self._granted.add(answer.virtual_cluster)
        if question is not None:
            question.refusal = answer.refusal
            question.answered.set()

    def forget(self, virtual_cluster: str) -> None:
        """Ask again from now on; also who has been granted it but has not gone on yet."""
        self._granted.discard(virtual_cluster)


class _Question:
    """One that the first process has not answered yet, and what it will say."""

    __slots__ = ("answered", "refusal")

    def __init__(self) -> None:
        self.answered = Event()
        self.refusal: str | None = None
