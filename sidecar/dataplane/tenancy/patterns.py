"""Regular expressions over logical names, as ones over physical names.

Brokers read them as RE2 does, and a name has to match whole. The expression becomes a group behind
the prefix, ``prefix(?:expression)``. Nothing in it may end that group early, or what follows could
match the names of others; so it is read here as RE2 reads it, and what might be read in two ways
counts as invalid. Flags such as ``(?i)`` end with the group, and the prefix is before it.

An anchor with nothing before it could never match behind the prefix: ``^`` becomes ``(?:^|)``,
which always matches there and can be told from what a client wrote. A word boundary, ``\\b``, sees
the end of the prefix before it.
"""

import re
from typing import Final

# In a class, "[:" begins a named class, unless it is the end of a range: that is not read at all.
_TOKEN: Final = r"""
      (?P<quoted>\\Q(?:.*?\\E|.*))
    | (?P<anchor>\^|\\A)
    | \\.
    | \[\^?+\]?+(?:(?<!-)\[:\^?+[a-z]++:\]|\[(?!:)|\\.|[^\]\\\[])*+\]
    | (?P<flags>\(\?[a-zA-Z-]*\))
    | (?P<opening>\((?:\?P?<\w*>|\?[a-zA-Z-]*:)?)
    | (?P<closing>\))
    | (?P<bar>\|)
    | (?P<broken>[\[\\])
    | .
"""
_LOGICAL: Final = re.compile(_TOKEN, re.VERBOSE | re.DOTALL)
_PHYSICAL: Final = re.compile(r"(?P<mark>\(\?:(?:\^|\\A)\|\)) |" + _TOKEN, re.VERBOSE | re.DOTALL)


def wrapped(opening: bytes, pattern: bytes) -> bytes:
    """The expression that matches what `pattern` does, behind what `opening` matches.

    Args:
        opening: what matches the prefix, and ``(?:``.
        pattern: for one that is not valid, `opening` alone is returned, which is not valid either:
            a broker refuses it.
    """
    inner = _translated(_LOGICAL, pattern)
    return opening if inner is None else opening + inner + b")"


def unwrapped(opening: bytes, pattern: bytes) -> bytes | None:
    """What `wrapped` was given, but for a quotation left open, which has an end; None for an
    expression that it does not make."""
    if not pattern.startswith(opening) or not pattern.endswith(b")"):
        return None
    return _translated(_PHYSICAL, pattern[len(opening) : -1])


def _translated(tokens: re.Pattern[str], pattern: bytes) -> bytes | None:
    """The pattern with the anchors at its start marked, or the marks taken off.

    None if a class or quoted character does not end in it, or a group ends that did not begin.
    """
    pieces = []
    starts = [True]  # of the groups that are open: whether anything stands before them
    start = True
    for token in tokens.finditer(pattern.decode("utf-8", "surrogateescape")):
        piece, kind = token[0], token.lastgroup
        if kind in ("anchor", "mark"):
            piece = _marked(piece, kind) if start else piece
        elif kind == "opening":
            starts.append(start)
        elif kind == "bar":
            start = starts[-1]
        elif kind != "flags":
            start = False
            if kind == "closing":
                starts.pop()
            elif kind == "quoted":
                piece = piece.removesuffix(r"\E") + r"\E"
            if kind == "broken" or not starts:
                return None
        pieces.append(piece)
    return "".join(pieces).encode("utf-8", "surrogateescape") if len(starts) == 1 else None


def _marked(piece: str, kind: str) -> str:
    return f"(?:{piece}|)" if kind == "anchor" else piece[len("(?:") : -len("|)")]
