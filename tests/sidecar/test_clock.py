"""The clock of the process, while the machine's is set back and forth."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sidecar import clock
from sidecar.admission import by_date
from sidecar.clock import SLEW, Clock
from sidecar.control.tokens import TokenAuthority
from sidecar.model.identity import AuthenticationFailed
from sidecar.observer import Observer
from tests.sidecar.test_recorder import Recording, injections
from tests.support.observations import anomaly, ended

EPOCH = 1_700_000_000.0
HOUR = 3600.0


class Times:
    """Both clocks of a machine, and the one on top of them."""

    def __init__(self) -> None:
        self.passed = 1000.0
        self.set_by = 0.0
        self.clock = Clock(lambda: EPOCH + self.passed + self.set_by, lambda: self.passed)
        self.began = self.clock()

    def after(self, seconds: float) -> float:
        """What the clock has counted after some time in which it was asked each second."""
        before = self.clock()
        for _ in range(int(seconds)):
            self.passed += 1
            self.clock()
        return self.clock() - before


def test_it_begins_with_the_machines_and_keeps_its_pace() -> None:
    times = Times()

    assert times.began == EPOCH + 1000
    assert times.after(100) == pytest.approx(100)
    assert times.clock.off == 0


@pytest.mark.parametrize("jump", [HOUR, -HOUR, 86_400 * 365, 5.0])
def test_a_jump_of_the_machines_moves_it_by_a_twentieth_of_what_passes(jump: float) -> None:
    times = Times()
    times.set_by = jump

    assert times.clock() - times.began == 0
    assert abs(times.after(60) - 60) <= 60 * SLEW + 0.001
    assert times.clock.off == pytest.approx(jump, abs=60 * SLEW + 0.1)


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_in_the_end_both_agree(jump: float) -> None:
    times = Times()
    times.set_by = jump

    times.after(HOUR / SLEW + 10)

    assert times.clock() == pytest.approx(EPOCH + times.passed + jump, abs=0.01)
    assert times.clock.off == 0


@given(
    st.lists(
        st.tuples(st.floats(0, 1e5), st.floats(-1e6, 1e6)),
        max_size=50,
    )
)
@example([(0.5, 0.0), (1.0, 1.0)])
def test_it_never_goes_back_nor_far_from_what_has_passed(steps: list[tuple[float, float]]) -> None:
    times = Times()
    for passed, jump in steps:
        before = times.clock()
        times.passed += passed
        times.set_by += jump
        gone = times.clock() - before
        assert gone >= 0
        # It may not have looked for a second before this step.
        assert abs(gone - passed) <= min(passed + 1, 10) * SLEW + 1e-3


def test_two_processes_go_by_one_time() -> None:
    times = Times()
    times.set_by = HOUR
    other = Clock(lambda: EPOCH + times.passed + HOUR, lambda: times.passed)
    assert other() - times.clock() == HOUR

    other.join(times.clock.ahead)

    assert other() == times.clock()


def test_what_is_logged_has_the_date_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock.now, "off", HOUR)
    recording = Recording()
    made = injections(0)
    lines: list[bytes] = []
    published: list[object] = []
    observer = Observer(lines.append, published.append, recording.metrics, lambda flush: None)

    assert recording.recorder.record(made)
    for seen in (ended(), anomaly()):
        observer.note(seen)
    observer.flush()

    assert [each.whole().time for each in recording.published] == [made[0].time + HOUR]
    assert [each.time for each in published] == [ended().time + HOUR, anomaly().time + HOUR]
    first = json.loads(recording.sink.lines[0])["timestamp"]
    assert [json.loads(line)["timestamp"] for line in lines[0].splitlines()] == [first, first]


def test_until_when_a_token_is_good_is_a_date(monkeypatch: pytest.MonkeyPatch) -> None:
    authority = TokenAuthority(b"a key that only these tests know")
    token, expiry = authority.mint("sa", "teamA", 60, EPOCH)
    verify = by_date(authority.verify)

    monkeypatch.setattr("time.time", lambda: expiry - 1.0)
    assert verify(token, EPOCH + HOUR).username == "sa"
    monkeypatch.setattr("time.time", lambda: float(expiry))
    with pytest.raises(AuthenticationFailed, match="the token expired at"):
        verify(token, EPOCH)
