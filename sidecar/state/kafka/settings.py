"""The way to the brokers, told to librdkafka as it is to the sidecar itself."""

from collections.abc import Sequence
from typing import Any

from sidecar.model.credentials import OAUTHBEARER, Credentials
from sidecar.tls.contexts import ClientTls
from sidecar.tls.stores import load


def client_settings(
    servers: Sequence[tuple[str, int]], tls: ClientTls | None, credentials: Credentials | None
) -> dict[str, Any]:
    """Settings of librdkafka; they have secrets.

    Raises:
        StoreError: keys or certificates cannot be used.
    """
    protocol = ("SASL_" if credentials else "") + ("SSL" if tls else "PLAINTEXT")
    found: dict[str, Any] = {
        "bootstrap.servers": ",".join(f"{host}:{port}" for host, port in servers),
        "security.protocol": protocol,
    }
    if tls is not None:
        found["ssl.endpoint.identification.algorithm"] = "https" if tls.check_host else "none"
        if tls.trust is not None:
            found["ssl.ca.pem"] = load(tls.trust).trusted
        if tls.keys is not None:
            keys = load(tls.keys)
            found["ssl.key.pem"], found["ssl.certificate.pem"] = keys.key, keys.chain
            found["ssl.key.password"] = tls.keys.key_password or tls.keys.password
    if credentials is not None:
        found["sasl.mechanism"] = credentials.mechanism
        if credentials.mechanism == OAUTHBEARER:
            config = f"principal={credentials.username}"
            if credentials.scope:
                config += f" scope={','.join(credentials.scope.split())}"
            found |= {
                "enable.sasl.oauthbearer.unsecure.jwt": True,
                "sasl.oauthbearer.config": config,
            }
        else:
            found["sasl.username"] = credentials.username
            found["sasl.password"] = credentials.password
    return found
