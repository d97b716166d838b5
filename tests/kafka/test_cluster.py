"""The real clusters by themselves: what the other tests of this folder stand on."""

from __future__ import annotations

import re

import pytest

from tests.kafka.cluster import BROKER_IDS, RealKafka
from tests.kafka.tools import Tools

# The first test of a cluster pays for its start, and perhaps for the download.
pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]


def test_three_brokers_are_listed(either_kafka: RealKafka) -> None:
    assert either_kafka.brokers_listed() == set(BROKER_IDS)


def test_the_tools_create_produce_and_consume(tools: Tools) -> None:
    assert tools.create_topic("straight").splitlines()[-1] == "Created topic straight."
    assert "straight" in tools.list_topics()
    output = tools.perf_test("straight", 10)
    assert re.search(r"^10 records sent, ", output, re.MULTILINE), output
    assert tools.end_offset("straight") == 10
    assert tools.consume("straight", 10) == [str(number) for number in range(10)]


def test_the_console_producer_keeps_order(tools: Tools) -> None:
    tools.create_topic("console")
    values = [f"value {number}" for number in range(5)]
    tools.produce("console", values)
    assert tools.consume("console", 5) == values


def test_the_tools_warn_in_the_layout_of_the_demo(tools: Tools) -> None:
    """The demo's checks read WARN lines: the tools must not run without a logging binding."""
    output = tools.run(
        "kafka-producer-perf-test",
        *("--producer-props", f"bootstrap.servers={tools.bootstrap}", "max.block.ms=1500"),
        *("--num-records", "1", "--throughput", "1"),
        *("--record-size", "10", "--topic", "nowhere"),
    ).stdout
    warning = r"^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\] WARN \[Producer clientId=.*UNKNOWN_TOPIC"
    assert re.search(warning, output, re.MULTILINE), output


def test_the_demo_command_line_is_understood(tools: Tools, either_kafka: RealKafka) -> None:
    """Word for word, with its abbreviated and repeated --producer-prop."""
    tools.create_topic("demo-line")
    config = either_kafka.home / "demo.properties"
    config.write_text(f"bootstrap.servers={tools.bootstrap}\n")
    output = tools.run(
        "kafka-producer-perf-test",
        *("--producer-props", f"bootstrap.servers={tools.bootstrap}"),
        *("--producer.config", str(config)),
        *("--record-size", "10", "--throughput", "1000"),
        *("--producer-prop", "retries=5"),
        *("--num-records", "10", "--topic", "demo-line"),
    ).stdout
    assert re.search(r"^10 records sent, ", output, re.MULTILINE), output


def test_a_broker_stops_and_comes_back(either_kafka: RealKafka) -> None:
    either_kafka.stop_broker(3)
    either_kafka.restart_broker(3)
    assert either_kafka.brokers_listed() == set(BROKER_IDS)
