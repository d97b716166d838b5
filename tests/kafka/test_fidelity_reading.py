"""What is read from recorded connections, and what is made of it, on frames made here."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

import codec
from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from codec.frames import frame
from codec.headers import request_header, response_header
from codec.registry import request_class, response_class
from tests.kafka.api_matrix.records import batch
from tests.kafka.api_matrix.shapes import build
from tests.kafka.eavesdropper import Conversation, Read
from tests.kafka.fidelity.causes import CAUSES, Cause, Covers, explained
from tests.kafka.fidelity.clients import ROOT
from tests.kafka.fidelity.differences import ASKED, TIME, Difference, differences
from tests.kafka.fidelity.measures import Measures, measure
from tests.kafka.fidelity.reading import Exchange, Heard, Leader, Link, heard
from tests.kafka.fidelity.report import UNEXPLAINED, page, unexplained
from tests.kafka.fidelity.results import Results, load
from tests.kafka.fidelity.runs import Run
from tests.kafka.fidelity.sequence import Block, Moment, folded, moments, shown

FIRST_PORT, TOPIC = 5000, "t"
REFUSED = int(ErrorCode.NOT_LEADER_OR_FOLLOWER)
LEADERLESS = int(ErrorCode.LEADER_NOT_AVAILABLE)
TOLD = {"sent": 9, "acknowledged": 9, "failed": {}, "slowest_ms": 12.5}


class Talk:
    """A connection to a broker, said piece by piece at times of our choice."""

    def __init__(self, node: int) -> None:
        self.kept = Conversation(FIRST_PORT + node - 1, opened=0.5)
        self._number = 0

    def read(self, data: bytes, at: float, from_client: bool) -> None:
        """As the recorder keeps it."""
        (self.kept.from_client if from_client else self.kept.to_client).extend(data)
        self.kept.reads.append(Read(at, from_client, len(data)))

    def ask(self, key: ApiKey, version: int, values: dict[str, Any], at: float) -> None:
        """A request, in one piece."""
        self._number += 1
        body = codec.encode(build(request_class(key), values, version), version)
        head = request_header(key, version, self._number, "client")
        self.read(b"".join(frame(head, body)), at, True)

    def answer(self, key: ApiKey, version: int, values: dict[str, Any], at: float) -> None:
        """The answer to the last request, in two pieces; it is whole at `at`."""
        body = codec.encode(build(response_class(key), values, version), version)
        data = b"".join(frame(response_header(key, version, self._number), body))
        self.read(data[:3], at - 0.25, False)
        self.read(data[3:], at, False)

    def produce(self, version: int, at: float, acks: int = -1) -> None:
        """One record."""
        part = {"index": 0, "records": batch([b"v"])}
        values = {"acks": acks, "topic_data": [{"name": TOPIC, "partition_data": [part]}]}
        self.ask(ApiKey.PRODUCE, version, values, at)

    def produced(self, version: int, at: float, error: int = 0, **more: Any) -> None:
        """The answer to it."""
        part = {"index": 0, "error_code": error, **more}
        values = {"responses": [{"name": TOPIC, "partition_responses": [part]}]}
        self.answer(ApiKey.PRODUCE, version, values, at)

    def metadata(self, version: int, at: float, error: int, leader: int, epoch: int) -> None:
        """A request, and its answer a second later."""
        self.ask(ApiKey.METADATA, version, {"topics": [{"name": TOPIC}]}, at)
        part = {"partition_index": 0, "error_code": error, "leader_id": leader}
        part["leader_epoch"] = epoch
        topics = [{"name": "other"}, {"name": TOPIC, "partitions": [part]}]
        self.answer(ApiKey.METADATA, version, {"topics": topics}, at + 1)

    def heard(self) -> Heard:
        """What is read of it."""
        return heard([self.kept], FIRST_PORT, TOPIC)


def test_a_refusal_is_read_with_its_hint_and_its_times() -> None:
    talk = Talk(2)
    talk.produce(12, 1.0)
    talk.produced(12, 2.0, REFUSED, current_leader={"leader_id": 3, "leader_epoch": 7})
    [refused] = talk.heard().exchanges
    assert refused == Exchange(
        2, "PRODUCE", 12, 1.0, 2.0, error="NOT_LEADER_OR_FOLLOWER", leader=Leader(3, 7)
    )
    assert refused.refused
    assert not refused.acknowledged


def test_no_hint_is_none_and_an_acknowledgement_is_one() -> None:
    talk = Talk(1)
    for version in (7, 12):
        talk.produce(version, 1.0)
        talk.produced(version, 2.0)
    talk.produce(12, 1.0)
    talk.produced(12, 2.0, current_leader={"leader_id": -1, "leader_epoch": 7})
    assert [each.leader for each in talk.heard().exchanges] == [None, None, None]
    assert all(each.acknowledged for each in talk.heard().exchanges)


def test_what_has_no_answer_is_not_mistaken_for_what_follows() -> None:
    """acks=0 has none; the answer belongs to the next request."""
    talk = Talk(1)
    talk.produce(9, 1.0, acks=0)
    talk.produce(9, 2.0)
    talk.produced(9, 3.0)
    assert [(each.sent, each.answered) for each in talk.heard().exchanges] == [(2.0, 3.0)]


def test_a_connection_that_ends_takes_its_requests_with_it() -> None:
    talk = Talk(2)
    talk.produce(9, 1.0)
    assert talk.heard().exchanges == (), "still under way"
    talk.read(b"", 4.0, False)
    talk.read(b"", 5.0, True)
    told = talk.heard()
    assert told.exchanges == (Exchange(2, "PRODUCE", 9, 1.0, None, lost=4.0),)
    assert told.links == (Link(2, 0.5, 4.0, by_client=False, used=False),)


@pytest.mark.parametrize(("version", "epoch"), [(5, -1), (13, 4)])
def test_metadata_tells_the_leader_and_from_v7_on_its_epoch(version: int, epoch: int) -> None:
    talk = Talk(1)
    talk.metadata(version, 1.0, LEADERLESS, -1, 4)
    [asked] = talk.heard().exchanges
    assert (asked.error, asked.leader) == ("LEADER_NOT_AVAILABLE", Leader(-1, epoch))


def test_lines_are_for_people() -> None:
    broken = Link(2, 3.0, 3.5)
    told = Heard(
        (
            Exchange(2, "API_VERSIONS", 4, 0.0, 0.1),
            Exchange(2, "PRODUCE", 12, 1.0, 1.1, error="NOT_LEADER", leader=Leader(3, 7)),
            Exchange(1, "METADATA", 13, 2.0, 2.1, error="NONE_THERE", leader=Leader(-1, 7)),
            Exchange(2, "PRODUCE", 12, 2.5, None, lost=2.9),
        ),
        (Link(2, 0.0, 2.9, used=True), broken),
    )
    assert [each.text for each in moments(told)] == [
        "connection to 2: opened",
        "Produce v12 to 2: NOT_LEADER (hint: leader 3, epoch 7)",
        "Metadata v13: NONE_THERE, no leader, epoch 7",
        "Produce v12 to 2: no answer, the connection is lost",
        "connection to 2: closed by the broker",
        "connection to 2: closed before any answer",
    ]


def test_what_is_repeated_is_said_once() -> None:
    said = ["a", "b", "b", "a", "b", "a", "b", "b", "b", "c"]
    blocks = folded([Moment(float(n), text) for n, text in enumerate(said)])
    assert blocks == [
        Block(0.0, (("a", 1, 1), ("b", 1, 3)), 3),
        Block(9.0, (("c", 1, 1),), 1),
    ]
    assert shown(blocks, 9.0) == [
        "   -9000 ms  | a   <- 3 times",
        "             | b x 1 to 3",
        "      +0 ms  c",
    ]


def test_what_is_long_loses_its_middle() -> None:
    lines = shown(folded([Moment(0.0, str(n)) for n in range(50)]), 0.0)
    assert [line.split()[-1] for line in (lines[0], lines[-1])] == ["0", "49"]
    assert "... 37 more lines like these" in lines[9]
    assert len(lines) == 14


def election(hint: bool, leader: int, epoch: int) -> Run:
    """An event at second 10: refused at 11, asked and told, acknowledged by `leader` at 14."""
    told = Leader(3, 1) if hint else None
    exchanges = (
        Exchange(1, "METADATA", 13, 1.0, 2.0, leader=Leader(2, 0)),
        Exchange(2, "PRODUCE", 12, 9.0, 9.1),
        Exchange(2, "PRODUCE", 12, 10.4, 10.5),
        Exchange(2, "PRODUCE", 12, 10.9, 11.0, error="NOT_LEADER_OR_FOLLOWER", leader=told),
        Exchange(1, "METADATA", 13, 11.1, 12.0, leader=Leader(leader, epoch)),
        Exchange(leader, "PRODUCE", 12, 13.0, 14.0),
        Exchange(1, "METADATA", 13, 15.0, 15.1, leader=Leader(leader, epoch)),
    )
    case = "election" if hint else "rung1"
    links = (Link(2, 1.0, used=True),)
    return Run("java", case, 10.0, 20.0, Heard(exchanges, links), TOLD)


def test_an_election_is_measured() -> None:
    real = measure(election(True, 3, 1))
    assert (real.first, real.recovered, real.disturbed) == (1000.0, 3000.0, 3000.0)
    assert (real.refused, real.unanswered) == (1, 0)
    assert (real.metadata, real.metadata_all) == (1, 2)
    assert real.traits == {
        "Produce is answered": "NOT_LEADER_OR_FOLLOWER",
        "errors come": "once",
        "hint in Produce": "the new leader",
        "Metadata names": "a new leader",
        "leader epoch": "raised",
        "acknowledged then by": "another broker",
        "the leader's connection": "kept",
        "other requests": "none",
        "records given up": "none",
    }


def test_an_event_that_nobody_notices_is_a_mistake() -> None:
    run = election(True, 3, 1)
    quiet = replace(run, heard=Heard(run.heard.exchanges[:2], run.heard.links))
    with pytest.raises(AssertionError, match="java did not notice election"):
        measure(quiet)


def test_differences_are_found_and_have_causes() -> None:
    found = differences([measure(election(True, 3, 1)), measure(election(False, 2, 0))])
    told = {one.trait: (one.there, one.here) for one in found}
    assert told == {
        "hint in Produce": ("the new leader", "none"),
        "Metadata names": ("a new leader", "the old leader"),
        "leader epoch": ("raised", "kept"),
        "acknowledged then by": ("another broker", "the same broker"),
    }
    assert [[cause.name for cause in explained(one)] for one in found] == [
        ["no hint"],
        ["same leader"],
        ["same leader"],
        ["same leader"],
    ]


def test_every_value_of_several_runs_is_compared() -> None:
    real, ours = measure(election(True, 3, 1)), measure(election(False, 2, 0))
    sometimes = replace(ours, traits=ours.traits | {"leader epoch": "raised"})
    found = differences([real, ours, sometimes])
    assert [one.here for one in found if one.trait == "leader epoch"] == ["kept"]


def test_a_cause_covers_what_it_says_and_no_more() -> None:
    covers = Covers("Metadata names", ours="rung2", here="none")
    one = Difference("java", "Metadata names", "election", "rung2", "a new leader", "none")
    assert covers.match(one)
    assert not covers.match(replace(one, trait="leader epoch"))
    assert not covers.match(replace(one, here="none, then the old leader"))
    assert not covers.match(replace(one, ours="rung1"))


def numbers(case: str, recovered: float | None, asked: int) -> Measures:
    """As measured, with these."""
    one = measure(election(True, 3, 1))
    return replace(one, case=case, recovered=recovered, metadata_all=asked)


def test_numbers_differ_when_they_are_far_apart() -> None:
    def between(*pair: Measures) -> dict[str, tuple[str, str]]:
        return {one.trait: (one.there, one.here) for one in differences(pair)}

    assert between(numbers("kill", 900, 5), numbers("rung2", 500, 3)) == {}
    assert between(numbers("kill", 90, 3), numbers("rung2", 10, 1)) == {}
    assert between(numbers("kill", 900, 3), numbers("rung2", 300, 9)) == {
        TIME: ("more", "less"),
        ASKED: ("less", "more"),
    }
    assert between(numbers("kill", None, 1), numbers("rung2", 9, 1)) == {TIME: ("more", "less")}


def test_a_new_difference_is_unexplained() -> None:
    odd = Difference("java", "hint in Produce", "election", "rung1", "none", "the new leader")
    assert explained(odd) == []
    assert explained(odd, [Cause("c", "text", (Covers("hint in Produce"),))])
    real, ours = measure(election(True, 3, 1)), measure(election(False, 2, 0))
    strange = replace(ours, traits=ours.traits | {"other requests": "InitProducerId"})
    assert unexplained([real, ours]) == []
    [new] = unexplained([real, strange])
    assert (new.trait, new.here) == ("other requests", "InitProducerId")
    made = Results("2026-11-25", "a machine", "4.3.1", {"java": "1"}, 1, 20, [real, strange])
    assert UNEXPLAINED in page(made)
    assert UNEXPLAINED not in page(replace(made, measured=[real, ours]))


def test_results_are_kept_and_read_again(tmp_path: Any) -> None:
    made = Results(
        "2026-11-25", "m", "4.3.1", {"java": "1"}, 1, 20, [measure(election(True, 3, 1))]
    )
    made.save(tmp_path / "results.json")
    assert load(tmp_path / "results.json") == made


def test_the_committed_page_has_a_cause_for_everything() -> None:
    text = (ROOT / "docs" / "fidelity.md").read_text()
    assert UNEXPLAINED not in text
    named = {name for each in re.findall(r"\*\((.*?)\)\*", text) for name in each.split(", ")}
    assert named
    assert named <= {cause.name for cause in CAUSES}
    assert all(f"- **{name}**: " in text for name in named), "what is named is explained"
