"""The client libraries of the matrix behind one interface: produce values, consume values."""

from __future__ import annotations

import asyncio
import logging
import shutil
import subprocess
import tempfile
import warnings
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiokafka
import confluent_kafka
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.kafka.distribution import Distribution
from tests.kafka.sidecars import Access
from tests.kafka.tools import Tools, client_properties

with warnings.catch_warnings():
    # kafka-python loads its schemas in a way that Python 3.11 calls old.
    warnings.simplefilter("ignore", DeprecationWarning)
    import kafka as kafka_python

DELIVERY_SECONDS = 60


def librdkafka_config(access: Access) -> dict[str, Any]:
    """Connection settings for confluent-kafka and kcat."""
    config: dict[str, Any] = {"bootstrap.servers": access.bootstrap}
    if access.token:
        config |= {
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "PLAIN",
            "sasl.username": access.username,
            "sasl.password": access.token,
        }
    return config


def python_config(access: Access) -> dict[str, Any]:
    """Connection settings for kafka-python and aiokafka, which spell them alike."""
    config: dict[str, Any] = {"bootstrap_servers": access.bootstrap}
    if access.token:
        config |= {
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": "PLAIN",
            "sasl_plain_username": access.username,
            "sasl_plain_password": access.token,
        }
    return config


def create_topic(access: Access, topic: str) -> None:
    """Create a topic with one partition, quickly."""
    admin = AdminClient(librdkafka_config(access))
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(timeout=30)


def topics(access: Access) -> set[str]:
    """The topics that this client sees."""
    return set(AdminClient(librdkafka_config(access)).list_topics(timeout=10).topics)


def stored(bootstrap: str, topic: str) -> list[str]:
    """Every record of a physical topic's only partition, read straight from the brokers."""
    consumer = confluent_kafka.Consumer({"bootstrap.servers": bootstrap, "group.id": "none"})
    try:
        partition = confluent_kafka.TopicPartition(topic, 0, 0)
        end = consumer.get_watermark_offsets(partition, timeout=10)[1]
        consumer.assign([partition])
        return read(consumer, end)
    finally:
        consumer.close()


def read(consumer: confluent_kafka.Consumer, count: int) -> list[str]:
    """`count` values; fewer if none comes for 20 seconds."""
    values: list[str] = []
    while len(values) < count:
        message = consumer.poll(20)
        if message is None:
            break
        if message.error() is not None:
            raise confluent_kafka.KafkaException(message.error())
        values.append(_text(message.value()))
    return values


def _text(value: bytes | None) -> str:
    return (value or b"").decode()


class Lines(logging.Handler):
    """Collects what a client logs."""

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep level, logger and message as one line."""
        self.seen.append(f"{record.levelname} {record.name} {record.getMessage()}")


def _logger(name: str, level: int) -> tuple[logging.Logger, Lines]:
    """The logger `name`, set to `level`, with a fresh collector on it."""
    logger = logging.getLogger(name)
    logger.setLevel(level)
    lines = Lines()
    logger.addHandler(lines)
    return logger, lines


class Client(ABC):
    """One client: `produce` gives what it told its user while it did."""

    name: str

    @abstractmethod
    def produce(self, access: Access, topic: str, values: Sequence[str]) -> str:
        """Produce one record per request; raise unless every record is acknowledged."""

    @abstractmethod
    def consume(self, access: Access, topic: str, count: int) -> list[str]:
        """The first `count` values, or fewer if no more come."""


class Confluent(Client):
    """confluent-kafka: librdkafka 2.16, five requests in flight."""

    name = "confluent"

    def __init__(self, debug: str = "") -> None:
        """`debug` is librdkafka's setting of that name."""
        self._debug = {"debug": debug} if debug else {}

    def produce(self, access: Access, topic: str, values: Sequence[str]) -> str:
        """Idempotent, which is not the default, so that retries keep the order."""
        logger, lines = _logger(f"confluent.{topic}", logging.DEBUG)
        settings = {
            "enable.idempotence": True,
            "linger.ms": 0,
            "batch.num.messages": 1,
            "message.timeout.ms": DELIVERY_SECONDS * 1000,
        }
        config = librdkafka_config(access) | settings | self._debug
        producer = confluent_kafka.Producer(config, logger=logger)
        failed: list[object] = []

        def delivered(error: object, message: object) -> None:
            if error is not None:
                failed.append(error)

        for value in values:
            producer.produce(topic, value.encode(), on_delivery=delivered)
        unsent = producer.flush(DELIVERY_SECONDS)
        assert (unsent, failed) == (0, [])
        return "\n".join(lines.seen)

    def consume(self, access: Access, topic: str, count: int) -> list[str]:
        """In a group of its own."""
        settings = {"group.id": f"{topic}-confluent", "auto.offset.reset": "earliest"}
        consumer = confluent_kafka.Consumer(librdkafka_config(access) | settings)
        try:
            consumer.subscribe([topic])
            return read(consumer, count)
        finally:
            consumer.close()


