"""Keeps one token for many connections, and renews it before it expires."""

import os
import random
import threading
import time
from collections.abc import Callable
from typing import Final

from sidecar.bearer.asking import path_of
from sidecar.bearer.fetching import Refused, fetch
from sidecar.bearer.source import TokenSource
from sidecar.bearer.token import Token, TokenError

RENEW_AT: Final = 0.8
RENEW_JITTER: Final = 0.05
"""The part of a token's time at which it is renewed, and what may be added at random: Kafka's
`sasl.login.refresh.window.factor` and `.jitter`."""
LOOK_SECONDS: Final = 1.0
"""How often it is looked whether a file with a token has changed."""


class TokenKeeper:
    """The token that counts now. Any thread may ask; `renew` blocks, one at a time.

    Args:
        source: where tokens come from.
        get: gets one; given the source and now.
        clock: seconds since the epoch.
        chance: from 0 to 1.
    """

    def __init__(
        self,
        source: TokenSource,
        get: Callable[[TokenSource, float], Token] = fetch,
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._source = source
        self._get = get
        self._clock = clock
        self._chance = chance
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._due = 0.0
        self._failures = 0
        self._seen: object = None
        self.failure: TokenError | None = None
        """Why the last attempt came to nothing; None: it did not."""

    @property
    def token(self) -> Token | None:
        """The token, as long as it is good."""
        token = self._token
        return token if token is not None and self._clock() < token.expires else None

    def now(self) -> float:
        """Seconds since the epoch, by the clock it goes by."""
        return self._clock()

    @property
    def wait(self) -> float:
        """Seconds until `renew` has something to do; 0: now."""
        return max(0.0, self._due - self._clock())

    def renew(self) -> None:
        """Get another token if it is time; whether that went well, `failure` tells."""
        with self._lock:
            if self.wait:
                return
            now = self._clock()
            seen = self._state()
            if self._token is not None and seen is not None and seen == self._seen:
                # The same file; what is in it may expire, and is replaced by who wrote it.
                self._due = now + LOOK_SECONDS
                if now < self._token.expires:
                    return
            try:
                token = self._get(self._source, now)
            except TokenError as error:
                self._failed(error, now)
                return
            except Exception as error:  # noqa: BLE001 - a bug; what it says may be secret
                self._failed(TokenError(f"asking for it failed, {type(error).__name__}"), now)
                return
            self._seen, self._token = seen, token
            self._failures, self.failure = 0, None
            part = RENEW_AT + RENEW_JITTER * self._chance()
            self._due = now + (token.expires - now) * part if seen is None else now + LOOK_SECONDS

    def get(self) -> Token:
        """Return a token that is good, a new one if it is time; TokenError when there is none."""
        self.renew()
        token = self.token
        if token is None:
            raise self.failure or TokenError("there is no token")
        return token

    def _failed(self, error: TokenError, now: float) -> None:
        source = self._source
        self.failure = error
        if source.is_file:
            self._due = now + LOOK_SECONDS
            return
        pause = min(source.backoff_max, source.backoff * 2 ** min(self._failures, 30))
        if isinstance(error, Refused):
            pause = source.backoff_max
        self._failures += 1
        # Up to a fifth less or more, so that the sidecars of a fleet do not come all at once.
        self._due = now + pause * (0.8 + 0.4 * self._chance())

    def _state(self) -> object:
        """What tells a file from what it was; None for endpoints."""
        if not self._source.is_file:
            return None
        try:
            found = os.stat(path_of(self._source.url))
        except OSError:
            return ()
        return found.st_mtime_ns, found.st_size, found.st_ino
