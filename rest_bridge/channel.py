"""waitress's connection, but for one thing: an answer without a body leaves it open."""

from typing import Any

from waitress.channel import HTTPChannel
from waitress.task import WSGITask


class _Task(WSGITask):
    def set_close_on_finish(self) -> None:
        """Close behind this answer, unless nothing but a missing body speaks for it.

        waitress delimits by closing whatever has no length, also a 204, which needs none (RFC 9112
        section 6.3). Scripts that delete a thousand interceptors would connect a thousand times.
        """
        if self.has_body or self.version != "1.1" or self._asked_to_close():
            super().set_close_on_finish()

    def _asked_to_close(self) -> bool:
        request: Any = self.request  # a parsed request; the stubs know the malformed ones only
        return str(request.headers.get("CONNECTION", "")).lower() == "close"


class Channel(HTTPChannel):
    """What the server makes of each connection."""

    task_class = _Task
