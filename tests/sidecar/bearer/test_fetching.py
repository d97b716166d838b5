"""Asking for a token: what is asked, what is taken, and what is told when there is none."""

import base64
import ssl
import threading
import time
from dataclasses import replace
from pathlib import Path
from socket import create_server, socket
from typing import Any

import pytest
import trustme

from sidecar.bearer.fetching import ANSWER_LIMIT, Refused, fetch
from sidecar.bearer.source import TokenSource
from sidecar.bearer.token import TokenError
from sidecar.tls.contexts import ClientTls
from sidecar.tls.stores import StoreFile
from tests.support.token_endpoint import CLIENT, SECRET, TokenEndpoint, unsigned


def source(url: str, **more: Any) -> TokenSource:
    return TokenSource(url, CLIENT, SECRET, connect_timeout=1, read_timeout=0.5, **more)


def refusal(wanted: TokenSource) -> str:
    began = time.monotonic()
    with pytest.raises(TokenError) as told:
        fetch(wanted, time.time())
    assert time.monotonic() - began < 3
    assert SECRET not in str(told.value)
    assert told.value.__cause__ is None
    return str(told.value)


def test_it_asks_as_the_rfc_has_it() -> None:
    with TokenEndpoint() as endpoint:
        found = fetch(source(endpoint.url, scope="read write"), time.time())

    basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
    assert endpoint.asked == [
        {
            "grant_type": "client_credentials",
            "scope": "read write",
            "Authorization": f"Basic {basic}",
        }
    ]
    assert found.subject == CLIENT
    assert found.expires == pytest.approx(time.time() + 3600, abs=5)
    assert found.value not in repr(found)
    assert SECRET not in repr(source("http://x"))


def test_id_and_secret_are_encoded_where_the_endpoint_wants_it() -> None:
    with TokenEndpoint(lambda form: (200, {"access_token": unsigned()})) as endpoint:
        fetch(TokenSource(endpoint.url, "a:b", "c d%", urlencode=True), time.time())

    said = endpoint.asked[0]["Authorization"].removeprefix("Basic ")
    assert base64.b64decode(said) == b"a%3Ab:c%20d%25"
    assert "scope" not in endpoint.asked[0]


@pytest.mark.parametrize(
    ("status", "said", "words"),
    [
        (401, {"error": "invalid_client"}, r"the token endpoint answers 401 \(invalid_client\)"),
        (
            400,
            {"error": "invalid_scope", "error_description": "no such"},
            r"answers 400 \(invalid_scope: no such\)",
        ),
        (401, {"error": f"not {SECRET}"}, "answers 401$"),
        (401, {"error": "a\nb", "error_description": ["x"]}, "answers 401$"),
        (403, b"<html>", "answers 403$"),
        (302, b"", "answers 302$"),
        (500, b"[" * 60_000, "answers 500$"),
        (200, b"", "is no JSON object"),
        (200, b"[" * 60_000, "is no JSON object"),
        (200, b"\xff\xfe", "is no JSON object"),
        (200, [], "is no JSON object"),
        (200, {}, "has no access_token"),
        (200, {"access_token": 7}, "has no access_token"),
        (200, {"access_token": "opaque"}, "is no JWT"),
        (200, {"access_token": "a.b\x01auth=x.c"}, "is no JWT"),
        (200, {"access_token": "a.b.c"}, "payload is no JSON object"),
        (200, {"access_token": unsigned(exp=1)}, r"has expired \d+ s ago by this machine's clock"),
        (200, {"access_token": unsigned(exp=None)}, "exp is no number"),
        (200, {"access_token": unsigned(exp=True)}, "exp is no number"),
        (200, {"access_token": unsigned(exp=float("inf"))}, "exp is no date"),
        (200, {"access_token": unsigned(exp=10**400)}, "exp is no date"),
        (200, {"access_token": unsigned(sub=" ")}, "claim sub is no text"),
        (200, {"access_token": unsigned(scope=[1])}, "claim scope is neither a text nor a list"),
        (200, b" " * (ANSWER_LIMIT + 1), f"more than {ANSWER_LIMIT} bytes"),
        (200, b" " * 5_000_000, f"more than {ANSWER_LIMIT} bytes"),
    ],
)
def test_answers_that_are_no_token(status: int, said: Any, words: str) -> None:
    with (
        TokenEndpoint(lambda form: (status, said)) as endpoint,
        pytest.raises(TokenError, match=words) as told,
    ):
        fetch(source(endpoint.url), time.time())
    assert SECRET not in str(told.value)
    assert isinstance(told.value, Refused) is (400 <= status < 500)


