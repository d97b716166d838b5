"""What Kafka clients connect to, and how they show who they are."""

from typing import Final

from sidecar.config.parsers import integer, one_of, secret, text, virtual_clusters
from sidecar.config.setting import Setting

SASL: Final = "SASL_PLAINTEXT"

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
