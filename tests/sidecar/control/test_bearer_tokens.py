"""Bearer tokens: what is verified, and what is said of those that are not good."""

from __future__ import annotations

import base64
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sidecar.control.bearer_tokens import (
    CLOCK_SKEW,
    MAX_BEARER_BYTES,
    MAX_KEYS,
    BadKeys,
    Bearer,
    BearerTokens,
    keys_from,
)
from sidecar.model.identity import AuthenticationFailed, KeysUnavailable, KeyUnknown
from sidecar.model.oauth import OAuth
from tests.support.bearer import ISSUER, KINDS, jwk, key, key_set, token

NOW = 1500.0
RULES = OAuth(jwks_url="file:///keys", issuer=ISSUER, audiences=("kafka", "sidecar"))


def tokens(*keys: dict[str, Any], rules: OAuth = RULES) -> BearerTokens:
    found = keys_from(key_set(*(keys or (jwk("ES256", "one"),))))
    return BearerTokens(lambda: found, rules)


def refused(text: str, *keys: dict[str, Any], rules: OAuth = RULES, now: float = NOW) -> str:
    with pytest.raises(AuthenticationFailed) as failure:
        tokens(*keys, rules=rules).verify(text, now)
    assert type(failure.value) is AuthenticationFailed
    return str(failure.value)


@pytest.mark.parametrize("algorithm", KINDS)
@pytest.mark.parametrize("named", [False, True])
def test_every_asymmetric_algorithm(algorithm: str, named: bool) -> None:
    alg = {"alg": algorithm} if named else {}
    mine = tokens(jwk(algorithm, "one", use="sig", **alg), jwk("ES256", "two", number=1))

    assert mine.verify(token(algorithm), NOW) == Bearer("al", None, 500.0)


def test_of_edwards_curves_both() -> None:
    mine = tokens(jwk("EdDSA", "one", number=1))

    assert mine.verify(token("EdDSA", number=1), NOW).principal == "al"


def test_a_token_may_leave_out_its_key_where_only_one_can_be_meant() -> None:
    one, other, rsa = jwk("ES256", "one"), jwk("ES256", "two", number=1), jwk("RS256", "r")

    assert tokens(one, rsa).verify(token(kid=None), NOW).principal == "al"
    assert "which key" in refused(token(kid=None), one, other)


def test_with_another_key_of_that_name_it_is_not_good() -> None:
    assert refused(token(number=1)) == "the token's signature is wrong"


def test_with_a_key_that_is_not_there_newer_ones_may_help() -> None:
    with pytest.raises(KeyUnknown) as failure:
        tokens().verify(token(kid="two"), NOW)
    assert not isinstance(failure.value, KeysUnavailable)
    with pytest.raises(KeysUnavailable):
        BearerTokens(lambda: None, RULES).verify(token(), NOW)


def test_a_key_is_not_used_with_another_algorithm_than_its_own() -> None:
    """Nor a public key as if it were a shared secret."""
    rsa = jwk("RS256", "one", alg="RS256")
    public = key("RS256").public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"one"}').rstrip(b"=")
    body = token("RS256").split(".")[1].encode()
    mac = jwt.PyJWS().get_algorithm_by_name("HS256").sign(head + b"." + body, pem)
    confused = b".".join([head, body, base64.urlsafe_b64encode(mac).rstrip(b"=")]).decode()

    assert "key is not for its algorithm" in refused(token("PS512"), rsa)
    assert "key is not for its algorithm" in refused(token("ES256"), jwk("ES384", "one"))
    assert "not signed with one of RS256" in refused(confused, rsa)


def test_unsigned_and_shared_keys_are_none() -> None:
    nobody = jwt.encode({"sub": "al", "exp": 2000}, None, "none", headers={"kid": "one"})

    assert "not signed with one of" in refused(nobody)
    with pytest.raises(BadKeys, match="none of its 1 keys can be used"):
        keys_from(key_set({"kty": "oct", "k": "AAAA", "kid": "one", "alg": "HS256"}))


def test_demands_that_nobody_here_knows() -> None:
    """By newer releases of PyJWT, or else here."""
    said = refused(token(headers={"crit": ["x"], "x": 1}))

    assert "crit" in said or said == "it is not a token (JWT)"


@pytest.mark.parametrize("change", ["x", "", "x.y", "x.y.z", "." * 5, "[" * 5000, "é.é.é"])
def test_what_is_no_token(change: str) -> None:
    assert refused(change) == "it is not a token (JWT)"


def test_a_token_that_is_too_long() -> None:
    text = "x" * (MAX_BEARER_BYTES + 1)

    assert refused(text) == "the token has 32769 characters, at most 32768 are allowed"


@pytest.mark.parametrize("payload", [b"7", b"[]", b"{", b"\xff"])
def test_claims_have_to_be_an_object(payload: bytes) -> None:
    text = jwt.PyJWS().encode(payload, key("ES256"), "ES256", headers={"kid": "one"})

    assert refused(text) in ("the token's claims are not an object", "it is not a token (JWT)")


