"""The token that brokers are shown, for the greenlets of one process: fetched on a thread, by the
first who needs it, and renewed from then on."""

from typing import Any, Final

import gevent
from gevent.event import Event

from sidecar.bearer.keeping import TokenKeeper

_LOOK: Final = 30.0
"""Seconds after which the time is looked at again: the machine may have slept."""
_LEAST: Final = 0.05


class NoToken(OSError):
    """There is no token to show; ``str()`` tells no secret."""


class Tokens:
    """Called by a greenlet for the token to show; waits while it is being fetched.

    Args:
        keeper: has it.
        log: bound logger.

    Raises:
        NoToken: there is none; when called.
    """

    def __init__(self, keeper: TokenKeeper, log: Any) -> None:
        self._keeper = keeper
        self._log = log
        self._fetching: Event | None = None
        self._renewing = False
        self._told = "-"
        """What the log knows: why there is no new token; empty when there is."""

    def __call__(self) -> str:
        """Return the token."""
        keeper = self._keeper
        if not self._renewing:
            self._renewing = True
            gevent.spawn(self._renew)
        if keeper.token is None and not keeper.wait:
            self._fetch().wait()
        token = keeper.token
        if token is None:
            raise NoToken(f"there is no token to show the broker: {keeper.failure}")
        return token.value

    def _fetch(self) -> Event:
        """Have one fetched, unless that is being done; what is set when it is over."""
        if self._fetching is None:
            self._fetching = Event()
            gevent.spawn(self._on_thread, self._fetching)
        return self._fetching

    def _on_thread(self, done: Event) -> None:
        try:
            gevent.get_hub().threadpool.apply(self._keeper.renew)
        finally:
            self._fetching = None
            done.set()
        self._tell()

    def _renew(self) -> None:
        """Renew it in time, for ever."""
        while True:
            self._fetch().wait()
            gevent.sleep(min(_LOOK, max(_LEAST, self._keeper.wait)))

    def _tell(self) -> None:
        token, failure = self._keeper.token, self._keeper.failure
        why = str(failure) if failure is not None else ""
        if why == self._told:
            return
        self._told = why
        left = round(token.expires - self._keeper.now()) if token is not None else 0
        if why:
            self._log.warning("token_not_fetched", cause=why, valid_seconds=left)
        else:
            self._log.info("token_fetched", valid_seconds=left)
