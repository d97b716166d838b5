"""The way to the brokers, told to librdkafka as it is to the sidecar itself."""

from collections.abc import Callable, Sequence
from typing import Any

from sidecar.bearer.keeping import TokenKeeper
from sidecar.bearer.source import TokenSource
from sidecar.bearer.token import TokenError
from sidecar.model.credentials import OAUTHBEARER, Credentials
from sidecar.tls.contexts import ClientTls
from sidecar.tls.stores import load


def client_settings(
    servers: Sequence[tuple[str, int]],
    tls: ClientTls | None,
    credentials: Credentials | None,
    tokens: TokenSource | None = None,
    tell: Callable[[str], None] = lambda cause: None,
) -> dict[str, Any]:
    """Settings of librdkafka; they have secrets.

    Args:
        tokens: where the tokens come from that are shown; None: none of these are.
        tell: told, on any thread, why there is no token to show; librdkafka would not say it.

    Raises:
        StoreError: keys or certificates cannot be used.
    """
    protocol = ("SASL_" if credentials else "") + ("SSL" if tls else "PLAINTEXT")
    found: dict[str, Any] = {
        "bootstrap.servers": ",".join(f"{host}:{port}" for host, port in servers),
        "security.protocol": protocol,
    }
    if tls is not None:
        found["ssl.endpoint.identification.algorithm"] = "https" if tls.check_host else "none"
        if tls.trust is not None:
            found["ssl.ca.pem"] = load(tls.trust).trusted
        if tls.keys is not None:
            keys = load(tls.keys)
            found["ssl.key.pem"], found["ssl.certificate.pem"] = keys.key, keys.chain
            found["ssl.key.password"] = tls.keys.key_password or tls.keys.password
    if credentials is not None:
        found["sasl.mechanism"] = credentials.mechanism
        if tokens is not None:
            found["oauth_cb"] = _Tokens(tokens, credentials.extensions, tell)
        elif credentials.mechanism == OAUTHBEARER:
            config = f"principal={credentials.username}"
            if credentials.scope:
                config += f" scope={','.join(credentials.scope.split())}"
            found |= {
                "enable.sasl.oauthbearer.unsecure.jwt": True,
                "sasl.oauthbearer.config": config,
            }
        else:
            found["sasl.username"] = credentials.username
            found["sasl.password"] = credentials.password
    return found


class _Tokens:
    """What librdkafka calls on a thread of its own when it needs a token: at first, and when four
    fifths of the last one's time are over; after an exception again in ten seconds. The clients of
    a store share one token. (Its own way to an endpoint knows no key stores, nor files.)"""

    def __init__(
        self,
        source: TokenSource,
        extensions: tuple[tuple[str, str], ...],
        tell: Callable[[str], None],
    ) -> None:
        self._keeper = TokenKeeper(source)
        self._extensions = dict(extensions)
        self._tell = tell

    def __call__(self, config: str) -> tuple[str, float, str, dict[str, str]]:
        try:
            token = self._keeper.get()
        except TokenError as error:
            self._tell(str(error))
            raise
        return token.value, token.expires, token.subject, self._extensions
