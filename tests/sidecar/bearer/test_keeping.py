"""One token for many: when it is renewed, and what happens while it cannot be."""

import os
import threading
import time
from pathlib import Path

import pytest

from sidecar.bearer.fetching import Refused
from sidecar.bearer.keeping import LOOK_SECONDS, RENEW_AT, RENEW_JITTER, TokenKeeper
from sidecar.bearer.source import TokenSource
from sidecar.bearer.token import Token, TokenError
from tests.support.token_endpoint import unsigned

SOURCE = TokenSource("http://x/", backoff=1.0, backoff_max=10.0)


class World:
    """Time, chance, and an endpoint."""

    def __init__(self, source: TokenSource = SOURCE, chance: float = 0.5) -> None:
        self.now = 1000.0
        self.asked = 0
        self.trouble: Exception | None = None
        self.keeper = TokenKeeper(source, self._get, lambda: self.now, lambda: chance)

    def _get(self, source: TokenSource, now: float) -> Token:
        self.asked += 1
        if self.trouble is not None:
            raise self.trouble
        return Token(f"t{self.asked}", "me", now + 100)

    def shown(self) -> str:
        """The token that is good now, after a look whether it is time for another."""
        return self.keeper.get().value


@pytest.mark.parametrize("chance", [0.0, 1.0])
def test_it_is_renewed_at_four_fifths_of_its_time(chance: float) -> None:
    world = World(chance=chance)
    assert world.shown() == "t1"
    due = world.keeper.wait
    assert due == pytest.approx(100 * (RENEW_AT + chance * RENEW_JITTER))
    world.now += due - 0.01
    assert world.shown() == "t1"
    world.now += 0.02
    assert world.shown() == "t2"


def test_the_old_one_counts_while_there_is_no_new_one() -> None:
    world = World()
    world.shown()
    world.now += 90
    world.trouble = TokenError("down")
    assert world.shown() == "t1"
    assert str(world.keeper.failure) == "down"
    world.now += 9
    assert world.shown() == "t1"
    world.now += 1
    assert world.keeper.token is None
    with pytest.raises(TokenError, match="down"):
        world.shown()
    world.trouble = None
    world.now += 10
    assert (world.shown(), world.keeper.failure) == ("t4", None)


@pytest.mark.parametrize(
    ("trouble", "pauses"),
    [(TokenError("down"), [1, 2, 4, 8, 10, 10]), (Refused("401"), [10, 10])],
)
def test_it_asks_less_and_less_often(trouble: Exception, pauses: list[float]) -> None:
    world = World()
    world.trouble = trouble
    for number, pause in enumerate(pauses, 1):
        world.keeper.renew()
        world.keeper.renew()
        assert (world.asked, world.keeper.wait) == (number, pytest.approx(pause))
        world.now += world.keeper.wait


def test_a_bug_is_told_without_what_it_says() -> None:
    world = World()
    world.trouble = RuntimeError("hunter2")
    with pytest.raises(TokenError, match=r"^asking for it failed, RuntimeError$"):
        world.shown()


def test_threads_that_come_at_once_ask_once() -> None:
    world = World()
    inner = world.keeper._get

    def slowly(source: TokenSource, now: float) -> Token:
        threading.Event().wait(0.1)
        return inner(source, now)

    world.keeper._get = slowly
    threads = [threading.Thread(target=world.shown) for _ in range(20)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert world.asked == 1


def test_a_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(unsigned(sub="a"))
    now = time.time()
    keeper = TokenKeeper(TokenSource(f"file://{path}"), clock=lambda: now)

    def later() -> str:
        nonlocal now
        now += LOOK_SECONDS
        return keeper.get().subject

    assert keeper.get().subject == "a"
    assert keeper.wait == pytest.approx(LOOK_SECONDS)
    assert later() == "a"
    path.write_text("half writ")
    assert later() == "a"
    assert str(keeper.failure).startswith("the token is no JWT")
    other = tmp_path / "other"
    other.write_text(unsigned(sub="b"))
    os.replace(other, path)
    assert (later(), keeper.failure) == ("b", None)
    path.unlink()
    assert later() == "b"
    now += 3600
    with pytest.raises(TokenError, match="No such file"):
        later()


def test_a_file_whose_token_has_expired_is_told_of_until_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(unsigned())
    now = time.time()
    keeper = TokenKeeper(TokenSource(f"file://{path}"), clock=lambda: now)
    keeper.renew()
    now += 4000
    with pytest.raises(TokenError, match="has expired 400 s ago"):
        keeper.get()
    path.write_text(unsigned(exp=now + 10))
    now += LOOK_SECONDS * 1.2
    assert keeper.get().expires == pytest.approx(now + 10, abs=2)
