"""Proxies written in Go, built from their modules; both use all processors, as they are shipped."""

import json
import os
from functools import cached_property
from pathlib import Path

import cached
from cached import Unavailable
from children import Child, accepts, free_ports

from targets.base import Running, Target


class _GoTarget(Target):
    """A program that `go install` builds."""

    module: str
    pinned: str

    @cached_property
    def program(self) -> Path:
        """The built program."""

        def fill(home: Path) -> None:
            cached.command(
                ["go", "install", f"{self.module}@{self.pinned}"], env={"GOBIN": str(home)}
            )

        home = cached.ensure(f"{self.name}-{self.pinned}", fill)
        return next(path for path in home.iterdir() if path.is_file())

    def prepare(self) -> None:
        if not os.access(self.program, os.X_OK):
            raise Unavailable("the module builds no program")

    def version(self) -> str:
        return f"{self.module} {self.pinned}"


class Toxiproxy(_GoTarget):
    """Toxiproxy without toxics: the usual answer to "break my network"."""

    name = "toxiproxy"
    module = "github.com/Shopify/toxiproxy/v2/cmd/server"
    pinned = "v2.5.0"

    def start(self, upstream: int, home: Path) -> Running:
        port, control = free_ports(2)
        config = home / "toxiproxy.json"
        ends = {"listen": f"127.0.0.1:{port}", "upstream": f"127.0.0.1:{upstream}"}
        config.write_text(json.dumps([{"name": "kafka", "enabled": True, **ends}]))
        command = [str(self.program), "-host", "127.0.0.1", "-port", str(control)]
        child = Child(self.name, [*command, "-config", str(config)], home / "toxiproxy.log")
        self.wait(child, lambda: accepts(port))
        return Running(port, child)


class KafkaProxy(_GoTarget):
    """grepplabs/kafka-proxy, which reads every request header.

    Where the module proxy does not serve the module, BENCH_KAFKA_PROXY may name a program built
    elsewhere.
    """

    name = "kafka-proxy"
    kafka_aware = True
    module = "github.com/grepplabs/kafka-proxy"
    pinned = "v0.3.3"

    @cached_property
    def program(self) -> Path:
        given = os.environ.get("BENCH_KAFKA_PROXY")
        return Path(given) if given else super().program

    def version(self) -> str:
        given = os.environ.get("BENCH_KAFKA_PROXY")
        return f"kafka-proxy built elsewhere: {Path(given).name}" if given else super().version()

    def start(self, upstream: int, home: Path) -> Running:
        return self.launch([upstream], home)

    def launch(self, brokers: list[int], home: Path) -> Running:
        """Start it before the brokers on these ports of loopback."""
        *ports, metrics = free_ports(len(brokers) + 1)
        command = [str(self.program), "server", "--dynamic-listeners-disable"]
        for broker, port in zip(brokers, ports, strict=True):
            command += ["--bootstrap-server-mapping", f"127.0.0.1:{broker},127.0.0.1:{port}"]
        command += ["--http-listen-address", f"127.0.0.1:{metrics}", "--log-level", "warning"]
        child = Child(self.name, command, home / "kafka-proxy.log")
        self.wait(child, lambda: all(map(accepts, ports)))
        return Running(ports[0], child)
