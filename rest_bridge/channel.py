"""waitress's connection, but for two things: an answer without a body leaves it open, and what the
server refuses by itself is counted as what the application refuses."""

from typing import Any

from waitress.channel import HTTPChannel
from waitress.task import ErrorTask, WSGITask


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


class _ErrorTask(ErrorTask):
    def service(self) -> None:
        """Refuse a request that is malformed, or too long for the server."""
        server: Any = self.channel.server
        request: Any = self.request  # as above
        server.refused(request.error.code, str(self.channel.addr[0]))
        super().service()


class Channel(HTTPChannel):
    """What the server makes of each connection."""

    error_task_class = _ErrorTask
    task_class = _Task
