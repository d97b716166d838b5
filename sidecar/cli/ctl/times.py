"""Lengths of time as people write them."""

import argparse
import re
from typing import Final

_UNITS: Final = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_LONGEST_LIFE: Final = 3650 * _UNITS["d"]
_PART: Final = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)")


def duration(text: str) -> int:
    """A time such as ``90s``, ``1h30m``, ``250ms``, in milliseconds."""
    found = _PART.findall(text)
    if not found or "".join(count + unit for count, unit in found) != text:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 500ms, 30s, 1h30m, 90d")
    return sum(int(count) * _UNITS[unit] for count, unit in found)


def lifetime(text: str) -> int:
    """As `duration`, but whole seconds, from one to 3650 days: those of tokens."""
    found = duration(text)
    if found % 1000 or not 1000 <= found <= _LONGEST_LIFE:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a time of whole seconds from 1s to 3650d"
        )
    return found


def words(seconds: float) -> str:
    """Such as ``3d4h``, ``5m12s``: the two largest units."""
    left, parts = max(0, int(seconds)), []
    for unit in ("d", "h", "m", "s"):
        count, left = divmod(left, _UNITS[unit] // 1000)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts[:2]) or "0s"
