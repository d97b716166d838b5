"""How the sidecar reaches the Kafka cluster behind it.

The names are those of the Java client's properties in capitals: ``KAFKA_SASL_MECHANISM`` is
``sasl.mechanism``.
"""

from typing import Any, Final

from sidecar.config.jaas import jaas
from sidecar.config.parsers import any_text, one_of, pem, servers, text
from sidecar.config.setting import Setting
from sidecar.model.credentials import MECHANISMS
from sidecar.tls.stores import TYPES


def _ssl(
    name: str, parse: Any, default: Any, meaning: str, *, confidential: bool = False
) -> Setting:
    """A setting of the connection's TLS."""
    return Setting(
        f"kafka_{name}",
        (f"KAFKA_{name.upper()}",),
        f"kafka.{name}",
        parse,
        default,
        meaning,
        confidential,
    )


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
        one_of("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"),
        "PLAINTEXT",
        "how to talk to the brokers: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL",
    ),
    Setting(
        "kafka_sasl_mechanism",
        ("KAFKA_SASL_MECHANISM",),
        "kafka.sasl_mechanism",
        one_of(*MECHANISMS),
        "PLAIN",
        "how to authenticate to the brokers, with SASL_...: " + ", ".join(MECHANISMS),
    ),
    Setting(
        "kafka_sasl_jaas_config",
        ("KAFKA_SASL_JAAS_CONFIG",),
        "kafka.sasl_jaas_config",
        jaas,
        None,
        'the credentials as Java clients have them: `...LoginModule required username="u" '
        'password="p";`, or for OAUTHBEARER `... required unsecuredLoginStringClaim_sub="u";`, '
        'with a token endpoint `... required clientId="c" clientSecret="s" scope="w";`',
        confidential=True,
    ),
    _ssl(
        "ssl_truststore_location",
        text,
        None,
        "file with the authorities of the brokers' certificates: PEM, PKCS12 or JKS; default: the "
        "system's",
    ),
    _ssl("ssl_truststore_password", text, "", "what opens it", confidential=True),
    _ssl("ssl_truststore_type", one_of(*TYPES), "", "default: told by the file's first bytes"),
    _ssl("ssl_truststore_certificates", pem, "", "the same as PEM text, in place of a file"),
    _ssl(
        "ssl_keystore_location",
        text,
        None,
        "file with a key and certificate of the sidecar's own, which it shows to the brokers",
    ),
    _ssl("ssl_keystore_password", text, "", "what opens it", confidential=True),
    _ssl("ssl_keystore_type", one_of(*TYPES), "", "default: told by the file's first bytes"),
    _ssl("ssl_keystore_key", pem, "", "the key as PEM text, in place of a file", confidential=True),
    _ssl("ssl_keystore_certificate_chain", pem, "", "its certificate chain as PEM text"),
    _ssl("ssl_key_password", text, "", "what opens the key", confidential=True),
    _ssl(
        "ssl_endpoint_identification_algorithm",
        any_text,
        "https",
        "https: a broker's certificate names its host; empty in the file, or NONE: any will do",
    ),
)
