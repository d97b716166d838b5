"""What is sent arrives as it was, and without what workers have no use for."""

from types import MappingProxyType
from typing import Any

import pytest

from codec.frames import FrameDecoder
from sidecar.dataplane.addresses import Broker
from sidecar.dataplane.pipeline import Mark
from sidecar.model.alias_topic import AliasTopic
from sidecar.model.injection import Brief, Form
from sidecar.model.place import Place
from sidecar.model.snapshot import Snapshot
from sidecar.model.user_mapping import UserMapping
from sidecar.workers.messages import (
    Claim,
    Claimed,
    ClusterView,
    Forget,
    Forgotten,
    FromWorker,
    Marked,
    Publish,
    Report,
    State,
    ToWorker,
    Welcome,
    WorkerSettings,
    decode,
    encode,
    for_workers,
)
from tests.sidecar.api.harness import injection
from tests.support.sessions import interceptor, snapshot

SETTINGS = WorkerSettings(
    advertised_host="sidecar",
    bind_host="0.0.0.0",
    secret_key=b"do not show this",
    max_connections=10,
    frame_limit=1000,
    log_level="info",
)


def arrived(message: ToWorker | FromWorker) -> ToWorker | FromWorker:
    [body] = FrameDecoder(1 << 20).feed(encode(message))
    return decode(body)


def test_a_welcome_arrives_as_it_was() -> None:
    view = ClusterView(((Broker(1, "kafka1", 9092), 6969),), frozenset({1}), ({0: (0, 12)},))
    marks = (Mark("uid", ("teamA", ("cars", 3)), 7.5),)
    welcome = Welcome(
        Place(1, 2), SETTINGS, view, for_workers(snapshot(interceptor(50))), marks, 1e9
    )

    assert arrived(welcome) == welcome
    assert "do not show" not in repr(welcome)


def test_a_report_arrives_as_it_was() -> None:
    lost = {("uid", "simulate", "teamA", "leader_election", "NOT_LEADER_OR_FOLLOWER"): 3}
    counts = {("closes", "malformed_request"): 2, ("connections", ""): 1}
    report = Report((injection(partition=7),), lost, counts, State(4, True, 5))

    assert arrived(report) == report


def test_brief_injections_arrive_without_what_the_recorder_keeps() -> None:
    form = Form(injection(), idempotent=True)
    form.kept = lambda: "cannot be pickled"
    briefs = [Brief(form, 1.0, 2, partition, 4, 5, 6, 7, 8) for partition in range(3)]

    report = arrived(Report(tuple(briefs), {}, {}, State()))

    assert isinstance(report, Report)
    found = report.injections
    assert [one.whole() for one in found] == [brief.whole() for brief in briefs]
    forms = {id(one.form): one.form for one in found if isinstance(one, Brief)}
    assert [one.kept for one in forms.values()] == [None]


@pytest.mark.parametrize(
    "message",
    [
        Claim("teamA"),
        Claimed("teamA"),
        Claimed("teamA", "it may not be used here"),
        Forget(3, "teamA"),
        Forgotten(3, 7),
        Marked(Mark("uid", ("teamA", "group"), 7.5)),
    ],
    ids=repr,
)
def test_questions_and_news_arrive_as_they_were(message: Any) -> None:
    assert arrived(message) == message


def test_workers_get_the_whole_snapshot_but_for_annotations() -> None:
    noted = interceptor(50, annotations=MappingProxyType({"who": "me"}))
    others: Any = {
        "alias_topics": (AliasTopic("teamA", "orders", "shared-orders"),),
        "user_mappings": (UserMapping("teamA", "alice", "CN=alice", frozenset({"dev"})),),
    }

    sent = for_workers(Snapshot(4, (noted,), **others))

    assert arrived(Publish(sent)) == Publish(Snapshot(4, (interceptor(50),), **others))
