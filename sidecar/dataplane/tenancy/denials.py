"""Answers to requests that a virtual cluster does not have: CLUSTER_AUTHORIZATION_FAILED."""

from codec.schema import Message, Response


def denial(request: Message, version: int) -> Response:
    """The response a broker gives to somebody who may not do this."""
    raise AssertionError(f"no denial for {type(request).__name__} v{version}")
