"""Whose a fetch session is (KIP-227).

Brokers keep, under a number they draw, which partitions a client fetches, and answer whoever says
the number: with it alone one virtual cluster would read what another one fetches. So a connection
may go on only with sessions that were given to it. For others it hears what a broker says of a
number it does not know; clients then begin a session anew, as they do after a broker's restart.

Layout: Kafka protocol, Fetch v7-18.
"""

from struct import Struct
from typing import Any, Final

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from codec.errors import DecodeError
from codec.registry import response_class
from codec.schema import Response

SINCE: Final = 7
"""First version with sessions."""
NO_SESSION: Final = 0
FIRST_EPOCH: Final = 0
"""Of a request that asks for a session."""
MAX_SESSIONS: Final = 100
"""A connection may go on with so many; the oldest goes first."""
_SESSION: Final = Struct(">ii")
"""Id and epoch."""
_REPLICA_ID: Final = 4
_REPLICA_ID_UNTIL: Final = 14
"""From v15 on it is a tagged field."""
_BEFORE: Final = 4 + 4 + 4 + 1
"""Max wait, min and max bytes, isolation level."""
_BEFORE_GIVEN: Final = 4 + 2
"""In a response: throttle time, error code."""


def session_place(version: int) -> int:
    """Offset in the body of a request at which session id and epoch stand, four bytes each."""
    return _BEFORE + (_REPLICA_ID if version <= _REPLICA_ID_UNTIL else 0)


class FetchSessions:
    """The fetch sessions that brokers have given to one connection."""

    def __init__(self) -> None:
        self._given: dict[int, None] = {}

    def learn(self, session_id: int) -> None:
        """Take note of the session that a response names; 0 is none."""
        if session_id != NO_SESSION and session_id not in self._given:
            if len(self._given) >= MAX_SESSIONS:
                del self._given[next(iter(self._given))]
            self._given[session_id] = None

    def allows(self, session_id: int) -> bool:
        """Whether the connection may send this id."""
        return session_id == NO_SESSION or session_id in self._given

    def admitted(self, version: int, body: Any) -> Any:
        """The body of a Fetch request, or the answer to one with a session of others.

        A request that does not go on with a session, but begins one or asks for none, may name one
        that ends with it, as clients do that have another connection: it leaves without.

        Raises:
            DecodeError: the body is too short to tell.
        """
        if version < SINCE:
            return body
        place = session_place(version)
        if len(body) < place + _SESSION.size:
            raise DecodeError("the request ends before its fetch session")
        session_id, epoch = _SESSION.unpack_from(body, place)
        if self.allows(session_id):
            return body
        if epoch <= FIRST_EPOCH:
            none = _SESSION.pack(NO_SESSION, epoch)
            return b"".join((body[:place], none, body[place + _SESSION.size :]))
        answer: Any = response_class(ApiKey.FETCH)
        refusal: Response = answer(error_code=ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
        return refusal

    def learn_from(self, version: int, body: Any) -> None:
        """Take note of the session that the body of a Fetch response names."""
        if version >= SINCE and len(body) >= _BEFORE_GIVEN + 4:
            self.learn(int.from_bytes(body[_BEFORE_GIVEN : _BEFORE_GIVEN + 4], "big", signed=True))
