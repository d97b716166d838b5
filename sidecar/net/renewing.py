"""Shows the sidecar's credentials again on a connection that is relayed, when its broker wants to
see them (KIP-368).

The client notices nothing: between two of its requests the sidecar asks its own questions, whose
answers it keeps. A broker ends a connection whose session is over when it reads the next request
there, so none is passed on from before that time until it has seen the credentials.
"""

import random
import time
from collections.abc import Callable
from typing import Any, Final

import gevent
from gevent.event import AsyncResult

from codec.api_keys import ApiKey
from sidecar.dataplane.actions import Close
from sidecar.dataplane.ordering import Own
from sidecar.net.dialing import Dialer, answer_to, question
from sidecar.net.relay import Relay

RENEW_FROM: Final = 0.85
RENEW_UNTIL: Final = 0.95
"""Between these parts of a session's time, at random, the credentials are shown, as Kafka's own
clients do (KIP-368)."""
RENEW_LATEST: Final = 0.97
"""The part of a session's time at which its connection is ended if that cannot be."""
LEAST_LIFETIME: Final = 1.2
"""Seconds: brokers refuse who authenticates again within a second (KIP-368)."""
_STEP: Final = 0.02
ENDED: Final = "upstream_session_ended"
_FAILED: Final = "upstream_reauthentication_failed"


class Renewal:
    """Keeps one connection's session with its broker alive, or ends both in time.

    Args:
        relay: of the connection.
        dial: has the credentials.
        end: begins to end the connection between two requests; False: not now, see
            `ClientConnection.end`.
    """

    def __init__(self, relay: Relay, dial: Dialer, end: Callable[[Close], bool]) -> None:
        self._relay = relay
        self._dial = dial
        self._end = end
        self._boundary: _Boundary | None = None

    def run(self, lifetime: float | None) -> None:
        """Go on until the broker asks no more, or the connection is being ended; for a greenlet.

        Args:
            lifetime: seconds the session lasts from now.
        """
        try:
            self._go_on(lifetime)
        except Exception as error:  # noqa: BLE001 - a bug ends this connection and nothing else
            self._relay.failed(error)

    def _go_on(self, lifetime: float | None) -> None:
        while lifetime is not None:
            began = time.monotonic()
            deadline = began + lifetime * RENEW_LATEST
            gevent.sleep(lifetime * random.uniform(RENEW_FROM, RENEW_UNTIL))
            if lifetime < LEAST_LIFETIME:
                why = f"the broker wants credentials every {lifetime:g} s"
                self._end_until(deadline, Close(ENDED, why))
                return
            try:
                lifetime = self._renewed(deadline)
            except OSError as error:
                # The broker has seen nothing yet, or ends the connection itself.
                close = Close(_FAILED, str(error))
                if self._relay.paused:
                    self._relay.close(close)
                else:
                    self._end_until(deadline, close)
                return
            self._relay.resume()

    def _renewed(self, deadline: float) -> float | None:
        """Show the credentials; the new session's seconds. Requests are paused afterwards.

        Raises:
            OSError: that failed, or could not be done in time.
        """
        relay = self._relay
        left = max(0.0, deadline - time.monotonic())
        with gevent.Timeout(left, TimeoutError("there were no credentials in time")):
            proof = self._dial.proof()
        while not relay.pause():
            if time.monotonic() >= deadline:
                raise TimeoutError("a request had not been passed on whole in time")
            if self._boundary is None and not relay.client.paced:
                self._boundary = _Boundary(relay)
            gevent.sleep(_STEP)
        if self._boundary is not None:
            self._boundary.leave()
            self._boundary = None
        return proof(self._ask)

    def _ask(self, api_key: ApiKey, version: int, request: Any) -> Any:
        # No limit of time: before it a broker answers what it was asked before, such as a
        # JoinGroup, and it would let the client wait as long.
        answer: AsyncResult[bytes] = AsyncResult()
        own = Own(0, api_key, version, answer.set)
        self._relay.ask(question(api_key, version, request), own)
        return answer_to(api_key, version, answer.get())

    def _end_until(self, deadline: float, close: Close) -> None:
        """End between two requests; at the deadline, wherever it is."""
        relay = self._relay
        while not (relay.done.is_set() or self._end(close)):
            if time.monotonic() >= deadline:
                relay.close(close)
                return
            gevent.sleep(_STEP)


class _Boundary:
    """In the place of a client's reader: reads to the end of the request that is passing, so that a
    client that never stops sending comes to a place between two."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._read = relay.client.on_readable
        self._left = False
        relay.client.read_with(self)

    def leave(self) -> None:
        """Leave the client to its own reader again."""
        self._left = True
        # Whoever stands before this one still hands on to it.
        if self._relay.client.on_readable is self:
            self._relay.client.read_with(self._read)

    def __call__(self, arrived: int = 0) -> None:
        """Something can be read, or stands in the buffer already."""
        relay, client = self._relay, self._relay.client
        if arrived or self._left or not client.need:
            self._read(arrived)
            return
        try:
            arrived = client.receive(client.need)
        except BlockingIOError:
            return
        except OSError:
            pass
        if not arrived:
            relay.client_ended()
            return
        self._read(arrived)
        if not relay.done.is_set():
            relay.pause()
