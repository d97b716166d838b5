"""Settings: every one of them, from either place, and every mistake at once."""

import base64
from pathlib import Path
from typing import Any

import pytest

from sidecar.config import SETTINGS, AdminUser, ConfigError, Settings, load
from sidecar.model.oauth import LoginRules

BOOTSTRAP = {"KAFKA_BOOTSTRAP_SERVERS": "kafka1:9092"}
KEY = base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()


def settings(**environment: str) -> Settings:
    return load(BOOTSTRAP | environment)[0]


def problems(environment: dict[str, str], file: Path | None = None) -> list[str]:
    with pytest.raises(ConfigError) as refusal:
        load(environment, str(file) if file else None)
    return refusal.value.problems


# Values


def test_all_defaults() -> None:
    found, ignored = load(BOOTSTRAP)

    assert found == Settings(
        bootstrap_servers=(("kafka1", 9092),),
        advertised_host="localhost",
        bind_host="0.0.0.0",
        port_start=6969,
        port_count=None,
        min_broker_id=None,
        authenticate=False,
        delegated=False,
        logins=LoginRules(),
        authentication_timeout_ms=30_000,
        listener_tls=None,
        principal_rules=(),
        cluster_tls=None,
        credentials=None,
        token_source=None,
        grpc_tls=None,
        http_tls=None,
        default_users=True,
        secret_key=None,
        admin_users=(AdminUser("admin", "conduktor", admin=True),),
        virtual_clusters=(),
        http_port=8888,
        grpc_host="127.0.0.1",
        grpc_port=50051,
        secured_metrics=True,
        seed=None,
        max_connections=4096,
        workers=1,
        max_frame_bytes=104_857_600,
        shutdown_timeout_ms=5000,
        log_level="info",
        sequence_oracle=False,
        storage_type="IN_MEMORY",
        storage_file="chaos-sidecar.state.json",
        cluster_id="gateway",
        storage_replication_factor=-1,
    )
    assert ignored == []


GIVEN: list[tuple[str, str, str, Any]] = [
    ("KAFKA_BOOTSTRAP_SERVERS", "a:1, b.c:65535", "bootstrap_servers", (("a", 1), ("b.c", 65535))),
    ("KAFKA_BOOTSTRAP_SERVERS", "[::1]:9092", "bootstrap_servers", (("::1", 9092),)),
    ("GATEWAY_ADVERTISED_HOST", " sidecar.local ", "advertised_host", "sidecar.local"),
    ("GATEWAY_BIND_HOST", "127.0.0.1", "bind_host", "127.0.0.1"),
    ("GATEWAY_PORT_START", "7000", "port_start", 7000),
    ("GATEWAY_START_PORT", "7000", "port_start", 7000),
    ("GATEWAY_PORT_COUNT", "5", "port_count", 5),
    ("GATEWAY_MIN_BROKERID", "0", "min_broker_id", 0),
    ("GATEWAY_SECURITY_PROTOCOL", "sasl_plaintext", "authenticate", True),
    ("GATEWAY_SECURITY_PROTOCOL", "PLAINTEXT", "authenticate", False),
    ("GATEWAY_USER_POOL_SECRET_KEY", KEY, "secret_key", b"0123456789abcdef0123456789abcdef"),
    (
        "GATEWAY_VCLUSTERS",
        "[teamA, teamB, 007, yes]",
        "virtual_clusters",
        ("teamA", "teamB", "007", "yes"),
    ),
    ("GATEWAY_VCLUSTERS", "[passthrough, pass]", "virtual_clusters", ("passthrough", "pass")),
    ("GATEWAY_VCLUSTERS", "[]", "virtual_clusters", ()),
    ("GATEWAY_HTTP_PORT", "0", "http_port", 0),
    ("GATEWAY_GRPC_HOST", "::1", "grpc_host", "::1"),
    ("GATEWAY_GRPC_PORT", "0", "grpc_port", 0),
    ("GATEWAY_SECURED_METRICS", "False", "secured_metrics", False),
    ("GATEWAY_SEED", "18446744073709551615", "seed", 2**64 - 1),
    ("GATEWAY_MAX_CONNECTIONS", "1", "max_connections", 1),
    ("GATEWAY_WORKERS", "64", "workers", 64),
    ("GATEWAY_MAX_FRAME_BYTES", "65536", "max_frame_bytes", 65536),
    ("GATEWAY_LOG_LEVEL", "Warning", "log_level", "warning"),
    ("GATEWAY_SHUTDOWN_TIMEOUT_MS", "0", "shutdown_timeout_ms", 0),
    ("GATEWAY_SEQUENCE_ORACLE", "true", "sequence_oracle", True),
    ("GATEWAY_STORAGE_TYPE", "kafka", "storage_type", "KAFKA"),
    ("GATEWAY_STORAGE_FILE", "/var/lib/s.json", "storage_file", "/var/lib/s.json"),
    ("GATEWAY_CLUSTER_ID", "blue-1.a_b", "cluster_id", "blue-1.a_b"),
    ("GATEWAY_TOPIC_STORE_KCACHE_REPLICATION_FACTOR", "3", "storage_replication_factor", 3),
]


