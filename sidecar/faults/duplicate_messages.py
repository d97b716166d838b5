"""Duplicated messages: records come twice, into the log or to a consumer.

Into the log (``PRODUCE``): the copy follows its record in the same batch, because a request has one
batch for each partition. That changes the count of records, and with it the sequence numbers of an
idempotent producer: the broker would refuse its next batch. So, while this fault applies to a
topic, *all* its batches go to the broker as if from a producer without idempotence, also those of
which no record was drawn (on record with 0 changed records). The broker then has no say in
sequences: a batch that is sent again is appended again, and batches that overtake each other stay
so. When the fault ends the broker misses the sequence numbers it was not shown, and refuses the
next batch of a producer it knew before with OUT_OF_ORDER_SEQUENCE_NUMBER.

Batches of transactions pass as they are: without its producer a record is in no transaction.

To a consumer (``CONSUME``): librdkafka and kafka-python hand on a record that comes twice with the
same offset, one behind the other. Java drops the second; see `sidecar.faults.redelivery`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from codec.primitives import Buffer
from codec.records.batch import BatchHeader, crc_ok, without_producer
from codec.records.record import Record
from sidecar.faults.base import Answered, Asked, Chance, Change, Connection, Forward
from sidecar.faults.records import (
    CONSUME,
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

    def produced(self, blob: Buffer, edit: Edit, allowance: Allowance) -> Rewritten | None:
        """The batch with its duplicates, and without its producer; None if it has to stay."""
        header = next(iter(headers_of(blob)), None)
        if header is None or header.magic != 2 or header.is_transactional or header.is_control:
            return None
        new = rewrite_produced(blob, edit, allowance, _from_nobody)
        if new is None and header.producer_id >= 0 and crc_ok(blob, header):
            return Rewritten(without_producer(blob, header), 0)
        return new


def _from_nobody(header: BatchHeader) -> BatchHeader:
    return header._replace(producer_id=-1, producer_epoch=-1, base_sequence=-1)


def _redelivery(connection: Connection | None) -> Redelivery | None:
    """What is kept of a connection of Java's client; None for another's."""
    if connection is None or connection.software_name != JAVA:
        return None
    found: Redelivery = connection.kept.setdefault(JAVA, Redelivery())
    return found
