"""Kroxylicious, the Java proxy that reads Kafka's protocol with Kafka's own classes."""

import shutil
from functools import cached_property
from pathlib import Path

import cached
from cached import Unavailable
from children import Child, accepts, free_ports

from targets.base import Running, Target

_JAVA = Path(__file__).with_name("java")
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.7.1:copy-dependencies"


class Kroxylicious(Target):
    """Kroxylicious without filters, through the port that stands for its bootstrap server.

    Its runtime comes from Maven Central; the class that reads its command line is not there and is
    replaced by targets/java/Proxy.java. JVM and thread settings are the defaults.
    """

    name = "kroxylicious"
    kafka_aware = True
    warmup = 4.0
    _version = "0.12.0"

    @cached_property
    def _home(self) -> Path:
        def fill(home: Path) -> None:
            maven = ["mvn", "-q", "-B", "-f", str(_JAVA / "pom.xml"), _COPY]
            maven += [f"-Dkroxylicious.version={self._version}"]
            cached.command([*maven, f"-DoutputDirectory={home}", "-DincludeScope=runtime"])
            path = f"{home}/*"
            cached.command(["javac", "-cp", path, "-d", str(home), str(_JAVA / "Proxy.java")])

        return cached.ensure(f"kroxylicious-{self._version}", fill)

    def prepare(self) -> None:
        if shutil.which("java") is None:
            raise Unavailable("java is not installed")
        if not (self._home / "Proxy.class").exists():
            raise Unavailable("Proxy.java did not compile")

    def version(self) -> str:
        return f"Kroxylicious {self._version} (kroxylicious-runtime), no filters"

    def start(self, upstream: int, home: Path) -> Running:
        return self.launch(f"127.0.0.1:{upstream}", 1, home)

    def launch(self, bootstrap: str, brokers: int, home: Path) -> Running:
        """Start it before a cluster whose node ids are 1, 2 and so on."""
        port = free_ports(1 + brokers)[0]
        config = home / "kroxylicious.yaml"
        config.write_text(
            "virtualClusters:\n"
            "- name: bench\n"
            f"  targetCluster: {{bootstrapServers: '{bootstrap}'}}\n"
            "  gateways:\n"
            "  - name: default\n"
            "    portIdentifiesNode:\n"
            f"      bootstrapAddress: '127.0.0.1:{port}'\n"
            f"      nodeIdRanges: [{{name: brokers, start: 1, end: {brokers}}}]\n"
        )
        command = ["java", "-cp", f"{self._home}:{self._home}/*", "Proxy", str(config)]
        child = Child(self.name, command, home / "kroxylicious.log")
        self.wait(child, lambda: accepts(port), 60)
        return Running(port, child)
