"""Settings of bearer tokens: those that brokers are shown, and those that clients come with."""

import pytest

from sidecar.bearer.source import TokenSource
from sidecar.config import Settings, load
from sidecar.model.credentials import Credentials
from sidecar.model.oauth import LoginRules, OAuth
from sidecar.tls.contexts import ClientTls
from sidecar.tls.stores import StoreFile
from tests.sidecar.test_config import BOOTSTRAP, problems, settings
from tests.sidecar.test_config_security import secured

JAAS = "a.B required clientId=me clientSecret=hunter2"

BEARER = {
    "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
    "KAFKA_SASL_MECHANISM": "OAUTHBEARER",
    "KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL": "https://idp/token",
}


def bearer(options: str = "", **variables: str) -> Settings:
    config = f'a.B required clientId="me" clientSecret="hunter2" {options};'
    return settings(**BEARER | {"KAFKA_SASL_JAAS_CONFIG": config} | variables)


def test_a_token_endpoint_as_java_clients_name_it() -> None:
    found = bearer('scope="a b" extension_logicalCluster="lkc-1"')

    assert found.credentials == Credentials(
        "OAUTHBEARER", "", extensions=(("logicalCluster", "lkc-1"),)
    )
    assert found.token_source == TokenSource("https://idp/token", "me", "hunter2", "a b")
    assert "hunter2" not in repr(found)


def test_settings_win_over_the_jaas_line_and_need_none() -> None:
    names = ("CLIENT_ID", "CLIENT_SECRET")
    given = {f"KAFKA_SASL_OAUTHBEARER_CLIENT_CREDENTIALS_{name}": name for name in names}
    for found in (bearer(**given), settings(**BEARER | given)):
        assert found.token_source == TokenSource("https://idp/token", "CLIENT_ID", "CLIENT_SECRET")


def test_a_file_needs_nothing_else() -> None:
    url = "file:///var/run/secrets/kafka/token"
    found = settings(**BEARER | {"KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL": url})

    assert (found.credentials, found.token_source) == (
        Credentials("OAUTHBEARER", ""),
        TokenSource(url),
    )


@pytest.mark.parametrize(
    ("mechanism", "options", "endpoint", "unused"),
    [
        ("PLAIN", "username=a password=b clientId=c", "", ["clientId"]),
        ("SCRAM-SHA-256", "username=a password=b tokenauth=true", "", ["tokenauth"]),
        (
            "OAUTHBEARER",
            "unsecuredLoginStringClaim_sub=a unsecuredLoginNumberClaim_iat=1 extension_a=b",
            "",
            ["unsecuredLoginNumberClaim_iat"],
        ),
        ("OAUTHBEARER", "clientId=a clientSecret=b username=c", "https://idp/", ["username"]),
    ],
)
def test_options_that_mean_nothing_are_told_of(
    mechanism: str, options: str, endpoint: str, unused: list[str]
) -> None:
    given = {
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SASL_MECHANISM": mechanism,
        "KAFKA_SASL_JAAS_CONFIG": f"a.B required {options};",
        "KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL": endpoint,
        "KAFKA_SASL_LOGIN_CLASS": "x",
    }
    found = load(BOOTSTRAP | given)[1]

    assert found == [
        "KAFKA_SASL_LOGIN_CLASS",
        *(f"{name} in KAFKA_SASL_JAAS_CONFIG" for name in unused),
    ]


def test_other_mechanisms_have_no_tokens() -> None:
    found = secured(**{"KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL": "https://idp/"})

    assert (found.credentials, found.token_source) == (Credentials("PLAIN", "me", "hunter2"), None)


