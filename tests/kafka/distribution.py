"""Where a real Apache Kafka comes from: its jars, fetched once with Maven, and how to run Java."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.kafka.processes import progress

KAFKA_4 = "4.3.1"
KAFKA_3 = "3.9.2"
ALIASES = {"4.x": KAFKA_4, "4": KAFKA_4, "3.9": KAFKA_3, "3.9.x": KAFKA_3}
COPY_GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.7.1:copy-dependencies"
DOWNLOAD_TIMEOUT = 600
OLDEST_JAVA = 17
#: Flags for a JVM that lives for seconds: C1 only, no parallel collector, as few threads as can be.
FAST_JVM = (
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-Xshare:auto",
    "-Djava.awt.headless=true",
)
# The layout of the lines that the demo shows.
PATTERN = "[%d] %p %m (%c)%n"
LOG4J2 = f"""status=ERROR
appender.c.type=Console
appender.c.name=STDERR
appender.c.target=SYSTEM_ERR
appender.c.layout.type=PatternLayout
appender.c.layout.pattern={PATTERN}
rootLogger.level=WARN
rootLogger.appenderRef.c.ref=STDERR
"""
LOG4J1 = f"""log4j.rootLogger=WARN, stderr
log4j.appender.stderr=org.apache.log4j.ConsoleAppender
log4j.appender.stderr.target=System.err
log4j.appender.stderr.layout=org.apache.log4j.PatternLayout
log4j.appender.stderr.layout.ConversionPattern={PATTERN}
"""


class KafkaUnavailableError(RuntimeError):
    """No real Kafka can be had on this machine; the message says why in one line."""


def cache_home() -> Path:
    """The folder that keeps downloads between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "kafka-chaos-sidecar"


def find_java() -> str:
    """The java to run, 17 or newer."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    if java is None:
        raise KafkaUnavailableError(f"no java found: install Java {OLDEST_JAVA} or newer")
    shown = subprocess.run(
        [java, "-version"], capture_output=True, text=True, timeout=60, check=False
    )
    match = re.search(r'version "(\d+)', shown.stdout + shown.stderr)
    if match is None or int(match[1]) < OLDEST_JAVA:
        found = match[1] if match else "unknown"
        raise KafkaUnavailableError(f"{java} is Java {found}: {OLDEST_JAVA} or newer is needed")
    return java


@dataclass(frozen=True)
class Distribution:
    """The jars of one Kafka version on this machine."""

    version: str
    java: str
    home: Path

    @property
    def major(self) -> int:
        """3 or 4: what decides on logging and on a few class names."""
        return int(self.version.split(".", 1)[0])

    @property
    def classpath(self) -> str:
        """All jars, in a stable order."""
        return os.pathsep.join(str(jar) for jar in sorted((self.home / "lib").glob("*.jar")))

    @property
    def logging_flag(self) -> str:
        """The JVM flag that selects the logging configuration."""
        if self.major >= 4:
            return f"-Dlog4j2.configurationFile={self.home / 'log4j2.properties'}"
        return f"-Dlog4j.configuration=file:{self.home / 'log4j.properties'}"

    def command(self, main_class: str, *arguments: str, heap_mb: int = 256) -> list[str]:
        """The command line of one Java process."""
        heap = ["-Xms64m", f"-Xmx{heap_mb}m"]
        flags = [*FAST_JVM, *heap, self.logging_flag]
        return [self.java, *flags, "-cp", self.classpath, main_class, *arguments]


def ensure(version: str) -> Distribution:
    """The distribution of `version` (or "4.x", "3.9"), downloaded first if it is not cached."""
    version = ALIASES.get(version, version)
    if re.fullmatch(r"[34]\.\d+\.\d+", version) is None:
        raise ValueError(f"not a Kafka version: {version!r} (say 4.x, 3.9, or like {KAFKA_4})")
    java = find_java()
    home = cache_home() / f"kafka-{version}"
    if not home.is_dir():
        _download(version, home)
    return Distribution(version, java, home)


def _download(version: str, home: Path) -> None:
    """Fill `home` in one step: whatever fails half-way leaves nothing that looks complete."""
    maven = shutil.which("mvn")
    if maven is None:
        raise KafkaUnavailableError("no mvn found: install Maven to fetch Kafka's jars")
    home.parent.mkdir(parents=True, exist_ok=True)
    progress(f"downloading Apache Kafka {version} with Maven, once, to {home}")
    with tempfile.TemporaryDirectory(prefix=f".{home.name}-", dir=home.parent) as partial:
        staged = Path(partial) / home.name
        staged.mkdir()
        _copy_jars(maven, version, staged / "lib")
        _check_logging(staged / "lib")
        (staged / "log4j2.properties").write_text(LOG4J2)
        (staged / "log4j.properties").write_text(LOG4J1)
        try:
            staged.rename(home)
        except OSError:
            if not home.is_dir():  # else another process finished the same download first
                raise
    progress(f"Apache Kafka {version} is cached")


def _copy_jars(maven: str, version: str, lib: Path) -> None:
    pom = Path(__file__).with_name("pom.xml")
    command = [maven, "-q", "-B", "-f", str(pom), f"-Pkafka-{version[0]}"]
    command += [f"-Dkafka.version={version}", f"-DoutputDirectory={lib}", "-DincludeScope=runtime"]
    try:
        done = subprocess.run(
            [*command, COPY_GOAL],
            capture_output=True,
            text=True,
            timeout=DOWNLOAD_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as exc:
        raise KafkaUnavailableError(f"Maven took more than {DOWNLOAD_TIMEOUT} s") from exc
    if done.returncode != 0:
        output = (done.stdout + done.stderr).splitlines()
        reason = next((line for line in output if "ERROR" in line), "no reason given")
        raise KafkaUnavailableError(f"Maven could not fetch Kafka {version}: {reason[:300]}")


def _check_logging(lib: Path) -> None:
    """One slf4j and one binding of the same generation, or the tools would be silent."""
    apis = sorted(jar.name for jar in lib.glob("slf4j-api-*.jar"))
    bindings = [
        jar.name
        for pattern in ("log4j-slf4j*-impl-*.jar", "slf4j-reload4j-*.jar", "slf4j-simple-*.jar")
        for jar in lib.glob(pattern)
    ]
    if len(apis) != 1 or not apis[0].startswith("slf4j-api-1.7.") or len(bindings) != 1:
        raise KafkaUnavailableError(
            f"pom.xml has to be adapted to this Kafka: found {apis} with bindings {bindings}, "
            "expected one slf4j-api 1.7 and one binding made for it"
        )
