"""What is known about users besides their credentials: another name, and their groups."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from sidecar.model.errors import FieldViolation, InvalidArgument
from sidecar.model.identity import Identity
from sidecar.model.names import principal_name, resource_name, virtual_cluster_name


@dataclass(frozen=True, slots=True)
class UserMapping:
    """A user of a virtual cluster.

    Args:
        virtual_cluster: where the user is one; may be ``passthrough``.
        username: what interceptors call the user.
        principal: what credentials call the user; empty is the same as `username`.
        groups: the groups the user is in.

    Raises:
        InvalidArgument: a name is not one; all of them are reported at once.
    """

    virtual_cluster: str
    username: str
    principal: str = ""
    groups: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        checks: list[tuple[Callable[[str, str], str], str, str]] = [
            (virtual_cluster_name, self.virtual_cluster, "virtual_cluster"),
            (resource_name, self.username, "username"),
            (principal_name, self.principal or "-", "principal"),
        ]
        checks += [(resource_name, g, f"groups[{i}]") for i, g in enumerate(sorted(self.groups))]
        violations: list[FieldViolation] = []
        for check, value, field in checks:
            try:
                check(value, field)
            except InvalidArgument as error:
                violations += error.violations
        if violations:
            raise InvalidArgument(*violations)
        object.__setattr__(self, "principal", self.principal or self.username)

    def covers(self, who: Identity) -> bool:
        """Whether `who` is this user, by either name."""
        return self.virtual_cluster == who.virtual_cluster and who.username in (
            self.principal,
            self.username,
        )


def mapped(who: Identity, mappings: Iterable[UserMapping]) -> Identity:
    """Return `who` with the groups and the other names that `mappings` add."""
    mine = [mapping for mapping in mappings if mapping.covers(who)]
    if not mine:
        return who
    return replace(
        who,
        groups=who.groups.union(*(mapping.groups for mapping in mine)),
        other_names=who.other_names | {mapping.username for mapping in mine} - {who.username},
    )
