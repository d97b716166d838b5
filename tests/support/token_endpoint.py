"""A token endpoint and the keys of its tokens, on threads of its own."""

import base64
import json
import math
import ssl
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "the-sidecar", "correct horse battery"
KEY_ID = "k1"


def unsigned(**claims: Any) -> str:
    """A JWT that nobody signed; a claim of None is left out."""
    said = {"sub": "me", "exp": time.time() + 3600} | claims
    said = {name: value for name, value in said.items() if value is not None}
    return ".".join([_part({"alg": "none"}), _part(said), ""])


def _part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


class Issuer:
    """Signs tokens with a key of its own."""

    def __init__(self, lifetime: float = 3600) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.lifetime = lifetime

    def token(self, subject: str = CLIENT, **claims: Any) -> str:
        """A token that is good from now on."""
        now = int(time.time())
        said = {
            "sub": subject,
            "iat": now,
            "exp": math.ceil(time.time() + self.lifetime),
            "iss": "tests",
        }
        return jwt.encode(said | claims, self._key, "RS256", headers={"kid": KEY_ID})

    def keys(self) -> dict[str, Any]:
        """The JWKS."""
        key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key()))
        return {"keys": [key | {"kid": KEY_ID, "use": "sig", "alg": "RS256"}]}


Answer = tuple[int, Any]
"""Status, and what is said: JSON, or bytes as they are."""


class TokenEndpoint:
    """Answers each POST by `answer`, each GET with the JWKS; use as a context manager.

    Args:
        answer: called with the form of the request; default: a token of `issuer` for who knows
            the secret.
        tls: a server's context; None: plain HTTP.
    """

    def __init__(
        self, answer: Callable[[dict[str, str]], Answer] | None = None, tls: Any = None
    ) -> None:
        self.issuer = Issuer()
        self.answer = answer or self._token
        self.keys: Callable[[], Any] = self.issuer.keys
        """Gives the JWKS."""
        self.asked: list[dict[str, str]] = []
        """The forms, with the header `Authorization`."""
        self._tls = tls
        self._server: Any = None
        self._port = 0

    def _token(self, form: dict[str, str]) -> Answer:
        wanted = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if form["Authorization"] != f"Basic {wanted}":
            return 401, {"error": "invalid_client"}
        scope = form.get("scope", "")
        return 200, {"access_token": self.issuer.token(scope=scope), "token_type": "Bearer"}

    @property
    def url(self) -> str:
        """Where it is."""
        scheme = "https" if self._tls else "http"
        return f"{scheme}://localhost:{self._port}/token"

    @property
    def keys_url(self) -> str:
        """Where the JWKS is."""
        return f"http://localhost:{self._port}/keys"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen, where it did before."""
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 5

            def do_GET(self) -> None:
                self._say(200, endpoint.keys())

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                form = {k: v[0] for k, v in parse_qs(self.rfile.read(length).decode()).items()}
                form["Authorization"] = self.headers.get("Authorization", "")
                endpoint.asked.append(form)
                self._say(*endpoint.answer(form))

            def _say(self, status: int, said: Any) -> None:
                body = said if isinstance(said, bytes) else json.dumps(said).encode()
                try:
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    pass  # who asked has gone

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                pass

        self._server = Server(("localhost", self._port), Handler)
        self._port = self._server.server_port
        if self._tls is not None:
            context: ssl.SSLContext = self._tls
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
