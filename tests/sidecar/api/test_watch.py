"""Streams of injections."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from sidecar.gen.kafka.chaos.v1 import observation_pb2 as pb
from sidecar.gen.kafka.chaos.v1.injection_service_pb2 import (
    WatchInjectionsRequest,
    WatchInjectionsResponse,
)
from sidecar.model.observation import Recovery, SequenceAnomaly
from tests.sidecar.api.harness import VIEWER, Control, injection, running
from tests.support.observations import anomaly, ended


@contextmanager
def watching(control: Control, **request: Any) -> Iterator[Iterator[WatchInjectionsResponse]]:
    """Open a stream, and cancel it in the end."""
    stream = control.injection.WatchInjections(
        WatchInjectionsRequest(**request), metadata=VIEWER, timeout=30
    )
    try:
        yield stream
    finally:
        stream.cancel()


def kind(event: WatchInjectionsResponse) -> str | None:
    return event.WhichOneof("event")


def test_injections_come_as_they_happen(control: Control) -> None:
    with watching(control) as stream:
        assert kind(next(stream)) == "heartbeat"
        for partition in range(3):
            control.journal.publish(injection(partition=partition))
        events = [next(stream) for _ in range(3)]

    assert [event.injection.partition for event in events] == [0, 1, 2]
    assert [event.injection.sequence for event in events] == [1, 2, 3]


def test_filters(control: Control) -> None:
    with watching(control, virtual_cluster="teamA", interceptor="wanted") as stream:
        next(stream)
        control.journal.publish(injection(interceptor="wanted", virtual_cluster="teamB"))
        control.journal.publish(injection(interceptor="other"))
        control.journal.publish(injection(interceptor="wanted"))

        assert next(stream).injection.sequence == 3


def test_silence_is_broken_by_heartbeats_even_when_others_make_noise(control: Control) -> None:
    interval = Duration(nanos=100_000_000)
    with watching(control, interceptor="none", heartbeat_interval=interval) as stream:
        next(stream)
        control.journal.publish(injection())
        event = next(stream)

    assert kind(event) == "heartbeat"
    assert event.resume_token.endswith(":1.0")


def test_resuming_goes_on_behind_the_last_event(control: Control) -> None:
    with watching(control) as stream:
        next(stream)
        control.journal.publish(injection())
        token = next(stream).resume_token
    control.journal.publish(injection())

    with watching(control, resume_token=token) as stream:
        assert kind(next(stream)) == "heartbeat"
        assert next(stream).injection.sequence == 2


def test_what_was_forgotten_meanwhile_is_a_gap(control: Control) -> None:
    with watching(control) as stream:
        token = next(stream).resume_token
    for _ in range(10):
        control.journal.publish(injection())

    with watching(control, resume_token=token) as stream:
        next(stream)
        gap = next(stream)
        assert (kind(gap), gap.gap.missed, gap.gap.restarted) == ("gap", 2, False)
        assert next(stream).injection.sequence == 3


def test_a_token_of_another_run_starts_with_the_oldest(control: Control) -> None:
    control.journal.publish(injection())

    with watching(control, resume_token="other:500.3") as stream:
        gap = next(stream)
        assert (kind(gap), gap.gap.missed, gap.gap.restarted) == ("gap", 0, True)
        assert kind(next(stream)) == "heartbeat"
        assert next(stream).injection.sequence == 1


@pytest.mark.parametrize(
    "request_",
    [
        {"resume_token": "nonsense"},
        {"heartbeat_interval": Duration(nanos=1)},
        {"heartbeat_interval": Duration(seconds=61)},
    ],
)
def test_bad_requests(control: Control, request_: dict[str, Any]) -> None:
    [field] = request_
    with watching(control, **request_) as stream, pytest.raises(grpc.RpcError) as caught:
        next(stream)

    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert field in caught.value.details()


def test_streams_are_few_and_calls_go_on() -> None:
    with running(max_watchers=2, rate=1e6, burst=1e6) as control:
        with watching(control) as first, watching(control) as second:
            next(first), next(second)
            with watching(control) as third, pytest.raises(grpc.RpcError) as caught:
                next(third)
            assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert "2 streams of injections are open" in caught.value.details()
        # Cancelled streams give their places back; how soon is up to the server's threads.
        assert any(opens(control) for _ in range(3000))


def opens(control: Control) -> bool:
    """Whether a stream could be opened."""
    with watching(control) as stream:
        try:
            next(stream)
        except grpc.RpcError:
            return False
        return True


def test_stopping_ends_streams_at_once() -> None:
    with running() as control, watching(control) as stream:
        next(stream)
        control.server.stop(grace=30)
        with pytest.raises(grpc.RpcError) as caught:
            next(stream)

    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_observations_come_in_the_same_stream_with_numbers_of_their_own(control: Control) -> None:
    observations = control.journal.observations
    with watching(control) as stream:
        next(stream)
        control.journal.publish(injection())
        first = next(stream)
        observations.publish(ended())
        second = next(stream)
        observations.publish(anomaly())
        third = next(stream)

    assert [kind(each) for each in (first, second, third)] == [
        "injection",
        "recovery",
        "sequence_anomaly",
    ]
    assert (second.recovery.sequence, second.recovery.retries) == (1, 3)
    assert second.recovery.duration.ToMilliseconds() == 1250
    assert second.recovery.client_software_name == "apache-kafka-java"
    assert (third.sequence_anomaly.sequence, third.sequence_anomaly.other_offset) == (2, 40)
    with watching(control, resume_token=second.resume_token) as stream:
        assert kind(next(stream)) == "heartbeat"
        assert next(stream) == third


def test_filters_hold_for_observations(control: Control) -> None:
    observations = control.journal.observations
    with watching(control, virtual_cluster="teamA", interceptor="wanted") as stream:
        next(stream)
        for first in (
            injection(interceptor="other"),
            injection(interceptor="wanted", virtual_cluster="teamB"),
            injection(interceptor="wanted"),
        ):
            observations.publish(ended(first=first))
        assert next(stream).recovery.sequence == 3


def test_forgotten_observations_are_a_gap_of_their_own(control: Control) -> None:
    observations = control.journal.observations
    with watching(control) as stream:
        token = next(stream).resume_token
    for _ in range(11):  # of which 8 are remembered
        observations.publish(anomaly())

    with watching(control, resume_token=token) as stream:
        assert kind(next(stream)) == "heartbeat"
        gap = next(stream)
        assert (gap.gap.missed, gap.gap.missed_observations) == (0, 3)
        assert next(stream).sequence_anomaly.sequence == 4


def test_neither_waits_for_the_other(control: Control) -> None:
    with watching(control) as stream:
        token = next(stream).resume_token
    for _ in range(5):
        control.journal.publish(injection())
        control.journal.observations.publish(anomaly())

    with watching(control, resume_token=token) as stream:
        next(stream)
        kinds = [kind(next(stream)) for _ in range(6)]
    assert kinds == ["injection", "sequence_anomaly"] * 3


def test_messages_have_the_fields_of_observations() -> None:
    for message, model in ((pb.Recovery, Recovery), (pb.SequenceAnomaly, SequenceAnomaly)):
        names = {field.name for field in fields(model)}
        told = {"duration" if name == "seconds" else name for name in names}
        assert set(message.DESCRIPTOR.fields_by_name) == told | {"sequence"}
