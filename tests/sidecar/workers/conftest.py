"""Sidecars with workers that end with the test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.sidecar.workers.harness import Crew
from tests.support.fake_broker import FakeBroker

Launch = Callable[..., Crew]


@pytest.fixture
def broker() -> Iterator[FakeBroker]:
    """A broker to stand in front of."""
    with FakeBroker() as one:
        yield one


@pytest.fixture
def launch(broker: FakeBroker) -> Iterator[Launch]:
    """Starts sidecars in front of `broker`, with two workers unless told otherwise."""
    with ExitStack() as stack:

        def launch_one(workers: int = 2, *, at: FakeBroker = broker, **extra: str) -> Crew:
            return Crew(stack, at, workers, **extra)

        yield launch_one


@pytest.fixture
def crew(launch: Launch) -> Crew:
    """Two workers that are ready."""
    one = launch()
    one.ready()
    return one
