"""TLS of the control API, with certificates that may change while it runs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc

Pem = tuple[bytes, bytes, bytes | None]
"""Private key, certificate chain, trusted authorities."""


@dataclass(frozen=True, slots=True)
class ControlTls:
    """What a port needs.

    Args:
        certificates: asked with each handshake; gives the same object until there are new ones.
        require: whether callers have to show a certificate.
    """

    certificates: Callable[[], Pem]
    require: bool = False

    def credentials(self) -> grpc.ServerCredentials:
        """Make what a port takes."""
        last = self.certificates()

        def news() -> Any:
            nonlocal last
            now = self.certificates()
            if now is last:
                return None  # gRPC goes on with what it has
            last = now
            return _configuration(now)

        return grpc.dynamic_ssl_server_credentials(
            _configuration(last), news, require_client_authentication=self.require
        )


def _configuration(pem: Pem) -> grpc.ServerCertificateConfiguration:
    key, chain, trusted = pem
    return grpc.ssl_server_certificate_configuration([(key, chain)], trusted)
