"""Our small Java programs: compiled once, and one process that runs many tools."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.kafka.distribution import Distribution, KafkaUnavailableError, cache_home
from tests.kafka.tools import main_class

SOURCES = Path(__file__).with_name("java")
COMPILE_TIMEOUT = 120
TOOL_TIMEOUT = 90.0
_UUID = re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_TOPIC_ID = re.compile(r"(?<![\w-])[A-Za-z0-9_-]{22}(?![\w-])")


def compiled(distribution: Distribution) -> Path:
    """The folder of our classes, made with javac unless these very sources are cached.

    Raises KafkaUnavailableError if there is no javac; CalledProcessError if a source is wrong.
    """
    sources = sorted(SOURCES.glob("*.java"))
    text = b"".join(source.read_bytes() for source in sources)
    digest = hashlib.sha256(text).hexdigest()[:16]
    home = cache_home() / f"java-{distribution.version}-{digest}"
    if home.is_dir():
        return home
    javac = shutil.which("javac", path=str(Path(distribution.java).parent)) or shutil.which("javac")
    if javac is None:
        raise KafkaUnavailableError("no javac found: install a JDK, not only a JRE")
    with tempfile.TemporaryDirectory(prefix=".java-", dir=cache_home()) as partial:
        staged = Path(partial) / "classes"
        command = [javac, "-nowarn", "-d", str(staged), "-cp", distribution.classpath]
        names = [str(source) for source in sources]
        subprocess.run([*command, *names], check=True, timeout=COMPILE_TIMEOUT)
        staged.rename(home)
    return home


@dataclass(frozen=True)
class Shown:
    """What one tool did: its exit status and all it printed."""

    status: int
    text: str

    @property
    def comparable(self) -> str:
        """The text without what is different each time: random ids, and the order of lines."""
        plain = _TOPIC_ID.sub("<topic id>", _UUID.sub("<uuid>", self.text))
        return "\n".join(sorted(" ".join(line.split()) for line in plain.splitlines()))


class JavaProcess:
    """One JVM that runs Kafka's tools, and our programs, one after the other."""

    def __init__(self, distribution: Distribution, bootstrap: str, config: Path) -> None:
        """`config` is the client configuration that the tools get."""
        self._distribution = distribution
        self._bootstrap = bootstrap
        self._config = config
        self._dead = threading.Event()
        classes = str(compiled(distribution))
        command = distribution.command("Runner")
        at = command.index("-cp") + 1
        command[at] = classes + os.pathsep + command[at]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self) -> Self:
        """For the length of a with block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait(10)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def tool(self, name: str, *arguments: str) -> Shown:
        """Run one of Kafka's tools as this client."""
        option = "--command-config"
        at = ["--bootstrap-server", self._bootstrap, option, str(self._config)]
        return self.run(main_class(self._distribution, name), *at, *arguments)

    def program(self, name: str, *arguments: str) -> Shown:
        """Run one of our programs, whose first argument is the client configuration."""
        return self.run(name, str(self._config), *arguments)

    def run(self, name: str, *arguments: str) -> Shown:
        """Run a class's main method; TimeoutError if it does not end."""
        assert not any(set("\t\n") & set(word) for word in arguments), arguments
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        timer = threading.Timer(TOOL_TIMEOUT, self._expire)
        timer.start()
        try:
            stdin.write("\t".join([name, *arguments]).encode() + b"\n")
            stdin.flush()
            head = stdout.readline().split()
            if len(head) != 2:
                why = "it took too long" if self._dead.is_set() else "the process has ended"
                raise TimeoutError(f"{name} {' '.join(arguments)}: {why}")
            return Shown(int(head[0]), stdout.read(int(head[1])).decode())
        finally:
            timer.cancel()

    def _expire(self) -> None:
        self._dead.set()
        self._process.kill()


def numbered(lines: Sequence[str]) -> dict[str, str]:
    """Lines "step: what was seen" as a dict."""
    pairs = (line.split(": ", 1) for line in lines if ": " in line)
    return {step: seen for step, seen in pairs}
