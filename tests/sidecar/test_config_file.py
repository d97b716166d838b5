"""Settings from a file: what may stand in it, and what wins over it."""

from pathlib import Path

import pytest

from sidecar.bearer.source import TokenSource
from sidecar.config import SETTINGS, AdminUser, Settings, load
from sidecar.model.credentials import Credentials
from sidecar.model.oauth import LoginRules, OAuth
from sidecar.tls.contexts import ClientTls, ServerTls
from sidecar.tls.principals import Rule
from sidecar.tls.stores import StoreFile
from tests.sidecar.test_config import BOOTSTRAP, KEY, problems, settings


def toml(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "sidecar.toml"
    path.write_text(text)
    return path


def test_every_setting_can_stand_in_the_file(tmp_path: Path) -> None:
    file = toml(
        tmp_path,
        f"""
        [kafka]
        bootstrap_servers = "a:1,b:2"
        security_protocol = "SASL_SSL"
        sasl_mechanism = "OAUTHBEARER"
        sasl_jaas_config = 'a.B required extension_a="a\\"b";'
        sasl_oauthbearer_token_endpoint_url = "https://idp/token?x=y"
        sasl_oauthbearer_client_credentials_client_id = "c"
        sasl_oauthbearer_client_credentials_client_secret = "s"
        sasl_oauthbearer_scope = "read write"
        sasl_oauthbearer_header_urlencode = true
        sasl_oauthbearer_scope_claim_name = "scp"
        sasl_oauthbearer_sub_claim_name = "azp"
        sasl_login_connect_timeout_ms = 1000
        sasl_login_read_timeout_ms = 2000
        sasl_login_retry_backoff_ms = 50
        sasl_login_retry_backoff_max_ms = 4000
        ssl_truststore_location = "/ca.pem"
        ssl_truststore_password = "t"
        ssl_truststore_type = "PEM"
        ssl_keystore_location = "/own.p12"
        ssl_keystore_password = "o"
        ssl_keystore_type = "PKCS12"
        ssl_key_password = "q"
        ssl_endpoint_identification_algorithm = ""
        [gateway]
        advertised_host = "h"
        bind_host = "127.0.0.1"
        port_start = 7000
        port_count = 3
        min_broker_id = 1
        mode = "VCLUSTER"
        security_protocol = "SASL_SSL"
        ssl_key_store_path = "/server.pem"
        ssl_key_store_password = "w"
        ssl_key_password = "k"
        ssl_key_type = "PEM"
        ssl_trust_store_path = "/clients.jks"
        ssl_trust_store_password = "v"
        ssl_trust_store_type = "JKS"
        ssl_client_auth = "OPTIONAL"
        ssl_update_interval_ms = 5000
        ssl_principal_mapping_rules = "DEFAULT"
        user_pool_secret_key = "{KEY}"
        admin_api_users = [{{username = "u", password = "p", admin = true}}]
        oauth_jwks_url = "https://id/keys"
        oauth_expected_issuer = "https://id"
        oauth_expected_audiences = ["a", "b"]
        oauth_jwks_refresh = 60000
        oauth_jwks_retry = 200
        oauth_jwks_max_retry = 5000
        oauth_scope_claim_name = "scp"
        oauth_sub_claim_name = "azp"
        authentication_connection_max_reauth_ms = 3600000
        authentication_timeout_ms = 1000
        virtual_clusters = ["teamA", "teamB"]
        http_port = 1
        grpc_ssl_key_store_path = "/grpc.pem"
        grpc_ssl_key_store_password = "g"
        grpc_ssl_trust_store_path = "/callers.pem"
        grpc_ssl_trust_store_password = "h"
        grpc_ssl_client_auth = "REQUIRE"
        https_key_store_path = "/https.pem"
        https_key_store_password = "i"
        https_trust_store_path = "/browsers.pem"
        https_trust_store_password = "j"
        https_client_auth = "OPTIONAL"
        grpc_host = "g"
        grpc_port = 2
        secured_metrics = false
        storage_type = "FILE"
        storage_file = "/var/lib/state.json"
        cluster_id = "blue"
        storage_replication_factor = 2
        seed = 42
        max_connections = 5
        workers = 2
        max_frame_bytes = 70000
        shutdown_timeout_ms = 250
        log_level = "debug"
        sequence_oracle = true
        """,
    )

    found, _ = load({}, str(file))

    assert found == Settings(
        bootstrap_servers=(("a", 1), ("b", 2)),
        advertised_host="h",
        bind_host="127.0.0.1",
        port_start=7000,
        port_count=3,
        min_broker_id=1,
        authenticate=True,
        delegated=False,
        logins=LoginRules(
            oauth=OAuth(
                jwks_url="https://id/keys",
                issuer="https://id",
                audiences=("a", "b"),
                refresh=60.0,
                retry=0.2,
                max_retry=5.0,
                scope_claim="scp",
                sub_claim="azp",
            ),
            longest=3600.0,
        ),
        authentication_timeout_ms=1000,
        listener_tls=ServerTls(
            StoreFile("/server.pem", "w", "k", "PEM"),
            StoreFile("/clients.jks", "v", type="JKS"),
            "OPTIONAL",
            5.0,
        ),
        principal_rules=(Rule(),),
        cluster_tls=ClientTls(
            StoreFile("/ca.pem", "t", type="PEM"),
            StoreFile("/own.p12", "o", "q", "PKCS12"),
            check_host=False,
            interval=5.0,
        ),
        credentials=Credentials("OAUTHBEARER", "", extensions=(("a", 'a"b'),)),
        token_source=TokenSource(
            "https://idp/token?x=y",
            "c",
            "s",
            "read write",
            urlencode=True,
            scope_claim="scp",
            sub_claim="azp",
            connect_timeout=1.0,
            read_timeout=2.0,
            backoff=0.05,
            backoff_max=4.0,
            tls=ClientTls(StoreFile("/ca.pem", "t", type="PEM")),
            public=True,
        ),
        grpc_tls=ServerTls(
            StoreFile("/grpc.pem", "g"), StoreFile("/callers.pem", "h"), "REQUIRE", 5.0
        ),
        http_tls=ServerTls(
            StoreFile("/https.pem", "i"), StoreFile("/browsers.pem", "j"), "OPTIONAL", 5.0
        ),
        default_users=False,
        secret_key=b"0123456789abcdef0123456789abcdef",
        admin_users=(AdminUser("u", "p", admin=True),),
        virtual_clusters=("teamA", "teamB"),
        http_port=1,
        grpc_host="g",
        grpc_port=2,
        secured_metrics=False,
        seed=42,
        max_connections=5,
        workers=2,
        max_frame_bytes=70000,
        shutdown_timeout_ms=250,
        log_level="debug",
        sequence_oracle=True,
        storage_type="FILE",
        storage_file="/var/lib/state.json",
        cluster_id="blue",
        storage_replication_factor=2,
    )
    text = file.read_text()
    # PEM texts are there in place of the files that are named.
    others = ("ssl_truststore_certificates", "ssl_keystore_key", "ssl_keystore_certificate_chain")
    keys = [setting.key.partition(".")[2] for setting in SETTINGS]
    assert [key for key in keys if key not in text] == [*others]


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = toml(
        tmp_path,
        '[kafka]\nbootstrap_servers = "file:1"\n[gateway]\nport_start = 7000\nhttp_port = 1\n',
    )

    found, _ = load(BOOTSTRAP | {"GATEWAY_START_PORT": "7001", "GATEWAY_HTTP_PORT": ""}, str(file))

    assert (found.bootstrap_servers, found.port_start, found.http_port) == (
        (("kafka1", 9092),),
        7001,
        1,
    )


def test_the_files_problems_come_with_those_of_the_environment(tmp_path: Path) -> None:
    file = toml(
        tmp_path,
        """
        seed = 1
        [gateway]
        port_start = true
        port_strat = 7000
        [kafak]
        bootstrap_servers = "a:1"
        """,
    )

    found = problems(BOOTSTRAP | {"GATEWAY_HTTP_PORT": "x"}, file)

    assert found == [
        f"{file}: seed stands outside a section; there are kafka, gateway",
        f"{file}: gateway.port_start: True is not allowed; it takes a whole number from 1 to 65535",
        f"{file}: gateway.port_strat is not a setting; see chaos-sidecar run --help",
        f"{file}: kafak.bootstrap_servers is not a setting; see chaos-sidecar run --help",
        "GATEWAY_HTTP_PORT: 'x' is not allowed; it takes a whole number from 0 to 65535",
    ]


def test_bootstrap_servers_in_the_file_may_be_a_list(tmp_path: Path) -> None:
    file = toml(tmp_path, '[kafka]\nbootstrap_servers = ["a:1", " [::1]:2 "]\n')

    assert load({}, str(file))[0].bootstrap_servers == (("a", 1), ("::1", 2))


@pytest.mark.parametrize("value", ["[]", "[1]", '["a:1", ["b:2"]]', '["a:1", ""]', '["a"]', "{}"])
def test_other_lists_of_bootstrap_servers_are_refused(tmp_path: Path, value: str) -> None:
    [problem] = problems({}, toml(tmp_path, f"[kafka]\nbootstrap_servers = {value}\n"))

    assert "kafka.bootstrap_servers" in problem


def test_bad_bootstrap_servers_in_the_file_are_one_problem(tmp_path: Path) -> None:
    file = toml(tmp_path, '[kafka]\nbootstrap_servers = "nonsense"\n')

    assert problems({}, file) == [
        f"{file}: kafka.bootstrap_servers: 'nonsense' is not allowed; "
        "it takes host:port, several separated by commas"
    ]


def test_the_path_of_the_file_hides_no_problem(tmp_path: Path) -> None:
    folder = tmp_path / "BOOTSTRAP_bootstrap_servers"
    folder.mkdir()

    found = problems({}, toml(folder, "[gateway]\nseed = -1\n"))

    assert len(found) == 2
    assert found[1].startswith("KAFKA_BOOTSTRAP_SERVERS is not set")


@pytest.mark.parametrize(
    ("content", "named"),
    [(b"[gateway", "not TOML"), (b"\xff\xfe", "not TOML"), (b"a = 1\na = 2", "not TOML")],
)
def test_a_file_that_is_not_toml_is_named(tmp_path: Path, content: bytes, named: str) -> None:
    path = tmp_path / "odd.toml"
    path.write_bytes(content)

    assert problems(BOOTSTRAP, path)[0].startswith(f"{path}: {named}")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing.toml"

    assert problems(BOOTSTRAP, missing) == [f"{missing}: No such file or directory"]
    assert problems(BOOTSTRAP, tmp_path) == [f"{tmp_path}: Is a directory"]


def test_secrets_in_the_file_are_not_shown_either(tmp_path: Path) -> None:
    file = toml(
        tmp_path,
        '[gateway]\nuser_pool_secret_key = "hunter2"\n'
        'admin_api_users = [{username = "u", password = "hunter2", role = "x"}]\n',
    )

    found = problems(BOOTSTRAP, file)

    assert len(found) == 2
    assert "hunter2" not in " ".join(found)


def test_settings_do_not_show_their_secrets() -> None:
    """A traceback or a debug line shows the repr of what it holds."""
    shown = repr(
        settings(
            GATEWAY_USER_POOL_SECRET_KEY=KEY,
            GATEWAY_ADMIN_API_USERS="[{username: bob, password: hunter2}]",
        )
    )

    assert "hunter2" not in shown
    assert "0123456789abcdef" not in shown
