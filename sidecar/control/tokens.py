"""Tokens that open a virtual cluster: minted for the control API, verified for the data plane.

A token is the password of SASL PLAIN. Its bytes are those of Conduktor Gateway: header
``{"alg":"HS256"}``, claims ``username``, ``vcluster`` and ``exp``, in this order and no others.
"""

import json
from datetime import UTC, datetime
from typing import Any

import jwt

from sidecar.model.errors import InvalidArgument
from sidecar.model.identity import AuthenticationFailed, Identity, Proof
from sidecar.model.names import resource_name, virtual_cluster_name

ALGORITHM = "HS256"
MIN_KEY_BYTES = 32
"""RFC 7518 section 3.2: a key at least as long as the hash."""
MAX_TOKEN_BYTES = 8 * 1024
MAX_LIFETIME_SECONDS = 10 * 365 * 24 * 3600
_LAST_EXPIRY = 253_402_300_799  # the end of year 9999, the last a date can name


class TokenAuthority:
    """Holds the signing key. Immutable, so any thread may use it.

    Args:
        secret_key: at least 32 bytes.

    Raises:
        ValueError: the key is shorter.
    """

    def __init__(self, secret_key: bytes) -> None:
        if len(secret_key) < MIN_KEY_BYTES:
            raise ValueError(
                f"the key that signs tokens has {len(secret_key)} bytes,"
                f" at least {MIN_KEY_BYTES} are needed"
            )
        self._key = secret_key
        self._jws = jwt.PyJWS(algorithms=[ALGORITHM])

    def mint(
        self, username: str, virtual_cluster: str, lifetime_seconds: int, now: float
    ) -> tuple[str, int]:
        """Return ``(token, expiry)``, the expiry in whole seconds since the epoch.

        Raises:
            InvalidArgument: a name is not one, or the lifetime is out of range.
        """
        resource_name(username, "username")
        virtual_cluster_name(virtual_cluster)
        if not 1 <= lifetime_seconds <= MAX_LIFETIME_SECONDS:
            raise InvalidArgument.of(
                "lifetime_seconds",
                f"lifetime_seconds is {lifetime_seconds}, allowed are 1 to {MAX_LIFETIME_SECONDS}",
            )
        expiry = int(now) + lifetime_seconds
        claims = {"username": username, "vcluster": virtual_cluster, "exp": expiry}
        # PyJWT adds a `typ` that the reference does not send; None leaves it out.
        return jwt.encode(claims, self._key, ALGORITHM, headers={"typ": None}), expiry

    def verify(self, token: str, now: float) -> Identity:
        """Return whom `token` names; raises as `prove`."""
        return self.prove(token, now).identity

    def prove(self, token: str, now: float) -> Proof:
        """Return whom `token` names, and for how long.

        Raises:
            AuthenticationFailed: it is no token, not ours, or not valid any more. The message
                never repeats any part of it.
        """
        claims = self._claims(token)
        expiry = claims.get("exp")
        if type(expiry) is not int or not 0 <= expiry <= _LAST_EXPIRY:
            raise AuthenticationFailed("the token's claim exp is missing or not a time")
        if now >= expiry:
            when = datetime.fromtimestamp(expiry, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            raise AuthenticationFailed(f"the token expired at {when}")
        username, virtual_cluster = claims.get("username"), claims.get("vcluster")
        if not isinstance(username, str) or not isinstance(virtual_cluster, str):
            raise AuthenticationFailed("the token's claims username and vcluster must be strings")
        try:
            resource_name(username, "username")
            virtual_cluster_name(virtual_cluster, "vcluster")
        except InvalidArgument as error:
            field = error.violations[0].field
            raise AuthenticationFailed(f"the token's claim {field} is not a name") from None
        return Proof(Identity(username, virtual_cluster), expiry - now)

    def _claims(self, token: str) -> dict[str, Any]:
        if len(token) > MAX_TOKEN_BYTES:
            raise AuthenticationFailed(
                f"the token has {len(token)} characters, at most {MAX_TOKEN_BYTES} are allowed"
            )
        try:
            if self._jws.get_unverified_header(token).get("alg") != ALGORITHM:
                raise AuthenticationFailed(
                    f"the token is not signed with {ALGORITHM}, the only algorithm accepted"
                )
            payload: bytes = self._jws.decode(token, self._key, algorithms=[ALGORITHM])
            claims = json.loads(payload)
        except jwt.InvalidSignatureError:
            raise AuthenticationFailed("the token is signed with another key") from None
        except (jwt.InvalidTokenError, ValueError, RecursionError):
            # Deep nesting exhausts the JSON parser's stack before a signature can be checked.
            raise AuthenticationFailed("the password is not a token (JWT)") from None
        if not isinstance(claims, dict):
            raise AuthenticationFailed("the token's claims are not an object")
        return claims
