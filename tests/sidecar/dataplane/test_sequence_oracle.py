"""What is wrong with what brokers acknowledge, batch by batch."""

import pytest

from sidecar.dataplane.sequence_oracle import MAX_PRODUCERS, SequenceOracle
from sidecar.dataplane.sequences import Batch
from sidecar.faults.leader_election import LeaderElection
from sidecar.model.identity import ANONYMOUS
from sidecar.model.observation import SequenceAnomaly
from tests.support.fast_lane import appended
from tests.support.messages import batch, produce, request
from tests.support.sessions import NOW, Client, interceptor, striking, to_broker

KEY = ("cars", 3, 4000)
LAST = 2**31 - 1

# Each acknowledgement: epoch, base sequence, records, base offset; then what is wrong with it.
CASES = {
    "in order": [((0, 0, 2, 10), None), ((0, 2, 1, 12), None), ((0, 3, 1, 90), None)],
    "heard from the middle on": [((0, 77, 2, 10), None), ((0, 79, 1, 12), None)],
    "acknowledged twice": [((0, 0, 2, 10), None), ((0, 2, 2, 12), None), ((0, 0, 2, 10), None)],
    "again, offset forgotten": [((0, 0, 2, 10), None), ((0, 0, 2, -1), None)],
    "appended twice": [((0, 0, 2, 10), None), ((0, 0, 2, 12), ("DUPLICATE", 2, 10))],
    "appended twice, late": [
        ((0, 0, 2, 10), None),
        ((0, 2, 2, 12), None),
        ((0, 0, 2, 14), ("DUPLICATE", 4, 10)),
        ((0, 4, 1, 16), None),
    ],
    "one is missing": [
        ((0, 0, 2, 10), None),
        ((0, 3, 2, 12), ("GAP", 2, None)),
        ((0, 5, 1, 14), None),
    ],
    "the missing one comes behind": [
        ((0, 0, 2, 10), None),
        ((0, 3, 2, 12), ("GAP", 2, None)),
        ((0, 2, 1, 14), ("REORDERED", 5, 12)),
    ],
    "the missing one is told late": [
        ((0, 0, 2, 10), None),
        ((0, 3, 2, 13), ("GAP", 2, None)),
        ((0, 2, 1, 12), None),
    ],
    "offsets go back": [((0, 0, 2, 10), None), ((0, 2, 1, 9), ("REORDERED", 2, 10))],
    "a new epoch begins anew": [
        ((0, 8, 2, 10), None),
        ((1, 0, 1, 12), None),
        ((0, 10, 1, 9), None),
        ((1, 1, 1, 13), None),
    ],
    "numbers begin anew at the end": [
        ((0, LAST - 1, 2, 10), None),
        ((0, 0, 1, 12), None),
        ((0, 2, 1, 13), ("GAP", 1, None)),
    ],
    "a batch over the end": [((0, LAST, 3, 10), None), ((0, 2, 1, 13), None)],
}


@pytest.mark.parametrize("name", CASES)
def test_acknowledgements(name: str) -> None:
    told: list[SequenceAnomaly] = []
    oracle = SequenceOracle(told.append)
    for (epoch, sequence, records, offset), wrong in CASES[name]:
        told.clear()
        oracle.acknowledged(ANONYMOUS, "app", Batch(KEY, epoch, sequence, records), offset, NOW)
        found = [(each.kind, each.expected_sequence, each.other_offset) for each in told]
        assert found == ([wrong] if wrong else [])


def test_an_anomaly_tells_who_and_what() -> None:
    told: list[SequenceAnomaly] = []
    oracle = SequenceOracle(told.append)
    oracle.acknowledged(ANONYMOUS, None, Batch(KEY, 5, 0, 2), 10, NOW)
    oracle.acknowledged(ANONYMOUS, None, Batch(KEY, 5, 0, 2), 12, NOW + 1)

    assert told == [
        SequenceAnomaly(
            time=NOW + 1,
            kind="DUPLICATE",
            virtual_cluster="passthrough",
            principal="anonymous",
            client_id=None,
            topic="cars",
            partition=3,
            producer_id=4000,
            producer_epoch=5,
            base_sequence=0,
            record_count=2,
            base_offset=12,
            expected_sequence=2,
            other_offset=10,
        )
    ]


def test_partitions_and_producers_are_apart() -> None:
    told: list[SequenceAnomaly] = []
    oracle = SequenceOracle(told.append)
    for key in (KEY, ("cars", 4, 4000), ("bikes", 3, 4000), ("cars", 3, 4001)):
        oracle.acknowledged(ANONYMOUS, "app", Batch(key, 0, 0, 1), 10, NOW)
    assert told == []


def test_who_was_not_heard_of_longest_is_forgotten() -> None:
    told: list[SequenceAnomaly] = []
    oracle = SequenceOracle(told.append)

    def hear(producer: int, sequence: int) -> None:
        batch = Batch(("cars", 0, producer), 0, sequence, 1)
        oracle.acknowledged(ANONYMOUS, "app", batch, sequence, NOW)

    for producer in range(MAX_PRODUCERS):
        hear(producer, 0)
    hear(0, 1)
    hear(MAX_PRODUCERS, 0)
    hear(1, 7)  # forgotten: as if it began here
    assert told == []
    hear(0, 7)
    assert [each.kind for each in told] == ["GAP"]


def idempotent(sequence: int, **fields: int) -> bytes:
    return batch(1, producer_id=4000, producer_epoch=0, base_sequence=sequence, **fields)


def test_a_session_asks_about_what_the_broker_said_not_about_what_faults_made_of_it() -> None:
    """An append that is denied to the client stands in the log all the same."""
    fault = LeaderElection(rate_in_percent=100, outcome="APPEND_THEN_REJECT")
    client = Client(striking(fault), oracle=True)
    for number in (1, 2):
        message = produce({"cars": {0: idempotent(0)}})
        [asked] = to_broker(client.sends_frame(request(message, 9, number)))
        client.broker_answers(appended(asked))

    kinds = [each.kind for each in client.observed if isinstance(each, SequenceAnomaly)]
    assert kinds == ["DUPLICATE"]  # this broker appends what it is sent, twice


def test_without_an_oracle_nothing_is_looked_at() -> None:
    client = Client()
    shared = client.shared
    assert client.session.plan(shared.pipeline, shared.versions, lambda: NOW)[1] is None
    client = Client(oracle=True)
    shared = client.shared
    assert client.session.plan(shared.pipeline, shared.versions, lambda: NOW)[1] is not None


def test_what_was_refused_is_not_waited_for() -> None:
    client = Client(interceptor(100), oracle=True)
    client.sends(produce({"cars": {0: idempotent(0)}}), 9)
    assert client.observed == []