class KafkaPython(Client):
    """kafka-python 3: idempotent by default."""

    name = "kafka-python"

    def produce(self, access: Access, topic: str, values: Sequence[str]) -> str:
        """Send all, then wait for each."""
        logger, lines = _logger("kafka.producer", logging.WARNING)
        producer = kafka_python.KafkaProducer(**python_config(access), linger_ms=0, batch_size=0)
        try:
            sent = [producer.send(topic, value.encode()) for value in values]
            for each in sent:
                each.get(timeout=DELIVERY_SECONDS)
        finally:
            producer.close(timeout=10)
            logger.removeHandler(lines)
        return "\n".join(lines.seen)

    def consume(self, access: Access, topic: str, count: int) -> list[str]:
        """In a group of its own."""
        consumer = kafka_python.KafkaConsumer(
            topic,
            **python_config(access),
            group_id=f"{topic}-kafka-python",
            auto_offset_reset="earliest",
            consumer_timeout_ms=20000,
        )
        values: list[str] = []
        try:
            for message in consumer:
                values.append(_text(message.value))
                if len(values) == count:
                    break
        finally:
            consumer.close()
        return values


class AioKafka(Client):
    """aiokafka, on its own event loop."""

    name = "aiokafka"

    def produce(self, access: Access, topic: str, values: Sequence[str]) -> str:
        """Idempotent, which is not the default; it has one request in flight in any case."""
        logger, lines = _logger("aiokafka.producer", logging.WARNING)
        try:
            asyncio.run(self._produce(access, topic, values))
        finally:
            logger.removeHandler(lines)
        return "\n".join(lines.seen)

    async def _produce(self, access: Access, topic: str, values: Sequence[str]) -> None:
        producer = aiokafka.AIOKafkaProducer(**python_config(access), enable_idempotence=True)
        await producer.start()
        try:
            async with asyncio.timeout(DELIVERY_SECONDS):
                for value in values:
                    await producer.send_and_wait(topic, value.encode())
        finally:
            await producer.stop()

    def consume(self, access: Access, topic: str, count: int) -> list[str]:
        """In a group of its own."""
        return asyncio.run(self._consume(access, topic, count))

    async def _consume(self, access: Access, topic: str, count: int) -> list[str]:
        consumer = aiokafka.AIOKafkaConsumer(
            topic,
            **python_config(access),
            group_id=f"{topic}-aiokafka",
            auto_offset_reset="earliest",
        )
        await consumer.start()
        try:
            async with asyncio.timeout(30):
                return [_text((await consumer.getone()).value) for _ in range(count)]
        finally:
            await consumer.stop()


class Kcat(Client):
    """kcat: librdkafka 2.0 in Debian, a program rather than a library."""

    name = "kcat"

    def __init__(self, debug: str = "") -> None:
        """`debug` is the value of its -d."""
        self._debug = ["-d", debug] if debug else []

    @staticmethod
    def missing() -> str:
        """Why it cannot run here; empty if it can."""
        return "" if shutil.which("kcat") else "no kcat found: install the package kcat"

    def _run(self, access: Access, arguments: list[str], stdin: str) -> tuple[str, str]:
        settings = [f"{name}={value}" for name, value in librdkafka_config(access).items()]
        options = [part for setting in settings for part in ("-X", setting)]
        done = subprocess.run(
            ["kcat", *options, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=DELIVERY_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout, done.stderr

    def produce(self, access: Access, topic: str, values: Sequence[str]) -> str:
        """Idempotent, which is not the default, so that retries keep the order."""
        settings = ("enable.idempotence=true", "batch.num.messages=1", "linger.ms=0")
        options = [part for setting in settings for part in ("-X", setting)]
        arguments = ["-P", "-t", topic, *options, *self._debug]
        return self._run(access, arguments, "".join(f"{value}\n" for value in values))[1]

    def consume(self, access: Access, topic: str, count: int) -> list[str]:
        """From the beginning, without a group."""
        arguments = ["-C", "-q", "-t", topic, "-o", "beginning", "-c", str(count)]
        return self._run(access, arguments, "")[0].splitlines()


class Java(Client):
    """Apache Kafka's own console tools."""

    name = "java"

    def __init__(self, distribution: Distribution) -> None:
        """Of the version of `distribution`."""
        self._distribution = distribution

    def _tools(self, access: Access, folder: str) -> Tools:
        config = Path(folder) / "client.properties"
        text = f"bootstrap.servers={access.bootstrap}\n"
        if access.token:
            text = client_properties(access.bootstrap, access.username, access.token)
        config.write_text(text)
        return Tools(self._distribution, access.bootstrap, config)

    def produce(self, access: Access, topic: str, values: Sequence[str]) -> str:
        """Through the console producer, one record per batch; its own default is three retries."""
        with tempfile.TemporaryDirectory() as folder:
            tools = self._tools(access, folder)
            patience = ("retries=2147483647", f"delivery.timeout.ms={DELIVERY_SECONDS // 2}000")
            return tools.produce(topic, list(values), "linger.ms=0", "batch.size=0", *patience)

    def consume(self, access: Access, topic: str, count: int) -> list[str]:
        """Through the console consumer."""
        with tempfile.TemporaryDirectory() as folder:
            return self._tools(access, folder).consume(topic, count)