@pytest.mark.parametrize(("variable", "text", "name", "value"), GIVEN)
def test_every_variable_sets_its_setting(variable: str, text: str, name: str, value: Any) -> None:
    assert getattr(settings(**{variable: text}), name) == value


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("KAFKA_SECURITY_PROTOCOL", "PLAINTEXT"),
        ("GATEWAY_MODE", "VCLUSTER"),
    ],
)
def test_a_variable_with_one_allowed_value_accepts_it(variable: str, text: str) -> None:
    assert settings(**{variable: text}) == settings()


def test_no_setting_is_left_out_of_these_tests() -> None:
    # TLS and SASL have tests of their own: `test_config_security`.
    secured = (
        "GATEWAY_SSL_",
        "GATEWAY_HTTPS_",
        "GATEWAY_GRPC_SSL_",
        "KAFKA_SSL_",
        "KAFKA_SASL_",
        "GATEWAY_OAUTH_",
        "GATEWAY_AUTHENTICATION_",
    )
    tried = {variable for variable, *_ in GIVEN} | {
        "KAFKA_SECURITY_PROTOCOL",
        "GATEWAY_MODE",
        "GATEWAY_ADMIN_API_USERS",
    }

    assert {
        variable
        for setting in SETTINGS
        for variable in setting.variables
        if not variable.startswith(secured)
    } == tried


@pytest.mark.parametrize(
    ("http_port", "grpc_port"), [("8888", 50051), ("8889", 50052), ("0", 0), ("65535", 0)]
)
def test_the_grpc_port_moves_with_the_http_port(http_port: str, grpc_port: int) -> None:
    """Two sidecars on one host need only one of them changed."""
    assert settings(GATEWAY_HTTP_PORT=http_port).grpc_port == grpc_port
    assert settings(GATEWAY_HTTP_PORT=http_port, GATEWAY_GRPC_PORT="9").grpc_port == 9


@pytest.mark.parametrize(
    ("text", "users"),
    [
        ("[{username: bob, password: hunter2, admin: true}]", [("bob", "hunter2", True)]),
        ("[{username: bob, password: hunter2}]", [("bob", "hunter2", False)]),
        (
            '[{"username": "a", "password": "x:y", "admin": false}, {username: b, password: z}]',
            [("a", "x:y", False), ("b", "z", False)],
        ),
        ("[{username: bob, password: 1234}]", [("bob", "1234", False)]),
        ("[{username: bob, password: 0123}]", [("bob", "0123", False)]),
        ("[{username: bob, password: 1_000}]", [("bob", "1_000", False)]),
        ("[{username: bob, password: yes, admin: True}]", [("bob", "yes", True)]),
        ("[{username: bob, password: 2024-01-01}]", [("bob", "2024-01-01", False)]),
    ],
)
def test_admin_users_are_read_as_they_are_written(
    text: str, users: list[tuple[str, str, bool]]
) -> None:
    found = settings(GATEWAY_ADMIN_API_USERS=text).admin_users

    assert found == tuple(AdminUser(*user) for user in users)


