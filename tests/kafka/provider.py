"""An identity provider for real clients: gives tokens to whoever asks, and publishes its keys."""

from __future__ import annotations

import time
from typing import Any

from kafka.net.sasl.oauth import AbstractTokenProvider

from tests.support import bearer
from tests.support.token_endpoint import TokenEndpoint

AUDIENCE = "kafka"
LIFETIME = 3600
_MODULE = "org.apache.kafka.common.security.oauthbearer"


def token(subject: str, **claims: Any) -> str:
    """One for this principal, of virtual cluster `teamO-`."""
    now = int(time.time())
    said = {"sub": subject, "iat": now, "exp": now + LIFETIME, "aud": AUDIENCE, "scope": "kafka"}
    return bearer.token("RS256", "one", **(said | {"gateway.vcluster": "teamO-"} | claims))


class Provider(TokenEndpoint):
    """It, on a free port, for the length of a with block."""

    def __init__(self) -> None:
        super().__init__(lambda form: (200, {"access_token": token("java"), "scope": "kafka"}))
        self.keys = lambda: bearer.key_set(bearer.jwk("RS256", "one"))

    def java(self, bootstrap: str) -> str:
        """A configuration file; the client asks the provider by itself (KIP-768)."""
        module = f"{_MODULE}.OAuthBearerLoginModule"
        lines = {
            "bootstrap.servers": bootstrap,
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "OAUTHBEARER",
            "sasl.jaas.config": f'{module} required clientId="java" clientSecret="java\'s secret";',
            "sasl.login.callback.handler.class": f"{_MODULE}.OAuthBearerLoginCallbackHandler",
            "sasl.oauthbearer.token.endpoint.url": self.url,
        }
        return "".join(f"{name}={value}\n" for name, value in lines.items())

    @property
    def java_options(self) -> str:
        """What a JVM has to be told besides, since Kafka 4.0: where its clients may ask."""
        return f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={self.url}"


class TokenSource(AbstractTokenProvider):  # type: ignore[misc]  # it has no types
    """What kafka-python asks for tokens."""

    def token(self) -> str:
        """A new one each time."""
        return token("python")


def python(bootstrap: str) -> dict[str, Any]:
    """Settings for kafka-python."""
    return {
        "bootstrap_servers": bootstrap,
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "OAUTHBEARER",
        "sasl_oauth_token_provider": TokenSource(),
    }


def librdkafka(bootstrap: str, subject: str = "librdkafka", **claims: Any) -> dict[str, Any]:
    """Settings for confluent-kafka."""

    def refreshed(config: str) -> tuple[str, float]:
        return token(subject, **claims), time.time() + LIFETIME

    return {
        "bootstrap.servers": bootstrap,
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "OAUTHBEARER",
        "oauth_cb": refreshed,
        "log_level": 0,
    }
