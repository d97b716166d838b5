"""Following the keys of bearer tokens: off the hub, never too often; they stay where that fails."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import gevent
import pytest

from sidecar.net import keys
from sidecar.net.keys import FetchFailed, KeyFollower, fetcher
from tests.support import certificates
from tests.support.fake_broker import until
from tests.support.log import EventLog


class Provider:
    """Gives what it is told to give, on a thread; counts."""

    def __init__(self) -> None:
        self.gives: Callable[[], bytes] = lambda: b"first"
        self.fetched = 0
        self.threads: set[int] = set()

    def __call__(self) -> bytes:
        self.fetched += 1
        self.threads.add(threading.get_ident())
        return self.gives()

    def has_tried(self, times: int) -> bool:
        return self.fetched >= times


class Following:
    """A follower of a provider, and what it logs."""

    def __init__(self, provider: Provider, **times: float) -> None:
        self.log = EventLog()
        waits = {"refresh": 3600.0, "retry": 0.01, "max_retry": 0.04} | times
        self.keys: KeyFollower[str] = KeyFollower(provider, self.parse, log=self.log, **waits)
        self.greenlet = self.keys.start()

    @staticmethod
    def parse(text: bytes) -> str:
        if text == b"bad":
            raise ValueError("it is no set of keys")
        return text.decode()


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def follow(provider: Provider) -> Iterator[Callable[..., Following]]:
    made: list[Following] = []

    def one(**times: float) -> Following:
        made.append(Following(provider, **times))
        return made[-1]

    yield one
    for each in made:
        each.greenlet.kill()


def fails() -> bytes:
    raise FetchFailed("nobody is there")


def test_keys_are_there_soon_and_were_fetched_on_another_thread(
    provider: Provider, follow: Callable[..., Following]
) -> None:
    mine = follow()
    assert mine.keys.keys is None

    mine.keys.renew()

    assert mine.keys.keys == "first"
    assert provider.threads
    assert threading.get_ident() not in provider.threads
    assert [event for _, event, _ in mine.log.entries] == ["jwks_loaded"]


def test_the_hub_goes_on_while_keys_come(
    provider: Provider, follow: Callable[..., Following]
) -> None:
    coming = threading.Event()

    def gives() -> bytes:
        assert coming.wait(10)
        return b"late"

    provider.gives = gives
    mine = follow()
    waiting = [gevent.spawn(mine.keys.renew) for _ in range(20)]
    began = time.monotonic()
    for _ in range(20):
        gevent.sleep(0.005)

    assert time.monotonic() - began < 1
    assert not any(waiter.ready() for waiter in waiting)
    coming.set()
    gevent.joinall(waiting, timeout=10)
    assert all(waiter.successful() for waiter in waiting)
    assert (mine.keys.keys, provider.fetched) == ("late", 1)


def test_keys_are_fetched_again_and_again(
    provider: Provider, follow: Callable[..., Following], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "LEAST_PAUSE", 0.01)
    mine = follow(refresh=0.02)
    until(lambda: provider.fetched == 3, "it is fetched")
    provider.gives = lambda: b"second"

    until(lambda: mine.keys.keys == "second", "it is new")


def test_whatever_tokens_come_keys_are_not_fetched_too_often(
    provider: Provider, follow: Callable[..., Following], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "LEAST_PAUSE", 0.2)
    mine = follow()
    mine.keys.renew()
    provider.gives = lambda: b"second"
    began = time.monotonic()

    waiting = [gevent.spawn(mine.keys.renew) for _ in range(50)]
    gevent.joinall(waiting, timeout=10)

    assert (provider.fetched, mine.keys.keys) == (2, "second")
    assert time.monotonic() - began > 0.1


def test_who_waits_does_not_do_so_for_ever(
    provider: Provider, follow: Callable[..., Following], monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = follow()
    mine.keys.renew()
    monkeypatch.setattr(keys, "PATIENCE", 0.02)

    mine.keys.renew()

    assert provider.fetched == 1


def test_where_fetching_fails_keys_stay_and_it_is_told_once(
    provider: Provider, follow: Callable[..., Following], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "LEAST_PAUSE", 0.01)
    mine = follow(refresh=0.02)
    mine.keys.renew()
    for provider.gives in (fails, lambda: b"bad", lambda: bytes(1 // 0)):
        tried = provider.fetched + 3
        until(partial(provider.has_tried, tried), "it is tried again")
        assert mine.keys.keys == "first"

    provider.gives = lambda: b"second"
    until(lambda: mine.keys.keys == "second", "it is new")
    assert [event for _, event, _ in mine.log.entries] == [
        "jwks_loaded",
        "jwks_unavailable",
        "jwks_loaded",
    ]
    assert mine.log.entries[1][2]["cause"] == "nobody is there"


def test_tries_become_fewer(provider: Provider, follow: Callable[..., Following]) -> None:
    provider.gives = fails
    times: list[float] = []
    provider.gives = lambda: times.append(time.monotonic()) or fails()
    follow(retry=0.02, max_retry=0.08)
    until(lambda: len(times) == 6, "it is tried")

    pauses = [after - before for before, after in itertools.pairwise(times)]
    assert all(
        pause >= least for pause, least in zip(pauses, (0.02, 0.04, 0.08, 0.08), strict=False)
    )


def test_after_success_tries_are_frequent_again(
    provider: Provider, follow: Callable[..., Following], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "LEAST_PAUSE", 0.01)
    provider.gives = fails
    mine = follow(refresh=0.02, retry=0.01, max_retry=60)
    until(lambda: provider.fetched == 7, "it is tried")
    provider.gives = lambda: b"first"
    until(lambda: mine.keys.keys == "first", "it is there")
    provider.gives = fails
    before = provider.fetched
    began = time.monotonic()

    until(lambda: provider.fetched >= before + 3, "it is tried again")

    assert time.monotonic() - began < 0.64, "the next pause it would have been"


# What is fetched, and from where.


@contextmanager
def served(paths: dict[str, tuple[int, bytes, dict[str, str]]]) -> Iterator[str]:
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body, headers = paths[self.path]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def told(url: str) -> str:
    with pytest.raises(FetchFailed) as failure:
        fetcher(url)()
    return str(failure.value)


def test_over_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "MAX_BYTES", 1000)
    paths = {
        "/keys?code=x": (200, b"these", {}),
        "/long": (200, b"x" * 1001, {}),
        "/gone": (404, b"no", {}),
        "/elsewhere": (302, b"", {"Location": "file:///etc/passwd"}),
    }
    with served(paths) as url:
        assert fetcher(f"{url}/keys?code=x")() == b"these"
        assert told(f"{url}/long") == "it has more than 1000 bytes"
        assert told(f"{url}/gone") == "HTTP status 404"
        assert told(f"{url}/elsewhere") == "HTTP status 302"
    assert "refused" in told(url)


def test_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "my keys.json"
    path.write_bytes(b"these")

    assert fetcher(f"file://{tmp_path}/my%20keys.json")() == b"these"
    assert told(f"file://{tmp_path}/none") == "No such file or directory"


def test_a_host_whose_name_nobody_knows_is_not_repeated() -> None:
    assert "opensesame" not in told("http://nobody.invalid/?code=opensesame")


def test_a_certificate_that_is_not_good() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def greet() -> None:
        sock, _ = listener.accept()
        with sock, contextlib.suppress(OSError):
            certificates.server().wrap_socket(sock, server_side=True)

    thread = threading.Thread(target=greet)
    thread.start()
    try:
        said = told(f"https://127.0.0.1:{listener.getsockname()[1]}/keys")
    finally:
        thread.join()
        listener.close()
    assert said == "cannot be asked: unable to get local issuer certificate"
