"""What Kafka clients connect to, and how they show who they are."""

from typing import Final

from sidecar.config.parsers import (
    integer,
    one_of,
    principal_rules,
    secret,
    text,
    virtual_clusters,
)
from sidecar.config.setting import Setting
from sidecar.tls.stores import TYPES

PROTOCOLS: Final = (
    "PLAINTEXT",
    "SSL",
    "SASL_PLAINTEXT",
    "SASL_SSL",
    "DELEGATED_SASL_PLAINTEXT",
    "DELEGATED_SASL_SSL",
)

CLIENTS: Final[tuple[Setting, ...]] = (
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
        one_of(*PROTOCOLS),
        "PLAINTEXT",
        "..._SSL is TLS; SASL_...: clients send a token as SASL/PLAIN password; DELEGATED_...: "
        "they authenticate to the brokers, by PLAIN, SCRAM or OAUTHBEARER; PLAINTEXT and SSL: they "
        "are in `passthrough`, anonymous or as their certificate says",
    ),
    Setting(
        "ssl_key_store",
        ("GATEWAY_SSL_KEY_STORE_PATH",),
        "gateway.ssl_key_store_path",
        text,
        None,
        "file with the private key and the certificate chain of the client ports: PEM, PKCS12 or "
        "JKS (these two need the extra `keystores`)",
    ),
    Setting(
        "ssl_key_store_password",
        ("GATEWAY_SSL_KEY_STORE_PASSWORD",),
        "gateway.ssl_key_store_password",
        text,
        "",
        "what opens it",
        confidential=True,
    ),
    Setting(
        "ssl_key_password",
        ("GATEWAY_SSL_KEY_PASSWORD",),
        "gateway.ssl_key_password",
        text,
        "",
        "what opens the key in it; default: the same",
        confidential=True,
    ),
    Setting(
        "ssl_key_type",
        ("GATEWAY_SSL_KEY_TYPE",),
        "gateway.ssl_key_type",
        one_of(*TYPES),
        "",
        "PEM, PKCS12 or JKS; default: told by the file's first bytes",
    ),
    Setting(
        "ssl_trust_store",
        ("GATEWAY_SSL_TRUST_STORE_PATH",),
        "gateway.ssl_trust_store_path",
        text,
        None,
        "file with the certificates of the authorities that sign those of clients",
    ),
    Setting(
        "ssl_trust_store_password",
        ("GATEWAY_SSL_TRUST_STORE_PASSWORD",),
        "gateway.ssl_trust_store_password",
        text,
        "",
        "what opens it",
        confidential=True,
    ),
    Setting(
        "ssl_trust_store_type",
        ("GATEWAY_SSL_TRUST_STORE_TYPE",),
        "gateway.ssl_trust_store_type",
        one_of(*TYPES),
        "",
        "as GATEWAY_SSL_KEY_TYPE",
    ),
    Setting(
        "ssl_client_auth",
        ("GATEWAY_SSL_CLIENT_AUTH",),
        "gateway.ssl_client_auth",
        one_of("NONE", "OPTIONAL", "REQUIRE"),
        "NONE",
        "whether clients show a certificate: NONE, OPTIONAL or REQUIRE",
    ),
    Setting(
        "ssl_update_interval_ms",
        ("GATEWAY_SSL_UPDATE_INTERVAL_MS",),
        "gateway.ssl_update_interval_ms",
        integer(100, 86_400_000),
        600_000,
        "how often it is looked whether these files have changed; new connections get what is new",
    ),
    Setting(
        "ssl_principal_mapping_rules",
        ("GATEWAY_SSL_PRINCIPAL_MAPPING_RULES",),
        "gateway.ssl_principal_mapping_rules",
        principal_rules,
        (),
        "what a certificate's subject is called: RULE:pattern/replacement/[LU] and DEFAULT, as in "
        "Kafka's ssl.principal.mapping.rules, patterns in RE2 syntax; default: the subject",
    ),
    Setting(
        "secret_key",
        ("GATEWAY_USER_POOL_SECRET_KEY",),
        "gateway.user_pool_secret_key",
        secret,
        None,
        "base64 of the key that signs tokens, 32 bytes or more; default: a random one, "
        "so that tokens end with the process",
        confidential=True,
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
        "max_connections",
        ("GATEWAY_MAX_CONNECTIONS",),
        "gateway.max_connections",
        integer(1, 1_000_000),
        4096,
        "client connections at once, over all listeners; more wait to be accepted",
    ),
    Setting(
        "max_frame_bytes",
        ("GATEWAY_MAX_FRAME_BYTES",),
        "gateway.max_frame_bytes",
        integer(65536, 2**31 - 1),
        100 * 1024 * 1024,
        "largest request or response; Kafka's socket.request.max.bytes has the same default",
    ),
)
