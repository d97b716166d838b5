"""Channels to gRPC APIs, in plain text or over TLS, as flags and the environment say."""

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:  # imported where it is used: other commands do without it
    import grpc

CA_VARIABLE: Final = "CHAOS_SIDECAR_CA"
CERT_VARIABLE: Final = "CHAOS_SIDECAR_CERT"
KEY_VARIABLE: Final = "CHAOS_SIDECAR_KEY"


class ChannelError(Exception):
    """The flags do not make a channel; ``str()`` says why and what to type."""


def add_flags(parser: argparse._ActionsContainer) -> None:
    """Add --tls, --ca, --cert and --key."""
    parser.add_argument(
        "--tls",
        action="store_true",
        help="over TLS, with the system's authorities; the flags below imply it",
    )
    parser.add_argument(
        "--ca", metavar="FILE", help=f"PEM file of the authorities to trust, or {CA_VARIABLE}"
    )
    parser.add_argument(
        "--cert", metavar="FILE", help=f"PEM file of a certificate to show, or {CERT_VARIABLE}"
    )
    parser.add_argument(
        "--key",
        metavar="FILE",
        help=f"PEM file of its private key, or {KEY_VARIABLE}; default: the same file",
    )


def credentials_of(
    arguments: argparse.Namespace, environment: Mapping[str, str] = os.environ
) -> "grpc.ChannelCredentials | None":
    """TLS as the flags, then the environment say; None: plain text.

    Raises:
        ChannelError: a file cannot be read, or a key is given without its certificate.
    """
    ca = arguments.ca or environment.get(CA_VARIABLE)
    certificate = arguments.cert or environment.get(CERT_VARIABLE)
    key = arguments.key or environment.get(KEY_VARIABLE)
    if key and not certificate:
        raise ChannelError("--key needs its certificate: add --cert FILE")
    if not (arguments.tls or ca or certificate):
        return None
    import grpc

    return grpc.ssl_channel_credentials(
        _read("--ca", ca),
        _read("--key", key or certificate),
        _read("--cert", certificate),
    )


def channel(
    target: str, credentials: "grpc.ChannelCredentials | None", options: Sequence[tuple[str, Any]]
) -> "grpc.Channel":
    """A channel, not connected yet."""
    import grpc

    if credentials is None:
        return grpc.insecure_channel(target, options)
    return grpc.secure_channel(target, credentials, options)


def _read(flag: str, path: str | None) -> bytes | None:
    if path is None:
        return None
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ChannelError(f"{flag}: {path} cannot be read: {error.strerror}") from None
