"""An identity provider for real clients: gives tokens to whoever asks, and publishes its keys."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from kafka.net.sasl.oauth import AbstractTokenProvider

from tests.support import bearer

AUDIENCE = "kafka"
LIFETIME = 3600
_MODULE = "org.apache.kafka.common.security.oauthbearer"


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._say(bearer.key_set(bearer.jwk("RS256", "one")))

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        answer = {
            "access_token": token("java"),
            "token_type": "Bearer",
            "expires_in": LIFETIME,
            "scope": "kafka",
        }
        self._say(json.dumps(answer).encode())

    def _say(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        """Nothing."""


def token(subject: str, **claims: Any) -> str:
    """One for this principal, of virtual cluster `teamO-`."""
    now = int(time.time())
    said = {"sub": subject, "iat": now, "exp": now + LIFETIME, "aud": AUDIENCE, "scope": "kafka"}
    return bearer.token("RS256", "one", **(said | {"gateway.vcluster": "teamO-"} | claims))


class Provider:
    """It, on a free port, for the length of a with block."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def java(self, bootstrap: str) -> str:
        """A configuration file; the client asks the provider by itself (KIP-768)."""
        module = f"{_MODULE}.OAuthBearerLoginModule"
        lines = {
            "bootstrap.servers": bootstrap,
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "OAUTHBEARER",
            "sasl.jaas.config": f'{module} required clientId="java" clientSecret="java\'s secret";',
            "sasl.login.callback.handler.class": f"{_MODULE}.OAuthBearerLoginCallbackHandler",
            "sasl.oauthbearer.token.endpoint.url": f"{self.url}/token",
        }
        return "".join(f"{name}={value}\n" for name, value in lines.items())

    @property
    def java_options(self) -> str:
        """What a JVM has to be told besides, since Kafka 4.0: where its clients may ask."""
        return f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={self.url}/token"


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
