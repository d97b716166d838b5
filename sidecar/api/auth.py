"""Who may call what: HTTP Basic credentials in the call's ``authorization`` metadata.

Health and reflection never come here. Of our own services every method that is not listed as open
or as a reader's needs an admin, so a new method starts out closed.
"""

import base64
import binascii

from sidecar.api.callers import Caller, Metadata
from sidecar.api.lockout import Lockout
from sidecar.control.users import AdminUser, AdminUsers
from sidecar.model.errors import Unauthenticated

_PACKAGE = "/kafka.chaos.v1."
_BUILD_INFO = f"{_PACKAGE}SidecarService/GetBuildInfo"
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
        self._open = {_BUILD_INFO, _METRICS} if metrics_open else {_BUILD_INFO}

    def is_open(self, method: str) -> bool:
        """Whether anybody may call it."""
        return method in self._open

    def check(self, method: str, metadata: Metadata, caller: Caller) -> str | None:
        """Return who calls, when the call may go on; None where anybody may.

        Args:
            method: full name, such as ``/kafka.chaos.v1.TokenService/CreateToken``.
            metadata: of the call.
            caller: where it comes from.

        Raises:
            Unauthenticated: credentials are missing, malformed, wrong, or not for this caller.
            PermissionDenied: the user may only read.
            ResourceExhausted: too many from there were wrong.
        """
        if method in self._open:
            return None
        self._lockout.check(caller.address)
        try:
            user = self._user(metadata, caller)
        except Unauthenticated:
            self._lockout.failed(caller.address)
            raise
        if method not in _READERS:
            user.require_admin()
        return user.username

    def _user(self, metadata: Metadata, caller: Caller) -> AdminUser:
        certified = self._users.certified(caller.certificates)
        header = next((value for key, value in metadata if key == "authorization"), None)
        if header is None and certified is not None:
            return certified
        user = self._users.authenticate(*_credentials(header))
        if user.local_only and not caller.is_local:
            raise Unauthenticated(
                f"user {user.username!r} has the password that everybody knows, which counts on the"
                " sidecar's own machine only: set GATEWAY_ADMIN_API_USERS"
            )
        return user


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
