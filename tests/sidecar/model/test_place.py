"""Several processes share numbers and limits without talking to each other."""

from itertools import islice

import pytest

from sidecar.model.place import ALONE, Place


def test_alone_all_numbers_are_taken() -> None:
    assert list(islice(ALONE.numbers(), 4)) == [0, 1, 2, 3]


def test_numbers_of_all_places_are_all_numbers() -> None:
    taken = [list(islice(Place(index, 3).numbers(), 4)) for index in range(3)]

    assert taken[1] == [1, 4, 7, 10]
    assert sorted(n for numbers in taken for n in numbers) == list(range(12))


def test_a_successor_takes_other_numbers_of_the_same_residue() -> None:
    first = next(Place(1, 3, life=1).numbers())

    assert first > 10**12
    assert first % 3 == 1
    assert next(Place(63, 64, life=1000).numbers()) < 2**63  # what the protos can tell


@pytest.mark.parametrize("total", [3, 4, 5, 4096])
def test_shares_add_up(total: int) -> None:
    shares = [Place(index, 3).share(total) for index in range(3)]

    assert sum(shares) == total
    assert max(shares) - min(shares) <= 1
    assert ALONE.share(total) == total
