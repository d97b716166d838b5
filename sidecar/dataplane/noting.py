"""Puts decisions on record, and holds them against the limits of who made them."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from codec.api_keys import ApiKey
from codec.headers import RequestHeader
from sidecar.dataplane.injecting import Injected, Peer, injections
from sidecar.dataplane.sequences import Cause
from sidecar.dataplane.turns import affords, count_injections
from sidecar.model.identity import Identity
from sidecar.model.injection import DRAWN, Injection, Noted

MAX_EVENTS: Final = 1000
"""Topic-partitions of one request that are put on record; larger requests are forwarded."""

Record = Callable[[Sequence[Noted]], bool]
"""Takes note of one decision; False when it cannot, and then nothing is injected."""


class Notes:
    """What is put on record about one client.

    Args:
        peer: the client, as events name it.
        identity: who it is.
        record: see `Record`.
        told: given what was recorded, when, and whether about an answer.
    """

    def __init__(
        self,
        peer: Peer,
        identity: Identity,
        record: Record,
        told: Callable[[Sequence[Injection], float, bool], None],
    ) -> None:
        self._peer = peer
        self._identity = identity
        self.record = record
        self._told = told

    def made(
        self,
        decision: Injected,
        cause: Cause,
        header: RequestHeader,
        message: Any,
        now: float,
        *,
        reason: str = DRAWN,
        response: bool = False,
    ) -> bool:
        """Whether a decision about a decoded message is on record; if not, nothing is done.

        Args:
            response: whether `message` is the answer.
        """
        count = count_injections(decision, ApiKey(header.api_key), message, response=response)
        if count > MAX_EVENTS:
            return False
        limited = reason == DRAWN
        if limited and not affords(cause.stage, count, now):
            return False
        events = injections(
            peer=self._peer,
            identity=self._identity,
            header=header,
            message=message,
            stage=cause.stage,
            draw=cause.draw,
            reason=reason,
            decision=decision,
            now=now,
            response=response,
        )
        if not self.record(events):
            return False
        self._told(events, now, response)
        if limited and cause.stage.budget is not None:
            cause.stage.budget.spend(count, now)
        return True
