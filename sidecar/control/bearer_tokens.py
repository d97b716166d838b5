"""Bearer tokens of somebody else (OAUTHBEARER): JWTs (RFC 7519), verified with keys of a JWK set
(RFC 7517) and asymmetric algorithms alone.

What Kafka's own validator demands (KIP-768) is demanded here: a signature, `exp`, a subject, the
issuer and one of the audiences where these are configured.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import jwt

from sidecar.model.errors import InvalidArgument
from sidecar.model.identity import AuthenticationFailed, KeysUnavailable, KeyUnknown
from sidecar.model.names import principal_name, virtual_cluster_name
from sidecar.model.oauth import OAuth

MAX_BEARER_BYTES: Final = 32 * 1024
"""Those of identity providers name every group of a user."""
MAX_KEYS: Final = 100
MIN_RSA_BITS: Final = 2048
"""RFC 7518 section 3.3."""
CLOCK_SKEW: Final = 30.0
"""Seconds that a token may be from the future; Kafka has the same."""
VCLUSTER_CLAIM: Final = "gateway.vcluster"

# What keys may be for, by algorithm: their kty, and their curves if there are such.
_ALGORITHMS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), ("RSA", ())),
    "ES256": ("EC", ("P-256",)),
    "ES384": ("EC", ("P-384",)),
    "ES512": ("EC", ("P-521",)),
    "EdDSA": ("OKP", ("Ed25519", "Ed448")),
}
_PUBLIC: Final = ("kty", "crv", "n", "e", "x", "y")
"""Members that make a public key; others are not wanted here, least of all private ones."""
_LAST_DATE: Final = 253_402_300_799  # the end of year 9999, the last a date can name


class BadKeys(ValueError):
    """A text is no JWK set, or has no key that can be used."""


@dataclass(frozen=True, slots=True)
class Key:
    """A public key, and what it may verify.

    Args:
        kid: its name; None: it has none.
        by_algorithm: the key as PyJWT has it, for each algorithm it may be used with.
    """

    kid: str | None
    by_algorithm: Mapping[str, jwt.PyJWK]


Keys = tuple[Key, ...]


def keys_from(text: bytes) -> Keys:
    """The keys of a JWK set that can verify tokens; others are left out (RFC 7517 section 5).

    Raises:
        BadKeys: there is none; the message repeats nothing of the text.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise BadKeys("it is not JSON") from None
    given = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(given, list):
        raise BadKeys("it is not a JWK set: there is no list `keys`")
    if len(given) > MAX_KEYS:
        raise BadKeys(f"it has {len(given)} keys, at most {MAX_KEYS} are allowed")
    found = tuple(key for key in map(_key, given) if key is not None)
    if not found:
        raise BadKeys(f"none of its {len(given)} keys can be used; algorithms: {_allowed()}")
    return found


def _key(given: Any) -> Key | None:
    if not isinstance(given, dict) or given.get("use", "sig") != "sig":
        return None
    operations = given.get("key_ops", ["verify"])
    kid = given.get("kid")
    if not isinstance(operations, list) or "verify" not in operations:
        return None
    if kid is not None and not isinstance(kid, str):
        return None
    public = {name: given[name] for name in _PUBLIC if name in given}
    usable: dict[str, jwt.PyJWK] = {}
    for algorithm, (kind, curves) in _ALGORITHMS.items():
        if public.get("kty") != kind or given.get("alg", algorithm) != algorithm:
            continue
        if curves and public.get("crv") not in curves:
            continue
        try:
            made = jwt.PyJWK(public, algorithm)
        except Exception:  # noqa: BLE001 - whatever is wrong with a key, others may be used
            return None
        if getattr(made.key, "key_size", MIN_RSA_BITS) < MIN_RSA_BITS and kind == "RSA":
            return None
        usable[algorithm] = made
    return Key(kid, usable) if usable else None


