"""The single list of settings: the file's keys, ``run --help`` and the README follow it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sidecar.config.parsers import (
    AdminUser,
    flag,
    integer,
    one_of,
    secret,
    servers,
    text,
    users,
    virtual_clusters,
)

DEFAULT_HTTP_PORT: Final = 8888
DEFAULT_GRPC_PORT: Final = 50051
SASL: Final = "SASL_PLAINTEXT"
_MAX_SEED: Final = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the table: where a value comes from and what it means."""

    name: str
    variables: tuple[str, ...]
    key: str
    """Section and key in the TOML file."""
    parse: Callable[[Any], Any]
    default: Any
    help: str


_PORT = integer(0, 65535)
_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")

SETTINGS: Final[tuple[Setting, ...]] = (
    Setting(
        "bootstrap_servers",
        ("KAFKA_BOOTSTRAP_SERVERS",),
        "kafka.bootstrap_servers",
        servers,
        None,
        "brokers to find the cluster by, host:port[,host:port...] (in the file also a list); "
        "required",
    ),
    Setting(
        "kafka_security_protocol",
        ("KAFKA_SECURITY_PROTOCOL",),
        "kafka.security_protocol",
        one_of("PLAINTEXT", later=("SSL", SASL, "SASL_SSL")),
        "PLAINTEXT",
        "how to talk to the brokers: PLAINTEXT",
    ),
    Setting(
        "advertised_host",
        ("GATEWAY_ADVERTISED_HOST",),
        "gateway.advertised_host",
        text,
        "localhost",
        "host name clients are told to connect to",
    ),
    Setting(
        "bind_host",
        ("GATEWAY_BIND_HOST",),
        "gateway.bind_host",
        text,
        "0.0.0.0",  # as in the reference; a container's published ports need it
        "address to listen on, for clients and REST",
    ),
    Setting(
        "port_start",
        ("GATEWAY_PORT_START", "GATEWAY_START_PORT"),
        "gateway.port_start",
        integer(1, 65535),
        6969,
        "first client port; one a broker, in order of node id",
    ),
    Setting(
        "port_count",
        ("GATEWAY_PORT_COUNT",),
        "gateway.port_count",
        integer(1, 65535),
        None,
        "how many client ports may be used; default: as many as there are brokers",
    ),
    Setting(
        "min_broker_id",
        ("GATEWAY_MIN_BROKERID",),
        "gateway.min_broker_id",
        integer(0, 2**31 - 1),
        None,
        "if set, a broker's port is first port + node id - this, whichever brokers are up",
    ),
    Setting(
        "mode",
        ("GATEWAY_MODE",),
        "gateway.mode",
        one_of("VCLUSTER", later=("KAFKA_SECURITY", "GATEWAY_SECURITY")),
        "VCLUSTER",
        "VCLUSTER: a token's vcluster claim decides which virtual cluster a client sees",
    ),
    Setting(
        "security_protocol",
        ("GATEWAY_SECURITY_PROTOCOL",),
        "gateway.security_protocol",
        one_of("PLAINTEXT", SASL, later=("SSL", "SASL_SSL")),
        "PLAINTEXT",
        "SASL_PLAINTEXT: clients send a token as SASL/PLAIN password; "
        "PLAINTEXT: everybody is anonymous in `passthrough`",
    ),
    Setting(
        "secret_key",
        ("GATEWAY_USER_POOL_SECRET_KEY",),
        "gateway.user_pool_secret_key",
        secret,
        None,
        "base64 of the key that signs tokens, 32 bytes or more; default: a random one, "
        "so that tokens end with the process",
    ),
    Setting(
        "admin_users",
        ("GATEWAY_ADMIN_API_USERS",),
        "gateway.admin_api_users",
        users,
        (AdminUser("admin", "conduktor", admin=True),),
        "users of REST and gRPC: [{username: admin, password: conduktor, admin: true}]",
    ),
    Setting(
        "virtual_clusters",
        ("GATEWAY_VCLUSTERS",),
        "gateway.virtual_clusters",
        virtual_clusters,
        (),
        "the only virtual clusters besides `passthrough` that may be used: [teamA, teamB]; "
        "default: any, as they come",
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
    Setting(
        "storage_type",
        ("GATEWAY_STORAGE_TYPE",),
        "gateway.storage_type",
        one_of("IN_MEMORY", later=("KAFKA",)),
        "IN_MEMORY",
        "where interceptors are kept: IN_MEMORY, until the process ends",
    ),
    Setting(
        "seed",
        ("GATEWAY_SEED",),
        "gateway.seed",
        integer(0, _MAX_SEED),
        None,
        "makes every draw reproducible; an interceptor's own seed wins",
    ),
    Setting(
        "sequence_oracle",
        ("GATEWAY_SEQUENCE_ORACLE",),
        "gateway.sequence_oracle",
        flag,
        False,
        "whether the acknowledgements of idempotent producers are held against their sequence "
        "numbers as they pass: duplicates, gaps and reorderings are logged and counted",
    ),
    Setting(
        "max_connections",
        ("GATEWAY_MAX_CONNECTIONS",),
        "gateway.max_connections",
        integer(1, 1_000_000),
        4096,
        "client connections at once, over all listeners; more wait to be accepted",
    ),
    Setting(
        "workers",
        ("GATEWAY_WORKERS",),
        "gateway.workers",
        integer(1, 64),
        1,
        "processes that share the client ports, one processor's work each; "
        "seeds replay exactly with 1 only",
    ),
    Setting(
        "max_frame_bytes",
        ("GATEWAY_MAX_FRAME_BYTES",),
        "gateway.max_frame_bytes",
        integer(65536, 2**31 - 1),
        100 * 1024 * 1024,
        "largest request or response; Kafka's socket.request.max.bytes has the same default",
    ),
    Setting(
        "log_level",
        ("GATEWAY_LOG_LEVEL",),
        "gateway.log_level",
        one_of(*_LOG_LEVELS),
        "INFO",
        "least level that is logged: " + ", ".join(_LOG_LEVELS),
    ),
)
