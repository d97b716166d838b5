"""Who may listen on a port, and on it as well."""

import resource
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest
from gevent import socket

from sidecar.dataplane.addresses import AddressBook, Broker
from sidecar.dataplane.pipeline import Pipeline
from sidecar.dataplane.shared import Shared
from sidecar.dataplane.versions import Versions
from sidecar.metrics import Metrics
from sidecar.model.place import ALONE, Place
from sidecar.model.snapshot import Snapshot
from sidecar.net.listeners import Listeners
from tests.support.gateways import free_ports
from tests.support.log import EventLog

BROKER = Broker(1, "kafka1", 9092)
FIRST, SECOND = Place(0, 2), Place(1, 2)
Open = Callable[[Place], Listeners]


@pytest.fixture
def port() -> int:
    """One that is free."""
    return free_ports(1)


@pytest.fixture
def listen(port: int) -> Iterator[Open]:
    """Listens on the port, and ends with the test."""
    opened: list[Listeners] = []
    book = AddressBook("127.0.0.1", port)

    def listen_one(place: Place) -> Listeners:
        shared = Shared(
            pipeline=Pipeline(Snapshot()),
            versions=Versions([], secured=False),
            advertise=book.advertised,
            record=lambda injections: True,
        )
        log: Any = EventLog()
        one = Listeners(
            locate=lambda node_id: BROKER,
            shared=shared,
            bind_host="127.0.0.1",
            max_connections=10,
            frame_limit=65536,
            metrics=Metrics(),
            log=log,
            place=place,
        )
        one.open(BROKER, port)
        opened.append(one)
        return one

    yield listen_one
    for one in opened:
        one.stop()


def test_workers_share_the_port_of_the_first(listen: Open) -> None:
    assert listen(FIRST).brokers == listen(SECOND).brokers == {1}


@pytest.mark.parametrize(
    ("before", "after"), [(ALONE, ALONE), (ALONE, FIRST), (ALONE, SECOND), (FIRST, FIRST)]
)
def test_nobody_else_gets_a_port_that_is_taken(
    listen: Open, port: int, before: Place, after: Place
) -> None:
    listen(before)

    with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{port}: Address already"):
        listen(after)


def test_a_first_that_comes_while_workers_of_another_listen_fails(listen: Open) -> None:
    first = listen(FIRST)
    listen(SECOND)
    first.stop()

    with pytest.raises(OSError, match="cannot listen"):
        listen(FIRST)


def test_alone_a_port_is_not_shared(listen: Open, port: int) -> None:
    listen(ALONE)

    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        with pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", port))


def test_out_of_descriptors_it_pauses_tells_once_and_recovers(
    listen: Open, port: int, capfd: pytest.CaptureFixture[str]
) -> None:
    log: Any = listen(ALONE)._log
    with socket.socket() as client:
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
        try:
            client.connect(("127.0.0.1", port))
            gevent.sleep(1)
            assert not log.of("client_connected")
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        with gevent.Timeout(10):
            while not log.of("client_connected"):
                gevent.sleep(0.05)
    assert len(log.of("accept_paused")) == 1
    assert capfd.readouterr().err == ""
