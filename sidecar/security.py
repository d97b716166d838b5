"""What settings say of who may come in and how brokers are reached, made into what sees to it."""

import secrets
from typing import Any

from sidecar.api.control_tls import ControlTls
from sidecar.config import Settings
from sidecar.control.users import AdminUsers
from sidecar.net.transport import Security
from sidecar.tls.contexts import REQUIRE, Following


def both_ends(settings: Settings) -> Security:
    """TLS and SASL of clients and of brokers."""
    return Security(
        listener=settings.listener_tls,
        rules=settings.principal_rules,
        cluster=settings.cluster_tls,
        credentials=settings.credentials,
        tokens=settings.token_source,
        delegated=settings.delegated,
        login_seconds=settings.authentication_timeout_ms / 1000,
    )


def signing_key(settings: Settings, log: Any) -> bytes:
    """The key that signs tokens; a random one, which the log tells of, where none is set."""
    if settings.secret_key is not None:
        return settings.secret_key
    if settings.authenticate:
        log.warning(
            "secret_key_generated",
            detail="tokens end with this process, unless GATEWAY_USER_POOL_SECRET_KEY is set",
        )
    return secrets.token_bytes(32)


def admins(settings: Settings) -> AdminUsers:
    """Who may call the control side."""
    return AdminUsers(
        [(user.username, user.password, user.admin) for user in settings.admin_users],
        {user.certificate: user.username for user in settings.admin_users if user.certificate},
        local_only=settings.default_users,
    )


def control_tls(settings: Settings, log: Any) -> ControlTls | None:
    """TLS of gRPC; None: plain text. Raises StoreError where keys cannot be used."""
    tls = settings.grpc_tls
    if tls is None:
        return None
    return ControlTls(Following(tls, log, tls.pem), tls.client_auth == REQUIRE)