def _allowed() -> str:
    return ", ".join(_ALGORITHMS)


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whom a token names.

    Args:
        principal: its subject.
        virtual_cluster: the one it asks for; None: it asks for none.
        seconds: how long it is good from now on.
    """

    principal: str
    virtual_cluster: str | None
    seconds: float


class BearerTokens:
    """Verifies tokens; never waits.

    Args:
        keys: those that are known now; None: none yet.
        rules: what tokens have to be.
    """

    def __init__(self, keys: Callable[[], Keys | None], rules: OAuth) -> None:
        self._keys = keys
        self._rules = rules
        self._jws = jwt.PyJWS(algorithms=list(_ALGORITHMS))

    def verify(self, token: str, now: float) -> Bearer:
        """Return whom `token` names at `now`, seconds since the epoch.

        Raises:
            AuthenticationFailed: it is no token, or none that is good here; KeyUnknown where newer
                keys may help, KeysUnavailable where there are none. The message never repeats any
                part of it.
        """
        claims = self._claims(token)
        seconds = self._remaining(claims, now)
        rules = self._rules
        if rules.issuer is not None and claims.get("iss") != rules.issuer:
            raise AuthenticationFailed("the token's claim iss is not the issuer expected here")
        audience = claims.get("aud")
        given = audience if isinstance(audience, list) else [audience]
        if rules.audiences and not any(each in rules.audiences for each in given):
            raise AuthenticationFailed("the token's claim aud has none of those expected here")
        _check_scope(claims.get(rules.scope_claim, ""), rules.scope_claim)
        principal = claims.get(rules.sub_claim)
        virtual_cluster = claims.get(VCLUSTER_CLAIM)
        for name, value, check in (
            (rules.sub_claim, principal, principal_name),
            (VCLUSTER_CLAIM, virtual_cluster, virtual_cluster_name),
        ):
            if value is None and name == VCLUSTER_CLAIM:
                continue
            try:
                if not isinstance(value, str):
                    raise InvalidArgument.of(name, "it is not a text")
                check(value, name)
            except InvalidArgument:
                raise AuthenticationFailed(
                    f"the token's claim {name} is missing or not a name"
                ) from None
        return Bearer(str(principal), virtual_cluster, seconds)

    def _claims(self, token: str) -> dict[str, Any]:
        """What a token says that is signed as it has to be."""
        if len(token) > MAX_BEARER_BYTES:
            raise AuthenticationFailed(
                f"the token has {len(token)} characters, at most {MAX_BEARER_BYTES} are allowed"
            )
        try:
            head = self._jws.get_unverified_header(token)
        except (jwt.InvalidTokenError, ValueError, RecursionError):
            raise AuthenticationFailed("it is not a token (JWT)") from None
        algorithm, kid = head.get("alg"), head.get("kid")
        if not isinstance(algorithm, str) or algorithm not in _ALGORITHMS:
            raise AuthenticationFailed(f"the token is not signed with one of {_allowed()}")
        if "crit" in head:
            raise AuthenticationFailed("the token demands extensions (crit) that are not known")
        key = self._key(algorithm, kid)
        try:
            payload: bytes = self._jws.decode(token, key, algorithms=[algorithm])
            claims = json.loads(payload)
        except jwt.InvalidSignatureError:
            raise AuthenticationFailed("the token's signature is wrong") from None
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            raise AuthenticationFailed("it is not a token (JWT)") from None
        if not isinstance(claims, dict):
            raise AuthenticationFailed("the token's claims are not an object")
        return claims

    def _key(self, algorithm: str, kid: Any) -> jwt.PyJWK:
        """The one that a token names; a token may leave that out where only one can be meant."""
        keys = self._keys()
        if keys is None:
            raise KeysUnavailable("keys of bearer tokens could not be fetched yet: try again")
        named = [key for key in keys if key.kid == kid] if kid is not None else list(keys)
        fit = [key.by_algorithm[algorithm] for key in named if algorithm in key.by_algorithm]
        if kid is None and len(fit) > 1:
            raise AuthenticationFailed("the token does not say which key it is signed with (kid)")
        if not named:
            raise KeyUnknown("the token is signed with a key that is not known")
        if not fit:
            raise AuthenticationFailed("the token's key is not for its algorithm")
        return fit[0]

    @staticmethod
    def _remaining(claims: dict[str, Any], now: float) -> float:
        """How long claims are good from now on, seconds."""
        expiry = _date(claims, "exp")
        if expiry is None:
            raise AuthenticationFailed("the token's claim exp is missing or not a time")
        if now >= expiry:
            when = datetime.fromtimestamp(expiry, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            raise AuthenticationFailed(f"the token expired at {when}")
        for name in ("nbf", "iat"):
            date = _date(claims, name)
            if date is None and name in claims:
                raise AuthenticationFailed(f"the token's claim {name} is not a time")
            if date is not None and date > now + CLOCK_SKEW:
                raise AuthenticationFailed(f"the token's claim {name} is in the future")
        return expiry - now


def _date(claims: dict[str, Any], name: str) -> float | None:
    """A claim in seconds since the epoch; None: it is none."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if 0 <= value <= _LAST_DATE else None  # NaN is not


def _check_scope(scope: Any, claim: str) -> None:
    """Words with blanks between them, or a list of words, as Kafka has it."""
    words = scope if isinstance(scope, list) else [scope]
    if not all(isinstance(word, str) for word in words):
        raise AuthenticationFailed(f"the token's claim {claim} is not a list of words")
