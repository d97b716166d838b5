"""Reproducible draws: the n-th draw of an interceptor depends on its seed and n, nothing else."""

import itertools
from collections.abc import Callable
from hashlib import blake2b
from math import ceil
from struct import Struct

_SEED_AND_N = Struct(">QQ")
_K = Struct(">Q")
_SCALE = 2.0**-53
_EMPTY = blake2b(digest_size=8)


def draw(seed: int, n: int) -> float:
    """The `n`-th draw (from 0) of `seed` (64 bit), uniform in [0, 1)."""
    digest = blake2b(_SEED_AND_N.pack(seed, n), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) * _SCALE


class Draws:
    """Which draws of a seed are below a share: `draw(seed, n) < share`, in half the time.

    Args:
        seed: 64 bit.
        share: from 0, which chooses nothing, to 1, which chooses everything.
    """

    __slots__ = ("_bound", "_seed")

    def __init__(self, seed: int, share: float) -> None:
        self._seed = seed
        # A draw is the upper 53 bits of its digest, and bytes compare as the numbers they are; the
        # bound of 1 is longer than any digest and begins with its highest byte.
        bound = ceil(share / _SCALE) << 11
        self._bound = bound.to_bytes(8, "big") if share < 1 else b"\xff" * 9

    def chooses(self, n: int) -> bool:
        """Whether the `n`-th draw, from 0, is below the share."""
        state = _EMPTY.copy()  # faster than a new one
        state.update(_SEED_AND_N.pack(self._seed, n))
        return state.digest() < self._bound


def further(seed: int, n: int) -> Callable[[], float]:
    """Further numbers for what the `n`-th draw selected, each uniform in [0, 1)."""
    numbers = itertools.count()
    begun = blake2b(_SEED_AND_N.pack(seed, n), digest_size=8)

    def chance() -> float:
        state = begun.copy()  # faster than a new one
        state.update(_K.pack(next(numbers)))
        return (int.from_bytes(state.digest(), "big") >> 11) * _SCALE

    return chance
