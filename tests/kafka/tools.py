"""Apache Kafka's own command line tools, run from the cached jars.

As a script it makes a folder of them to put on PATH::

    python -m tests.kafka.tools --version 4.x /tmp/kafka-bin
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.kafka.distribution import Distribution, KafkaUnavailableError, ensure

#: The tool's name as Confluent's packages spell it, and its class in 4.x.
CLASSES: Mapping[str, str] = {
    "kafka-topics": "org.apache.kafka.tools.TopicCommand",
    "kafka-producer-perf-test": "org.apache.kafka.tools.ProducerPerformance",
    "kafka-console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "kafka-console-producer": "org.apache.kafka.tools.ConsoleProducer",
    "kafka-get-offsets": "org.apache.kafka.tools.GetOffsetShell",
    "kafka-acls": "org.apache.kafka.tools.AclCommand",
    "kafka-broker-api-versions": "org.apache.kafka.tools.BrokerApiVersionsCommand",
    "kafka-client-metrics": "org.apache.kafka.tools.ClientMetricsCommand",
    "kafka-cluster": "org.apache.kafka.tools.ClusterTool",
    "kafka-configs": "kafka.admin.ConfigCommand",
    "kafka-console-share-consumer": "org.apache.kafka.tools.consumer.ConsoleShareConsumer",
    "kafka-consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "kafka-delegation-tokens": "org.apache.kafka.tools.DelegationTokenCommand",
    "kafka-delete-records": "org.apache.kafka.tools.DeleteRecordsCommand",
    "kafka-features": "org.apache.kafka.tools.FeatureCommand",
    "kafka-groups": "org.apache.kafka.tools.GroupsCommand",
    "kafka-leader-election": "org.apache.kafka.tools.LeaderElectionCommand",
    "kafka-log-dirs": "org.apache.kafka.tools.LogDirsCommand",
    "kafka-metadata-quorum": "org.apache.kafka.tools.MetadataQuorumCommand",
    "kafka-reassign-partitions": "org.apache.kafka.tools.reassign.ReassignPartitionsCommand",
    "kafka-share-groups": "org.apache.kafka.tools.consumer.group.ShareGroupCommand",
    "kafka-streams-groups": "org.apache.kafka.tools.streams.StreamsGroupCommand",
    "kafka-transactions": "org.apache.kafka.tools.TransactionsCommand",
}
#: What was elsewhere in 3.9.
CLASSES_3: Mapping[str, str] = {
    "kafka-acls": "kafka.admin.AclCommand",
    "kafka-broker-api-versions": "kafka.admin.BrokerApiVersionsCommand",
    "kafka-console-producer": "kafka.tools.ConsoleProducer",
}
#: What 3.9 does not have.
ONLY_4 = (
    "kafka-console-share-consumer",
    "kafka-groups",
    "kafka-share-groups",
    "kafka-streams-groups",
)
TOOL_TIMEOUT = 60.0
#: What 4.2 and newer print on stdout before the values.
CHATTER = "Option --"
JAAS_MODULE = "org.apache.kafka.common.security.plain.PlainLoginModule"


def main_class(distribution: Distribution, tool: str) -> str:
    """The Java class behind a tool's name; KeyError for a tool that is not known."""
    if distribution.major < 4 and tool in CLASSES_3:
        return CLASSES_3[tool]
    return CLASSES[tool]


def client_properties(bootstrap: str, username: str, password: str) -> str:
    """The text of a Java client's configuration file for SASL/PLAIN."""
    jaas = f"{JAAS_MODULE} required username='{username}' password='{password}';"
    return (
        f"bootstrap.servers={bootstrap}\n"
        "security.protocol=SASL_PLAINTEXT\n"
        "sasl.mechanism=PLAIN\n"
        f"sasl.jaas.config={jaas}\n"
    )


