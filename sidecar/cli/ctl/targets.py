"""Whom a command is for, and asking all of them side by side."""

import argparse
import base64
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

import grpc
from google.protobuf.message import Message

from sidecar.cli.arguments import host_port
from sidecar.cli.channels import CERT_VARIABLE, ChannelError, channel, credentials_of
from sidecar.cli.ctl.refusals import Failure, failure_of

TARGETS_VARIABLE: Final = "CHAOS_SIDECAR_TARGET"
CREDENTIALS_VARIABLE: Final = "CHAOS_SIDECAR_CREDENTIALS"
DEFAULT_TARGET: Final = "localhost:50051"
_DEFAULT_CREDENTIALS: Final = "admin:conduktor"
_OPTIONS: Final = (
    ("grpc.enable_http_proxy", 0),
    # A sidecar that comes back shall not wait for two minutes until `watch` tries again.
    ("grpc.max_reconnect_backoff_ms", 2000),
)
_AT_ONCE: Final = 64

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)
Metadata = tuple[tuple[str, str], ...]


class UsageError(Exception):
    """The command cannot be carried out as it was typed; ``str()`` says why."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one target: one of the two is there.

    Args:
        answer: a message of the API.
    """

    target: str
    answer: Message | None = None
    failure: Failure | None = None


class Client:
    """Calls one sidecar.

    Args:
        target: ``HOST:PORT``.
        metadata: credentials for every call.
        seconds: how long a call may take.
        secured: TLS; None: plain text.
    """

    def __init__(
        self,
        target: str,
        metadata: Metadata,
        seconds: float,
        secured: grpc.ChannelCredentials | None = None,
    ) -> None:
        self.target = target
        self.channel = channel(target, secured, _OPTIONS)
        self.metadata = metadata
        self.seconds = seconds

    def ask(
        self, method: "grpc.UnaryUnaryMultiCallable[Request, Response]", request: Request
    ) -> Response:
        """Return the answer, or raise grpc.RpcError."""
        return method(request, timeout=self.seconds, metadata=self.metadata)


def targets(text: str) -> list[str]:
    """``HOST:PORT``, or several with commas between them."""
    return [host_port(part.strip()) for part in text.split(",")]


def chosen(arguments: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> list[str]:
    """The targets of a command line, each once; UsageError if the environment's are none."""
    given = [target for some in arguments.target or () for target in some]
    if not given:
        told = environment.get(TARGETS_VARIABLE) or DEFAULT_TARGET
        try:
            given = targets(told)
        except argparse.ArgumentTypeError as error:
            raise UsageError(f"{TARGETS_VARIABLE}: {error}") from None
    return list(dict.fromkeys(given))


def credentials(environment: Mapping[str, str] = os.environ) -> Metadata:
    """The call metadata that says who we are; UsageError, without the value, if it cannot."""
    told = environment.get(CREDENTIALS_VARIABLE) or _DEFAULT_CREDENTIALS
    if ":" not in told or len(told) > 1024:
        raise UsageError(f"{CREDENTIALS_VARIABLE}: the value given is not USERNAME:PASSWORD")
    encoded = base64.b64encode(told.encode("utf-8", "surrogateescape")).decode()
    return (("authorization", f"Basic {encoded}"),)


def clients(arguments: argparse.Namespace) -> list[Client]:
    """Of every target one, not connected yet; UsageError as `chosen` and `credentials`."""
    try:
        secured = credentials_of(arguments)
    except ChannelError as error:
        raise UsageError(str(error)) from None
    # Who shows a certificate is known by it, unless told otherwise.
    certified = arguments.cert or os.environ.get(CERT_VARIABLE)
    metadata = () if certified and not os.environ.get(CREDENTIALS_VARIABLE) else credentials()
    return [Client(target, metadata, arguments.timeout, secured) for target in chosen(arguments)]


def ask_all(
    clients: Sequence[Client],
    call: Callable[[Client], Message],
    words: Mapping[str, str] | None = None,
) -> list[Outcome]:
    """Do `call` with every client side by side; the outcomes in the clients' order.

    Args:
        words: as for `failure_of`.
    """

    def one(client: Client) -> Outcome:
        try:
            return Outcome(client.target, answer=call(client))
        except grpc.RpcError as error:
            return Outcome(client.target, failure=failure_of(error, client.seconds, words))

    with ThreadPoolExecutor(min(len(clients), _AT_ONCE)) as pool:
        try:
            return list(pool.map(one, clients))
        finally:
            for client in clients:  # ends calls that nobody waits for any more
                client.channel.close()
