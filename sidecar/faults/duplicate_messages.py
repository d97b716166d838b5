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

from dataclasses import dataclass
from typing import Final

from codec.api_keys import ApiKey
from codec.records.batch import BatchHeader, crc_ok, without_producer
from sidecar.faults.allowance import Allowance
from sidecar.faults.base import Answered, Asked, Await, Change, Connection, Forward
from sidecar.faults.record_edits import Edit
from sidecar.faults.records import (
    CONSUME,
    PRODUCE,
    TARGETS,
    Located,
    RecordRule,
    Rewritten,
    changed,
    fetched,
    headers_of,
    rewrite_produced,
)
from sidecar.faults.redelivery import JAVA, Redelivery
from sidecar.model.faults import Checks

_UNCHANGED: Final = Rewritten(None)
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

    twice = True

    def __init__(self, config: DuplicateMessages) -> None:
        super().__init__(config.topic, config.rate_in_percent, config.target)

    def decide(self, asked: Asked) -> Change | Forward | Await:
        """Duplicate records of a Produce request; note what a Java consumer asks for."""
        redelivery = _redelivery(asked.connection)
        if asked.api is not ApiKey.PRODUCE and redelivery is not None:
            redelivery.asks(self.asks(asked.request).items())
        return super().decide(asked)

    def answered(self, answered: Answered) -> Change | Forward:
        """Duplicate records of a Fetch response, in the way in which the client takes them."""
        redelivery = _redelivery(answered.connection)
        if redelivery is None:
            return super().answered(answered)
        allowance, chosen = Allowance(), self.chooser(answered.chance)

        def again(place: Located) -> Rewritten:
            key = (place.topic, place.partition.partition_index)
            return redelivery.rewritten(key, place.partition, chosen, allowance)

        return changed(answered.response, fetched(answered.response, self.matches), again)

    def produced(self, asked: Asked, place: Located, edit: Edit, allowance: Allowance) -> Rewritten:
        """The batch with its duplicates, and without its producer, if it may be changed."""
        blob = place.partition.records
        header = next(iter(headers_of(blob)), None)
        if header is None or header.magic != 2 or header.is_transactional or header.is_control:
            return _UNCHANGED
        if header.producer_id >= 0 and not _may_be_nobodys(asked.connection, place, header):
            return _UNCHANGED
        new = rewrite_produced(blob, edit, allowance, _from_nobody)
        if new.blob is None and header.producer_id >= 0 and crc_ok(blob, header):
            return new._replace(blob=without_producer(blob, header), changed=0)
        return new


def _may_be_nobodys(connection: Connection | None, place: Located, header: BatchHeader) -> bool:
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
