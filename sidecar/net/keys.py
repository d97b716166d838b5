"""Keys of bearer tokens, from where an identity provider publishes them (a JWK set, RFC 7517).

They are fetched again and again, and when a token comes that is signed with another key. Fetching
is done by the hub's threads, in each process for itself, as with certificates.
"""

import ssl
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final, Generic, TypeVar
from urllib.parse import urlsplit

import gevent
from gevent.event import Event

from sidecar.bearer.asking import AskFailed, ask, bounded, path_of, read_file

MAX_BYTES: Final = 1024 * 1024
"""Of a JWK set; a key has some hundred."""
FETCH_SECONDS: Final = 10.0
"""How long connecting may take, and then the whole answer."""
LEAST_PAUSE: Final = 2.0
"""Seconds from one fetch to the next, whatever tokens come: who makes them up decides nothing."""
PATIENCE: Final = 5.0
"""Seconds that a client with an unknown key waits for newer ones."""

Keys = TypeVar("Keys")


class FetchFailed(Exception):
    """Keys cannot be had now; never tells the URL, which may hold a secret."""


class KeyFollower(Generic[Keys]):
    """The newest keys there are; those before stay where fetching fails.

    Args:
        fetch: gives a JWK set; blocks, and is called on a thread. Raises FetchFailed.
        parse: makes keys of it, there too; raises ValueError.
        refresh: seconds between two fetches.
        retry, max_retry: seconds after one that failed: at first, and at most.
        log: bound logger.
    """

    def __init__(
        self,
        fetch: Callable[[], bytes],
        parse: Callable[[bytes], Keys],
        *,
        refresh: float,
        retry: float,
        max_retry: float,
        log: Any,
    ) -> None:
        self._fetch = fetch
        self._parse = parse
        self._refresh = refresh
        self._retry = retry
        self._max_retry = max_retry
        self._log = log
        self._wanted = Event()
        self._running: Event | None = None
        self._next = Event()
        self._failing = False
        self.keys: Keys | None = None
        """None: none yet."""

    def start(self) -> "gevent.Greenlet[[], None]":
        """Follow until the greenlet is killed."""
        return gevent.spawn(self._run)

    def renew(self) -> None:
        """Wait for a fetch that is running, or else for the next, which comes soon; bounded."""
        self._wanted.set()
        (self._running or self._next).wait(PATIENCE)

    def _run(self) -> None:
        delay = self._retry
        while True:
            done, self._next = self._next, Event()
            self._running = done
            self._wanted.clear()
            fetched = gevent.get_hub().threadpool.apply(self._attempt)
            self._running = None
            self._take(fetched)
            done.set()
            if self._failing:
                gevent.sleep(delay)
                delay = min(2 * delay, self._max_retry)
            else:
                delay = self._retry
                gevent.sleep(min(LEAST_PAUSE, self._refresh))
                self._wanted.wait(max(0.0, self._refresh - LEAST_PAUSE))

    def _attempt(self) -> Keys | Exception:
        """Keys, or why there are none. On a thread."""
        try:
            return self._parse(self._fetch())
        except Exception as error:  # noqa: BLE001 - nothing ends the following of keys
            return error

    def _take(self, fetched: Keys | Exception) -> None:
        if isinstance(fetched, Exception):
            if not self._failing:
                told = isinstance(fetched, FetchFailed | ValueError)
                cause = str(fetched) if told else type(fetched).__name__
                self._log.warning("jwks_unavailable", cause=cause)
            self._failing = True
            return
        if self._failing or self.keys is None:
            self._log.info("jwks_loaded")
        self._failing = False
        self.keys = fetched


def fetcher(url: str) -> Callable[[], bytes]:
    """What gets the text at a URL of scheme http, https or file; see `KeyFollower`."""
    scheme = urlsplit(url).scheme
    context = ssl.create_default_context() if scheme == "https" else None

    def fetch() -> bytes:
        try:
            if scheme == "file":
                return read_file(path_of(url), MAX_BYTES)
            status, text = ask(
                url,
                {"Accept": "application/json"},
                context=context,
                connect_timeout=FETCH_SECONDS,
                read_timeout=FETCH_SECONDS,
                most=MAX_BYTES,
            )
            if status != HTTPStatus.OK:
                raise FetchFailed(f"HTTP status {status}")
            return bounded(text, MAX_BYTES)
        except AskFailed as error:
            raise FetchFailed(str(error)) from None

    return fetch
