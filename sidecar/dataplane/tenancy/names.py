"""How the names of one virtual cluster are spelled by its clients and on the cluster.

A physical name is the virtual cluster's name and the logical one, with nothing between. No virtual
cluster's name begins another's (see `sidecar.model.virtual_clusters`), so a physical name belongs
to one of them at most. Alias topics are spelled in a way of their own.
"""

from collections.abc import Mapping

from sidecar.dataplane.tenancy.patterns import unwrapped, wrapped


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
    def alias_topics(self) -> list[bytes]:
        """The physical names of its alias topics, in the order of names."""
        return sorted(self._originals)

    def is_alias(self, physical: bytes) -> bool:
        """Whether a physical topic is another's, which the clients reach by an alias."""
        return physical in self._originals

    def physical_topic(self, name: bytes) -> bytes:
        """A topic as the cluster calls it. An empty name stays: no topic has it."""
        return self._aliases.get(name) or (self.prefix + name if name else name)

    def logical_topic(self, name: bytes) -> bytes | None:
        """A topic as the clients call it; None if it is not theirs. An empty name stays."""
        alias = self._originals.get(name)
        if alias is not None:
            return alias
        if not name:
            return name
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

        Alias topics match none. Empty stands for no expression, and stays.
        """
        if not pattern or not self.prefix:
            return pattern
        return wrapped(self._opening, pattern)

    def logical_pattern(self, pattern: bytes) -> bytes:
        """The expression a client gave; empty for one that no client of these names gave."""
        if not pattern or not self.prefix:
            return pattern
        return unwrapped(self._opening, pattern) or b""
