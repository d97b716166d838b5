"""Types of arguments, and words for failures, that several commands share.

A type raises ArgumentTypeError; argparse puts the option's name before its message and ends with 2.
"""

import argparse
import re
from collections.abc import Callable
from typing import Final

_ADDRESS: Final = re.compile(r"(?:[\w.-]+|\[[0-9a-f:.]+(?:%\w+)?\]):([0-9]{1,5})", re.A | re.I)


def whole_number(low: int, high: int | None = None) -> Callable[[str], int]:
    """A whole number from `low`, 0 or more, to `high`, both included; None is without end."""
    words = f"above {low - 1}" if high is None else f"from {low} to {high}"
    # Longer ones are refused unread: int() takes long for them, or refuses itself.
    longest = len(str(high)) if high is not None else 18

    def parse(text: str) -> int:
        if text.isascii() and text.isdigit() and len(text.lstrip("0")) <= longest:
            number = int(text)
            if low <= number and (high is None or number <= high):
                return number
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number {words}")

    return parse


def host_port(text: str) -> str:
    """``HOST:PORT`` as it was given; an IPv6 address stands in brackets."""
    found = _ADDRESS.fullmatch(text)
    if not found or not 0 < int(found[1]) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT, such as localhost:50051")
    return text


def reason(error: Exception) -> str:
    """What went wrong in words, without the number that Python puts before a system's error."""
    return (isinstance(error, OSError) and error.strerror) or str(error)
