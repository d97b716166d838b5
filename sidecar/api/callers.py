"""Who is at the other end of a control call: an address, a door, perhaps a certificate."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import unquote

CALLER_KEY: Final = "x-chaos-caller"
"""Metadata in which a REST bridge names its own client. It is believed on the socket of this
process's bridge, which nobody else can open, and of a bridge that shows a user's certificate. Of
others it is taken as a claim: it may cost a caller what only this machine may do, never gain it."""

Metadata = Iterable[tuple[str, str | bytes]]


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller, before it is known who it is.

    Args:
        address: IP address; empty for a bridge that does not say whose call it is.
        door: ``grpc`` or ``rest``.
        certificates: names in the certificate that it has shown, checked by TLS.
        claimed: for whom it says it calls; empty where it calls for itself.
        bridge: address of the bridge on another machine, perhaps, that called for it.
    """

    address: str
    door: str = "grpc"
    certificates: tuple[str, ...] = ()
    claimed: str = ""
    bridge: str = ""

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine."""
        claims = (self.address, self.claimed) if self.claimed else (self.address,)
        return not self.bridge and all(map(_is_loopback, claims))

    @property
    def relays(self) -> bool:
        """Whether the call is made for somebody else, so that a certificate names the bridge."""
        return bool(self.claimed or self.bridge)

    def believed(self) -> "Caller":
        """The one that it says it calls for."""
        if not self.claimed:
            return self
        return replace(self, address=self.claimed, door="rest", claimed="", bridge=self.address)


def caller_of(context: Any) -> Caller:
    """Return the caller of a gRPC call."""
    peer = unquote(context.peer())
    kind, _, rest = peer.partition(":")
    told = next((v for k, v in context.invocation_metadata() if k == CALLER_KEY), "")
    claimed = str(told)[:64]
    if kind == "unix":
        return Caller(claimed, "rest")
    host = rest.rpartition(":")[0].removeprefix("[").removesuffix("]")
    return Caller(host.partition("%")[0], "grpc", _names(context.auth_context()), claimed)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _names(facts: Any) -> tuple[str, ...]:
    found: list[str] = []
    for key in ("x509_common_name", "x509_subject_alternative_name"):
        found += [name.decode(errors="replace") for name in facts.get(key, ())]
    return tuple(found)
