"""The rule that no two virtual clusters can share a physical name: they are prefix-free.

A physical name is the virtual cluster's name and the logical one, with nothing between them. So
``team`` with topic ``Ax`` would meet ``teamA`` with topic ``x``; it cannot, since the two virtual
clusters cannot exist side by side. See ADR 9.
"""

from collections.abc import Iterable
from typing import Final

from sidecar.model.names import PASSTHROUGH

MAX_VIRTUAL_CLUSTERS: Final = 1000
"""Keeps a first use short, which is compared with all of them: 0.4 ms."""


def conflict(name: str, others: Iterable[str]) -> str | None:
    """Return one of `others` that could share a physical name with virtual cluster `name`.

    They can if one of the two is a prefix of the other. '.' and '_' count as the same, as they do
    for Kafka, which refuses topic ``a_b`` beside ``a.b``. `name` itself is no conflict, nor is
    ``passthrough``, which has no prefix.
    """
    if name == PASSTHROUGH:
        return None
    mine = _folded(name)
    for other in others:
        if other in (name, PASSTHROUGH):
            continue
        theirs = _folded(other)
        if mine.startswith(theirs) or theirs.startswith(mine):
            return other
    return None


def conflicts(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return every two of `names` that cannot exist side by side, the shorter one first."""
    found = []
    below: list[str] = []  # each a prefix of the next
    for name in sorted(set(names) - {PASSTHROUGH}, key=lambda n: (_folded(n), n)):
        while below and not _folded(name).startswith(_folded(below[-1])):
            below.pop()
        found += [(other, name) for other in below]
        below.append(name)
    return found


def _folded(name: str) -> str:
    return name.replace(".", "_")
