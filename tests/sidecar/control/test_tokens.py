"""Tokens: their bytes are the reference's, and whatever is wrong with one is said clearly."""

import base64
import json
from typing import Any

import jwt
import pytest

from sidecar.control.tokens import MAX_LIFETIME_SECONDS, TokenAuthority
from sidecar.model.errors import InvalidArgument
from sidecar.model.identity import AuthenticationFailed, Identity

KEY = bytes(range(32))
NOW = 1712693829.75
AUTHORITY = TokenAuthority(KEY)


def part(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def signed(claims: Any, key: bytes | None = KEY, **options: Any) -> str:
    return jwt.api_jws.encode(json.dumps(claims).encode(), key, **options)


def test_bytes_are_those_of_the_recorded_demo() -> None:
    token, expiry = AUTHORITY.mint("sa", "teamA", 7776000, NOW)

    header, claims, _ = token.split(".")
    assert header == "eyJhbGciOiJIUzI1NiJ9"
    assert claims == "eyJ1c2VybmFtZSI6InNhIiwidmNsdXN0ZXIiOiJ0ZWFtQSIsImV4cCI6MTcyMDQ2OTgyOX0"
    assert part(header) == b'{"alg":"HS256"}'
    assert part(claims) == b'{"username":"sa","vcluster":"teamA","exp":1720469829}'
    assert expiry == 1720469829


def test_verified_names_the_user_and_the_virtual_cluster() -> None:
    token, expiry = AUTHORITY.mint("sa", "all-in-one.", 60, NOW)

    assert AUTHORITY.verify(token, NOW) == Identity("sa", "all-in-one.")
    assert AUTHORITY.verify(token, expiry - 0.001) == Identity("sa", "all-in-one.")


def test_expired_says_when() -> None:
    token, expiry = AUTHORITY.mint("sa", "teamA", 60, NOW)

    with pytest.raises(AuthenticationFailed, match=r"^the token expired at 2024-04-09T20:18:09Z$"):
        AUTHORITY.verify(token, expiry)


CLAIMS = {"username": "sa", "vcluster": "teamA", "exp": int(NOW) + 60}


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("", "not a token"),
        ("secret", "not a token"),
        ("a.b.c", "not a token"),
        ("é.é.é", "not a token"),
        (f"{encoded(b'[1]')}.e30.e30", "not a token"),
        (f"{encoded(b'[' * 5000)}.e30.e30", "not a token"),
        (f"{encoded(b'{}')}.e30.e30", "not signed with HS256"),
        ("x" * 9000, "9000 characters, at most 8192"),
        (signed(CLAIMS, bytes(32)), "signed with another key"),
        (signed(CLAIMS, None, algorithm="none"), "not signed with HS256"),
        (signed(CLAIMS, bytes(64), algorithm="HS512"), "not signed with HS256"),
        (signed([]), "not an object"),
        (signed(CLAIMS | {"exp": None}), "claim exp is missing or not a time"),
        (signed(CLAIMS | {"exp": True}), "claim exp is missing or not a time"),
        (signed(CLAIMS | {"exp": NOW + 60}), "claim exp is missing or not a time"),
        (signed(CLAIMS | {"exp": -(10**30)}), "claim exp is missing or not a time"),
        (signed(CLAIMS | {"exp": 10**30}), "claim exp is missing or not a time"),
        (signed({"vcluster": "a", "exp": CLAIMS["exp"]}), "username and vcluster must be strings"),
        (signed(CLAIMS | {"vcluster": 1}), "username and vcluster must be strings"),
        (signed(CLAIMS | {"vcluster": "a/b"}), "claim vcluster is not a name"),
        (signed(CLAIMS | {"username": ""}), "claim username is not a name"),
    ],
)
def test_refused(token: str, message: str) -> None:
    with pytest.raises(AuthenticationFailed, match=message) as refusal:
        AUTHORITY.verify(token, NOW)

    assert not token or token not in str(refusal.value)


def test_tampered_claims_are_refused() -> None:
    header, _, signature = AUTHORITY.mint("sa", "teamA", 60, NOW)[0].split(".")
    claims = encoded(json.dumps(CLAIMS | {"username": "root"}).encode())

    with pytest.raises(AuthenticationFailed, match="another key"):
        AUTHORITY.verify(f"{header}.{claims}.{signature}", NOW)


@pytest.mark.parametrize("seconds", [0, -1, MAX_LIFETIME_SECONDS + 1])
def test_lifetime_has_bounds(seconds: int) -> None:
    with pytest.raises(
        InvalidArgument, match=f"^lifetime_seconds is {seconds}, allowed are 1 to 315360000$"
    ):
        AUTHORITY.mint("sa", "teamA", seconds, NOW)


def test_names_are_checked_before_signing() -> None:
    with pytest.raises(InvalidArgument, match="username must not be empty"):
        AUTHORITY.mint("", "teamA", 60, NOW)
    with pytest.raises(InvalidArgument, match="virtual_cluster is 'team A'"):
        AUTHORITY.mint("sa", "team A", 60, NOW)


def test_short_keys_are_refused() -> None:
    with pytest.raises(ValueError, match="has 31 bytes, at least 32 are needed"):
        TokenAuthority(bytes(31))
