"""Keys of bearer tokens, from where an identity provider publishes them (a JWK set, RFC 7517).

They are fetched again and again, and when a token comes that is signed with another key. Fetching
is done by the hub's threads, in each process for itself, as with certificates.
"""

import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from typing import Any, Final, Generic, TypeVar
from urllib.parse import unquote, urlsplit

import gevent
from gevent.event import Event

MAX_BYTES: Final = 1024 * 1024
"""Of a JWK set; a key has some hundred."""
FETCH_SECONDS: Final = 10.0
"""How long connecting may take, each wait for more, and all that comes after the head."""
LEAST_PAUSE: Final = 2.0
"""Seconds from one fetch to the next, whatever tokens come: who makes them up decides nothing."""
PATIENCE: Final = 5.0
"""Seconds that a client with an unknown key waits for newer ones."""
_RECEIVE: Final = 64 * 1024

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
    parts = urlsplit(url)
    if parts.scheme == "file":
        path = unquote(parts.path)
        return lambda: _read(path)
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=ssl.create_default_context()),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        # No other schemes, and no redirections, which could lead anywhere.
        opener.add_handler(handler)
    request = urllib.request.Request(url, headers={"Accept": "application/json"})
    return lambda: _get(opener, request)


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return _bounded(file.read(MAX_BYTES + 1))
    except OSError as error:
        raise FetchFailed(error.strerror or "the file cannot be read") from None


def _get(opener: urllib.request.OpenerDirector, request: urllib.request.Request) -> bytes:
    deadline = time.monotonic() + FETCH_SECONDS
    text = b""
    try:
        with opener.open(request, timeout=FETCH_SECONDS) as answer:
            while len(text) <= MAX_BYTES and (part := answer.read1(_RECEIVE)):
                text += part
                if time.monotonic() > deadline:
                    raise FetchFailed(f"it has not come in {FETCH_SECONDS:g} s")
    except urllib.error.HTTPError as error:
        with error:
            raise FetchFailed(f"HTTP status {error.code}") from None
    except (OSError, HTTPException, ValueError) as error:
        # An error of http.client may repeat the URL, those of sockets do not.
        reason = getattr(error, "reason", error)
        told = str(reason) if isinstance(reason, OSError) else type(error).__name__
        raise FetchFailed(told) from None
    return _bounded(text)


def _bounded(text: bytes) -> bytes:
    if len(text) > MAX_BYTES:
        raise FetchFailed(f"it has more than {MAX_BYTES} bytes")
    return text
