"""SASL as the client sees it, without sockets, clocks or random sources: what the sidecar says to
brokers, and whether what they answer is right.

PLAIN (RFC 4616), SCRAM-SHA-256 and -512 (RFC 5802, 7677; no channel binding, no SASLprep beyond
escaping, as Kafka), OAUTHBEARER with a token that is given or, without, one that nobody signed
(RFC 7628; Kafka, KIP-255 and KIP-768).
"""

import base64
import hashlib
import hmac
import json
from typing import Final, Protocol

from sidecar.model.credentials import OAUTHBEARER, PLAIN, SCRAM_SHA_512, Credentials

MIN_ITERATIONS: Final = 4096
MAX_ITERATIONS: Final = 1_000_000
"""Half a second of hashing: a broker that asks for more is none, or wants it to take long."""
_TOKEN_SECONDS: Final = 3600


class LoginFailed(Exception):
    """A broker does not take the credentials, or is not who it should be; never tells a secret."""


class Login(Protocol):
    """One authentication: what is said first, and in answer to what comes."""

    @property
    def first(self) -> bytes:
        """What begins it."""
        ...

    def answer(self, challenge: bytes) -> bytes | None:
        """Return what is said next; None when all is said.

        Raises:
            LoginFailed: the challenge is wrong.
        """
        ...


def login(credentials: Credentials, nonce: str, now: float, token: str = "") -> Login:
    """Begin an authentication.

    Args:
        nonce: printable characters without a comma, never used before.
        now: seconds since the epoch.
        token: for OAUTHBEARER; empty: one that nobody signed is made.
    """
    if credentials.mechanism == PLAIN:
        return _Plain(credentials)
    if credentials.mechanism == OAUTHBEARER:
        return _Bearer(token or _unsigned(credentials, now), credentials.extensions)
    return _Scram(credentials, nonce)


class _Plain:
    def __init__(self, credentials: Credentials) -> None:
        self.first = f"\0{credentials.username}\0{credentials.password}".encode()

    def answer(self, challenge: bytes) -> bytes | None:
        return None


class _Bearer:
    def __init__(self, token: str, extensions: tuple[tuple[str, str], ...]) -> None:
        said = "".join(f"{name}={value}\x01" for name, value in extensions)
        self.first = f"n,,\x01auth=Bearer {token}\x01{said}\x01".encode()

    def answer(self, challenge: bytes) -> bytes | None:
        if not challenge:
            return None
        # It says why in JSON, and fails when it has been told that this was heard.
        raise LoginFailed(f"the broker does not take the token{_status(challenge)}")


def _status(challenge: bytes) -> str:
    """The status in the broker's words (RFC 7628, section 3.2.2), if they are of that form."""
    try:
        said = json.loads(challenge)
    except (ValueError, RecursionError):
        return ""
    status = said.get("status") if isinstance(said, dict) else None
    return f": {status[:64]}" if isinstance(status, str) and status.isprintable() else ""


def _unsigned(credentials: Credentials, now: float) -> str:
    claims: dict[str, object] = {
        "sub": credentials.username,
        "iat": int(now),
        "exp": int(now) + _TOKEN_SECONDS,
    }
    if credentials.scope:
        claims["scope"] = credentials.scope.split()
    return ".".join([_part({"alg": "none"}), _part(claims), ""])


def _part(value: object) -> str:
    text = json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


class _Scram:
    def __init__(self, credentials: Credentials, nonce: str) -> None:
        self._hash = "sha512" if credentials.mechanism == SCRAM_SHA_512 else "sha256"
        self._password = credentials.password.encode()
        self._nonce = nonce
        name = credentials.username.replace("=", "=3D").replace(",", "=2C")
        self._bare = f"n={name},r={nonce}"
        self._signature: bytes | None = None

    @property
    def first(self) -> bytes:
        return f"n,,{self._bare}".encode()

    def answer(self, challenge: bytes) -> bytes | None:
        try:
            text = challenge.decode()
        except UnicodeDecodeError:
            raise LoginFailed("the broker's SCRAM message is not UTF-8") from None
        if self._signature is None:
            return self._proof(text)
        self._verify(text)
        return None

    def _proof(self, text: str) -> bytes:
        fields = dict(part.partition("=")[::2] for part in text.split(","))
        nonce, salt = fields.get("r", ""), fields.get("s", "")
        if not nonce.startswith(self._nonce) or len(nonce) == len(self._nonce):
            raise LoginFailed("the broker's SCRAM message is an answer to something else")
        try:
            salted_with = base64.b64decode(salt, validate=True)
            iterations = int(fields.get("i", ""))
        except ValueError:
            raise LoginFailed("the broker's SCRAM message lacks salt or iterations") from None
        if not MIN_ITERATIONS <= iterations <= MAX_ITERATIONS:
            raise LoginFailed(
                f"the broker asks for {iterations} iterations, allowed are {MIN_ITERATIONS} to"
                f" {MAX_ITERATIONS}"
            )
        salted = hashlib.pbkdf2_hmac(self._hash, self._password, salted_with, iterations)
        key = self._hmac(salted, b"Client Key")
        without_proof = f"c=biws,r={nonce}"
        signed = f"{self._bare},{text},{without_proof}".encode()
        stored = hashlib.new(self._hash, key).digest()
        proof = bytes(a ^ b for a, b in zip(key, self._hmac(stored, signed), strict=True))
        self._signature = self._hmac(self._hmac(salted, b"Server Key"), signed)
        return f"{without_proof},p={base64.b64encode(proof).decode()}".encode()

    def _verify(self, text: str) -> None:
        if text.startswith("e="):
            raise LoginFailed("the broker does not take the user or the password")
        try:
            given = base64.b64decode(text.removeprefix("v=").split(",")[0], validate=True)
        except ValueError:
            given = b""
        if not hmac.compare_digest(given, self._signature or b"-"):
            raise LoginFailed("the broker does not know the password itself: it is none of ours")

    def _hmac(self, key: bytes, data: bytes) -> bytes:
        return hmac.digest(key, data, self._hash)
