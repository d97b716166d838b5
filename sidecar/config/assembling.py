"""From single settings to the values that parts of the sidecar take, and what must fit together."""

from typing import Any

from sidecar.bearer.source import TokenSource
from sidecar.config.bearer_settings import bearer_credentials, cluster_trust, token_source
from sidecar.config.jaas import Jaas
from sidecar.model.credentials import OAUTHBEARER, Credentials
from sidecar.model.oauth import LoginRules, OAuth
from sidecar.tls.contexts import NONE, ClientTls, ServerTls
from sidecar.tls.stores import PEM, StoreFile

_UNCHECKED = ("", "none")


def listener_tls(values: dict[str, Any], problems: list[str]) -> ServerTls | None:
    """What the client ports need for TLS; None without. Takes its settings out of `values`."""
    protocol = values["security_protocol"]
    given = {name: values.pop(name) for name in list(values) if name.startswith("ssl_")}
    if not protocol.endswith("SSL"):
        return None
    keys = StoreFile(
        given["ssl_key_store"] or "",
        given["ssl_key_store_password"],
        given["ssl_key_password"],
        given["ssl_key_type"],
    )
    if not keys.path:
        problems.append(
            f"GATEWAY_SECURITY_PROTOCOL is {protocol}, which needs GATEWAY_SSL_KEY_STORE_PATH: a"
            " file with the private key and its certificate chain"
        )
    trust = None
    if given["ssl_trust_store"]:
        trust = StoreFile(
            given["ssl_trust_store"],
            given["ssl_trust_store_password"],
            type=given["ssl_trust_store_type"],
        )
    elif given["ssl_client_auth"] != NONE:
        problems.append(
            f"GATEWAY_SSL_CLIENT_AUTH is {given['ssl_client_auth']}, which needs"
            " GATEWAY_SSL_TRUST_STORE_PATH: the authorities of clients' certificates"
        )
    return ServerTls(keys, trust, given["ssl_client_auth"], given["ssl_update_interval_ms"] / 1000)


def login_rules(values: dict[str, Any], problems: list[str]) -> LoginRules:
    """How clients show who they are. Takes its settings as above."""
    given = {name: values.pop(name) for name in list(values) if name.startswith("oauth_")}
    longest = values.pop("authentication_connection_max_reauth_ms") / 1000
    if given["oauth_jwks_url"] is None:
        problems += [
            f"GATEWAY_{name.upper()} is given, which needs GATEWAY_OAUTH_JWKS_URL"
            for name in ("oauth_expected_issuer", "oauth_expected_audiences")
            if given[name]
        ]
        return LoginRules(longest=longest)
    protocol = values["security_protocol"]
    if not protocol.startswith("SASL"):
        problems.append(
            "GATEWAY_OAUTH_JWKS_URL is given, which is for GATEWAY_SECURITY_PROTOCOL"
            f" SASL_PLAINTEXT or SASL_SSL; it is {protocol}"
        )
    oauth = OAuth(
        jwks_url=given["oauth_jwks_url"],
        issuer=given["oauth_expected_issuer"],
        audiences=given["oauth_expected_audiences"],
        refresh=given["oauth_jwks_refresh"] / 1000,
        retry=given["oauth_jwks_retry"] / 1000,
        max_retry=given["oauth_jwks_max_retry"] / 1000,
        scope_claim=given["oauth_scope_claim_name"],
        sub_claim=given["oauth_sub_claim_name"],
    )
    return LoginRules(oauth=oauth, longest=longest)


def check_certificates(values: dict[str, Any], problems: list[str]) -> None:
    """Whether users who show certificates are asked for them. Takes nothing."""
    named = [user.username for user in values["admin_users"] if user.certificate]
    if named and values["grpc_ssl_client_auth"] == NONE:
        problems.append(
            f"GATEWAY_ADMIN_API_USERS has a certificate for {', '.join(named)}, which needs"
            " GATEWAY_GRPC_SSL_CLIENT_AUTH=REQUIRE"
        )


