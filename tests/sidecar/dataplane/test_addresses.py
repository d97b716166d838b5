"""The address book: broker ids to client ports, the same in every sidecar."""

import pytest

from sidecar.dataplane.addresses import AddressBook, Broker, PortsExhausted


def brokers(*ids: int) -> list[Broker]:
    return [Broker(n, f"kafka{n}", 9092) for n in ids]


def test_ports_go_up_in_order_of_node_id_whatever_the_order_of_the_answer() -> None:
    book = AddressBook("sidecar", 6969)

    fresh = book.learn(brokers(7, 1, 30))

    assert [broker.node_id for broker in fresh] == [1, 7, 30]
    assert [(broker.node_id, port) for broker, port in book.ports()] == [
        (1, 6969),
        (7, 6970),
        (30, 6971),
    ]


def test_a_broker_that_joins_later_takes_the_next_port_and_moves_nobody() -> None:
    book = AddressBook("sidecar", 6969)
    book.learn(brokers(2, 3))

    assert book.learn(brokers(1, 2, 3)) == brokers(1)

    assert [book.client_port(n) for n in (1, 2, 3)] == [6971, 6969, 6970]


def test_a_broker_that_moved_keeps_its_port_and_is_not_new() -> None:
    book = AddressBook("sidecar", 6969)
    book.learn(brokers(1, 2))

    assert book.learn([Broker(1, "elsewhere", 9999)]) == []

    assert book.broker(1) == Broker(1, "elsewhere", 9999)
    assert book.client_port(1) == 6969
    assert book.broker(2) == Broker(2, "kafka2", 9092)


def test_with_a_lowest_broker_id_the_port_depends_on_the_id_alone() -> None:
    book = AddressBook("sidecar", 6969, port_count=10, min_broker_id=5)

    book.learn(brokers(9))
    book.learn(brokers(5))

    assert (book.client_port(9), book.client_port(5)) == (6973, 6969)


@pytest.mark.parametrize(("lowest", "node_id", "port"), [(5, 4, 6968), (5, 15, 6979)])
def test_an_id_outside_the_port_range_is_refused_with_the_port_it_needs(
    lowest: int, node_id: int, port: int
) -> None:
    book = AddressBook("sidecar", 6969, port_count=10, min_broker_id=lowest)

    with pytest.raises(
        PortsExhausted, match=rf"^broker {node_id} .* port {port}, allowed are 6969 to 6978$"
    ):
        book.learn(brokers(node_id))


def test_too_many_brokers_for_the_ports_keep_those_that_fit() -> None:
    book = AddressBook("sidecar", 6969, port_count=2)

    with pytest.raises(PortsExhausted, match=r"^broker 3 .* port 6971, allowed are 6969 to 6970$"):
        book.learn(brokers(1, 2, 3))

    assert [broker.node_id for broker, _ in book.ports()] == [1, 2]


def test_a_broker_without_a_port_keeps_nobody_from_moving() -> None:
    book = AddressBook("sidecar", 6969, port_count=2)
    book.learn(brokers(1, 5))

    with pytest.raises(PortsExhausted, match="broker 3"):
        book.learn([*brokers(1, 3), Broker(5, "elsewhere", 9999)])

    assert book.broker(5) == Broker(5, "elsewhere", 9999)
    assert book.client_port(5) == 6970


def test_ports_end_where_tcp_ends() -> None:
    book = AddressBook("sidecar", 65535)

    with pytest.raises(PortsExhausted, match="65536"):
        book.learn(brokers(1, 2))


def test_clients_are_told_the_sidecar_instead_of_the_broker() -> None:
    book = AddressBook("sidecar", 6969)
    book.learn(brokers(1, 2))

    assert book.advertised(2, b"kafka2", 9092) == (b"sidecar", 6970)


@pytest.mark.parametrize(("node_id", "host"), [(-1, b""), (1, b""), (-1, b"kafka1"), (-2, b"x")])
def test_nobody_stays_nobody(node_id: int, host: bytes) -> None:
    """Node id -1 and an empty host mean "none" in Kafka's answers."""
    book = AddressBook("sidecar", 6969)
    book.learn(brokers(1))

    assert book.advertised(node_id, host, 9092) == (host, 9092)
    assert len(book.ports()) == 1


def test_a_broker_first_seen_in_an_answer_gets_a_port_and_a_listener() -> None:
    book = AddressBook("sidecar", 6969)
    book.learn(brokers(1))
    opened: list[Broker] = []
    book.on_new = opened.append

    first = book.advertised(4, b"kafka4", 9094)
    second = book.advertised(4, b"kafka4", 9094)

    assert first == second == (b"sidecar", 6970)
    assert opened == [Broker(4, "kafka4", 9094)]


def test_a_broker_without_a_port_is_advertised_as_the_first_never_as_itself() -> None:
    book = AddressBook("sidecar", 6969, port_count=1)
    book.learn(brokers(1))

    assert book.advertised(2, b"kafka2", 9092) == (b"sidecar", 6969)
    assert [broker.node_id for broker, _ in book.ports()] == [1]
