"""The doors of the control side: REST and gRPC."""

from typing import Final

from sidecar.config.parsers import AdminUser, flag, integer, text, users
from sidecar.config.setting import Setting

_PORT = integer(0, 65535)
DEFAULT_HTTP_PORT: Final = 8888
DEFAULT_GRPC_PORT: Final = 50051

CONTROL: Final[tuple[Setting, ...]] = (
    Setting(
        "admin_users",
        ("GATEWAY_ADMIN_API_USERS",),
        "gateway.admin_api_users",
        users,
        (AdminUser("admin", "conduktor", admin=True),),
        "users of REST and gRPC: [{username: admin, password: conduktor, admin: true}]",
        confidential=True,
    ),
    Setting(
        "http_port",
        ("GATEWAY_HTTP_PORT",),
        "gateway.http_port",
        _PORT,
        DEFAULT_HTTP_PORT,
        "port of the REST API, /health and /metrics",
    ),
    Setting(
        "grpc_host",
        ("GATEWAY_GRPC_HOST",),
        "gateway.grpc_host",
        text,
        "127.0.0.1",
        "address of the gRPC API; it has no TLS, so keep it on loopback",
    ),
    Setting(
        "grpc_port",
        ("GATEWAY_GRPC_PORT",),
        "gateway.grpc_port",
        _PORT,
        None,
        f"port of the gRPC API; default: {DEFAULT_GRPC_PORT} + GATEWAY_HTTP_PORT - "
        f"{DEFAULT_HTTP_PORT}, so that two sidecars on one host do not meet",
    ),
    Setting(
        "secured_metrics",
        ("GATEWAY_SECURED_METRICS",),
        "gateway.secured_metrics",
        flag,
        True,
        "whether /metrics asks for a user",
    ),
)
