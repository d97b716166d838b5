"""The bridge in front of a real control server."""

from collections.abc import Iterator

import pytest
from werkzeug.test import Client

from rest_bridge.client import SidecarClient
from rest_bridge.wsgi import Bridge
from tests.rest_bridge.harness import Http
from tests.sidecar.api.harness import Control, running


@pytest.fixture
def control() -> Iterator[Control]:
    """A control server with an admin and a viewer."""
    with running() as control:
        yield control


@pytest.fixture
def http(control: Control) -> Http:
    """An admin's requests to a bridge in front of it."""
    return Http(Client(Bridge(SidecarClient(control.channel, "sidecar:50051"))))
