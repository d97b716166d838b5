"""Hints of who leads: learned from Metadata, true but for what they are meant to get wrong."""

from typing import Any

import pytest

import codec
from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from codec.messages.fetch import FetchResponse
from codec.messages.metadata import MetadataResponse
from codec.messages.produce import ProduceResponse
from codec.schema import ZERO_UUID
from sidecar.faults import leaders
from sidecar.faults.base import (
    Answer,
    Answered,
    Asked,
    Connection,
    Deny,
    Hint,
    Hints,
    Part,
    Refuse,
    RequestRule,
)
from sidecar.faults.leader_election import LeaderElection, LeaderElectionRule
from sidecar.faults.leaderless import Leaderless, LeaderlessRule
from sidecar.faults.leaders import HINTS, MOVED, UNCHANGED, Leaders
from sidecar.faults.registry import KINDS
from sidecar.faults.rolling_restart import RollingRestart, RollingRestartRule
from sidecar.model.errors import InvalidArgument
from tests.support.messages import batch, produce, topic_id

LEADER, EPOCH = 2, 7
ID, OTHER_ID = topic_id("a"), topic_id("b")
BOTH = produce({"a": {0: batch(), 1: batch()}})
PLACES = [("a", 0), ("a", 1)]
TOPIC = MetadataResponse.MetadataResponseTopic


def metadata(
    version: int = 12,
    *,
    brokers: tuple[int, ...] = (1, 2, 3),
    leader: int = LEADER,
    epoch: int = EPOCH,
    in_sync: tuple[int, ...] = (1, 2, 3),
    topic: str | None = "a",
    partitions: int = 1,
) -> Any:
    """As decoded: some partitions of a topic, all led alike."""
    broker = MetadataResponse.MetadataResponseBroker
    parts = [
        TOPIC.MetadataResponsePartition(
            partition_index=index, leader_id=leader, leader_epoch=epoch, isr_nodes=list(in_sync)
        )
        for index in range(partitions)
    ]
    message = MetadataResponse(
        brokers=[broker(node_id=n, host="sidecar", port=6968 + n, rack=f"r{n}") for n in brokers],
        topics=[TOPIC(name=topic, topic_id=ID, partitions=parts)],
    )
    return codec.decode_response(ApiKey.METADATA, version, codec.encode(message, version))


def asked(version: int = 10, message: Any = BOTH, where: str = "v", at: int = LEADER) -> Asked:
    connection = Connection(broker_id=at)
    return Asked(ApiKey.PRODUCE, version, message, lambda: 0.0, 7, 0.0, where, connection)


def hint(leader: int, epoch: int = EPOCH) -> Hint:
    return Hint(leader, epoch, "sidecar", 6968 + leader, f"r{leader}")


def knowing(how: str = UNCHANGED, **told: Any) -> Leaders:
    known = Leaders(how)
    known.learn("v", metadata(**told))
    return known


@pytest.mark.parametrize(
    ("api", "version", "given"),
    [
        (ApiKey.PRODUCE, 9, False),
        (ApiKey.PRODUCE, 10, True),
        (ApiKey.PRODUCE, 13, True),
        (ApiKey.FETCH, 12, False),
        (ApiKey.FETCH, 15, False),
        (ApiKey.FETCH, 16, True),
        (ApiKey.FETCH, 18, True),
    ],
)
def test_versions_that_carry_hints(api: ApiKey, version: int, given: bool) -> None:
    about = asked()._replace(api=api, version=version)

    assert knowing().hint(about, ("a", 0), ID) == (hint(LEADER) if given else None)


@pytest.mark.parametrize("version", [7, 8, 9, 10, 11, 12, 13])
def test_every_metadata_with_an_epoch_teaches(version: int) -> None:
    assert knowing(version=version).hint(asked(), ("a", 0), ZERO_UUID) == hint(LEADER)


@pytest.mark.parametrize("version", [0, 6])
def test_without_an_epoch_nothing_is_known(version: int) -> None:
    assert knowing(version=version).hint(asked(), ("a", 0), ZERO_UUID) is None


@pytest.mark.parametrize(
    ("brokers", "in_sync", "at", "named"),
    [
        ((1, 2, 3), (1, 2, 3), 2, 3),
        ((1, 2, 3), (1, 2), 2, 1),  # in sync before next
        ((1, 2, 3), (2,), 2, 3),  # nobody else is in sync
        ((1, 2, 3), (2, 4), 2, 3),  # 4 is in sync and does not live
        ((1, 2), (2,), 2, 1),
        ((1, 2, 3), (1, 2, 3), 3, 1),  # who is asked, and does not lead, does not name itself
        ((1, 2, 3), (2, 3), 3, 1),
        ((1, 2), (1, 2), 1, 2),  # and with two brokers tells the truth
        ((1, 2, 3), (1, 2, 3), -1, 3),
        ((2,), (2,), 2, None),
    ],
)
def test_moved_names_another_live_broker(
    brokers: tuple[int, ...], in_sync: tuple[int, ...], at: int, named: int | None
) -> None:
    known = knowing(MOVED, brokers=brokers, in_sync=in_sync)

    found = known.hint(asked(at=at), ("a", 0), ID)

    assert found == (None if named is None else hint(named))