@pytest.mark.parametrize("expiry", ["soon", None, True, -1, 1e300, float("nan"), [2000]])
def test_until_when_a_token_is_good_has_to_be_told(expiry: Any) -> None:
    assert refused(token(exp=expiry)) == "the token's claim exp is missing or not a time"


def test_a_token_is_good_until_it_is_not() -> None:
    assert tokens().verify(token(exp=1500.5), NOW).seconds == 0.5
    assert refused(token(), now=2000.0) == "the token expired at 1970-01-01T00:33:20Z"
    assert "exp is missing" in refused(token(without=["exp"]))


@pytest.mark.parametrize("name", ["nbf", "iat"])
def test_a_token_from_the_future_is_not_good_yet(name: str) -> None:
    at_most = NOW + CLOCK_SKEW

    assert tokens().verify(token(**{name: at_most}), NOW).principal == "al"
    assert refused(token(**{name: at_most + 1})) == f"the token's claim {name} is in the future"
    assert refused(token(**{name: "now"})) == f"the token's claim {name} is not a time"


@pytest.mark.parametrize("issuer", ["https://else", "", None, 7, [ISSUER]])
def test_only_of_the_issuer(issuer: Any) -> None:
    assert "iss is not the issuer" in refused(token(iss=issuer))
    assert tokens(rules=OAuth(jwks_url="")).verify(token(without=["iss"]), NOW).principal == "al"


@pytest.mark.parametrize("audience", ["else", "", None, 7, [], ["x", 7], [["kafka"]]])
def test_only_for_the_audience(audience: Any) -> None:
    assert "aud has none" in refused(token(aud=audience))
    assert tokens().verify(token(aud=["x", "sidecar"]), NOW).principal == "al"
    assert tokens(rules=OAuth(jwks_url="")).verify(token(without=["aud"]), NOW).principal == "al"


def test_claims_may_be_called_otherwise() -> None:
    rules = OAuth(jwks_url="", sub_claim="azp", scope_claim="scp")
    mine = tokens(rules=rules)

    assert mine.verify(token(azp="the app", scp=["a", "b"]), NOW).principal == "the app"
    assert "claim azp is missing" in refused(token(), rules=rules)
    assert "claim scp is not a list of words" in refused(token(azp="x", scp=[7]), rules=rules)


@pytest.mark.parametrize("scope", ["", "a b", [], ["a"]])
def test_scopes_mean_nothing_but_have_to_be_some(scope: Any) -> None:
    assert tokens().verify(token(scope=scope), NOW).principal == "al"
    assert "claim scope is not a list" in refused(token(scope={}))


@pytest.mark.parametrize("subject", ["", None, 7, "x" * 513, "a\nb"])
def test_somebody_has_to_be_named(subject: Any) -> None:
    assert refused(token(sub=subject)) == "the token's claim sub is missing or not a name"


def test_a_token_may_ask_for_a_virtual_cluster() -> None:
    mine = tokens()

    assert mine.verify(token(**{"gateway.vcluster": "teamA"}), NOW).virtual_cluster == "teamA"
    for bad in ("", 7, "a/b", ["teamA"]):
        assert "claim gateway.vcluster" in refused(token(**{"gateway.vcluster": bad}))


def test_nothing_of_a_token_is_repeated() -> None:
    said = [
        refused(token(iss="hunter2")),
        refused(token(aud="hunter2")),
        refused(token(sub="hunter2/\n")),
        refused(token(headers={"crit": ["hunter2"], "hunter2": 1})),
        refused("hunter2.hunter2.hunter2"),
    ]
    assert not [text for text in said if "hunter2" in text]


@pytest.mark.parametrize(
    "odd",
    [
        {"kty": "RSA"},
        {"kty": "EC", "crv": "P-256", "x": "!", "y": "AA"},
        {"kty": "OKP", "crv": "X25519", "x": "AAAA"},
        jwk("RS256", "odd", bits=1024),
        jwk("ES256", "odd", use="enc"),
        jwk("ES256", "odd", key_ops=["sign"]),
        jwk("ES256", "odd", alg="ES384"),
        jwk("ES256", "odd") | {"kid": 7},
        7,
        None,
    ],
)
def test_keys_that_are_of_no_use_are_left_out(odd: Any) -> None:
    good = jwk("ES256", "one")
    text = json.dumps({"keys": [odd, good]}).encode()

    assert [each.kid for each in keys_from(text)] == ["one"]
    with pytest.raises(BadKeys):
        keys_from(json.dumps({"keys": [odd]}).encode())


def test_of_a_private_key_the_public_half_is_used() -> None:
    mine = tokens(jwk("ES256", "one", private=True), jwk("RS256", "two", private=True))

    assert mine.verify(token(), NOW).principal == "al"
    assert mine.verify(token("RS256", "two"), NOW).principal == "al"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "no list `keys`"),
        (b'{"keys": {}}', "no list `keys`"),
        (b'{"keys": []}', "none of its 0 keys"),
        (json.dumps({"keys": [7] * (MAX_KEYS + 1)}).encode(), "at most 100 are allowed"),
    ],
)
def test_what_is_no_set_of_keys(text: bytes, words: str) -> None:
    with pytest.raises(BadKeys, match=words):
        keys_from(text)
