"""Listeners: addresses, ports, start and stop."""

import socket

import pytest

from sidecar.embedded.server import EmbeddedCluster


def test_free_ports_are_found_and_told() -> None:
    with EmbeddedCluster(2) as running:
        endpoints = running.cluster.endpoints
        ports = {endpoint.port for endpoint in endpoints.values()}
        assert list(endpoints) == [1, 2]
        assert len(ports) == 2
        assert 0 not in ports
        assert running.bootstrap_servers == ",".join(
            f"127.0.0.1:{endpoint.port}" for endpoint in endpoints.values()
        )


def test_a_base_port_gives_consecutive_ports() -> None:
    base = _three_free_ports()
    with EmbeddedCluster(3, port=base) as running:
        assert [e.port for e in running.cluster.endpoints.values()] == [base, base + 1, base + 2]
    with EmbeddedCluster(3, port=base):
        pass


def test_a_taken_port_is_named_and_the_others_are_given_back() -> None:
    base = _three_free_ports()
    with socket.create_server(("127.0.0.1", base + 1)):
        with pytest.raises(OSError, match=f"broker 2 .* port {base + 1}: already in use"):
            EmbeddedCluster(3, port=base).start()
        socket.create_server(("127.0.0.1", base)).close()


def test_a_wildcard_is_not_advertised() -> None:
    with EmbeddedCluster(1, host="0.0.0.0") as running:
        assert running.bootstrap_servers.startswith("localhost:")
    with EmbeddedCluster(1, host="0.0.0.0", advertised_host="broker") as running:
        assert running.bootstrap_servers.startswith("broker:")


@pytest.mark.parametrize(("brokers", "port"), [(0, 0), (3, 65534), (1, -1)])
def test_impossible_numbers(brokers: int, port: int) -> None:
    with pytest.raises(ValueError, match=r"at least 1|leaves no room"):
        EmbeddedCluster(brokers, port=port)


def _three_free_ports() -> int:
    for base in range(21000, 60000, 3):
        try:
            for port in range(base, base + 3):
                socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return base
    raise AssertionError("no three free ports in a row")
