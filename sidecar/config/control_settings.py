"""The doors of the control side: REST and gRPC."""

from typing import Final

from sidecar.config.parsers import AdminUser, flag, integer, one_of, text, users
from sidecar.config.setting import Setting

_PORT = integer(0, 65535)
DEFAULT_HTTP_PORT: Final = 8888
DEFAULT_GRPC_PORT: Final = 50051


def _tls(name: str, prefix: str, what: str, *client_auth: str) -> tuple[Setting, ...]:
    """The settings of one door's TLS."""
    return (
        Setting(
            f"{name}_key_store",
            (f"{prefix}_KEY_STORE_PATH",),
            f"gateway.{name}_key_store_path",
            text,
            None,
            f"file with the private key and the certificate chain of {what}: PEM, PKCS12 or JKS; "
            "default: no TLS",
        ),
        Setting(
            f"{name}_key_store_password",
            (f"{prefix}_KEY_STORE_PASSWORD",),
            f"gateway.{name}_key_store_password",
            text,
            "",
            "what opens it",
            confidential=True,
        ),
        Setting(
            f"{name}_trust_store",
            (f"{prefix}_TRUST_STORE_PATH",),
            f"gateway.{name}_trust_store_path",
            text,
            None,
            "file with the authorities of its callers' certificates",
        ),
        Setting(
            f"{name}_trust_store_password",
            (f"{prefix}_TRUST_STORE_PASSWORD",),
            f"gateway.{name}_trust_store_password",
            text,
            "",
            "what opens it",
            confidential=True,
        ),
        Setting(
            f"{name}_client_auth",
            (f"{prefix}_CLIENT_AUTH",),
            f"gateway.{name}_client_auth",
            one_of(*client_auth),
            "NONE",
            f"whether its callers show a certificate: {', '.join(client_auth)}",
        ),
    )


CONTROL: Final[tuple[Setting, ...]] = (
    Setting(
        "admin_users",
        ("GATEWAY_ADMIN_API_USERS",),
        "gateway.admin_api_users",
        users,
        (AdminUser("admin", "conduktor", admin=True),),
        "users of REST and gRPC: [{username: admin, password: conduktor, admin: true}]; who is not "
        "`admin` may read; `certificate: NAME` in place of a password is for gRPC with mTLS. "
        "Default: that one, from this machine only",
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
        "address of the gRPC API; without TLS keep it on loopback",
    ),
    *_tls("grpc_ssl", "GATEWAY_GRPC_SSL", "gRPC", "NONE", "REQUIRE"),
    *_tls("https", "GATEWAY_HTTPS", "REST, which is HTTPS then", "NONE", "OPTIONAL", "REQUIRE"),
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
