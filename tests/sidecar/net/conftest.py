"""Gateways and fake brokers that end with the test."""

from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest

from tests.support.fake_broker import FakeBroker
from tests.support.gateways import Running

Start = Callable[..., Running]


@pytest.fixture(autouse=True)
def _bounded() -> Iterator[None]:
    """No test waits for ever on this hub."""
    with gevent.Timeout(20, TimeoutError("the test took 20 s")):
        yield


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts brokers that are not yet listening, and a gateway in front of them."""
    running: list[Running] = []
    brokers: list[FakeBroker] = []

    def start_one(*wanted: FakeBroker, **options: Any) -> Running:
        for broker in wanted:
            broker.others = [other for other in wanted if other is not broker]
            brokers.append(broker.__enter__())
        one = Running(*wanted, **options)
        running.append(one)
        one.gateway.start()
        return one

    yield start_one
    for one in running:
        one.stop()
    for broker in brokers:
        broker.stop()


@pytest.fixture
def quiet(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Nothing may be printed: gevent prints what goes wrong in a callback."""
    yield
    assert capfd.readouterr() == ("", "")
