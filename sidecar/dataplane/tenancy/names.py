"""How the names of one virtual cluster are spelled by its clients and on the cluster.

A physical name is the virtual cluster's name and the logical one, with nothing between. No virtual
cluster's name begins another's (see `sidecar.model.virtual_clusters`), so a physical name belongs
to one of them at most. Alias topics are spelled in a way of their own.
"""

import re
from collections.abc import Mapping

_ANCHOR = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|(?P<start>(?:(?<=\()|(?<=\(\?:)|(?<=\|)|^)\^)"
)
"""What an anchor is not: escaped, or in a class; and one with nothing before it."""


class Names:
    """The names of one virtual cluster. Immutable.

    Args:
        prefix: what stands before its physical names; empty maps nothing.
        aliases: logical to physical names of its alias topics.
    """

    __slots__ = ("_aliases", "_opening", "_originals", "prefix")

    def __init__(self, prefix: str, aliases: Mapping[str, str] | None = None) -> None:
        self.prefix = prefix.encode()
        found = aliases or {}
        self._aliases = {name.encode(): physical.encode() for name, physical in found.items()}
        self._originals = {physical: name for name, physical in self._aliases.items()}
        self._opening = prefix.replace(".", r"\.").encode() + b"(?:"

    @property
    def plain(self) -> bool:
        """Whether there are no aliases: then a topic is spelled as any other name is."""
        return not self._aliases

    def physical_topic(self, name: bytes) -> bytes:
        """A topic as the cluster calls it. An empty name stays: no topic has it."""
        return self._aliases.get(name) or (self.prefix + name if name else name)

    def logical_topic(self, name: bytes) -> bytes | None:
        """A topic as the clients call it; None if it is not theirs."""
        alias = self._originals.get(name)
        if alias is not None:
            return alias
        logical = self.logical(name)
        # What an alias hides has no name left.
        return None if not logical or logical in self._aliases else logical

    def physical(self, name: bytes) -> bytes:
        """A group or transactional id as the cluster calls it."""
        return self.prefix + name

    def logical(self, name: bytes) -> bytes | None:
        """A group or transactional id as the clients call it; None if it is not theirs."""
        return name[len(self.prefix) :] if name.startswith(self.prefix) else None

    def physical_pattern(self, pattern: bytes) -> bytes:
        """The regular expression (RE2) for physical names that `pattern` is for logical ones.

        Brokers match names whole. An anchor at the start is left out: behind the prefix it could
        never match. Empty stands for no expression, and stays.
        """
        if not pattern or not self.prefix:
            return pattern
        bare = _ANCHOR.sub(_without_start, pattern.decode("utf-8", "surrogateescape"))
        return self._opening + bare.encode("utf-8", "surrogateescape") + b")"

    def logical_pattern(self, pattern: bytes) -> bytes:
        """The expression a client gave; empty for one that no client of these names gave."""
        if not pattern or not self.prefix:
            return pattern
        if pattern.startswith(self._opening) and pattern.endswith(b")"):
            return pattern[len(self._opening) : -1]
        return b""


def _without_start(match: re.Match[str]) -> str:
    return "" if match["start"] else match[0]
