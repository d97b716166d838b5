"""Regular expressions from users, over topic names.

They are read as RE2 reads them, as Kafka's brokers do too: matching takes time in proportion to the
name, whatever the expression, where `re` can be made to hang the process. RE2 has no look-around
and no back-references. Syntax: https://github.com/google/re2/wiki/Syntax.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Final

MAX_PATTERN: Final = 512
"""Characters of an expression."""
MAX_NAME: Final = 249
"""Characters of a topic's name, as Kafka's brokers have it; no longer one is matched."""
EVERYTHING: Final = ".*"
_MOST_MEMORY: Final = 64 * 1024
"""Bytes of a compiled expression; what needs more is refused. One that counts characters of any
class up to the longest name fits."""


class PatternError(ValueError):
    """An expression is not valid; the message says why, in RE2's words."""


@lru_cache(maxsize=1024)  # each change of any interceptor asks for those of all
def compiled(pattern: str) -> Callable[[str], bool]:
    """What tells whether a whole name matches.

    Raises:
        PatternError: not valid, too large, or empty, which would match no name there can be.
    """
    if not pattern:
        raise PatternError("it is empty")
    if len(pattern) > MAX_PATTERN:
        raise PatternError(f"it has {len(pattern)} characters")
    if pattern == EVERYTHING:
        return _any
    import re2  # 3 MB that only those pay who have an expression

    options = re2.Options()
    options.max_mem = _MOST_MEMORY
    options.never_capture = True  # a match with groups takes a hundred times as long
    options.log_errors = False
    try:
        fullmatch = re2.compile(pattern, options).fullmatch
    except re2.error as error:
        [cause] = error.args
        raise PatternError(cause.decode(errors="replace")) from None
    return lambda name: len(name) <= MAX_NAME and fullmatch(name) is not None


def _any(name: str) -> bool:
    return True
