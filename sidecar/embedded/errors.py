"""The two ways in which a request can be turned down: an error code, or a closed connection."""

from codec.error_codes import ErrorCode


class ApiError(Exception):
    """A refusal that has a Kafka error code and travels in a response.

    Args:
        code: the protocol's error code.
        message: for humans; sent where the response has room for it.
    """

    def __init__(self, code: ErrorCode, message: str = "") -> None:
        super().__init__(message or code.name)
        self.code = code
        self.message = message or code.name


class CloseConnection(Exception):
    """Ends one connection without a response, as Kafka does where no response is possible.

    Args:
        reason: a short snake_case word for the log line.
        detail: for humans.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(detail or reason)
        self.reason = reason
        self.detail = detail