@pytest.mark.parametrize("how", [UNCHANGED, MOVED])
def test_the_epoch_is_never_above_the_clusters(how: str) -> None:
    known = knowing(how, epoch=7)
    for epoch in (8, 3):
        known.learn("v", metadata(epoch=epoch))
        found = known.hint(asked(), ("a", 0), ID)
        assert found is not None
        assert found.leader_epoch == epoch


@pytest.mark.parametrize(
    ("place", "where", "by_id"),
    [
        (("b", 0), "v", ID),
        (("a", 1), "v", ID),
        (("", 0), "v", ID),
        (("a", 0), "w", ID),
        (("a", 0), "v", OTHER_ID),  # created anew, and its epochs began anew
    ],
)
def test_what_was_not_told_is_not_hinted(place: Any, where: str, by_id: bytes) -> None:
    assert knowing().hint(asked(where=where), place, by_id) is None


@pytest.mark.parametrize(
    "told",
    [
        {"leader": -1},
        {"partitions": 0},  # an error about the whole topic
        {"brokers": (1, 3)},
        {"version": 6},
    ],
)
def test_what_holds_no_more_is_forgotten(told: dict[str, Any]) -> None:
    known = knowing()

    known.learn("v", metadata(**told))

    assert known.hint(asked(), ("a", 0), ID) is None


def test_topics_without_a_name_teach_nothing() -> None:
    assert knowing(topic=None).hint(asked(), ("a", 0), ID) is None


def test_memory_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaders, "MAX_PARTITIONS", 6)
    known = Leaders(UNCHANGED)
    for name in ("a", "b", "a", "c"):  # b was told of longest ago
        known.learn("v", metadata(topic=name, partitions=3))
    known.learn("v", metadata(topic="d", partitions=7))

    found = [name for name in "abcd" if known.hint(asked(), (name, 0), ID) is not None]

    assert found == ["a", "c"]


# What rules make of it


def rules(how: str) -> list[RequestRule]:
    """Each that refuses at once, having heard of partition 0."""
    election = {"rate_in_percent": 100, "hint": how}
    found: list[Any] = [
        LeaderElectionRule(LeaderElection(**election)),
        LeaderElectionRule(LeaderElection(**election, draw="PARTITION")),
        LeaderElectionRule(LeaderElection(**election, window_ms=1000)),
        LeaderlessRule(Leaderless(topic="a", hint=how)),
        RollingRestartRule(RollingRestart(brokers=(LEADER,), hint=how)),
    ]
    for rule in found:
        if rule.learner is not None:
            rule.learner.learn("v", metadata())
    return found


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize(("how", "named"), [("NONE", None), (UNCHANGED, 2), (MOVED, 3)])
def test_refusals_of_produce_say_who_leads(how: str, named: int | None, number: int) -> None:
    rule = rules(how)[number]

    decision = rule.decide(asked())

    assert isinstance(decision, Answer | Refuse)
    assert decision.hints == ({} if named is None else {("a", 0): hint(named)})
    if isinstance(decision, Answer):
        assert told(ApiKey.PRODUCE, 10, decision.response) == (
            [(-1, -1), (-1, -1)] if named is None else [(named, EPOCH), (-1, -1)],
            [] if named is None else [(named, "sidecar", 6968 + named, f"r{named}")],
        )


@pytest.mark.parametrize("how", HINTS)
def test_who_hints_hears_metadata_and_is_asked_each_time(how: str) -> None:
    for rule in rules(how):
        assert (rule.learner is not None) is (how != "NONE")
    assert rules(how)[0].memorable is (how == "NONE")
    at_0 = LeaderElectionRule(LeaderElection(rate_in_percent=0, hint=how))
    assert at_0.learner is None


def test_other_kinds_hear_nothing() -> None:
    hinting = {"leader_election", "leaderless", "rolling_restart"}
    for name, kind in KINDS.items():
        fields = set(getattr(kind.config, "__dataclass_fields__", {}))
        assert ("hint" in fields) is (name in hinting)


def told(api: ApiKey, version: int, message: Any) -> Any:
    """Leader and epoch of each partition, and the endpoints, as a client decodes them."""
    answer: Any = codec.decode_response(api, version, codec.encode(message, version))
    produced = api is ApiKey.PRODUCE
    parts = [
        part.current_leader
        for topic in answer.responses
        for part in (topic.partition_responses if produced else topic.partitions)
    ]
    ends = [(e.node_id, e.host, e.port, e.rack) for e in answer.node_endpoints]
    return [(p.leader_id, p.leader_epoch) if p is not None else (-1, -1) for p in parts], ends