def door_tls(
    name: str, prefix: str, values: dict[str, Any], problems: list[str]
) -> ServerTls | None:
    """What a door of the control side needs for TLS; None without. As above."""
    given = {
        part: values.pop(f"{name}_{part}")
        for part in (
            "key_store",
            "key_store_password",
            "trust_store",
            "trust_store_password",
            "client_auth",
        )
    }
    if given["client_auth"] != NONE and not (given["key_store"] and given["trust_store"]):
        problems.append(
            f"{prefix}_CLIENT_AUTH is {given['client_auth']}, which needs {prefix}_KEY_STORE_PATH"
            f" and {prefix}_TRUST_STORE_PATH"
        )
    if not given["key_store"]:
        return None
    trust = None
    if given["trust_store"]:
        trust = StoreFile(given["trust_store"], given["trust_store_password"])
    keys = StoreFile(given["key_store"], given["key_store_password"])
    return ServerTls(keys, trust, given["client_auth"], values["ssl_update_interval_ms"] / 1000)


def cluster_tls(values: dict[str, Any], problems: list[str], interval: float) -> ClientTls | None:
    """What connections to brokers need for TLS; None without. Takes its settings as above."""
    trust = cluster_trust(values)
    given = {
        name.removeprefix("kafka_ssl_"): values.pop(name)
        for name in list(values)
        if name.startswith("kafka_ssl_")
    }
    if not values["kafka_security_protocol"].endswith("SSL"):
        return None
    keys = None
    if bool(given["keystore_key"]) != bool(given["keystore_certificate_chain"]):
        problems.append(
            "KAFKA_SSL_KEYSTORE_KEY and KAFKA_SSL_KEYSTORE_CERTIFICATE_CHAIN need each other"
        )
    if given["keystore_key"]:
        keys = StoreFile(
            key_password=given["key_password"],
            type=PEM,
            text=given["keystore_key"] + "\n" + given["keystore_certificate_chain"],
        )
    elif given["keystore_location"]:
        keys = StoreFile(
            given["keystore_location"],
            given["keystore_password"],
            given["key_password"],
            given["keystore_type"],
        )
    algorithm = given["endpoint_identification_algorithm"].lower()
    if algorithm not in ("https", *_UNCHECKED):
        problems.append(
            f"KAFKA_SSL_ENDPOINT_IDENTIFICATION_ALGORITHM is {algorithm!r}; it takes https or NONE"
        )
    return ClientTls(trust, keys, algorithm not in _UNCHECKED, interval)


def cluster_credentials(
    values: dict[str, Any], problems: list[str]
) -> tuple[Credentials | None, TokenSource | None]:
    """Who the sidecar is for brokers, None where they do not ask, and where its tokens come from,
    None where it has none. Takes its settings as above."""
    mechanism = values.pop("kafka_sasl_mechanism")
    config: Jaas | None = values.pop("kafka_sasl_jaas_config")
    protocol = values["kafka_security_protocol"]
    asked = protocol.startswith("SASL")
    source = token_source(values, config, asked and mechanism == OAUTHBEARER, problems)
    delegated = values["security_protocol"].startswith("DELEGATED")
    if not asked:
        if delegated:
            problems.append(
                f"GATEWAY_SECURITY_PROTOCOL is {values['security_protocol']}, where brokers"
                f" authenticate clients; KAFKA_SECURITY_PROTOCOL is {protocol}, it has to be"
                " SASL_PLAINTEXT or SASL_SSL"
            )
        return None, None
    if config is None and source is None:
        problems.append(
            f"KAFKA_SECURITY_PROTOCOL is {protocol}, which needs KAFKA_SASL_JAAS_CONFIG: the"
            " sidecar's own credentials, which it also finds the cluster with"
        )
        return None, None
    if mechanism == OAUTHBEARER:
        return bearer_credentials(mechanism, config, source, problems), source
    options = config.options if config is not None else {}
    problems += [
        f"KAFKA_SASL_JAAS_CONFIG has no {name}, which {mechanism} needs"
        for name in ("username", "password")
        if not options.get(name)
    ]
    return Credentials(mechanism, options.get("username", ""), options.get("password", "")), None