@dataclass(frozen=True)
class Tools:
    """The tools of one Kafka version, against one bootstrap address.

    `config` is a client configuration file, for clusters that want authentication.
    """

    distribution: Distribution
    bootstrap: str
    config: Path | None = None

    def run(
        self,
        tool: str,
        *arguments: str,
        stdin: str = "",
        timeout: float = TOOL_TIMEOUT,
        together: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Run a tool to its end; stdout and stderr come back `together`, as on a terminal."""
        command = self.distribution.command(main_class(self.distribution, tool), *arguments)
        return subprocess.run(
            command,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if together else subprocess.PIPE,
            text=True,
            timeout=timeout,
            check=False,
        )

    def _checked(self, tool: str, *arguments: str, stdin: str = "", together: bool = True) -> str:
        done = self.run(tool, *arguments, stdin=stdin, together=together)
        if done.returncode != 0:
            shown = done.stdout + (done.stderr or "")
            raise AssertionError(f"{tool} exited with {done.returncode}:\n{shown}")
        return done.stdout

    def _at(self, option: str) -> list[str]:
        config = [] if self.config is None else [option, str(self.config)]
        return ["--bootstrap-server", self.bootstrap, *config]

    def create_topic(self, topic: str, partitions: int = 1, replicas: int = 1) -> str:
        """Create a topic as the demo does."""
        numbers = ["--partitions", str(partitions), "--replication-factor", str(replicas)]
        create = [*numbers, "--create", "--if-not-exists", "--topic", topic]
        return self._checked("kafka-topics", *self._at("--command-config"), *create)

    def list_topics(self) -> set[str]:
        """The names of all topics that this client sees."""
        shown = self._checked("kafka-topics", *self._at("--command-config"), "--list")
        return set(shown.split())

    def end_offset(self, topic: str) -> int:
        """The sum of the end offsets of all partitions."""
        shown = self._checked("kafka-get-offsets", *self._at("--command-config"), "--topic", topic)
        lines = [line for line in shown.splitlines() if line.startswith(f"{topic}:")]
        return sum(int(line.rsplit(":", 1)[1]) for line in lines)

    def perf_test(self, topic: str, records: int, *properties: str, throughput: int = -1) -> str:
        """Produce the records "0", "1", ... and give the tool's whole output."""
        config = [] if self.config is None else ["--producer.config", str(self.config)]
        props = ["--producer-props", f"bootstrap.servers={self.bootstrap}", *properties]
        amounts = ["--num-records", str(records), "--throughput", str(throughput)]
        monotonic = ["--payload-monotonic", "--topic", topic]
        return self._checked("kafka-producer-perf-test", *props, *config, *amounts, *monotonic)

    def produce(self, topic: str, values: list[str], *properties: str) -> str:
        """Produce `values` through the console producer; its whole output."""
        lines = "".join(f"{value}\n" for value in values)
        chosen = [part for each in properties for part in ("--producer-property", each)]
        at = self._at("--producer.config")
        return self._checked("kafka-console-producer", *at, *chosen, "--topic", topic, stdin=lines)

    def consume(self, topic: str, count: int) -> list[str]:
        """Read `count` values from the beginning; fewer only if no more come for 20 seconds."""
        limits = ["--max-messages", str(count), "--timeout-ms", "20000"]
        at = self._at("--consumer.config")
        read = ["--topic", topic, "--from-beginning", *limits]
        shown = self._checked("kafka-console-consumer", *at, *read, together=False)
        return [line for line in shown.splitlines() if not line.startswith(CHATTER)]


def write_wrappers(distribution: Distribution, folder: Path) -> Path:
    """Make one small shell script per tool in `folder`, for PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    for tool in CLASSES:
        if distribution.major < 4 and tool in ONLY_4:
            continue
        command = shlex.join(distribution.command(main_class(distribution, tool)))
        script = folder / tool
        script.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        script.chmod(0o755)
    return folder


def main(argv: list[str] | None = None) -> int:
    """Write the wrappers and say how to use them."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.kafka.tools",
        description="Make a folder with Kafka's command line tools, to put on PATH.",
    )
    parser.add_argument("folder", type=Path, help="where the scripts go")
    parser.add_argument("--version", default="4.x", help="4.x, 3.9, or like 4.3.1 (default 4.x)")
    options = parser.parse_args(argv)
    try:
        folder = write_wrappers(ensure(options.version), options.folder.absolute())
    except (KafkaUnavailableError, ValueError) as exc:
        print(f"error: {exc}", file=sys.stderr)
        return os.EX_UNAVAILABLE
    print(f"export PATH={shlex.quote(str(folder))}:$PATH")
    return os.EX_OK


if __name__ == "__main__":
    sys.exit(main())