@pytest.mark.parametrize(
    ("options", "variables", "tls", "public"),
    [
        ("", {}, ClientTls(), True),
        (
            "",
            {"KAFKA_SSL_TRUSTSTORE_LOCATION": "/ca.pem"},
            ClientTls(StoreFile("/ca.pem")),
            True,
        ),
        (
            "",
            {"KAFKA_SSL_TRUSTSTORE_CERTIFICATES": "-----BEGIN CERTIFICATE-----"},
            ClientTls(StoreFile(type="PEM", text="-----BEGIN CERTIFICATE-----")),
            True,
        ),
        (
            'ssl.truststore.location="/idp.p12" ssl.truststore.password="x"'
            ' ssl.keystore.location="/k.pem" ssl.keystore.type="pem"',
            {"KAFKA_SSL_TRUSTSTORE_LOCATION": "/ca.pem"},
            ClientTls(StoreFile("/idp.p12", "x"), StoreFile("/k.pem", type="PEM")),
            False,
        ),
    ],
)
def test_whom_the_endpoint_may_be(
    options: str, variables: dict[str, str], tls: ClientTls, public: bool
) -> None:
    source = bearer(options, **variables).token_source

    assert source is not None
    assert (source.tls, source.public) == (tls, public)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        (
            {"KAFKA_SASL_JAAS_CONFIG": "a.B required clientSecret=hunter2;"},
            "CLIENT_CREDENTIALS_CLIENT_ID or clientId in KAFKA_SASL_JAAS_CONFIG",
        ),
        (
            {"KAFKA_SASL_JAAS_CONFIG": "a.B required clientId=me;"},
            "CLIENT_CREDENTIALS_CLIENT_SECRET or clientSecret in KAFKA_SASL_JAAS_CONFIG",
        ),
        (
            {"KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL": "https://me:hunter2@idp/token"},
            "the value given is not allowed; it takes http://host[:port]/path, https://...",
        ),
        ({"KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL": "ftp://idp"}, "it takes http://host"),
        ({"KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL": "http://"}, "it takes http://host"),
        ({"KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL": "http://h:x/"}, "it takes http://host"),
        ({"KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL": "http://h/a\nb"}, "it takes http://host"),
        ({"KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL": "file://h/a"}, "it takes http://host"),
        ({"KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL": "file:/"}, "it takes http://host"),
        (
            {"KAFKA_SASL_JAAS_CONFIG": f"{JAAS} extension_auth=hunter2;"},
            "extension_auth; the name of an extension takes letters, and is not auth",
        ),
        (
            {"KAFKA_SASL_JAAS_CONFIG": f"{JAAS} extension_a='hunter2\x01';"},
            "extension_a, whose value takes printable ASCII characters",
        ),
        (
            {"KAFKA_SASL_JAAS_CONFIG": f"{JAAS} unsecuredLoginStringClaim_sub=a;"},
            "give one of them",
        ),
        (
            {"KAFKA_SASL_JAAS_CONFIG": f"{JAAS} ssl.truststore.type=hunter2;"},
            "another ssl.truststore.type than PEM or PKCS12 or JKS",
        ),
        ({"KAFKA_SASL_LOGIN_READ_TIMEOUT_MS": "0"}, "it takes a whole number from 1 to 600000"),
    ],
)
def test_what_does_not_fit_a_token_endpoint(variables: dict[str, str], words: str) -> None:
    [told] = problems(BOOTSTRAP | BEARER | {"KAFKA_SASL_JAAS_CONFIG": f"{JAAS};"} | variables)

    assert words in told
    assert "hunter2" not in told


def test_a_client_id_without_an_endpoint_is_told_of() -> None:
    given = BEARER | {
        "KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL": "",
        "KAFKA_SASL_JAAS_CONFIG": "a.B required clientId=me unsecuredLoginStringClaim_sub=me;",
    }
    [told] = problems(BOOTSTRAP | given)

    assert told == (
        "KAFKA_SASL_JAAS_CONFIG has clientId, which needs KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL"
    )


