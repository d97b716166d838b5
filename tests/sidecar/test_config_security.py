"""Settings of TLS and SASL: what they come to, and what has to fit together."""

import pytest

from sidecar.config import Settings
from sidecar.config.jaas import jaas
from sidecar.model.credentials import Credentials
from sidecar.tls.contexts import ClientTls, ServerTls
from sidecar.tls.stores import StoreFile
from tests.sidecar.test_config import BOOTSTRAP, problems, settings

MODULE = "org.apache.kafka.common.security.plain.PlainLoginModule"
SECRETS = ("hunter2", "opensesame", "correct horse")


def test_both_ends_are_plain_unless_told() -> None:
    found = settings(KAFKA_SSL_TRUSTSTORE_LOCATION="/ca.pem", GATEWAY_SSL_KEY_STORE_PATH="/s.pem")

    assert (found.listener_tls, found.cluster_tls, found.credentials) == (None, None, None)


@pytest.mark.parametrize(
    ("protocol", "tls", "tokens", "delegated"),
    [
        ("SSL", True, False, False),
        ("SASL_SSL", True, True, False),
        ("SASL_PLAINTEXT", False, True, False),
        ("DELEGATED_SASL_PLAINTEXT", False, False, True),
        ("DELEGATED_SASL_SSL", True, False, True),
    ],
)
def test_a_protocol_is_two_things(protocol: str, tls: bool, tokens: bool, delegated: bool) -> None:
    found = secured(GATEWAY_SECURITY_PROTOCOL=protocol, GATEWAY_SSL_KEY_STORE_PATH="/s.pem")

    assert (found.listener_tls is not None, found.authenticate, found.delegated) == (
        tls,
        tokens,
        delegated,
    )


def secured(**variables: str) -> Settings:
    return settings(
        KAFKA_SECURITY_PROTOCOL="SASL_SSL",
        KAFKA_SASL_JAAS_CONFIG=f'{MODULE} required username="me" password="hunter2";',
        **variables,
    )


