"""The Java project of tests/vectors/generator, compiled against one Kafka release."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.kafka.distribution import DOWNLOAD_TIMEOUT, KafkaUnavailableError, find_java
from tests.kafka.processes import progress

POM = Path(__file__).parent / "generator" / "pom.xml"
CLASSPATH_GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.7.1:build-classpath"
RECORD_PACKAGE = "org.apache.kafka.common.record"
#: From this release on the classes of records are in a package of their own.
INTERNAL_RECORDS_SINCE = (4, 3)
RUN_TIMEOUT = 100


@dataclass(frozen=True)
class Project:
    """The compiled project: what its main class can be asked for."""

    java: str
    classpath: str

    def bodies(self) -> list[str]:
        """The lines of a file of bodies, all messages in all versions."""
        return self._run("bodies", "")

    def records(self) -> list[str]:
        """The lines of a file of record sets."""
        return self._run("records", "")

    def read(self, sets: list[str]) -> list[str]:
        """What Kafka's MemoryRecords reads in each of these lines: `{"h": hex}`."""
        return self._run("read", "".join(f"{line}\n" for line in sets))

    def _run(self, what: str, given: str) -> list[str]:
        done = subprocess.run(
            [self.java, "-cp", self.classpath, "vectors.Main", what],
            input=given,
            capture_output=True,
            encoding="utf-8",
            timeout=RUN_TIMEOUT,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"vectors.Main {what} failed:\n{done.stderr}")
        # Not splitlines(): values may hold what Unicode takes for the end of a line.
        return done.stdout.removesuffix("\n").split("\n")


@contextmanager
def compiled(version: str) -> Iterator[Project]:
    """The project against Kafka `version`, in a folder that is gone afterwards.

    Raises:
        ValueError: not a version.
        KafkaUnavailableError: Java or Maven is missing, or Maven does not get the jars.
    """
    match = re.fullmatch(r"(\d+)\.(\d+)\.\d+", version)
    if match is None:
        raise ValueError(f"not a Kafka version: {version!r} (say one like 4.3.0)")
    java, maven = find_java(), shutil.which("mvn")
    if maven is None:
        raise KafkaUnavailableError("no mvn found: install Maven to fetch Kafka's jars")
    internal = (int(match[1]), int(match[2])) >= INTERNAL_RECORDS_SINCE
    package = f"{RECORD_PACKAGE}.internal" if internal else RECORD_PACKAGE
    with tempfile.TemporaryDirectory(prefix="vectors-") as folder:
        paths = Path(folder) / "classpath"
        properties = {
            "kafka.version": version,
            "record.package": package,
            "buildDirectory": folder,
            "mdep.outputFile": str(paths),
            "includeScope": "runtime",
        }
        progress(f"compiling the generator of vectors against Kafka {version} with Maven")
        _maven([maven, "-q", "-B", "-f", str(POM), *(f"-D{k}={v}" for k, v in properties.items())])
        classpath = os.pathsep.join([str(Path(folder) / "classes"), paths.read_text().strip()])
        yield Project(java, classpath)


def _maven(command: list[str]) -> None:
    try:
        done = subprocess.run(
            [*command, "compile", CLASSPATH_GOAL],
            capture_output=True,
            text=True,
            timeout=DOWNLOAD_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as exc:
        raise KafkaUnavailableError(f"Maven took more than {DOWNLOAD_TIMEOUT} s") from exc
    if done.returncode == 0:
        return
    output = done.stdout + done.stderr
    if "COMPILATION ERROR" in output:  # the sources do not fit the release: no reason to skip
        raise RuntimeError(f"the generator does not compile:\n{output}")
    reason = next((line for line in output.splitlines() if "ERROR" in line), "no reason given")
    raise KafkaUnavailableError(f"Maven could not fetch Kafka's jars: {reason[:300]}")