def test_claims_of_other_names() -> None:
    token = unsigned(sub=None, who="me", scp=["a"])
    with TokenEndpoint(lambda form: (200, {"id_token": token})) as endpoint:
        found = fetch(source(endpoint.url, sub_claim="who", scope_claim="scp"), time.time())

    assert found.subject == "me"


def test_one_that_is_down() -> None:
    with TokenEndpoint() as endpoint:
        pass
    words = refusal(source(endpoint.url))
    assert words.startswith("the token endpoint localhost:")
    assert "cannot be reached: [Errno 111]" in words
    assert "cannot be reached" in refusal(source("http://nowhere.invalid/"))


@pytest.mark.parametrize("drip", [b"", b"HTTP/1.1 200 OK\r\n", b"SSH-2.0-x\r\n\r\n"])
def test_one_that_takes_its_time_or_speaks_something_else(drip: bytes) -> None:
    """A byte now and then does not keep it waiting."""
    listening = create_server(("localhost", 0))
    kept: list[socket] = []

    def serve() -> None:
        peer, _ = listening.accept()
        kept.append(peer)
        peer.sendall(drip)
        try:
            for _ in range(40):
                peer.sendall(b"a")
                threading.Event().wait(0.05)
        except OSError:
            pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    words = refusal(source(f"http://localhost:{listening.getsockname()[1]}/"))
    thread.join(5)
    for each in (listening, *kept):
        each.close()
    assert words.endswith("speaks no HTTP" if b"SSH" in drip else "does not answer within 0.5 s")


def test_https_is_checked(tmp_path: Path) -> None:
    authority, other = trustme.CA(), trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(server)
    for name, each in (("ca", authority), ("other", other)):
        each.cert_pem.write_to_path(str(tmp_path / f"{name}.pem"))

    def trusting(name: str) -> TokenSource:
        tls = ClientTls(StoreFile(str(tmp_path / name)), check_host=True)
        return source(endpoint.url, tls=tls, public=False)

    with TokenEndpoint(tls=server) as endpoint:
        assert fetch(trusting("ca.pem"), time.time()).subject == CLIENT
        assert fetch(replace(trusting("ca.pem"), public=True), time.time()).subject == CLIENT
        assert "unable to get local issuer certificate" in refusal(trusting("other.pem"))
        assert "unable to get local issuer certificate" in refusal(source(endpoint.url))
        assert "gone.pem" in refusal(trusting("gone.pem"))
        elsewhere = replace(trusting("ca.pem"), url=endpoint.url.replace("localhost", "127.0.0.1"))
        assert "IP address mismatch" in refusal(elsewhere)


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a token"
    wanted = TokenSource(f"file://{tmp_path}/a%20token")
    assert refusal(wanted) == f"{path}: No such file or directory"
    path.write_text(f"\n{unsigned(sub='k8s')}\n")
    assert fetch(wanted, time.time()).subject == "k8s"
    path.write_bytes(b"\xff")
    assert refusal(wanted) == f"{path} has no token in it"
    path.write_bytes(b"a" * (ANSWER_LIMIT + 1))
    assert "more than" in refusal(wanted)
    assert refusal(TokenSource(f"file://{tmp_path}")).endswith(("is no file", "Is a directory"))
