"""What is to be done before long, but not inside a callback that others wait for."""

from collections.abc import Callable
from typing import Final

import gevent

SECONDS: Final = 0.02
"""So much is gathered at most."""


class Soon:
    """Has one thing at a time done on the hub."""

    def __init__(self) -> None:
        self._timer = gevent.get_hub().loop.timer(SECONDS)

    def __call__(self, do: Callable[[], None]) -> None:
        """Call `do`, which must not wait, before long; the last one told counts."""
        self._timer.start(do)