@pytest.mark.parametrize(
    "text",
    [
        "bob:hunter2",
        "{username: bob, password: hunter2}",
        "[]",
        "[hunter2]",
        "[{username: bob}]",
        "[{username: bob, password: }]",
        "[{username: bob, password: ''}]",
        "[{username: , password: hunter2}]",
        "[{username: 'a:b', password: hunter2}]",
        "[{username: bob, password: hunter2, admin: maybe}]",
        "[{username: bob, password: hunter2, role: admin}]",
        "[{username: bob, password: [hunter2]}]",
        "[{username: bob, password: hunter2}, {username: bob, password: hunter2}]",
        "[{username: bob, password: hunter2",
        "[2024-13-45]",
        "!!python/object/apply:os.system [hunter2]",
    ],
)
def test_other_lists_of_users_are_refused_without_showing_a_password(text: str) -> None:
    [problem] = problems(BOOTSTRAP | {"GATEWAY_ADMIN_API_USERS": text})

    assert problem.startswith("GATEWAY_ADMIN_API_USERS: the value given is not allowed; it takes ")
    assert "a list such as [{username: admin, password: secret, admin: true}]" in problem
    assert "hunter2" not in problem


@pytest.mark.parametrize("text", ["teamA", "{a: b}", "[[a]]", "[a", "[{a: b}]", f"{['a'] * 1001}"])
def test_what_is_no_list_of_names_is_no_list_of_virtual_clusters(text: str) -> None:
    [problem] = problems(BOOTSTRAP | {"GATEWAY_VCLUSTERS": text})

    assert problem.startswith("GATEWAY_VCLUSTERS: ")
    assert problem.endswith("it takes a list such as [teamA, teamB] with at most 1000 names")


def test_everything_wrong_with_virtual_clusters_is_told_at_once() -> None:
    text = "[team, teamA, a.b, a_b, _x, 'c d', other, other]"

    [problem] = problems(BOOTSTRAP | {"GATEWAY_VCLUSTERS": text})

    _, _, told = problem.partition("none of which begins with another: ")
    assert told.split("; ") == [
        "a name is '_x', names that begin with '_' are reserved:"
        " those of Kafka's internal topics do",
        "a name is 'c d', allowed are letters, digits, '.', '_' and '-'",
        "'other' is there twice",
        "'a.b' and 'a_b' cannot stand side by side",
        "'team' and 'teamA' cannot stand side by side",
    ]


@pytest.mark.parametrize("text", ["not base64!", "c2hvcnQ=", "====", "schlüssel" * 9, " "])
def test_a_bad_key_is_refused_without_showing_it(text: str) -> None:
    [problem] = problems(BOOTSTRAP | {"GATEWAY_USER_POOL_SECRET_KEY": text})

    assert problem == (
        "GATEWAY_USER_POOL_SECRET_KEY: the value given is not allowed; "
        "it takes base64 of at least 32 random bytes"
    )


@pytest.mark.parametrize(
    ("variable", "text", "takes"),
    [
        ("KAFKA_BOOTSTRAP_SERVERS", "kafka", "host:port, several separated by commas"),
        ("KAFKA_BOOTSTRAP_SERVERS", "kafka:0", "host:port, several separated by commas"),
        ("KAFKA_BOOTSTRAP_SERVERS", "kafka:65536", "host:port, several separated by commas"),
        ("KAFKA_BOOTSTRAP_SERVERS", "a:1,,b:2", "host:port, several separated by commas"),
        ("KAFKA_BOOTSTRAP_SERVERS", ":9092", "host:port, several separated by commas"),
        ("KAFKA_BOOTSTRAP_SERVERS", "kafka:٣", "host:port, several separated by commas"),
        ("GATEWAY_PORT_START", "0", "a whole number from 1 to 65535"),
        ("GATEWAY_START_PORT", "65536", "a whole number from 1 to 65535"),
        ("GATEWAY_PORT_START", "7000.0", "a whole number from 1 to 65535"),
        ("GATEWAY_PORT_COUNT", "many", "a whole number from 1 to 65535"),
        ("GATEWAY_MIN_BROKERID", "-1", "a whole number from 0 to 2147483647"),
        ("GATEWAY_HTTP_PORT", "-1", "a whole number from 0 to 65535"),
        ("GATEWAY_GRPC_PORT", "99999", "a whole number from 0 to 65535"),
        ("GATEWAY_SEED", "18446744073709551616", "a whole number from 0 to 18446744073709551615"),
        ("GATEWAY_SEED", "9" * 5000, "a whole number from 0 to 18446744073709551615"),
        ("GATEWAY_MAX_CONNECTIONS", "0", "a whole number from 1 to 1000000"),
        ("GATEWAY_WORKERS", "0", "a whole number from 1 to 64"),
        ("GATEWAY_WORKERS", "65", "a whole number from 1 to 64"),
        ("GATEWAY_MAX_FRAME_BYTES", "65535", "a whole number from 65536 to 2147483647"),
        ("GATEWAY_SECURED_METRICS", "no", "true or false"),
        ("GATEWAY_LOG_LEVEL", "TRACE", "DEBUG or INFO or WARNING or ERROR"),
        ("GATEWAY_ADVERTISED_HOST", "  ", "a non-empty text"),
        (
            "GATEWAY_SECURITY_PROTOCOL",
            "TLS",
            "PLAINTEXT or SSL or SASL_PLAINTEXT or SASL_SSL or DELEGATED_SASL_PLAINTEXT or"
            " DELEGATED_SASL_SSL",
        ),
        ("KAFKA_SECURITY_PROTOCOL", "TLS", "PLAINTEXT or SSL or SASL_PLAINTEXT or SASL_SSL"),
        ("GATEWAY_MODE", "KAFKA_SECURITY", "VCLUSTER; this one is not supported yet"),
        ("GATEWAY_STORAGE_TYPE", "POSTGRES", "IN_MEMORY or FILE or KAFKA"),
        ("GATEWAY_CLUSTER_ID", "a b", "1 to 200 letters, digits, '.', '_' and '-'"),
    ],
)
def test_a_bad_value_is_refused_by_name_value_and_what_is_allowed(
    variable: str, text: str, takes: str
) -> None:
    assert problems(BOOTSTRAP | {variable: text}) == [
        f"{variable}: {text!r} is not allowed; it takes {takes}"
    ]


