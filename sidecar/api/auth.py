"""Who may call what: HTTP Basic credentials in the call's ``authorization`` metadata.

Health, reflection and GetBuildInfo never come here. Of our own services every method that is not
listed as open or as a reader's needs an admin, so a new method starts out closed.
"""

import base64
import binascii
from typing import Any

from sidecar.api.callers import Caller, Metadata, caller_of
from sidecar.api.lockout import Lockout
from sidecar.control.users import AdminUser, AdminUsers
from sidecar.model.errors import Unauthenticated

_PACKAGE = "/kafka.chaos.v1."
BUILD_INFO = f"{_PACKAGE}SidecarService/GetBuildInfo"
_METRICS = f"{_PACKAGE}SidecarService/GetMetrics"
_READERS = frozenset(
    _PACKAGE + method
    for method in (
        "InterceptorService/GetInterceptor",
        "InterceptorService/ListInterceptors",
        "InterceptorService/ResolveInterceptors",
        "LeaseService/ListLeases",
        "VirtualClusterService/ListVirtualClusters",
        "VirtualClusterService/GetVirtualCluster",
        "UserMappingService/ListUserMappings",
        "UserMappingService/GetUserMapping",
        "AliasTopicService/ListAliasTopics",
        "AliasTopicService/GetAliasTopic",
        "InjectionService/ListInjections",
        "InjectionService/WatchInjections",
        "SidecarService/GetStatus",
        "SidecarService/GetMetrics",
    )
)


class Authorizer:
    """Decides about calls.

    Args:
        users: who is known.
        metrics_open: GetMetrics needs no credentials.
        lockout: who has failed too often.
    """

    def __init__(
        self, users: AdminUsers, *, metrics_open: bool = False, lockout: Lockout | None = None
    ) -> None:
        self._users = users
        self._lockout = lockout or Lockout()
        self._open = frozenset({_METRICS} if metrics_open else ())

    def is_open(self, method: str) -> bool:
        """Whether anybody may call it."""
        return method in self._open

    def caller(self, context: Any) -> Caller:
        """Return the caller of a call; a bridge is believed that shows a user's certificate."""
        caller = caller_of(context)
        known = self._users.certified(caller.certificates) is not None
        return caller.believed() if known else caller

    def authenticate(self, metadata: Metadata, caller: Caller) -> AdminUser:
        """Return who calls.

        Args:
            metadata: of the call.
            caller: where it comes from.

        Raises:
            Unauthenticated: credentials are missing, malformed, wrong, or not for this caller.
            Refused: too many from there, for this user, were wrong.
        """
        header = next((value for key, value in metadata if key == "authorization"), None)
        try:
            username, password = _credentials(header)
        except Unauthenticated as error:
            return self._without_password(header, caller, error)
        self._lockout.check(caller.address, username, caller.claimed)
        try:
            user = self._users.authenticate(username, password)
            _require_local(user, caller)
        except Unauthenticated:
            self._lockout.failed(caller.address, username, caller.claimed)
            raise
        return user

    def authorize(self, method: str, user: AdminUser) -> None:
        """Return if `user` may call `method`; raise PermissionDenied."""
        if method not in _READERS:
            user.require_admin()

    def _without_password(
        self, header: str | bytes | None, caller: Caller, error: Unauthenticated
    ) -> AdminUser:
        certified = self._users.certified(caller.certificates)
        if header is None and certified is not None and not caller.relays:
            return certified
        self._lockout.check(caller.address, "", caller.claimed)
        self._lockout.failed(caller.address, "", caller.claimed)
        raise error


def _require_local(user: AdminUser, caller: Caller) -> None:
    if user.local_only and not caller.is_local:
        raise Unauthenticated(
            f"user {user.username!r} has the password that everybody knows, which counts on the"
            " sidecar's own machine only: set GATEWAY_ADMIN_API_USERS"
        )


def _credentials(header: str | bytes | None) -> tuple[str, str]:
    if not isinstance(header, str):
        raise Unauthenticated("credentials are missing: HTTP Basic ones are needed")
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise Unauthenticated("the authorization scheme is not Basic")
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        raise Unauthenticated("the Basic credentials are malformed") from None
    username, _, password = decoded.partition(":")
    return username, password
