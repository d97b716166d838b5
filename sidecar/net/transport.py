"""How both ends of a connection are reached: TLS before clients, and the way to brokers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sidecar.model.credentials import Credentials
from sidecar.net.dialing import Dialer, raw

if TYPE_CHECKING:
    from sidecar.bearer.source import TokenSource
    from sidecar.tls.contexts import ClientTls, ServerTls
    from sidecar.tls.principals import Rule


LOGIN_SECONDS: Final = 30.0
"""How long a client has to authenticate, unless told otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """What settings say of both ends; can be sent to another process.

    Args:
        listener: TLS of the client ports; None: none.
        rules: what the subjects of clients' certificates are called.
        cluster: TLS to brokers; None: none.
        credentials: who the sidecar is for brokers; None: they do not ask.
        tokens: where tokens come from that it shows them; None: it shows none of these.
        delegated: whether clients authenticate to the brokers.
        login_seconds: how long they have for it, or for the sidecar's own.
    """

    listener: "ServerTls | None" = None
    rules: "tuple[Rule, ...]" = ()
    cluster: "ClientTls | None" = None
    credentials: Credentials | None = None
    tokens: "TokenSource | None" = None
    delegated: bool = False
    login_seconds: float = LOGIN_SECONDS

    @property
    def certificates(self) -> bool:
        """Whether clients may show certificates."""
        return self.listener is not None and self.listener.client_auth != "NONE"

    def transport(self, log: Any) -> "Transport":
        """Make what connections need of it.

        Raises:
            StoreError: keys or certificates cannot be used.
        """
        dial = Dialer(_following(self.cluster, log), self.credentials, self._token(log))
        return Transport(_following(self.listener, log), self.rules, dial, self.login_seconds)

    def _token(self, log: Any) -> Callable[[], str] | None:
        if self.tokens is None:
            return None
        from sidecar.bearer.keeping import TokenKeeper
        from sidecar.net.tokens import Tokens

        return Tokens(TokenKeeper(self.tokens), log)


def _following(tls: Any, log: Any) -> Callable[[], Any] | None:
    if tls is None:
        return None
    from sidecar.tls.contexts import Following

    return Following(tls, log, tls.context)


@dataclass(frozen=True, slots=True)
class Transport:
    """What connections need besides addresses.

    Args:
        context: TLS for a client that has just connected; None: none.
        rules: what the subjects of clients' certificates are called.
        dial: connects to brokers.
        login_seconds: how long a client has to authenticate.
    """

    context: Callable[[], Any] | None = None
    rules: "tuple[Rule, ...]" = ()
    dial: Dialer = field(default_factory=Dialer)
    login_seconds: float = LOGIN_SECONDS

    def greet(self, sock: Any) -> tuple[Any, str]:
        """Do what comes before the first byte of a client.

        Args:
            sock: gevent's; it is not used any more.

        Returns:
            What to go on with, and what the client's certificate calls it; empty for none.

        Raises:
            OSError: no TLS came of it; the socket is closed.
        """
        if self.context is None:
            return sock, ""
        from sidecar.net.secure import TlsStream
        from sidecar.tls.principals import principal, subject_of

        stream = TlsStream(raw(sock), self.context())
        subject = subject_of(stream.certificate)
        return stream, principal(subject, self.rules) if subject else ""


PLAIN: Final = Transport()
"""No TLS, and brokers that do not ask."""
