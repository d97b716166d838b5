"""Reproducible draws: the n-th draw of an interceptor depends on its seed and n, nothing else."""

from hashlib import blake2b
from struct import Struct

_SEED_AND_N = Struct(">QQ")
_SCALE = 2.0**-53


def draw(seed: int, n: int) -> float:
    """The `n`-th draw (from 0) of `seed` (64 bit), uniform in [0, 1)."""
    digest = blake2b(_SEED_AND_N.pack(seed, n), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) * _SCALE
