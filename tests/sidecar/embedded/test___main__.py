"""`python -m sidecar.embedded` as a process."""

import json
import signal
import socket
import subprocess
import sys

import pytest

COMMAND = [sys.executable, "-m", "sidecar.embedded"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_when_it_is_ready_and_stops_when_told(number):
    with subprocess.Popen([*COMMAND, "--brokers", "2"], stdout=subprocess.PIPE) as process:
        ready = json.loads(process.stdout.readline())
        for server in ready["bootstrap_servers"].split(","):
            host, port = server.split(":")
            socket.create_connection((host, int(port)), timeout=5).close()
        process.send_signal(number)
        assert process.wait(10) == 0


def test_a_taken_port_is_an_error_of_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*COMMAND, "--brokers", "1", "--port", str(port)],
            capture_output=True,
            text=True,
            timeout=20,
        )
    assert done.returncode == 1
    message = f"broker 1 cannot listen on 127.0.0.1 port {port}: already in use\n"
    assert done.stderr.endswith(message)
    assert "Traceback" not in done.stderr
