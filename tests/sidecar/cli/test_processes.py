"""The commands as processes: how they start, end, and say what went wrong."""

import http.client
import json
import signal
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from gevent import socket

from codec.messages.metadata import MetadataRequest
from tests.support.commands import Command
from tests.support.fake_broker import FakeBroker, until
from tests.support.gateways import Wire, free_ports

Start = Callable[..., Command]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts commands, and ends them with the test."""
    commands: list[Command] = []

    def start_one(*arguments: str, **extra: str) -> Command:
        commands.append(Command(*arguments, extra=extra))
        return commands[-1]

    yield start_one
    for command in commands:
        command.close()


@pytest.fixture
def broker() -> Iterator[FakeBroker]:
    """A broker to stand in front of."""
    with FakeBroker() as one:
        yield one


def settings(broker: FakeBroker, **more: str) -> dict[str, str]:
    """What `run` needs on ports of its own."""
    host, port = broker.address
    first = free_ports(4)
    return {
        "KAFKA_BOOTSTRAP_SERVERS": f"{host}:{port}",
        "GATEWAY_PORT_START": str(first),
        "GATEWAY_HTTP_PORT": "0",
        "GATEWAY_GRPC_PORT": "0",
        "GATEWAY_BIND_HOST": "127.0.0.1",
    } | more


def events(text: str) -> list[dict[str, Any]]:
    """The log, line by line; every line must be JSON."""
    return [json.loads(line) for line in text.splitlines()]


ENDINGS = [signal.SIGINT, signal.SIGTERM]


@pytest.mark.parametrize("number", ENDINGS)
def test_run_says_it_is_ready_and_ends_cleanly_on_a_signal(
    start: Start, broker: FakeBroker, number: int
) -> None:
    extra = settings(broker, GATEWAY_FEATURE_FLAGS_ANALYTICS="false")
    command = start("run", **extra)
    command.until(b'"event":"ready"')

    code, out, err = command.end(number)

    assert (code, err) == (0, "")
    names = [event["event"] for event in events(out)]
    assert names[0] == "setting_ignored"
    assert names[-2:] == ["ready", "stopped"]
    [listening] = [event for event in events(out) if event["event"] == "listening"]
    assert listening["port"] == int(extra["GATEWAY_PORT_START"])


@pytest.mark.parametrize("number", ENDINGS)
def test_run_ends_cleanly_while_it_waits_for_kafka(start: Start, number: int) -> None:
    with FakeBroker() as gone:
        extra = settings(gone)
    command = start("run", **extra)
    command.until(b"waiting_for_kafka")

    code, out, err = command.end(number)

    assert (code, err) == (0, "")
    assert events(out)[-1]["event"] == "stopped"


def test_run_finds_kafka_when_it_comes_later(start: Start, broker: FakeBroker) -> None:
    with FakeBroker() as gone:
        nobody = gone.address[1]
    extra = settings(broker)
    extra["KAFKA_BOOTSTRAP_SERVERS"] = f"127.0.0.1:{nobody},{extra['KAFKA_BOOTSTRAP_SERVERS']}"
    command = start("run", **extra)
    command.until(b"waiting_for_kafka")

    with FakeBroker(2) as other:
        broker.others = [other]
        command.until(b'"event":"ready"')

    assert events(command.end(signal.SIGTERM)[1])[-2]["brokers"] == 2


@pytest.mark.parametrize("which", ["GATEWAY_PORT_START", "GATEWAY_HTTP_PORT", "GATEWAY_GRPC_PORT"])
def test_a_port_in_use_is_named_and_ends_run_with_1(
    start: Start, broker: FakeBroker, which: str
) -> None:
    extra = settings(broker)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, out, err = start("run", **(extra | {which: str(port)})).end()

    assert code == 1
    assert "Traceback" not in err
    line = err.splitlines()[-1]  # gRPC's core has its own word before
    assert line.startswith("chaos-sidecar: ")
    assert line.count(str(port)) == 1
    assert "Errno" not in line
    *_, failed, stopped = events(out)
    assert (failed["event"], stopped["event"]) == ("start_failed", "stopped")
    assert line == f"chaos-sidecar: {failed['cause']}"


def test_more_brokers_than_ports_ends_run_with_1(start: Start, broker: FakeBroker) -> None:
    with FakeBroker(2) as other:
        broker.others = [other]
        code, _, err = start("run", **settings(broker, GATEWAY_PORT_COUNT="1")).end()

    assert code == 1
    [line] = err.splitlines()
    assert "broker 2 would need client port" in line


@pytest.mark.parametrize("number", ENDINGS)
def test_cluster_says_where_it_is_and_ends_cleanly(start: Start, number: int) -> None:
    command = start("cluster", "--brokers", "2", "--port", "0")
    out = command.until(b"\n").decode()
    name, _, servers = out.strip().partition("=")
    assert name == "bootstrap.servers"
    for server in servers.split(","):
        with socket.create_connection(("127.0.0.1", int(server.rpartition(":")[2])), timeout=5):
            pass

    code, _, err = command.end(number)

    assert (code, err, len(servers.split(","))) == (0, "", 2)


@pytest.mark.parametrize("creates", [True, False])
def test_cluster_creates_topics_if_it_is_told_to(start: Start, creates: bool) -> None:
    flags = ["--auto-create-topics"] if creates else []
    command = start("cluster", "--brokers", "1", "--port", "0", *flags)
    server = command.until(b"\n").decode().strip().partition("=")[2]
    host, _, port = server.rpartition(":")
    wire = Wire((host, int(port)))
    topic = MetadataRequest.MetadataRequestTopic(name="orders")
    asked = MetadataRequest(topics=[topic], allow_auto_topic_creation=True)

    [told] = wire.ask(asked, 9).topics
    wire.sock.close()

    assert (told.error_code, len(told.partitions)) == ((0, 1) if creates else (3, 0))


def test_a_port_in_use_is_named_and_ends_cluster_with_1(start: Start) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        code, out, err = start("cluster", "--brokers", "1", "--port", str(port)).end()

    assert (code, out) == (1, "")
    [line] = err.splitlines()
    assert line.count(str(port)) == 1
    assert "Errno" not in line


@pytest.mark.parametrize("number", ENDINGS)
def test_rest_says_where_it_is_and_ends_cleanly(start: Start, number: int) -> None:
    command = start("rest", "--target", "127.0.0.1:1", "--port", str(free_ports(1)))
    stream = command.process.stderr
    assert stream is not None
    seen: list[bytes] = []
    until(lambda: seen.append(stream.read() or b"") or b"\n" in b"".join(seen), "the address")

    code, _, err = command.end(number)

    assert b"".join(seen).startswith(b"REST on http://127.0.0.1:")
    assert (code, err) == (0, "")


def test_rest_serves_https_with_the_settings_of_the_sidecar(start: Start, tmp_path: Path) -> None:
    authority, pem, port = trustme.CA(), tmp_path / "server.pem", free_ports(1)
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(pem))
    context = ssl.create_default_context()
    authority.configure_trust(context)
    command = start(
        *("rest", "--target", "127.0.0.1:1", "--port", str(port)),
        GATEWAY_HTTPS_KEY_STORE_PATH=str(pem),
    )
    stream = command.process.stderr
    assert stream is not None
    seen: list[bytes] = []
    until(lambda: seen.append(stream.read() or b"") or b"\n" in b"".join(seen), "the address")
    assert b"".join(seen).startswith(b"REST on https://127.0.0.1:")
    told = http.client.HTTPSConnection("localhost", port, timeout=30, context=context)
    told.request("GET", "/admin/interceptors/v1/all")
    assert told.getresponse().status == 401
    told.close()

    code, out, err = command.end(signal.SIGTERM)

    assert (code, err) == (0, "")
    [refused] = [event for event in events(out) if event["event"] == "control_calls_refused"]
    expected = {"door": "rest", "reason": "401", "address": "127.0.0.1", "count": 1}
    assert {name: refused[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"GATEWAY_HTTPS_KEY_STORE_PATH": "/nowhere.pem"}, "/nowhere.pem"),
        ({"GATEWAY_HTTPS_CLIENT_AUTH": "SOME"}, "GATEWAY_HTTPS_CLIENT_AUTH: 'SOME' is not allowed"),
        ({"GATEWAY_HTTPS_CLIENT_AUTH": "REQUIRE"}, "which needs GATEWAY_HTTPS_KEY_STORE_PATH"),
    ],
)
def test_rest_says_what_is_wrong_with_its_certificate(
    start: Start, extra: dict[str, str], words: str
) -> None:
    code, out, err = start("rest", "--target", "127.0.0.1:1", "--port", "0", **extra).end()

    assert (code, out) == (2, "")
    [line] = err.splitlines()
    assert line.startswith("chaos-sidecar: ")
    assert words in line


def test_a_port_in_use_is_named_and_ends_rest_with_1(start: Start) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        code, _, err = start("rest", "--target", "127.0.0.1:1", "--port", str(port)).end()

    assert code == 1
    [line] = err.splitlines()
    assert line.count(str(port)) == 1
    assert "Errno" not in line
