"""A real cluster with TLS and SASL listeners, certificates for it, and clients of all of them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme
from confluent_kafka.admin import (
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from tests.kafka.cluster import BEARER, RealKafka, running
from tests.support.token_endpoint import CLIENT, SECRET, TokenEndpoint

LISTENERS = ("SSL", "SASL_PLAINTEXT", "SASL_SSL", BEARER)
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER")
USER, PASSWORD = "al", "al's secret"
SIDECAR, SIDECAR_PASSWORD = "sidecar", "the sidecar's own secret"
_MODULES = "org.apache.kafka.common.security"
REAUTHENTICATION_MS = 4000
BEARER_REAUTHENTICATION_MS = 2000


@dataclass(frozen=True)
class Certificates:
    """Files of one authority: its certificate, a server's key with chain, a client's."""

    authority: Path
    server: Path
    client: Path
    stranger: Path


def certificates(folder: Path) -> Certificates:
    """Make them; PKCS #8 keys, as Kafka's PEM stores need."""
    authority = trustme.CA()
    found = Certificates(*(folder / f"{n}.pem" for n in ("ca", "server", "client", "stranger")))
    authority.cert_pem.write_to_path(str(found.authority))
    issue(authority, found.server, "localhost", "127.0.0.1")
    issue(authority, found.client, "al@example.org", common_name="al")
    issue(trustme.CA(), found.stranger, "eve@example.org", common_name="eve")
    return found


def issue(authority: trustme.CA, path: Path, *names: str, common_name: str | None = None) -> None:
    """Write a key and its chain into one file."""
    leaf = authority.issue_cert(*names, common_name=common_name, organization_name="tests")
    key = load_pem_private_key(leaf.private_key_pem.bytes(), None)
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(text + b"".join(blob.bytes() for blob in leaf.cert_chain_pems))


def _module(mechanism: str) -> str:
    if mechanism == "PLAIN":
        users = f'user_{USER}="{PASSWORD}" user_{SIDECAR}="{SIDECAR_PASSWORD}"'
        return f"{_MODULES}.plain.PlainLoginModule required {users};"
    if mechanism == "OAUTHBEARER":
        claim = 'unsecuredLoginStringClaim_sub="broker"'
        return f"{_MODULES}.oauthbearer.OAuthBearerLoginModule required {claim};"
    return f"{_MODULES}.scram.ScramLoginModule required;"


def jaas(mechanism: str, user: str, password: str) -> str:
    """A client's `sasl.jaas.config`."""
    if mechanism == "OAUTHBEARER":
        claim = f'unsecuredLoginStringClaim_sub="{user}"'
        return f"{_MODULES}.oauthbearer.OAuthBearerLoginModule required {claim};"
    kind = "plain.Plain" if mechanism == "PLAIN" else "scram.Scram"
    return f'{_MODULES}.{kind}LoginModule required username="{user}" password="{password}";'


def _settings(files: Certificates, endpoint: TokenEndpoint) -> dict[str, str]:
    bearer = "listener.name.bearer"
    validator = f"{_MODULES}.oauthbearer.OAuthBearerValidatorCallbackHandler"
    settings = {
        f"{bearer}.sasl.enabled.mechanisms": "OAUTHBEARER",
        f"{bearer}.oauthbearer.sasl.jaas.config": _module("OAUTHBEARER"),
        f"{bearer}.oauthbearer.sasl.server.callback.handler.class": validator,
        f"{bearer}.oauthbearer.connections.max.reauth.ms": str(BEARER_REAUTHENTICATION_MS),
        "sasl.oauthbearer.jwks.endpoint.url": endpoint.keys_url,
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(files.server),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(files.authority),
        "listener.name.ssl.ssl.client.auth": "requested",
        "listener.name.sasl_plaintext.scram-sha-512.connections.max.reauth.ms": str(
            REAUTHENTICATION_MS
        ),
    }
    for listener in ("sasl_plaintext", "sasl_ssl"):
        prefix = f"listener.name.{listener}"
        settings[f"{prefix}.sasl.enabled.mechanisms"] = ",".join(MECHANISMS)
        for mechanism in MECHANISMS:
            settings[f"{prefix}.{mechanism.lower()}.sasl.jaas.config"] = _module(mechanism)
    return settings


@contextlib.contextmanager
def secured_cluster(files: Certificates, endpoint: TokenEndpoint) -> Iterator[RealKafka]:
    """Three brokers with PLAINTEXT, SSL, SASL_PLAINTEXT and SASL_SSL, and two users; and one
    listener for tokens of this endpoint."""
    allowed = f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={endpoint.keys_url}"
    settings = _settings(files, endpoint)
    with running(settings=settings, listeners=LISTENERS, flags=[allowed]) as cluster:
        admin = AdminClient({"bootstrap.servers": cluster.bootstrap})
        changes = [
            UserScramCredentialUpsertion(
                user, ScramCredentialInfo(mechanism, 4096), password.encode()
            )
            for user, password in ((USER, PASSWORD), (SIDECAR, SIDECAR_PASSWORD))
            for mechanism in (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512)
        ]
        for change in changes:  # one of a user at a time
            for done in admin.alter_user_scram_credentials([change]).values():
                done.result(30)
        yield cluster


