"""What a token says of itself. Nobody checks its signature here: that is for the brokers."""

import base64
import json
import re
from dataclasses import dataclass, field
from typing import Any, Final

_JWT: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
"""The compact form (RFC 7515, section 7.1); also what may stand in a message of OAUTHBEARER."""
_LATEST: Final = 1e11
"""Seconds since the epoch: what expires later is no date."""


class TokenError(Exception):
    """There is no token; ``str()`` says why, and has no secret in it."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token that is good for a while.

    Args:
        value: the token.
        subject: whom it is about.
        expires: seconds since the epoch.
    """

    value: str = field(repr=False)
    subject: str
    expires: float


def read(value: str, scope_claim: str, sub_claim: str, now: float) -> Token:
    """Read what the token says, as Kafka's clients do before they show it.

    Args:
        scope_claim, sub_claim: names of claims; the first may be missing.
        now: seconds since the epoch.

    Raises:
        TokenError: it is none, has expired, or lacks what it must say.
    """
    if not _JWT.fullmatch(value):
        raise TokenError("the token is no JWT (three parts of base64url with points between)")
    claims = _claims(value.split(".")[1])
    subject, expires, scope = claims.get(sub_claim), claims.get("exp"), claims.get(scope_claim)
    if not isinstance(subject, str) or not subject.strip():
        raise TokenError(f"the token's claim {sub_claim} is no text")
    if isinstance(expires, bool) or not isinstance(expires, int | float):
        raise TokenError("the token's claim exp is no number")
    if not abs(expires) < _LATEST:
        raise TokenError("the token's claim exp is no date in seconds")
    if expires <= now:
        raise TokenError(f"the token has expired {now - expires:.0f} s ago by this machine's clock")
    words = scope if isinstance(scope, list) else [scope]
    if scope is not None and not all(isinstance(word, str) for word in words):
        raise TokenError(f"the token's claim {scope_claim} is neither a text nor a list of texts")
    return Token(value, subject, float(expires))


def _claims(part: str) -> dict[str, Any]:
    try:
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        claims = None
    if not isinstance(claims, dict):
        raise TokenError("the token's payload is no JSON object")
    return claims
