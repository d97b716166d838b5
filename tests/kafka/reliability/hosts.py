"""Three hosts on one machine: clients (this one), a sidecar, brokers, and cables between them."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.kafka.processes import Place

SIDECAR, BROKERS = "10.213.1.2", "10.213.0.3"
"""Addresses of the two other hosts, as clients have them."""
_ROOT = Path(__file__).parents[3]


class HostsUnavailable(RuntimeError):
    """There can be no such hosts here; ``str()`` says why."""


class Cable:
    """One between two hosts; see the module `cable`."""

    def __init__(self, one: str, other: str) -> None:
        command = [sys.executable, "-m", "tests.kafka.reliability.cable", one, other]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=_ROOT,
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        if self._process.stdout.readline() != "ready\n":
            said = self._process.stderr.read().strip().rpartition("\n")[2]
            self.stop()
            raise HostsUnavailable(f"no TUN device can be made: {said}")

    def carry(self, seconds: float = 0.0, loss: float = 0.0) -> None:
        """Carry packets, each so late, but for a share of them; each way."""
        self._say(f"carry {seconds} {loss}")

    def cut(self) -> None:
        """Carry nothing; neither host is told."""
        self._say("cut")

    def stop(self) -> None:
        """Take it away."""
        self._process.communicate()

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()


class Hosts:
    """The hosts besides this one.

    Args:
        tag: what their names end with.
        stack: what undoes all of it.

    Raises:
        HostsUnavailable: not here.
    """

    def __init__(self, tag: str, stack: contextlib.ExitStack) -> None:
        if os.geteuid() != 0:
            raise HostsUnavailable("network namespaces need root")
        if shutil.which("ip") is None:
            raise HostsUnavailable("there is no ip command (iproute2)")
        sidecar, brokers = f"sidecar{tag}", f"brokers{tag}"
        for name in (sidecar, brokers):
            _ip(f"netns add {name}")
            stack.callback(_ip, f"netns del {name}")
            _ip(f"-n {name} link set lo up")
        _ip(f"-n {brokers} addr add {BROKERS}/32 dev lo")
        self.client_cable = self._cable(f"a{tag}", f"b{tag}", stack)
        self.broker_cable = self._cable(f"c{tag}", f"d{tag}", stack)
        _plug(f"a{tag}", "", "10.213.1.1", SIDECAR)
        _plug(f"b{tag}", sidecar, SIDECAR, "10.213.1.1")
        _plug(f"c{tag}", sidecar, "10.213.2.1", "10.213.2.2")
        _plug(f"d{tag}", brokers, "10.213.2.2", "10.213.2.1")
        _ip(f"-n {sidecar} route add {BROKERS} via 10.213.2.2")
        # So that the truth can be read whatever happens to the others.
        _ip(f"link add e{tag} type veth peer name f{tag} netns {brokers}")
        stack.callback(_ip, f"link del e{tag}")
        _plug(f"e{tag}", "", "10.213.3.1", "10.213.3.2")
        _ip(f"-n {brokers} addr add 10.213.3.2 peer 10.213.3.1 dev f{tag}")
        _ip(f"-n {brokers} link set f{tag} up")
        _ip(f"route add {BROKERS} via 10.213.3.2")
        self.sidecar = Place(SIDECAR, ("ip", "netns", "exec", sidecar))
        self.brokers = Place(BROKERS, ("ip", "netns", "exec", brokers))

    def _cable(self, one: str, other: str, stack: contextlib.ExitStack) -> Cable:
        cable = Cable(one, other)
        stack.callback(cable.stop)
        return cable

    def upstream_connections(self) -> int:
        """How many connections to brokers the sidecar's host believes to have."""
        command = [*self.sidecar.prefix, "ss", "-Htn", "state", "established", "dst", BROKERS]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return len(done.stdout.splitlines())


@contextlib.contextmanager
def hosts() -> Iterator[Hosts]:
    """Them, for the length of a with block; raises HostsUnavailable."""
    with contextlib.ExitStack() as stack:
        yield Hosts(str(os.getpid()), stack)


def _plug(device: str, namespace: str, address: str, peer: str) -> None:
    """Put a device into a namespace, or leave it here, with addresses at both of its ends."""
    if namespace:
        _ip(f"link set {device} netns {namespace}")
    inside = f"-n {namespace} " if namespace else ""
    _ip(f"{inside}addr add {address} peer {peer} dev {device}")
    _ip(f"{inside}link set {device} up")


def _ip(words: str) -> None:
    done = subprocess.run(["ip", *words.split()], capture_output=True, text=True, check=False)
    if done.returncode:
        raise HostsUnavailable(f"ip {words}: {done.stderr.strip()}")
