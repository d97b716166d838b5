"""Who may call the control API, and who may change something through it."""

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType

from sidecar.model.errors import PermissionDenied, Unauthenticated

NOT_ALLOWED = "You do not have permission to call this API, please contact your administrator."
"""Conduktor Gateway's words for a caller who may only read."""


@dataclass(frozen=True, slots=True)
class AdminUser:
    """A known caller; `admin` may write."""

    username: str
    admin: bool
    local_only: bool = False
    """Whether it counts for callers on this machine only: its password is known to everybody."""

    def require_admin(self) -> None:
        """Raise PermissionDenied unless this caller may write."""
        if not self.admin:
            raise PermissionDenied(NOT_ALLOWED)


class AdminUsers:
    """The configured users of the control API.

    Args:
        users: ``(username, password, admin)``; one without a password has none that is right.
        certificates: names in certificates, each with the user whose it is.
        local_only: whether they count for callers on this machine only.
    """

    def __init__(
        self,
        users: Iterable[tuple[str, str, bool]],
        certificates: Mapping[str, str] = MappingProxyType({}),
        *,
        local_only: bool = False,
    ) -> None:
        known = [(name, word, AdminUser(name, admin, local_only)) for name, word, admin in users]
        self._users = tuple((_digest(name), _digest(word), u) for name, word, u in known if word)
        by_name = {user.username: user for _, _, user in known}
        self._certificates = {name: by_name[owner] for name, owner in certificates.items()}

    def certified(self, names: Iterable[str]) -> AdminUser | None:
        """Return the user whose certificate has one of these names."""
        return next((self._certificates[n] for n in names if n in self._certificates), None)

    def authenticate(self, username: str, password: str) -> AdminUser:
        """Return the user, or raise Unauthenticated; the time taken tells nothing.

        Every user is compared, as digests of equal length, so that neither which user exists nor
        how much of a password was right can be measured.
        """
        name, secret = _digest(username), _digest(password)
        found: AdminUser | None = None
        for known_name, known_secret, user in self._users:
            same_name = hmac.compare_digest(name, known_name)
            same_secret = hmac.compare_digest(secret, known_secret)
            if same_name & same_secret:
                found = user
        if found is None:
            raise Unauthenticated("the username or password is wrong")
        return found


def _digest(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogatepass")).digest()