@dataclass(frozen=True)
class Door:
    """How a client comes in, as the Java client would say it."""

    bootstrap: str
    protocol: str
    mechanism: str = "PLAIN"
    user: str = USER
    password: str = PASSWORD
    authority: Path | None = None
    certificate: Path | None = None

    def java(self) -> str:
        """A configuration file."""
        lines = [f"bootstrap.servers={self.bootstrap}", f"security.protocol={self.protocol}"]
        if self.protocol.endswith("SSL"):
            lines += ["ssl.truststore.type=PEM", f"ssl.truststore.location={self.authority}"]
            if self.certificate is not None:
                lines += ["ssl.keystore.type=PEM", f"ssl.keystore.location={self.certificate}"]
        if self.protocol.startswith("SASL"):
            config = jaas(self.mechanism, self.user, self.password)
            lines += [f"sasl.mechanism={self.mechanism}", f"sasl.jaas.config={config}"]
        return "\n".join(lines) + "\n"

    def librdkafka(self) -> dict[str, Any]:
        """Settings for confluent-kafka."""
        found: dict[str, Any] = {
            "bootstrap.servers": self.bootstrap,
            "security.protocol": self.protocol,
        }
        if self.protocol.endswith("SSL"):
            found["ssl.ca.location"] = str(self.authority)
            if self.certificate is not None:
                found["ssl.certificate.location"] = str(self.certificate)
                found["ssl.key.location"] = str(self.certificate)
        if self.protocol.startswith("SASL"):
            found["sasl.mechanism"] = self.mechanism
            if self.mechanism == "OAUTHBEARER":
                found["enable.sasl.oauthbearer.unsecure.jwt"] = True
                found["sasl.oauthbearer.config"] = f"principal={self.user}"
            else:
                found |= {"sasl.username": self.user, "sasl.password": self.password}
        return found

    def python(self) -> dict[str, Any]:
        """Settings for kafka-python."""
        found: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap,
            "security_protocol": self.protocol,
        }
        if self.protocol.endswith("SSL"):
            found["ssl_cafile"] = str(self.authority)
            if self.certificate is not None:
                found |= {
                    "ssl_certfile": str(self.certificate),
                    "ssl_keyfile": str(self.certificate),
                }
        if self.protocol.startswith("SASL"):
            found |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.user,
                "sasl_plain_password": self.password,
            }
        return found


def upstream(
    cluster: RealKafka, protocol: str, mechanism: str, files: Certificates
) -> Mapping[str, str]:
    """A sidecar's settings for the cluster behind it."""
    if protocol == "PLAINTEXT":
        return {"KAFKA_BOOTSTRAP_SERVERS": cluster.bootstrap}
    found = {
        "KAFKA_BOOTSTRAP_SERVERS": cluster.bootstrap_of(protocol),
        "KAFKA_SECURITY_PROTOCOL": protocol,
    }
    if protocol.endswith("SSL"):
        found["KAFKA_SSL_TRUSTSTORE_LOCATION"] = str(files.authority)
    if protocol.startswith("SASL"):
        found["KAFKA_SASL_MECHANISM"] = mechanism
        found["KAFKA_SASL_JAAS_CONFIG"] = jaas(mechanism, SIDECAR, SIDECAR_PASSWORD)
    return found


def listener(protocol: str, files: Certificates) -> Mapping[str, str]:
    """A sidecar's settings for its client ports."""
    found = {"GATEWAY_SECURITY_PROTOCOL": protocol}
    if protocol.endswith("SSL"):
        found["GATEWAY_SSL_KEY_STORE_PATH"] = str(files.server)
    return found


def with_tokens(cluster: RealKafka, endpoint: TokenEndpoint) -> Mapping[str, str]:
    """A sidecar's settings for the listener where signed tokens are shown."""
    module = f"{_MODULES}.oauthbearer.OAuthBearerLoginModule"
    return {
        "KAFKA_BOOTSTRAP_SERVERS": cluster.bootstrap_of(BEARER),
        "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "KAFKA_SASL_MECHANISM": "OAUTHBEARER",
        "KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL": endpoint.url,
        "KAFKA_SASL_JAAS_CONFIG": (
            f'{module} required clientId="{CLIENT}" clientSecret="{SECRET}" scope="kafka";'
        ),
    }
