"""A running control server for each test that wants one."""

from collections.abc import Iterator

import pytest

from tests.sidecar.api.harness import Control, running


@pytest.fixture
def control() -> Iterator[Control]:
    """A server with an admin and a viewer, all limits as they are by default."""
    with running() as control:
        yield control
