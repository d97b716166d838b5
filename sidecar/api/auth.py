"""Who may call what: HTTP Basic credentials in the call's ``authorization`` metadata.

Health and reflection never come here. Of our own services every method that is not listed as open
or as a reader's needs an admin, so a new method starts out closed.
"""

import base64
import binascii
from collections.abc import Iterable

from sidecar.control.users import AdminUsers
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

Metadata = Iterable[tuple[str, str | bytes]]


class Authorizer:
    """Decides about calls.

    Args:
        users: who is known.
        metrics_open: GetMetrics needs no credentials.
    """

    def __init__(self, users: AdminUsers, *, metrics_open: bool = False) -> None:
        self._users = users
        self._open = {_BUILD_INFO, _METRICS} if metrics_open else {_BUILD_INFO}

    def check(self, method: str, metadata: Metadata) -> None:
        """Return when the call may go on.

        Args:
            method: full name, such as ``/kafka.chaos.v1.TokenService/CreateToken``.
            metadata: of the call.

        Raises:
            Unauthenticated: credentials are missing, malformed or wrong.
            PermissionDenied: the user may only read.
        """
        if method in self._open:
            return
        user = self._users.authenticate(*_credentials(metadata))
        if method not in _READERS:
            user.require_admin()


def _credentials(metadata: Metadata) -> tuple[str, str]:
    header = next((value for key, value in metadata if key == "authorization"), None)
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
