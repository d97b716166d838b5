"""Who is at the other end of a control call: an address, a door, perhaps a certificate."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

CALLER_KEY: Final = "x-chaos-caller"
"""Metadata in which the REST bridge of the same process names its own client. It is believed on
that bridge's socket only, which nobody else can open."""

Metadata = Iterable[tuple[str, str | bytes]]


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller, before it is known who it is.

    Args:
        address: IP address; empty for a bridge that does not say whose call it is.
        door: ``grpc`` or ``rest``.
        certificates: names in the certificate that it has shown, checked by TLS.
    """

    address: str
    door: str = "grpc"
    certificates: tuple[str, ...] = ()

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine."""
        try:
            return ipaddress.ip_address(self.address).is_loopback
        except ValueError:
            return False


def caller_of(context: Any) -> Caller:
    """Return the caller of a gRPC call."""
    peer = unquote(context.peer())
    kind, _, rest = peer.partition(":")
    if kind == "unix":
        told = next((v for k, v in context.invocation_metadata() if k == CALLER_KEY), "")
        return Caller(str(told)[:64], "rest")
    host = rest.rpartition(":")[0].removeprefix("[").removesuffix("]")
    return Caller(host.partition("%")[0], "grpc", _names(context.auth_context()))


def _names(facts: Any) -> tuple[str, ...]:
    found: list[str] = []
    for key in ("x509_common_name", "x509_subject_alternative_name"):
        found += [name.decode(errors="replace") for name in facts.get(key, ())]
    return tuple(found)
