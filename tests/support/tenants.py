"""One request of a tenant and its answer, through the mapping and the bytes."""

from collections.abc import Mapping
from typing import Any

import codec
from codec.schema import Response
from sidecar.dataplane.tenancy import Mapped, Names, Tenancy, TopicDirectory
from tests.support.sessions import address_book

PREFIX = "teamA"


class Tenant:
    """A client of a virtual cluster, ``teamA`` unless told otherwise, and its connection.

    Args:
        aliases: logical to physical names of alias topics.
        directory: physical names of topics by id.
        prefix: what its virtual cluster is called.
    """

    def __init__(
        self,
        aliases: Mapping[str, str] | None = None,
        directory: Mapping[bytes, bytes] | None = None,
        prefix: str = PREFIX,
    ) -> None:
        known = TopicDirectory()
        for topic_id, name in (directory or {}).items():
            known.learn(topic_id, name)
        names = Names(prefix, aliases)
        self._tenancy = Tenancy(lambda: names, address_book().advertised, known)

    def sends(self, request: Any, version: int) -> tuple[Any, Any]:
        """What the broker gets, and the exchange; or the answer, and None."""
        key = request.API_KEY
        mapped = self._tenancy.map_request(key, version, codec.encode(request, version))
        if isinstance(mapped, Mapped):
            return codec.decode_request(key, version, b"".join(mapped.body)), mapped.exchange
        assert isinstance(mapped, Response)
        return codec.decode_response(key, version, codec.encode(mapped, version)), None

    def reads(self, response: Any, version: int, exchange: Any) -> Any:
        """What the client reads when a broker answers this."""
        key, body = response.API_KEY, codec.encode(response, version)
        chunks = self._tenancy.map_response(key, version, body, exchange)
        return codec.decode_response(key, version, b"".join(chunks))
