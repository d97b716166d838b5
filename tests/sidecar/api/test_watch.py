"""Streams of injections."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from sidecar.gen.kafka.chaos.v1.injection_service_pb2 import (
    WatchInjectionsRequest,
    WatchInjectionsResponse,
)
from tests.sidecar.api.harness import VIEWER, Control, injection, running


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
    assert event.resume_token.endswith(":1")


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

    with watching(control, resume_token="other:500") as stream:
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
