"""Tokens of OAUTHBEARER that somebody else signs: where the sidecar gets them, as Kafka's clients
name it (KIP-768, and KIP-1139 for who asks)."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from sidecar.bearer.source import TokenSource
from sidecar.config.jaas import Jaas
from sidecar.config.parsers import flag, integer, provider_url, text
from sidecar.config.setting import Setting
from sidecar.model.credentials import OAUTHBEARER, Credentials
from sidecar.tls.contexts import ClientTls
from sidecar.tls.stores import PEM, TYPES, StoreFile

_EXTENSION: Final = "extension_"
_EXTENSION_NAME: Final = re.compile(r"[A-Za-z]+")
_EXTENSION_VALUE: Final = re.compile(r"[\x21-\x7e \t\r\n]+")
"""Both as Kafka has them (RFC 7628, section 3.1)."""
_SUBJECT: Final = "unsecuredLoginStringClaim_sub"
_PREFIX: Final = "kafka_sasl_oauthbearer_"


def _sasl(
    name: str,
    parse: Callable[[Any], Any],
    default: Any,
    meaning: str,
    *,
    confidential: bool = False,
) -> Setting:
    return Setting(
        f"kafka_sasl_{name}",
        (f"KAFKA_SASL_{name.upper()}",),
        f"kafka.sasl_{name}",
        parse,
        default,
        meaning,
        confidential,
    )


BEARER: Final[tuple[Setting, ...]] = (
    _sasl(
        "oauthbearer_token_endpoint_url",
        provider_url,
        None,
        "where the sidecar gets the token that it shows to brokers, with OAUTHBEARER: "
        "http(s)://... (client credentials grant) or file:///... (read again when it changes); "
        "default: nowhere, it makes one that nobody signs",
        confidential=True,
    ),
    _sasl(
        "oauthbearer_client_credentials_client_id",
        text,
        None,
        "who it is at the token endpoint; default: clientId in KAFKA_SASL_JAAS_CONFIG",
    ),
    _sasl(
        "oauthbearer_client_credentials_client_secret",
        text,
        None,
        "its secret there; default: clientSecret in KAFKA_SASL_JAAS_CONFIG",
        confidential=True,
    ),
    _sasl(
        "oauthbearer_scope",
        text,
        None,
        "what it asks for, words separated by blanks; default: scope in KAFKA_SASL_JAAS_CONFIG",
    ),
    _sasl(
        "oauthbearer_header_urlencode",
        flag,
        False,
        "true: id and secret are percent-encoded on their way to the endpoint, as RFC 6749 has it",
    ),
    _sasl("oauthbearer_scope_claim_name", text, "scope", "the claim with the token's scope"),
    _sasl("oauthbearer_sub_claim_name", text, "sub", "the claim that says whom the token is about"),
    _sasl(
        "login_connect_timeout_ms",
        integer(1, 600_000),
        10_000,
        "how long connecting to the token endpoint may take",
    ),
    _sasl(
        "login_read_timeout_ms",
        integer(1, 600_000),
        10_000,
        "how long its whole answer may take",
    ),
    _sasl(
        "login_retry_backoff_ms",
        integer(1, 600_000),
        100,
        "the pause after a first failure, which doubles with each",
    ),
    _sasl(
        "login_retry_backoff_max_ms",
        integer(1, 600_000),
        10_000,
        "up to this; also the pause when the endpoint refuses the sidecar",
    ),
)


def token_source(
    values: dict[str, Any], config: Jaas | None, wanted: bool, problems: list[str]
) -> TokenSource | None:
    """Where tokens come from; None: nowhere. Takes its settings out of `values`, but for those of
    the brokers' trust store.

    Args:
        wanted: whether the sidecar shows brokers a token.
    """
    given = {
        setting.name.removeprefix("kafka_sasl_"): values.pop(setting.name) for setting in BEARER
    }
    url = given["oauthbearer_token_endpoint_url"]
    options: Mapping[str, str] = config.options if config is not None else {}
    if not wanted:
        return None
    if url is None:
        problems += [
            f"KAFKA_SASL_JAAS_CONFIG has {name}, which needs"
            " KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL"
            for name in ("clientId", "clientSecret")
            if options.get(name)
        ]
        return None
    if options.get(_SUBJECT):
        problems.append(
            f"KAFKA_SASL_JAAS_CONFIG has {_SUBJECT}, a token that nobody signs, and"
            " KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL is where others are; give one of them"
        )
    who = {
        name: given[f"oauthbearer_client_credentials_{name}"] or options.get(option, "")
        for name, option in (("client_id", "clientId"), ("client_secret", "clientSecret"))
    }
    if not url.startswith("file:"):
        problems += [
            f"KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL is given, which needs"
            f" KAFKA_SASL_OAUTHBEARER_CLIENT_CREDENTIALS_{name.upper()} or"
            f" {'clientId' if name == 'client_id' else 'clientSecret'} in KAFKA_SASL_JAAS_CONFIG"
            for name, value in who.items()
            if not value
        ]
    tls, public = _tls(values, options, problems)
    return TokenSource(
        url,
        **who,
        scope=given["oauthbearer_scope"] or options.get("scope", ""),
        urlencode=given["oauthbearer_header_urlencode"],
        scope_claim=given["oauthbearer_scope_claim_name"],
        sub_claim=given["oauthbearer_sub_claim_name"],
        connect_timeout=given["login_connect_timeout_ms"] / 1000,
        read_timeout=given["login_read_timeout_ms"] / 1000,
        backoff=given["login_retry_backoff_ms"] / 1000,
        backoff_max=max(given["login_retry_backoff_max_ms"], given["login_retry_backoff_ms"])
        / 1000,
        tls=tls,
        public=public,
    )


def _tls(
    values: Mapping[str, Any], options: Mapping[str, str], problems: list[str]
) -> tuple[ClientTls, bool]:
    """TLS of the endpoint, and whether the system's authorities count as well: Java's clients take
    its stores from options of the JAAS line, and the system's without; here those of the brokers
    count too then."""
    types = {
        name: options.get(f"ssl.{name}.type", "").upper() for name in ("truststore", "keystore")
    }
    problems += [
        f"KAFKA_SASL_JAAS_CONFIG has another ssl.{name}.type than {' or '.join(TYPES)}"
        for name, kind in types.items()
        if kind and kind not in TYPES
    ]
    keys = None
    if options.get("ssl.keystore.location"):
        keys = StoreFile(
            options["ssl.keystore.location"],
            options.get("ssl.keystore.password", ""),
            options.get("ssl.key.password", ""),
            types["keystore"],
        )
    if options.get("ssl.truststore.location"):
        trust = StoreFile(
            options["ssl.truststore.location"],
            options.get("ssl.truststore.password", ""),
            type=types["truststore"],
        )
        return ClientTls(trust, keys), False
    return ClientTls(cluster_trust(values), keys), True


def cluster_trust(values: Mapping[str, Any]) -> StoreFile | None:
    """The authorities of the brokers' certificates; None: the system's."""
    if values["kafka_ssl_truststore_certificates"]:
        return StoreFile(type=PEM, text=values["kafka_ssl_truststore_certificates"])
    if values["kafka_ssl_truststore_location"]:
        return StoreFile(
            values["kafka_ssl_truststore_location"],
            values["kafka_ssl_truststore_password"],
            type=values["kafka_ssl_truststore_type"],
        )
    return None


def extensions(config: Jaas | None, problems: list[str]) -> tuple[tuple[str, str], ...]:
    """What is said beside a token (KIP-342): options `extension_NAME`."""
    options = config.options if config is not None else {}
    found = []
    for option, value in options.items():
        if not option.startswith(_EXTENSION):
            continue
        name = option.removeprefix(_EXTENSION)
        if not _EXTENSION_NAME.fullmatch(name) or name == "auth":
            problems.append(
                f"KAFKA_SASL_JAAS_CONFIG has {option}; the name of an extension takes letters, and"
                " is not auth"
            )
        elif not _EXTENSION_VALUE.fullmatch(value):
            problems.append(
                f"KAFKA_SASL_JAAS_CONFIG has {option}, whose value takes printable ASCII characters"
            )
        found.append((name, value))
    return tuple(found)


def bearer_credentials(
    mechanism: str, config: Jaas | None, source: TokenSource | None, problems: list[str]
) -> Credentials:
    """Who the sidecar is, with OAUTHBEARER."""
    options: Mapping[str, str] = config.options if config is not None else {}
    if source is None and not options.get(_SUBJECT):
        problems.append(
            f"KAFKA_SASL_JAAS_CONFIG has no {_SUBJECT}, which {mechanism} needs without"
            " KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL"
        )
    return Credentials(
        mechanism,
        options.get(_SUBJECT, ""),
        scope=options.get("unsecuredLoginStringClaim_scope", ""),
        extensions=extensions(config, problems),
    )


def unused_options(config: Jaas | None, mechanism: str, endpoint: bool) -> list[str]:
    """What the JAAS line has that means nothing here, such as other claims of a token that nobody
    signs (KIP-255) or `tokenauth` of SCRAM (KIP-48)."""
    if config is None:
        return []
    used = _USED[(mechanism == OAUTHBEARER) + (mechanism == OAUTHBEARER and endpoint)]
    return [
        f"{name} in KAFKA_SASL_JAAS_CONFIG"
        for name in config.options
        if name not in used and not (mechanism == OAUTHBEARER and name.startswith(_EXTENSION))
    ]


_STORES: Final = {
    f"ssl.{store}.{part}"
    for store in ("truststore", "keystore")
    for part in ("location", "password", "type")
}
_USED: Final[tuple[set[str], ...]] = (
    {"username", "password"},
    {_SUBJECT, "unsecuredLoginStringClaim_scope"},
    {"clientId", "clientSecret", "scope", "ssl.key.password", *_STORES},
)
"""Options with a meaning: of PLAIN and SCRAM, of OAUTHBEARER without and with a token endpoint."""
