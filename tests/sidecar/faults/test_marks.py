"""What a rule keeps in mind for all processes."""

import itertools
from collections.abc import Hashable

import pytest

from sidecar.dataplane.pipeline import Mark, Pipeline
from sidecar.faults.coordinator_move import CoordinatorMove
from sidecar.faults.leader_election import LeaderElection
from sidecar.faults.marks import Marks
from sidecar.model.interceptor import Interceptor
from sidecar.model.place import Place
from tests.support.sessions import snapshot, striking

WINDOWS = LeaderElection(rate_in_percent=100, window_ms=1000)


def test_what_is_set_is_told_and_what_is_heard_is_not() -> None:
    told: list[tuple[Hashable, float]] = []
    marks = Marks(max)
    marks.set("alone", 1.0)
    marks.join(Place(1, 3), lambda about, time: told.append((about, time)))
    marks.set("a", 2.0)
    marks.hear("b", 3.0)

    assert told == [("a", 2.0)]
    assert marks.times == {"alone": 1.0, "a": 2.0, "b": 3.0}
    assert list(itertools.islice(marks.numbers(), 3)) == [1, 4, 7]
    assert list(itertools.islice(Marks(max).numbers(), 3)) == [0, 1, 2]


@pytest.mark.parametrize(("choose", "kept"), [(min, 1.0), (max, 2.0)])
@pytest.mark.parametrize("order", [(1.0, 2.0), (2.0, 1.0)])
def test_of_two_that_set_one_all_keep_the_same(
    choose: type, kept: float, order: tuple[float, float]
) -> None:
    marks = Marks(choose)
    marks.set("a", order[0])
    marks.hear("a", order[1])
    assert marks.times == {"a": kept}


def test_a_pipeline_tells_hears_and_keeps_the_marks_of_its_rules() -> None:
    told: list[Mark] = []
    one = striking(WINDOWS, name="windows")
    other = striking(CoordinatorMove(coordinator_key="g"), name="moves")

    def pipeline(previous: Pipeline | None = None, *interceptors: Interceptor) -> Pipeline:
        return Pipeline(snapshot(*interceptors), previous, Place(1, 2), spread=told.append)

    first = pipeline(None, one, other)
    for uid, time in (("windows", 5.0), ("moves", 6.0), ("gone", 8.0)):
        first.hear(Mark(uid, "x", time))
    assert told == []
    assert first.marks() == [Mark("windows", "x", 5.0), Mark("moves", "x", 6.0)]

    second = pipeline(first, one)
    assert second.marks() == [Mark("windows", "x", 5.0)]
    rule = second._rules["windows"]
    assert rule.marks is not None
    rule.marks.set("y", 9.0)
    assert told == [Mark("windows", "y", 9.0)]
    assert pipeline(second).marks() == []
