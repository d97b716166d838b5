"""How much may still be done: rates, numbers, and numbers that several processes share."""

import random
from dataclasses import replace

import pytest

from sidecar.dataplane.budget import IDLE_SECONDS, BorrowedPurse, OwnPurse, Window, budget
from sidecar.model.limits import Limits
from sidecar.model.place import ALONE, Place
from tests.support.sessions import NOW, interceptor


def limited(**limits: float | None) -> Limits:
    return Limits(**limits)  # type: ignore[arg-type]


@pytest.mark.parametrize("rate", [0.5, 1, 2.5, 10, 333.3])
def test_no_second_sees_more_than_the_rate(rate: float) -> None:
    window = Window(rate)
    most = max(1, int(rate))
    length = most / rate
    choice = random.Random(1)
    made: list[float] = []
    now = NOW
    while now < NOW + 20 * length:
        now += choice.random() * length / most / 2
        count = choice.choice((1, 1, 2))
        if window.affords(count, now):
            window.spend(count, now)
            made += [now] * count

    for start in made:
        assert sum(start <= time < start + length for time in made) <= most
    assert len(made) > 12 * most, "and it is used"


def test_a_window_opens_at_its_moment() -> None:
    window = Window(2)
    window.spend(2, NOW)

    assert not window.affords(1, NOW + 0.999)
    assert window.affords(2, NOW + 1)
    assert not window.affords(3, NOW + 1)


def test_a_clock_that_is_set_back_does_not_close_a_window_for_long() -> None:
    window = Window(1)
    window.spend(1, NOW)

    assert window.affords(1, NOW - 3600)


def test_a_number_is_never_exceeded_and_goes_on_when_raised() -> None:
    one = replace(interceptor(), limits=limited(max_injections=3))
    first = budget(one, None, ALONE, None)
    assert first is not None
    first.spend(2, NOW)

    assert not first.affords(2, NOW)
    first.spend(1, NOW)
    assert first.spent
    raised = budget(replace(one, limits=limited(max_injections=5)), first, ALONE, None)
    assert raised is not None
    assert [raised.affords(count, NOW) for count in (2, 3)] == [True, False]
    lowered = budget(replace(one, limits=limited(max_injections=1)), raised, ALONE, None)
    assert lowered is not None
    assert lowered.spent


def test_without_limits_there_is_no_budget() -> None:
    assert budget(interceptor(), None, ALONE, None) is None


def test_a_rate_is_divided_among_processes_and_kept_when_it_stays() -> None:
    one = replace(interceptor(), limits=limited(max_per_second=4))
    part = budget(one, None, Place(1, 2), None)
    assert part is not None

    part.spend(2, NOW)
    assert not part.affords(1, NOW)
    same = budget(replace(one, priority=1), part, Place(1, 2), None)
    other = budget(replace(one, limits=limited(max_per_second=6)), part, Place(1, 2), None)
    assert same is not None
    assert other is not None
    assert not same.affords(1, NOW)
    assert other.affords(3, NOW)


def test_a_borrower_asks_once_and_spends_what_it_was_granted() -> None:
    asked: list[int] = []
    purse = BorrowedPurse(asked.append)

    assert not purse.affords(2, NOW)
    assert not purse.affords(2, NOW)
    assert asked == [2]
    purse.granted(3, NOW)
    assert purse.affords(3, NOW)
    purse.spend(2, NOW)
    assert not purse.affords(2, NOW)
    assert asked == [2, 1]


def test_a_borrower_that_is_refused_asks_again_after_a_while() -> None:
    asked: list[int] = []
    purse = BorrowedPurse(asked.append)
    purse.affords(1, NOW)
    purse.granted(0, NOW)

    assert not purse.affords(1, NOW + IDLE_SECONDS - 0.001)
    assert asked == [1]
    purse.affords(1, NOW + IDLE_SECONDS)
    assert asked == [1, 1]


def test_what_is_not_used_goes_back() -> None:
    purse = BorrowedPurse(lambda count: None)
    purse.granted(5, NOW)
    purse.spend(1, NOW + 3)

    assert purse.idle(NOW + 3 + IDLE_SECONDS - 0.001) == 0
    assert purse.idle(NOW + 3 + IDLE_SECONDS) == 4
    assert purse.idle(NOW + 9) == 0
    assert not purse.affords(1, NOW + 9)


class Dealing:
    """Three processes that borrow of a fourth, in which messages take their time."""

    def __init__(self, total: int) -> None:
        self.own = OwnPurse()
        self.own.total = total
        self.wanted: list[tuple[int, int]] = []
        self.others = [
            BorrowedPurse(lambda count, who=who: self.wanted.append((who, count)))
            for who in range(3)
        ]


@pytest.mark.parametrize("seed", range(50))
def test_any_dealing_between_processes_spends_the_whole_and_no_more(seed: int) -> None:
    choice = random.Random(seed)
    dealing = Dealing(choice.randint(1, 60))
    own, others, wanted = dealing.own, dealing.others, dealing.wanted
    spent = 0
    now = NOW
    for _ in range(2000):
        now += choice.random() / 20
        count = choice.choice((1, 1, 1, 4))
        purse = choice.choice((own, *others))
        if purse.affords(count, now):
            purse.spend(count, now)
            spent += count
        assert spent <= own.total
        if wanted and choice.random() < 0.5:
            who, many = wanted.pop(0)
            others[who].granted(own.grant(many), now)
        for other in others:
            own.take_back(other.idle(now))
    assert spent == own.total
