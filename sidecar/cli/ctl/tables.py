"""Text for people: columns as wide as they must be, nothing that could steer a terminal."""

import os
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final, TextIO

_GAP: Final = "  "
BOLD, RED, YELLOW = "1", "31", "33"
"""What `paint` takes."""


def colours(stream: TextIO) -> bool:
    """Whether a stream shows colours: https://no-color.org, and terminals only."""
    return (
        stream.isatty()
        and not os.environ.get("NO_COLOR")
        and os.environ.get("TERM", "dumb") != "dumb"
    )


def paint(text: str, colour: str, *, on: bool) -> str:
    """The text in a colour, if colours are on."""
    return f"\x1b[{colour}m{text}\x1b[0m" if on else text


def printable(text: str) -> str:
    """Names and reasons come from elsewhere: what cannot be seen is escaped, ends of lines too."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a table with a header, in columns as wide as their widest cell."""
    cells = [list(columns), *([printable(cell) or "-" for cell in row] for row in rows)]
    widths = [max(width(row[i]) for row in cells) for i in range(len(columns))]
    return [
        _GAP.join(
            cell + " " * (wide - width(cell)) for cell, wide in zip(row, widths, strict=True)
        ).rstrip()
        for row in cells
    ]


def width(text: str) -> int:
    """How many columns of a terminal a printable text takes."""
    if text.isascii():
        return len(text)
    return sum(_width(char) for char in text)


def clipped(text: str, columns: int) -> str:
    """As much of a printable text as goes into so many columns."""
    if text.isascii():
        return text[:columns]
    taken = 0
    for i, char in enumerate(text):
        taken += _width(char)
        if taken > columns:
            return text[:i]
    return text


def _width(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
