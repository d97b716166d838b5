"""Where tokens come from."""

from dataclasses import dataclass, field
from typing import Final

from sidecar.tls.contexts import ClientTls

FILE: Final = "file:"


@dataclass(frozen=True, slots=True)
class TokenSource:
    """A token endpoint, or a file that somebody else renews.

    Args:
        url: http, https, or file with a token.
        client_id, client_secret: who the sidecar is at the endpoint.
        scope: what it asks for, words separated by blanks; empty: what the endpoint likes.
        urlencode: whether both are percent-encoded before HTTP Basic joins them, as RFC 6749
            (section 2.3.1) has it and few endpoints do (KIP-1025).
        scope_claim, sub_claim: the names of these claims in the token.
        connect_timeout: seconds.
        read_timeout: seconds for the whole answer.
        backoff, backoff_max: seconds after the first failure; it doubles up to the second.
        tls: of an https endpoint.
        public: whether the system's authorities count besides those in `tls`.
    """

    url: str
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    scope: str = ""
    urlencode: bool = False
    scope_claim: str = "scope"
    sub_claim: str = "sub"
    connect_timeout: float = 10.0
    read_timeout: float = 10.0
    backoff: float = 0.1
    backoff_max: float = 10.0
    tls: ClientTls = field(default_factory=ClientTls)
    public: bool = True

    @property
    def is_file(self) -> bool:
        """Whether it is a file."""
        return self.url.startswith(FILE)