def test_everything_about_tls() -> None:
    found = secured(
        GATEWAY_SECURITY_PROTOCOL="SSL",
        GATEWAY_SSL_KEY_STORE_PATH="/s.p12",
        GATEWAY_SSL_KEY_STORE_PASSWORD="opensesame",
        GATEWAY_SSL_KEY_TYPE="pkcs12",
        GATEWAY_SSL_CLIENT_AUTH="require",
        GATEWAY_SSL_TRUST_STORE_PATH="/c.pem",
        GATEWAY_SSL_UPDATE_INTERVAL_MS="1000",
        KAFKA_SSL_TRUSTSTORE_CERTIFICATES="-----BEGIN CERTIFICATE-----\\nx",
        KAFKA_SSL_KEYSTORE_KEY="-----BEGIN PRIVATE KEY-----",
        KAFKA_SSL_KEYSTORE_CERTIFICATE_CHAIN="-----BEGIN CERTIFICATE-----",
        KAFKA_SSL_KEY_PASSWORD="correct horse",
        KAFKA_SSL_ENDPOINT_IDENTIFICATION_ALGORITHM="none",
    )

    assert found.listener_tls == ServerTls(
        StoreFile("/s.p12", "opensesame", type="PKCS12"), StoreFile("/c.pem"), "REQUIRE", 1.0
    )
    assert found.cluster_tls == ClientTls(
        StoreFile(type="PEM", text="-----BEGIN CERTIFICATE-----\nx"),
        StoreFile(
            key_password="correct horse",
            type="PEM",
            text="-----BEGIN PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----",
        ),
        check_host=False,
        interval=1.0,
    )
    assert found.credentials == Credentials("PLAIN", "me", "hunter2")
    assert not [secret for secret in SECRETS if secret in repr(found)]


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"GATEWAY_SECURITY_PROTOCOL": "SSL"}, "SSL, which needs GATEWAY_SSL_KEY_STORE_PATH"),
        (
            {
                "GATEWAY_SECURITY_PROTOCOL": "SSL",
                "GATEWAY_SSL_KEY_STORE_PATH": "/s.pem",
                "GATEWAY_SSL_CLIENT_AUTH": "REQUIRE",
            },
            "REQUIRE, which needs GATEWAY_SSL_TRUST_STORE_PATH",
        ),
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "SASL_SSL, which needs KAFKA_SASL_JAAS_CONFIG"),
        (
            {"GATEWAY_SECURITY_PROTOCOL": "DELEGATED_SASL_PLAINTEXT"},
            "KAFKA_SECURITY_PROTOCOL is PLAINTEXT, it has to be SASL_PLAINTEXT or SASL_SSL",
        ),
        (
            {
                "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
                "KAFKA_SASL_JAAS_CONFIG": "a.B required username=hunter2;",
            },
            "KAFKA_SASL_JAAS_CONFIG has no password, which PLAIN needs",
        ),
        (
            {
                "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
                "KAFKA_SASL_MECHANISM": "OAUTHBEARER",
                "KAFKA_SASL_JAAS_CONFIG": "a.B required username=hunter2;",
            },
            "has no unsecuredLoginStringClaim_sub, which OAUTHBEARER needs",
        ),
        (
            {"KAFKA_SASL_JAAS_CONFIG": 'x required password="hunter2" oops hunter2'},
            "KAFKA_SASL_JAAS_CONFIG: the value given is not allowed; it takes `Module required",
        ),
        (
            {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_KEYSTORE_KEY": "-----BEGIN X"},
            "KAFKA_SSL_KEYSTORE_KEY and KAFKA_SSL_KEYSTORE_CERTIFICATE_CHAIN need each other",
        ),
        (
            {
                "KAFKA_SECURITY_PROTOCOL": "SSL",
                "KAFKA_SSL_ENDPOINT_IDENTIFICATION_ALGORITHM": "ldaps",
            },
            "is 'ldaps'; it takes https or NONE",
        ),
        (
            {"GATEWAY_SSL_PRINCIPAL_MAPPING_RULES": "RULE:(/$1/"},
            "patterns in RE2 syntax, '(' is none: missing ): (",
        ),
        ({"KAFKA_SSL_KEYSTORE_KEY": "hunter2"}, "the value given is not allowed; it takes a PEM"),
    ],
)
def test_what_does_not_fit_is_told_without_secrets(variables: dict[str, str], words: str) -> None:
    [told] = problems(BOOTSTRAP | variables)

    assert words in told
    assert "hunter2" not in told


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("a.B required ;", {}),
        ('a.B required username=al password="s p;\\"\\\\\'" ;', {"username": "al"}),
        ("  a.$B  REQUIRED\n username='a\\'b'\n password=\"\";  ", {"username": "a'b"}),
    ],
)
def test_a_line_as_java_reads_it(text: str, options: dict[str, str]) -> None:
    found = jaas(text)

    assert options.items() <= found.options.items()
    assert "password" not in repr(found)
    if "password" in found.options:
        assert found.options["password"] in ("s p;\"\\'", "")


@pytest.mark.parametrize("asked", ["", "NONE", "REQUIRE"])
def test_users_with_certificates_are_asked_for_them(asked: str) -> None:
    """Or they could never come in, and nothing would say so."""
    given = {
        "GATEWAY_ADMIN_API_USERS": "[{username: orch, certificate: orchestrator, admin: true}]",
        "GATEWAY_GRPC_SSL_KEY_STORE_PATH": "/s.pem",
        "GATEWAY_GRPC_SSL_TRUST_STORE_PATH": "/c.pem",
        "GATEWAY_GRPC_SSL_CLIENT_AUTH": asked,
    }
    if asked == "REQUIRE":
        [user] = settings(**given).admin_users
        assert user.certificate == "orchestrator"
    else:
        assert problems({**BOOTSTRAP, **given}) == [
            "GATEWAY_ADMIN_API_USERS has a certificate for orch, which needs"
            " GATEWAY_GRPC_SSL_CLIENT_AUTH=REQUIRE"
        ]
