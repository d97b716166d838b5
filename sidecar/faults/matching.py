"""Which topics a fault is about."""

from collections.abc import Callable

from sidecar.model.patterns import compiled


def matcher(pattern: str) -> Callable[[str], bool]:
    """What tells whether a topic's whole name matches; cheap enough for every request.

    Args:
        pattern: one that `Checks.pattern` finds nothing wrong with.

    Raises:
        PatternError: it is another.
    """
    return compiled(pattern)
