"""Logins put together: passwords, and bearer tokens whose keys are in a file."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest

from sidecar.control.tokens import TokenAuthority
from sidecar.dataplane.sasl import Logins
from sidecar.logins import LoginsUnusable, import_jwt, logins
from sidecar.model.identity import AuthenticationFailed, Identity, KeyUnknown, Proof
from sidecar.model.oauth import LoginRules, OAuth
from tests.support.bearer import first_message, jwk, key_set, token
from tests.support.log import EventLog

KEY = b"a key that only these tests know"


def locate(principal: str, virtual_cluster: str) -> Identity:
    """A user mapping puts root into teamR."""
    return Identity(principal, "teamR" if principal == "root" else virtual_cluster)


@pytest.fixture(autouse=True)
def _bounded() -> Iterator[None]:
    with gevent.Timeout(20, TimeoutError("the test took 20 s")):
        yield


def made(path: Path | None = None, longest: float = 0) -> Logins:
    oauth = None if path is None else OAuth(jwks_url=f"file://{path}", audiences=("kafka",))
    rules = LoginRules(oauth=oauth, longest=longest)
    return logins(KEY, rules, lambda identity: None, locate, EventLog())


def bearer(logins: Logins, kid: str = "one", **claims: object) -> Proof:
    said = {"exp": time.time() + 60} | claims
    message = first_message(token("ES256", kid, **said))
    return logins.prove("OAUTHBEARER", message, 0.0)


def test_without_keys_there_are_passwords_only() -> None:
    mine = made(longest=5)
    minted, _ = TokenAuthority(KEY).mint("sa", "teamA", 60, time.time())

    proof = mine.prove("PLAIN", f"\0sa\0{minted}".encode(), 0.0)

    assert (mine.mechanisms, mine.longest) == (("PLAIN",), 5)
    assert proof.identity == Identity("sa", "teamA")
    assert proof.seconds is not None
    assert 58 < proof.seconds <= 60


def test_bearer_tokens_are_judged_by_keys_of_a_file_and_by_the_date(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(key_set(jwk("ES256", "one")))
    mine = made(path)
    mine.renew_keys()

    proof = bearer(mine)

    assert mine.mechanisms == ("PLAIN", "OAUTHBEARER")
    assert proof.identity == Identity("al", "passthrough")
    assert proof.seconds is not None
    assert 58 < proof.seconds <= 60
    assert bearer(mine, **{"gateway.vcluster": "teamA"}).identity == Identity("al", "teamA")
    mapped = bearer(mine, sub="root", **{"gateway.vcluster": "teamA"})
    assert mapped.identity == Identity("root", "teamR")
    with pytest.raises(AuthenticationFailed, match="expired"):
        bearer(mine, exp=time.time() - 1)


def test_a_new_key_is_known_when_a_token_is_signed_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sidecar.net.keys.LEAST_PAUSE", 0.01)
    path = tmp_path / "keys.json"
    path.write_bytes(key_set(jwk("ES256", "one")))
    mine = made(path)
    mine.renew_keys()
    with pytest.raises(KeyUnknown):
        bearer(mine, "two")
    path.write_bytes(key_set(jwk("ES256", "two")))

    mine.renew_keys()

    assert bearer(mine, "two").identity.username == "al"
    with pytest.raises(KeyUnknown):
        bearer(mine)


def test_what_bearer_tokens_need_is_told_if_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)

    with pytest.raises(LoginsUnusable, match=r"pip install 'kafka-chaos-sidecar\[oauth\]'"):
        import_jwt(LoginRules(oauth=OAuth(jwks_url="file:///keys")))
    import_jwt(LoginRules())
