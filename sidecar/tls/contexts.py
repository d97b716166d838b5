"""`ssl.SSLContext`s that follow the files they are made of."""

import contextlib
import os
import ssl
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from sidecar.tls.stores import Found, StoreError, StoreFile, load

NONE, OPTIONAL, REQUIRE = "NONE", "OPTIONAL", "REQUIRE"
CLIENT_AUTH: Final = {
    NONE: ssl.CERT_NONE,
    OPTIONAL: ssl.CERT_OPTIONAL,
    REQUIRE: ssl.CERT_REQUIRED,
}
"""Whether clients have to show a certificate."""


Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class ServerTls:
    """TLS of our own listeners.

    Args:
        keys: the private key and its certificate chain.
        trust: which authorities may have signed the certificates of clients.
        client_auth: see `CLIENT_AUTH`.
        interval: seconds between two looks at the files.
    """

    keys: StoreFile
    trust: StoreFile | None = None
    client_auth: str = NONE
    interval: float = 600.0

    def context(self) -> ssl.SSLContext:
        """Make a context; StoreError when it cannot be."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        _strict(context)
        _load_keys(context, self.keys)
        context.verify_mode = CLIENT_AUTH[self.client_auth]
        if self.client_auth != NONE:
            if self.trust is None:
                raise StoreError("without a trust store no certificate of a client can be checked")
            _load_trust(context, self.trust)
        return context

    def pem(self) -> tuple[bytes, bytes, bytes | None]:
        """Read private key, chain and trusted authorities, as PEM; StoreError when they are not."""
        self.context()  # what OpenSSL does not take is refused here, with its reason
        found = load(self.keys)
        trusted = load(self.trust).trusted.encode() if self.trust is not None else None
        return found.key.encode(), found.chain.encode(), trusted

    @property
    def files(self) -> tuple[str, ...]:
        """The files it is made of."""
        return _paths(self.keys, self.trust)


@dataclass(frozen=True, slots=True)
class ClientTls:
    """TLS to brokers.

    Args:
        trust: which authorities may have signed their certificates; None: the system's.
        keys: a key and certificate of our own; None: none is shown.
        check_host: whether a certificate has to name the host (https), or any will do.
        interval: seconds between two looks at the files.
    """

    trust: StoreFile | None = None
    keys: StoreFile | None = None
    check_host: bool = True
    interval: float = 600.0

    def context(self) -> ssl.SSLContext:
        """Make a context; StoreError when it cannot be."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        _strict(context)
        context.check_hostname = self.check_host
        if self.trust is None:
            context.load_default_certs()
        else:
            _load_trust(context, self.trust)
        if self.keys is not None:
            _load_keys(context, self.keys)
        return context

    @property
    def files(self) -> tuple[str, ...]:
        """The files it is made of."""
        return _paths(self.keys, self.trust)


class Following(Generic[Made]):
    """What is made of some settings, made anew when their files have changed.

    Asked for each new connection; looks at the files once in an interval. Any thread may ask.

    Args:
        tls: the settings.
        log: bound logger.
        make: makes it; usually ``tls.context``.
        clock: seconds that only grow.

    Raises:
        StoreError: there is no context to begin with.
    """

    def __init__(
        self,
        tls: ServerTls | ClientTls,
        log: Any,
        make: Callable[[], Made],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tls = tls
        self._make = make
        self._log = log
        self._clock = clock
        self._looked = clock()
        self._state = _state(tls.files)
        self._made = make()

    def __call__(self) -> Made:
        """Return it for a new connection."""
        now = self._clock()
        if now - self._looked >= self._tls.interval:
            self._looked = now
            state = _state(self._tls.files)
            if state != self._state:
                self._renew(state)
        return self._made

    def _renew(self, state: object) -> None:
        try:
            self._made = self._make()
        except StoreError as error:
            # Perhaps half written: what there is goes on, and it is tried again.
            self._log.warning("certificates_not_reloaded", cause=str(error))
            return
        self._state = state
        self._log.info("certificates_reloaded", files=list(self._tls.files))


def _strict(context: ssl.SSLContext) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION


def _paths(*stores: StoreFile | None) -> tuple[str, ...]:
    return tuple(store.path for store in stores if store is not None and store.path)


def _state(paths: tuple[str, ...]) -> object:
    found: list[object] = []
    for path in paths:
        try:
            status = os.stat(path)
        except OSError:
            found.append(None)
        else:
            found.append((status.st_mtime_ns, status.st_size, status.st_ino))
    return found


def _load_keys(context: ssl.SSLContext, store: StoreFile) -> None:
    found = load(store)
    if not (found.key and found.chain):
        raise StoreError(f"{store.path or 'the PEM text'} lacks a private key or its certificate")
    with _as_file(found) as path:
        try:
            # A password that is not needed is not asked for; none would ask on the terminal.
            context.load_cert_chain(path, password=store.key_password or store.password)
        except (ssl.SSLError, ValueError, OSError):
            raise StoreError(
                f"{store.path or 'the PEM text'}: key and certificate do not fit, or the password"
                " is another"
            ) from None


def _load_trust(context: ssl.SSLContext, store: StoreFile) -> None:
    found = load(store)
    if not found.trusted:
        raise StoreError(f"{store.path or 'the PEM text'} has no certificate")
    try:
        context.load_verify_locations(cadata=found.trusted)
    except (ssl.SSLError, ValueError):
        raise StoreError(f"{store.path or 'the PEM text'} has a certificate that is none") from None


@contextlib.contextmanager
def _as_file(found: Found) -> Iterator[str]:
    """A file that only this process has, as OpenSSL wants one."""
    with tempfile.TemporaryDirectory(prefix="sidecar-") as folder:
        path = os.path.join(folder, "keys.pem")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(found.key + found.chain)
        yield path