def answered(api: ApiKey, version: int, message: Any, kept: Any = None) -> Answered:
    decoded = codec.decode_response(api, version, codec.encode(message, version))
    for topic in decoded.responses:  # as the data plane names them
        setattr(topic, "name" if api is ApiKey.PRODUCE else "topic", "a")
    connection = Connection(broker_id=LEADER)
    return Answered(api, version, decoded, lambda: 0.0, kept, 0.0, "v", connection)


def fetched(ends: tuple[int, ...] = ()) -> FetchResponse:
    """Two partitions, the second already refused by the broker, which names these endpoints."""
    topic = FetchResponse.FetchableTopicResponse
    part = topic.PartitionData
    refused = part(partition_index=1, error_code=6, high_watermark=-1, records=b"")
    if ends:
        refused.current_leader = part.LeaderIdAndEpoch(leader_id=ends[0], leader_epoch=9)
    first = part(partition_index=0, error_code=0, high_watermark=5, records=b"records")
    named = [FetchResponse.NodeEndpoint(node_id=n, host="own", port=n, rack=None) for n in ends]
    return FetchResponse(
        responses=[topic(topic="a", topic_id=ID, partitions=[first, refused])],
        node_endpoints=named,
    )


@pytest.mark.parametrize("version", [16, 17, 18])
@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ((), ([(3, EPOCH), (-1, -1)], [(3, "sidecar", 6971, "r3")])),
        ((1,), ([(3, EPOCH), (1, 9)], [(1, "own", 1, None), (3, "sidecar", 6971, "r3")])),
        ((3,), ([(3, EPOCH), (3, 9)], [(3, "own", 3, None)])),  # named once
    ],
)
def test_refusals_of_fetch_say_who_leads_beside_the_brokers_own(
    version: int, ends: tuple[int, ...], expected: Any
) -> None:
    rule = LeaderlessRule(Leaderless(topic="a", hint=MOVED))
    assert rule.learner is not None
    rule.learner.learn("v", metadata())
    about = answered(ApiKey.FETCH, version, fetched(ends))

    decision = rule.answered(about)

    assert isinstance(decision, Deny)
    assert decision.hints == {("a", 0): hint(3)}
    assert told(ApiKey.FETCH, version, decision.message) == expected
    assert len(about.response.node_endpoints) == len(ends), "the broker's answer is left alone"


@pytest.mark.parametrize("version", [11, 12, 15])
def test_older_fetches_get_none(version: int) -> None:
    rule = LeaderlessRule(Leaderless(topic="a", hint=MOVED))
    assert rule.learner is not None
    rule.learner.learn("v", metadata())

    decision = rule.answered(answered(ApiKey.FETCH, version, fetched()))

    assert isinstance(decision, Deny)
    assert decision.hints == {}


@pytest.mark.parametrize("version", [9, 10, 13])
def test_what_was_appended_is_denied_with_a_hint(version: int) -> None:
    fault = LeaderElection(rate_in_percent=100, outcome="APPEND_THEN_REJECT", hint=UNCHANGED)
    rule = LeaderElectionRule(fault)
    assert rule.learner is not None
    rule.learner.learn("v", metadata(partitions=2))
    topic = ProduceResponse.TopicProduceResponse
    parts = [
        topic.PartitionProduceResponse(index=n, error_code=code, base_offset=3)
        for n, code in ((0, ErrorCode.NONE), (1, ErrorCode.NOT_ENOUGH_REPLICAS))
    ]
    message = ProduceResponse(responses=[topic(name="a", topic_id=ID, partition_responses=parts)])

    decision = rule.answered(answered(ApiKey.PRODUCE, version, message, frozenset(PLACES)))

    given: Hints = {("a", 0): hint(LEADER)} if version >= 10 else {}
    assert isinstance(decision, Deny)
    assert (decision.parts, decision.hints) == ([Part("a", 0)], given)
    if given:
        own = ([(LEADER, EPOCH), (-1, -1)], [(2, "sidecar", 6970, "r2")])
        assert told(ApiKey.PRODUCE, version, decision.message) == own


@pytest.mark.parametrize(
    ("make", "values"),
    [
        (LeaderElection, {"rate_in_percent": 1}),
        (Leaderless, {"topic": "a"}),
        (RollingRestart, {"brokers": (1,)}),
    ],
)
def test_a_hint_that_is_none_is_refused(make: Any, values: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument) as caught:
        make(**values, hint="ELSEWHERE")

    [violation] = caught.value.violations
    assert violation.field == "hint"
    assert violation.description == "hint is 'ELSEWHERE', allowed are NONE, UNCHANGED, MOVED"


def test_where_no_answer_is_there_is_no_hint() -> None:
    with pytest.raises(InvalidArgument) as caught:
        LeaderElection(rate_in_percent=1, outcome="APPEND_THEN_DISCONNECT", hint=MOVED)

    [violation] = caught.value.violations
    assert violation.description == "hint is 'MOVED', allowed without an answer are NONE"
