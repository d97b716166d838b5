"""Certificates of one authority, for both sides of TLS in one process."""

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import trustme
from gevent import ssl

from sidecar.net.dialing import Dialer
from sidecar.net.transport import Transport
from sidecar.tls.contexts import ClientTls, ServerTls
from sidecar.tls.stores import StoreFile

AUTHORITY = trustme.CA()


@cache
def folder() -> Path:
    """A folder of this process with ``ca.pem``, ``server.pem`` and ``client.pem``."""
    home = Path(tempfile.mkdtemp(prefix="certificates-"))
    AUTHORITY.cert_pem.write_to_path(str(home / "ca.pem"))
    leaves = {
        "server.pem": AUTHORITY.issue_cert("localhost", "127.0.0.1"),
        "client.pem": AUTHORITY.issue_cert("al@example.org", common_name="al"),
    }
    for name, leaf in leaves.items():
        leaf.private_key_and_cert_chain_pem.write_to_path(str(home / name))
    return home


def authority() -> StoreFile:
    """Who is trusted."""
    return StoreFile(str(folder() / "ca.pem"))


def keys(name: str = "server") -> StoreFile:
    """A key and its certificate."""
    return StoreFile(str(folder() / f"{name}.pem"))


def transport(client_auth: str = "NONE") -> Transport:
    """TLS on both sides of a sidecar."""
    listener = ServerTls(keys(), authority(), client_auth).context()
    cluster = ClientTls(authority()).context()
    return Transport(lambda: listener, (), Dialer(lambda: cluster))


def server() -> Any:
    """What a broker of gevent's sockets needs."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(str(folder() / "server.pem"))
    return context


def client(name: str | None = None) -> Any:
    """What a client of gevent's sockets needs; with a certificate if it has a name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(str(folder() / "ca.pem"))
    if name is not None:
        context.load_cert_chain(str(folder() / f"{name}.pem"))
    return context
