"""One request of a virtual cluster's client, and what becomes of it."""

from collections.abc import Mapping
from typing import Any

import codec
from codec.api_keys import ApiKey
from codec.schema import Message
from sidecar.dataplane.tenancy import Mapped, Names, Tenancy, TopicDirectory
from tests.support.sessions import address_book


class Conversation:
    """A request of virtual cluster teamA, on its way there and back.

    Args:
        request: with the client's names.
        version: of both messages.
        aliases: logical to physical names of alias topics.
        ids: which topics the sidecar knows the ids of, by id.

    Attributes:
        sent: the request as the broker reads it; None if it is not forwarded.
        answer: the response as the client reads it, if it is not the broker's.
    """

    def __init__(
        self,
        request: Any,
        version: int,
        *,
        aliases: Mapping[str, str] | None = None,
        ids: Mapping[bytes, bytes] | None = None,
    ) -> None:
        directory = TopicDirectory()
        for topic_id, name in (ids or {}).items():
            directory.learn(topic_id, name)
        names = Names("teamA", aliases)
        self._tenancy = Tenancy(lambda: names, address_book().advertised, directory)
        self._key: ApiKey = request.API_KEY
        self._version = version
        self.sent: Any = None
        self.answer: Any = None
        found = self._tenancy.map_request(self._key, version, codec.encode(request, version))
        if isinstance(found, Mapped):
            self._exchange = found.exchange
            self.sent = codec.decode_request(self._key, version, b"".join(found.body))
        else:
            self.answer = codec.decode_response(self._key, version, codec.encode(found, version))

    def heard(self, response: Message) -> Any:
        """What the client reads when a broker answers this."""
        assert self._exchange is not None
        body = codec.encode(response, self._version)
        chunks = self._tenancy.map_response(self._key, self._version, body, self._exchange)
        return codec.decode_response(self._key, self._version, b"".join(chunks))
