"""What the sidecar says to brokers about itself."""

import base64
import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.dataplane.login import MAX_ITERATIONS, LoginFailed, login
from sidecar.model.credentials import MECHANISMS, Credentials

NOW = 1_700_000_000.5
# RFC 7677 section 3, and RFC 5802's exchange with SHA-512 as other implementations compute it.
NONCE = "rOprNGfwEbeRWgbNEkqO"
SERVER_NONCE = NONCE + "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
SALT = "W22ZaJ0SNY7soEsUEjb6gQ=="
FIRST = f"r={SERVER_NONCE},s={SALT},i=4096".encode()


def scram(password: str = "pencil", nonce: str = NONCE) -> Any:
    return login(Credentials("SCRAM-SHA-256", "user", password), nonce, NOW)


def test_scram_says_what_the_rfc_says() -> None:
    saying = scram()

    assert saying.first == f"n,,n=user,r={NONCE}".encode()
    assert saying.answer(FIRST) == (
        f"c=biws,r={SERVER_NONCE},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=".encode()
    )
    assert saying.answer(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=") is None


def test_a_server_that_does_not_know_the_password_is_found_out() -> None:
    saying = scram()
    saying.answer(FIRST)

    with pytest.raises(LoginFailed, match="does not know the password itself"):
        saying.answer(b"v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")


@pytest.mark.parametrize(
    ("challenge", "words"),
    [
        (b"", "answer to something else"),
        (b"\xff", "not UTF-8"),
        (f"r={NONCE},s={SALT},i=4096".encode(), "answer to something else"),
        (f"r=other,s={SALT},i=4096".encode(), "answer to something else"),
        (f"r={SERVER_NONCE},s=*,i=4096".encode(), "lacks salt or iterations"),
        (f"r={SERVER_NONCE},s={SALT}".encode(), "lacks salt or iterations"),
        (f"r={SERVER_NONCE},s={SALT},i=1".encode(), "asks for 1 iterations, allowed are 4096"),
        (f"r={SERVER_NONCE},s={SALT},i={MAX_ITERATIONS + 1}".encode(), "allowed are 4096 to"),
    ],
)
def test_a_wrong_challenge_is_refused(challenge: bytes, words: str) -> None:
    with pytest.raises(LoginFailed, match=words):
        scram().answer(challenge)


@pytest.mark.parametrize("final", [b"", b"v=", b"v=*", b"e=invalid-proof", b"x=y", b"\xff"])
def test_a_wrong_end_is_refused(final: bytes) -> None:
    saying = scram()
    saying.answer(FIRST)

    with pytest.raises(LoginFailed):
        saying.answer(final)


def test_names_are_escaped() -> None:
    saying = login(Credentials("SCRAM-SHA-512", "a=b,c", "p"), "n0nce", NOW)

    assert saying.first == b"n,,n=a=3Db=2Cc,r=n0nce"


def test_plain() -> None:
    saying = login(Credentials("PLAIN", "al", "p\u00e4ss"), "", NOW)

    assert saying.first == b"\0al\0p\xc3\xa4ss"
    assert saying.answer(b"") is None


def test_a_token_that_nobody_signed() -> None:
    saying = login(Credentials("OAUTHBEARER", "al", scope="read write"), "", NOW)

    head, _, token = saying.first.removesuffix(b"\x01\x01").partition(b"Bearer ")
    assert head == b"n,,\x01auth="
    header, payload, signature = token.split(b".")
    assert json.loads(base64.urlsafe_b64decode(header + b"==")) == {"alg": "none"}
    assert json.loads(base64.urlsafe_b64decode(payload + b"==")) == {
        "sub": "al",
        "iat": 1_700_000_000,
        "exp": 1_700_003_600,
        "scope": ["read", "write"],
    }
    assert signature == b""
    assert saying.answer(b"") is None
    with pytest.raises(LoginFailed, match=r"does not take the token: invalid_token$"):
        saying.answer(b'{"status":"invalid_token"}')


def test_a_token_from_elsewhere_with_what_is_said_beside_it() -> None:
    credentials = Credentials("OAUTHBEARER", "", extensions=(("a", "b"), ("c", "d e")))

    assert login(credentials, "", NOW, "x.y.z").first == (
        b"n,,\x01auth=Bearer x.y.z\x01a=b\x01c=d e\x01\x01"
    )


@given(st.sampled_from(MECHANISMS), st.lists(st.binary(max_size=60), min_size=1, max_size=3))
def test_no_challenge_makes_it_raise_anything_else(mechanism: str, said: list[bytes]) -> None:
    saying = login(Credentials(mechanism, "al", "hunter2"), "abc", NOW)
    with contextlib.suppress(LoginFailed):
        for each in said:
            saying.answer(each)
