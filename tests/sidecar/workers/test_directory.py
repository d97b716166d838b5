"""A worker's addresses are the first process's, and nobody else's."""

from sidecar.dataplane.addresses import Broker
from sidecar.workers.directory import Directory
from sidecar.workers.messages import ClusterView

ONE, TWO, THREE = (Broker(n, f"kafka{n}", 9092) for n in (1, 2, 3))


class Asked:
    """A directory that knows brokers 1 and 2, and what it asks for."""

    def __init__(self) -> None:
        self.brokers: list[Broker] = []
        self.directory = Directory("sidecar", self.brokers.append)
        self.directory.follow(ClusterView(((TWO, 6970), (ONE, 6969))))


def test_known_brokers_are_shown_at_their_ports() -> None:
    asked = Asked()

    assert asked.directory.advertised(2, b"kafka2", 9092) == (b"sidecar", 6970)
    assert asked.directory.locate(2) == TWO
    assert asked.brokers == []


def test_no_address_stays_none() -> None:
    directory = Asked().directory

    assert directory.advertised(-1, b"", -1) == (b"", -1)
    assert directory.advertised(1, b"", -1) == (b"", -1)


def test_an_unknown_broker_is_asked_for_once_and_shown_at_the_first_port() -> None:
    asked = Asked()

    told = [asked.directory.advertised(3, b"kafka3", 9092) for _ in range(2)]

    assert told == [(b"sidecar", 6969)] * 2
    assert asked.brokers == [THREE]
    asked.directory.follow(ClusterView(((ONE, 6969), (TWO, 6970), (THREE, 6975))))
    assert asked.directory.advertised(3, b"kafka3", 9092) == (b"sidecar", 6975)


def test_a_broker_that_moved_is_found_where_it_is() -> None:
    asked = Asked()
    moved = Broker(1, "kafka1", 9999)

    asked.directory.follow(ClusterView(((moved, 6969), (TWO, 6970))))

    assert asked.directory.locate(1) == moved
