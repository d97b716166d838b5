"""Which requests of the clients in scope an interceptor is about."""

from dataclasses import dataclass, fields
from typing import Final

from sidecar.model.faults import Checks
from sidecar.model.names import MAX_PRINCIPAL_LENGTH

MAX_ENTRIES: Final = 100
"""In each list."""
MAX_GROUP_LENGTH: Final = 512
"""Characters of a consumer group's id."""
_MOST: Final = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """Each list names alternatives, an empty one allows anything; all lists have to allow it.

    Args:
        topics, client_ids: regular expressions (RE2) for whole names, as the client has them; a
            client without an id has an empty one.
        partitions, brokers: numbers, 0 to 2**31-1; brokers by node id.
        principals: user names or principals of clients.
        groups: consumer groups, as the client calls them.
        apis: Kafka's names of APIs, in capitals; the door checks which there are.
        acks: what a Produce request asks for: -1, 0 or 1.

    Raises:
        InvalidArgument: an entry cannot be, or there are too many of them.
    """

    topics: tuple[str, ...] = ()
    partitions: tuple[int, ...] = ()
    client_ids: tuple[str, ...] = ()
    principals: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    brokers: tuple[int, ...] = ()
    apis: tuple[str, ...] = ()
    acks: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        checks = _SelectorChecks()
        for field in fields(self):
            entries = getattr(self, field.name)
            if len(entries) > MAX_ENTRIES:
                checks.refuse(
                    f"selector.{field.name}",
                    f"selector.{field.name} has {len(entries)} entries,"
                    f" at most {MAX_ENTRIES} are allowed",
                )
                continue
            check = getattr(checks, field.name)
            for place, entry in enumerate(entries):
                check(f"selector.{field.name}[{place}]", entry)
        checks.done()

    def __bool__(self) -> bool:
        """Whether there is anything it does not select."""
        return any(getattr(self, field.name) for field in fields(self))


class _SelectorChecks(Checks):
    """What an entry of the list of the same name may be."""

    def topics(self, field: str, value: str) -> None:
        self.pattern(field, value)

    client_ids = topics

    def partitions(self, field: str, value: int) -> None:
        self.between(field, value, 0, _MOST)

    brokers = partitions

    def principals(self, field: str, value: str) -> None:
        self._text(field, value, MAX_PRINCIPAL_LENGTH)

    def groups(self, field: str, value: str) -> None:
        self._text(field, value, MAX_GROUP_LENGTH)

    def apis(self, field: str, value: str) -> None:
        self._text(field, value, MAX_PRINCIPAL_LENGTH)

    def acks(self, field: str, value: int) -> None:
        self.between(field, value, -1, 1)

    def _text(self, field: str, value: str, most: int) -> None:
        if not 1 <= len(value) <= most:
            self.refuse(
                field, f"{field} has {len(value)} characters, allowed are 1 to {most} characters"
            )


EVERYTHING: Final = Selector()
"""Selects all."""
