"""What is told of refused calls, and how often."""

from collections.abc import Callable
from typing import Any

from sidecar.refusals import MAX_KINDS, OTHERS, SECONDS, Refusals


class World:
    """A clock, a timer and a log."""

    def __init__(self) -> None:
        self.now = 100.0
        self.lines: list[tuple[str, int, float]] = []
        self.counted: list[tuple[str, str]] = []
        self.due: list[Callable[[], None]] = []
        self.refusals = Refusals(
            self.log,
            lambda door, reason: self.counted.append((door, reason)),
            lambda: self.now,
            lambda seconds, call: self.due.append(call),
        )

    def log(self, event: str, **fields: Any) -> None:
        assert event == "control_calls_refused"
        what = f"{fields['door']} {fields['reason']} {fields['address']}"
        self.lines.append((what, fields["count"], fields["seconds"]))

    def pass_on(self) -> list[tuple[str, int, float]]:
        """Let the time pass; return the new lines."""
        before = len(self.lines)
        self.now += SECONDS
        due, self.due = self.due, []
        for call in due:
            call()
        return self.lines[before:]


def test_the_first_is_told_at_once_and_the_rest_together() -> None:
    world = World()
    for _ in range(1000):
        world.refusals.note("grpc", "rate", "10.0.0.1")

    assert world.lines == [("grpc rate 10.0.0.1", 1, 0.0)]
    assert world.pass_on() == [("grpc rate 10.0.0.1", 999, SECONDS)]
    assert world.pass_on() == []
    assert world.due == []
    world.refusals.note("rest", "401", "10.0.0.2")
    assert world.lines[-1] == ("rest 401 10.0.0.2", 1, 0.0)
    assert world.counted == [("grpc", "rate")] * 1000 + [("rest", "401")]


def test_thousands_of_addresses_make_few_lines() -> None:
    world = World()
    for number in range(5001):
        world.refusals.note("grpc", "lockout", f"10.0.{number}")

    lines = world.pass_on()
    assert len(lines) == MAX_KINDS + 1
    assert lines[-1][0] == f"grpc lockout {OTHERS}"
    assert sum(count for _, count, _ in lines) == 5000


def test_what_is_left_at_the_end_is_told() -> None:
    world = World()
    for _ in range(3):
        world.refusals.note("grpc", "busy", "a")
    world.now += 2
    world.refusals.flush()

    assert world.lines == [("grpc busy a", 1, 0.0), ("grpc busy a", 2, 2.0)]
    assert world.pass_on() == []
