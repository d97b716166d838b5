"""Duplicated messages: records come twice, into the log or to a consumer.

Into the log (``PRODUCE``): the copy follows its record in the same batch, because a request has one
batch for each partition. That changes the count of records, and with it the sequence numbers of an
idempotent producer: the broker would refuse its next batch. So its batches go to the broker as if
from a producer without idempotence: *all* of them, also those of which no record was drawn (on
record with 0 changed records). A batch that is sent again is then appended again, and what
overtakes stays in front.

When the fault ends, the broker misses what it was not shown. Of a producer it has never seen it
takes any sequence number; to one it knows it says OUT_OF_ORDER_SEQUENCE_NUMBER. As tried on Kafka
4.3: Java's producer then begins a new epoch and sends again, and nothing is lost; librdkafka's is
dead from then on, and kafka-python drops the batch. So the batches of a producer other than Java's
are changed only if it has begun under the fault: with its first epoch, and the first sequence
number of the partition, on this connection.

Batches of transactions pass as they are: without its producer a record is in no transaction.

To a consumer (``CONSUME``): librdkafka and kafka-python hand on a record that comes twice with the
same offset, one behind the other. Java drops the second; see `sidecar.faults.redelivery`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from codec.records.batch import BatchHeader, crc_ok, without_producer
from codec.records.record import Record
from sidecar.faults.base import Answered, Asked, Chance, Change, Connection, Forward
from sidecar.faults.records import (
    CONSUME,
    PRODUCE,
    TARGETS,
    Allowance,
    Edit,
    Place,
    RecordRule,
    Rewritten,
    changed,
    fetched,
    headers_of,
    rewrite_produced,
)
from sidecar.faults.redelivery import JAVA, Redelivery
from sidecar.model.faults import Checks

_MAX_PRODUCERS: Final = 10_000
"""Producers and partitions of a connection; of further ones the batches pass as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateMessages:
    """Have sampled records twice.

    Args:
        topic: regular expression for the whole names of topics, as clients call them.
        rate_in_percent: share of records, 0 to 100.
        target: ``PRODUCE`` writes them into the log twice, ``CONSUME`` gives them to consumers
            twice and leaves the log as it is.
        seed: 0 to 2**64-1; None takes the process seed, or a random one.

    Raises:
        InvalidArgument: a value is none of these.
    """

    topic: str = ".*"
    rate_in_percent: float = 100
    target: str = CONSUME
    seed: int | None = None

    def __post_init__(self) -> None:
        checks = Checks()
        checks.pattern("topic", self.topic)
        checks.rate("rate_in_percent", self.rate_in_percent)
        checks.one_of("target", self.target, TARGETS)
        checks.seed(self.seed)
        checks.done()


class DuplicateMessagesRule(RecordRule):
    """Duplicates the sampled share of records."""

    def __init__(self, config: DuplicateMessages) -> None:
        super().__init__(config.topic, config.rate_in_percent, config.target)

    def decide(self, asked: Asked) -> Change | Forward:
        """Duplicate records of a Produce request; note what a Java consumer asks for."""
        redelivery = _redelivery(asked.connection)
        if asked.api in self.watches and redelivery is not None:
            redelivery.asks(
                ((topic.topic, partition.partition), partition.fetch_offset)
                for topic in asked.request.topics or ()
                if self.matches(topic.topic)
                for partition in topic.partitions or ()
            )
        return super().decide(asked)

    def answered(self, answered: Answered) -> Change | Forward:
        """Duplicate records of a Fetch response, in the way in which the client takes them."""
        redelivery = _redelivery(answered.connection)
        if redelivery is None:
            return super().answered(answered)
        allowance, chance = Allowance(), answered.chance

        def chosen(record: Record) -> bool:
            return self.chooses(chance)

        def again(place: Place) -> Rewritten | None:
            key = (place.topic, place.partition.partition_index)
            return redelivery.rewritten(key, place.partition, chosen, allowance)

        return changed(answered.response, fetched(answered.response, self.matches), again)

    def edit(self, record: Record, chance: Chance) -> Sequence[Record]:
        """The record twice."""
        return (record, record)

    def produced(
        self, asked: Asked, place: Place, edit: Edit, allowance: Allowance
    ) -> Rewritten | None:
        """The batch with its duplicates, and without its producer; None if it has to stay."""
        blob = place.partition.records
        header = next(iter(headers_of(blob)), None)
        if header is None or header.magic != 2 or header.is_transactional or header.is_control:
            return None
        if header.producer_id >= 0 and not _may_be_nobodys(asked.connection, place, header):
            return None
        new = rewrite_produced(blob, edit, allowance, _from_nobody)
        if new is None and header.producer_id >= 0 and crc_ok(blob, header):
            return Rewritten(without_producer(blob, header), 0)
        return new


def _may_be_nobodys(connection: Connection | None, place: Place, header: BatchHeader) -> bool:
    """Whether the producer bears that the broker is not shown its sequence numbers."""
    if connection is None:
        return False
    if connection.software_name == JAVA:
        return True
    begun: set[tuple[str, int, int]] = connection.kept.setdefault(PRODUCE, set())
    producer = (place.topic, place.partition.index, header.producer_id)
    if header.producer_epoch == 0 and header.base_sequence == 0 and len(begun) < _MAX_PRODUCERS:
        begun.add(producer)
    return producer in begun


def _from_nobody(header: BatchHeader) -> BatchHeader:
    return header._replace(producer_id=-1, producer_epoch=-1, base_sequence=-1)


def _redelivery(connection: Connection | None) -> Redelivery | None:
    """What is kept of a connection of Java's client; None for another's."""
    if connection is None or connection.software_name != JAVA:
        return None
    found: Redelivery = connection.kept.setdefault(JAVA, Redelivery())
    return found
