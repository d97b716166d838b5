"""How the sidecar reaches the Kafka cluster behind it."""

from typing import Final

from sidecar.config.parsers import one_of, servers
from sidecar.config.setting import Setting

CLUSTER: Final[tuple[Setting, ...]] = (
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
        one_of("PLAINTEXT", later=("SSL", "SASL_PLAINTEXT", "SASL_SSL")),
        "PLAINTEXT",
        "how to talk to the brokers: PLAINTEXT",
    ),
)
