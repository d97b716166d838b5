"""How many connections are in the middle of large frames at once."""

from typing import Final

_FEW: Final = 2
"""With more connections, each waits for its turn."""


class Streams:
    """How many connections stream in this turn of the loop, and how many did in the last."""

    turn = -1
    now = 0
    before = 0

    def few(self, turn: int) -> bool:
        """Count one more, and say whether there are few."""
        if turn != self.turn:
            self.before = self.now if turn == self.turn + 1 else 0
            self.turn, self.now = turn, 0
        self.now += 1
        return self.now <= _FEW and self.before <= _FEW