def test_all_problems_are_told_at_once() -> None:
    found = problems(
        {
            "GATEWAY_PORT_START": "x",
            "GATEWAY_HTTP_PORT": "y",
            "GATEWAY_LOG_LEVEL": "z",
            "GATEWAY_USER_POOL_SECRET_KEY": "?",
        }
    )

    assert [problem.split(maxsplit=1)[0] for problem in found] == [
        "GATEWAY_PORT_START:",
        "GATEWAY_USER_POOL_SECRET_KEY:",
        "GATEWAY_HTTP_PORT:",
        "GATEWAY_LOG_LEVEL:",
        "KAFKA_BOOTSTRAP_SERVERS",
    ]
    assert found[-1] == (
        "KAFKA_BOOTSTRAP_SERVERS is not set; it takes host:port, several separated by commas"
    )


def test_connections_are_enough_for_all_workers() -> None:
    assert settings(GATEWAY_WORKERS="4", GATEWAY_MAX_CONNECTIONS="4").workers == 4
    assert problems(BOOTSTRAP | {"GATEWAY_WORKERS": "4", "GATEWAY_MAX_CONNECTIONS": "3"}) == [
        "GATEWAY_MAX_CONNECTIONS is 3, which is divided among 4 GATEWAY_WORKERS; "
        "it takes at least one for each"
    ]


def test_the_error_itself_shows_every_problem() -> None:
    with pytest.raises(ConfigError, match=r"(?s)GATEWAY_SEED.*KAFKA_BOOTSTRAP_SERVERS"):
        load({"GATEWAY_SEED": "x"})


# Names


def test_two_names_of_one_setting_may_agree_but_not_differ() -> None:
    both = {"GATEWAY_PORT_START": "7000", "GATEWAY_START_PORT": "7000"}
    assert settings(**both).port_start == 7000

    assert problems(BOOTSTRAP | both | {"GATEWAY_START_PORT": "7001"}) == [
        "GATEWAY_PORT_START and GATEWAY_START_PORT differ; give one of them"
    ]


def test_an_empty_value_is_no_value() -> None:
    empty = {variable: "" for setting in SETTINGS for variable in setting.variables}

    assert load(empty | BOOTSTRAP) == load(BOOTSTRAP)
    assert "KAFKA_BOOTSTRAP_SERVERS is not set" in problems(empty)[0]


def test_variables_without_meaning_here_are_noted_in_order() -> None:
    environment = BOOTSTRAP | {
        "GATEWAY_FEATURE_FLAGS_ANALYTICS": "false",
        "KAFKA_SASL_LOGIN_CLASS": "x",
        "GATEWAY_EMPTY": "",
        "PATH": "/bin",
        "gateway_seed": "1",
    }

    found, ignored = load(environment)

    assert ignored == ["GATEWAY_FEATURE_FLAGS_ANALYTICS", "KAFKA_SASL_LOGIN_CLASS"]
    assert found == settings()
