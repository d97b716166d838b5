"""Draws: reproducible, and uniform enough for a rate to mean what it says."""

import pytest

from sidecar.faults.draws import Draws, draw, further


@pytest.mark.parametrize(
    ("seed", "n", "value"),
    [
        (0, 0, 0.321543039748194),
        (0, 1, 0.7428094844981342),
        (1, 0, 0.1648068269894566),
        (42, 0, 0.5358530533311577),
        (42, 1, 0.023749785236220622),
        (42, 999, 0.9264997738169071),
        (2**64 - 1, 2**32, 0.7956502190399536),
    ],
)
def test_draws_are_those_of_every_earlier_release(seed: int, n: int, value: float) -> None:
    """A recorded seed must give the same run for ever: change these only with a new algorithm."""
    assert draw(seed, n) == value


def test_the_draws_of_a_seed_are_uniform() -> None:
    draws = [draw(42, n) for n in range(10_000)]

    assert all(0 <= value < 1 for value in draws)
    for tenth in range(10):
        share = sum(tenth / 10 <= value < (tenth + 1) / 10 for value in draws) / len(draws)
        assert share == pytest.approx(0.1, abs=0.01)


def test_neither_neighbouring_seeds_nor_neighbouring_draws_hang_together() -> None:
    pairs = [(draw(1, n), draw(1, n + 1), draw(2, n)) for n in range(10_000)]

    both_low = sum(a < 0.5 and b < 0.5 for a, b, _ in pairs) / len(pairs)
    same_low = sum(a < 0.5 and c < 0.5 for a, _, c in pairs) / len(pairs)
    assert both_low == pytest.approx(0.25, abs=0.02)
    assert same_low == pytest.approx(0.25, abs=0.02)


def test_a_large_rank_and_the_largest_seed_still_draw() -> None:
    assert 0 <= draw(2**64 - 1, 2**40) < 1


@pytest.mark.parametrize("share", [0, 2**-53, 0.001, 0.1, 0.5, 0.99, 1 - 2**-53, 1])
def test_what_is_chosen_are_the_draws_below_the_share(share: float) -> None:
    draws = Draws(42, share)

    assert [draws.chooses(n) for n in range(1000)] == [draw(42, n) < share for n in range(1000)]


@pytest.mark.parametrize("n", [0, 1, 999])
def test_a_draw_is_not_below_itself_and_below_all_that_is_above(n: int) -> None:
    value = draw(42, n)

    assert not Draws(42, value).chooses(n)
    assert Draws(42, value + 2**-53).chooses(n)


@pytest.mark.parametrize(("rate", "chosen"), [(0, 0), (10, 102), (50, 505), (99, 988), (100, 1000)])
def test_a_thousand_draws_of_one_seed_choose_these_many(rate: int, chosen: int) -> None:
    draws = Draws(42, rate / 100)

    assert sum(draws.chooses(n) for n in range(1000)) == chosen


def test_further_numbers_are_those_of_every_earlier_release() -> None:
    chance = further(42, 7)
    assert [chance() for _ in range(3)] == [
        0.601213619050984,
        0.060970579022353255,
        0.49132711429337705,
    ]