def test_everything_about_bearer_tokens() -> None:
    found = settings(
        GATEWAY_SECURITY_PROTOCOL="SASL_PLAINTEXT",
        GATEWAY_OAUTH_JWKS_URL="http://localhost:8080/keys?code=opensesame",
        GATEWAY_OAUTH_EXPECTED_ISSUER="http://localhost:8080",
        GATEWAY_OAUTH_EXPECTED_AUDIENCES="[kafka, sidecar]",
        GATEWAY_OAUTH_JWKS_REFRESH="60000",
        GATEWAY_OAUTH_JWKS_RETRY="50",
        GATEWAY_OAUTH_JWKS_MAX_RETRY="2000",
        GATEWAY_OAUTH_SCOPE_CLAIM_NAME="scp",
        GATEWAY_OAUTH_SUB_CLAIM_NAME="azp",
        GATEWAY_AUTHENTICATION_CONNECTION_MAX_REAUTH_MS="1500",
        GATEWAY_AUTHENTICATION_TIMEOUT_MS="1000",
    )

    assert found.logins == LoginRules(
        oauth=OAuth(
            jwks_url="http://localhost:8080/keys?code=opensesame",
            issuer="http://localhost:8080",
            audiences=("kafka", "sidecar"),
            refresh=60.0,
            retry=0.05,
            max_retry=2.0,
            scope_claim="scp",
            sub_claim="azp",
        ),
        longest=1.5,
    )
    assert found.authentication_timeout_ms == 1000
    assert "opensesame" not in repr(found)


@pytest.mark.parametrize(
    "url",
    [
        "https://id.example.org/.well-known/jwks.json",
        "http://127.0.0.1:1/",
        "http://[::1]:8080/keys?a=b",
        "file:///etc/keys.json",
    ],
)
def test_where_keys_may_be(url: str) -> None:
    found = settings(GATEWAY_SECURITY_PROTOCOL="SASL_PLAINTEXT", GATEWAY_OAUTH_JWKS_URL=url)

    assert found.logins.oauth == OAuth(jwks_url=url)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/keys",
        "keys.json",
        "/etc/keys.json",
        "file://host/etc/keys.json",
        "file:keys.json",
        "file:///keys?x=opensesame",
        "https://al:opensesame@host/keys",
        "https:///keys",
        "https://host:99999/keys",
        "https://host/keys#opensesame",
        "https://host/a b",
        "https://[host/",
    ],
)
def test_where_keys_may_not_be(url: str) -> None:
    variables = {"GATEWAY_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "GATEWAY_OAUTH_JWKS_URL": url}
    [problem] = problems(BOOTSTRAP | variables)

    assert "GATEWAY_OAUTH_JWKS_URL: the value given is not allowed" in problem
    assert "opensesame" not in problem


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        (
            {"GATEWAY_OAUTH_JWKS_URL": "file:///keys"},
            "GATEWAY_SECURITY_PROTOCOL SASL_PLAINTEXT or SASL_SSL; it is PLAINTEXT",
        ),
        (
            {
                "GATEWAY_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
                "GATEWAY_OAUTH_EXPECTED_ISSUER": "https://id",
            },
            "GATEWAY_OAUTH_EXPECTED_ISSUER is given, which needs GATEWAY_OAUTH_JWKS_URL",
        ),
        ({"GATEWAY_OAUTH_EXPECTED_AUDIENCES": "a"}, "it takes a list such as [a, b]"),
        ({"GATEWAY_OAUTH_EXPECTED_AUDIENCES": "[]"}, "it takes a list such as [a, b]"),
        ({"GATEWAY_OAUTH_EXPECTED_AUDIENCES": "[[a]]"}, "it takes a list such as [a, b]"),
        ({"GATEWAY_OAUTH_JWKS_REFRESH": "1"}, "a whole number from 1000 to 86400000"),
        ({"GATEWAY_AUTHENTICATION_TIMEOUT_MS": "0"}, "a whole number from 100 to 600000"),
    ],
)
def test_bearer_tokens_that_cannot_be(variables: dict[str, str], words: str) -> None:
    [problem] = problems(BOOTSTRAP | variables)

    assert words in problem
