"""A control thread gets its answer from the hub, or is told in time that there is none."""

import threading
from collections.abc import Callable, Iterator

import gevent
import pytest

from sidecar.crossing import Crossing

SECONDS = 20


@pytest.fixture
def crossing() -> Iterator[Crossing]:
    """To a hub that runs on a thread of its own."""
    made: list[Crossing] = []
    there, over = threading.Event(), threading.Event()

    def run() -> None:
        made.append(Crossing())
        there.set()
        while not over.is_set():
            gevent.sleep(0.005)

    thread = threading.Thread(target=run)
    thread.start()
    assert there.wait(SECONDS)
    try:
        yield made[0]
    finally:
        over.set()
        thread.join(SECONDS)


def test_the_answer_comes_from_the_hubs_thread(crossing: Crossing) -> None:
    assert crossing.ask(threading.get_ident, SECONDS) != threading.get_ident()


def test_a_function_may_wait_there(crossing: Crossing) -> None:
    def wait() -> str:
        gevent.sleep(0.01)
        return "done"

    assert crossing.ask(wait, SECONDS) == "done"


def test_what_it_raises_is_raised_here(crossing: Crossing) -> None:
    def fail() -> None:
        raise ValueError("bad")

    with pytest.raises(ValueError, match="bad"):
        crossing.ask(fail, SECONDS)


def stubborn() -> None:
    """Takes an OSError, such as TimeoutError, for a broker that does not answer."""
    try:
        gevent.sleep(SECONDS)
    except OSError:
        gevent.sleep(SECONDS)


@pytest.mark.parametrize("function", [lambda: gevent.sleep(SECONDS), stubborn])
def test_what_takes_too_long_is_ended(crossing: Crossing, function: Callable[[], None]) -> None:
    ended: list[bool] = []

    def work() -> None:
        try:
            function()
        finally:
            ended.append(True)

    with pytest.raises(TimeoutError, match=r"no answer in 0.05 s"):
        crossing.ask(work, 0.05)

    assert ended == [True]


def test_a_hub_that_does_not_run_does_not_answer() -> None:
    made: list[Crossing] = []
    thread = threading.Thread(target=lambda: made.append(Crossing()))
    thread.start()
    thread.join()

    with pytest.raises(TimeoutError):
        made[0].ask(lambda: None, 0.05)
