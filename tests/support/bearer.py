"""An identity provider: keys of every kind, the set of their public halves, and tokens."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from jwt.algorithms import get_default_algorithms

ISSUER = "https://id.example.org"
KINDS = ("RS256", "PS512", "ES256", "ES384", "ES512", "EdDSA")
_CURVES = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}


def key(algorithm: str, number: int = 0, bits: int = 2048) -> Any:
    """A private key for an algorithm; another for each number, and always that but for RSA."""
    return _key(algorithm, number, bits)


@cache
def _key(algorithm: str, number: int, bits: int) -> Any:
    if algorithm in _CURVES:
        return ec.derive_private_key(number + 1000, _CURVES[algorithm]())
    if algorithm == "EdDSA" and number % 2:
        return ed448.Ed448PrivateKey.from_private_bytes(bytes([number] * 57))
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.from_private_bytes(bytes([number] * 32))
    return rsa.generate_private_key(65537, bits)


def jwk(algorithm: str, kid: str | None, *, private: bool = False, **more: Any) -> dict[str, Any]:
    """A key of the set; with `number` and `bits` as `key`."""
    how = {name: more.pop(name) for name in ("number", "bits") if name in more}
    made = key(algorithm, **how)
    kind = get_default_algorithms()[algorithm]
    found: dict[str, Any] = json.loads(kind.to_jwk(made if private else made.public_key()))
    found.pop("key_ops", None)
    return found | ({} if kid is None else {"kid": kid}) | more


def key_set(*keys: dict[str, Any]) -> bytes:
    """A JWK set."""
    return json.dumps({"keys": keys}).encode()


def token(
    algorithm: str = "ES256",
    kid: str | None = "one",
    *,
    number: int = 0,
    headers: dict[str, Any] | None = None,
    without: Iterable[str] = (),
    **claims: Any,
) -> str:
    """A token of `al` that is good from 1,000 to 2,000 seconds after the epoch, unless told."""
    said = {"iss": ISSUER, "aud": "kafka", "sub": "al", "iat": 1000, "exp": 2000} | claims
    for name in without:
        del said[name]
    head = (headers or {}) | ({} if kid is None else {"kid": kid})
    # Not by `jwt.encode`, which looks at claims.
    payload = json.dumps(said).encode()
    return jwt.PyJWS().encode(payload, key(algorithm, number), algorithm, headers=head)


def first_message(bearer: str, authzid: str = "", extensions: str = "") -> bytes:
    """What a client of OAUTHBEARER says first (RFC 7628)."""
    wanted = f"a={authzid}" if authzid else ""
    return f"n,{wanted},\x01auth=Bearer {bearer}\x01{extensions}\x01".encode()
