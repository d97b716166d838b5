"""Who is on the other end of a client connection."""

from dataclasses import dataclass

from sidecar.model.names import PASSTHROUGH


@dataclass(frozen=True, slots=True)
class Identity:
    """A client as its credentials name it.

    Args:
        username: the principal; ``anonymous`` on listeners without authentication.
        virtual_cluster: the tenant, or ``passthrough``.
        groups: groups of the user, for group-scoped interceptors.
        other_names: what user mappings call the user besides, for username-scoped interceptors.
    """

    username: str
    virtual_cluster: str = PASSTHROUGH
    groups: frozenset[str] = frozenset()
    other_names: frozenset[str] = frozenset()

    @property
    def prefix(self) -> str:
        """What stands before this tenant's topic, group and transactional ids on the cluster."""
        return "" if self.virtual_cluster == PASSTHROUGH else self.virtual_cluster


ANONYMOUS = Identity("anonymous")


@dataclass(frozen=True, slots=True)
class Proof:
    """What credentials have shown.

    Args:
        identity: whose they are.
        seconds: how long they are good from now on; None: nobody knows.
    """

    identity: Identity
    seconds: float | None = None


class AuthenticationFailed(Exception):
    """The credentials were refused; ``str()`` is fit for the client's eyes and the log."""


class KeyUnknown(AuthenticationFailed):
    """They are signed with a key that is not among those known; newer ones may have it."""


class KeysUnavailable(KeyUnknown):
    """There are no keys to judge them by: nothing is wrong with them as far as can be told."""
