"""Settings from the environment (Conduktor Gateway's names) and a TOML file; environment wins.

All mistakes are reported at once. `table` lists what there is, from one module for each subject;
`parsers` read single values.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sidecar.bearer.source import TokenSource
from sidecar.config.assembling import (
    check_certificates,
    cluster_credentials,
    cluster_tls,
    door_tls,
    listener_tls,
    login_rules,
)
from sidecar.config.bearer_settings import unused_options
from sidecar.config.control_settings import DEFAULT_GRPC_PORT, DEFAULT_HTTP_PORT
from sidecar.config.parsers import AdminUser
from sidecar.config.setting import Setting
from sidecar.config.table import SETTINGS
from sidecar.model.credentials import Credentials
from sidecar.model.oauth import LoginRules
from sidecar.tls.contexts import ClientTls, ServerTls
from sidecar.tls.principals import Rule

__all__ = ["SETTINGS", "AdminUser", "ConfigError", "Setting", "Settings", "load", "load_https"]


class ConfigError(Exception):
    """The settings are not usable; `problems` lists every one of them."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything one sidecar is told at its start. Ports are TCP ports; 0 picks a free one."""

    bootstrap_servers: tuple[tuple[str, int], ...]
    advertised_host: str
    bind_host: str
    port_start: int
    port_count: int | None
    min_broker_id: int | None
    authenticate: bool
    """Whether clients show a token."""
    delegated: bool
    """Whether clients authenticate to the brokers."""
    logins: LoginRules
    """How clients show who they are."""
    authentication_timeout_ms: int
    listener_tls: ServerTls | None
    principal_rules: tuple[Rule, ...]
    """What the subjects of clients' certificates are called."""
    cluster_tls: ClientTls | None
    credentials: Credentials | None
    """Who the sidecar is for brokers."""
    token_source: TokenSource | None
    """Where the tokens come from that it shows them."""
    grpc_tls: ServerTls | None
    http_tls: ServerTls | None
    secret_key: bytes | None = field(repr=False)
    admin_users: tuple[AdminUser, ...]
    default_users: bool
    """Whether nobody said who the users are, so that the one everybody knows is."""
    virtual_clusters: tuple[str, ...]
    http_port: int
    grpc_host: str
    grpc_port: int
    secured_metrics: bool
    seed: int | None
    max_connections: int
    workers: int
    max_frame_bytes: int
    shutdown_timeout_ms: int
    log_level: str
    sequence_oracle: bool
    storage_type: str
    storage_file: str
    cluster_id: str
    storage_replication_factor: int


_VARIABLES: Final = {variable for setting in SETTINGS for variable in setting.variables}


def load(environment: Mapping[str, str], file: str | None = None) -> tuple[Settings, list[str]]:
    """Settings, and notes on what was given but means nothing here (one log line each).

    Args:
        environment: usually ``os.environ``; empty values count as not given.
        file: path of a TOML file, or None.

    Raises:
        ConfigError: anything is wrong; all of it is listed.
    """
    problems: list[str] = []
    values = _from_file(file, problems) if file else {}
    values |= _from_environment(environment, problems)
    given_users = "admin_users" in values
    for setting in SETTINGS:
        values.setdefault(setting.name, setting.default)
    values["default_users"] = not given_users
    if values["bootstrap_servers"] is None:
        problems.append(
            "KAFKA_BOOTSTRAP_SERVERS is not set; it takes host:port, several separated by commas"
        )
    if not problems and values["max_connections"] < values["workers"]:
        problems.append(
            f"GATEWAY_MAX_CONNECTIONS is {values['max_connections']}, which is divided among "
            f"{values['workers']} GATEWAY_WORKERS; it takes at least one for each"
        )
    if problems:
        raise ConfigError(problems)
    jaas, mechanism = values["kafka_sasl_jaas_config"], values["kafka_sasl_mechanism"]
    _assemble(values, problems)
    if problems:
        raise ConfigError(problems)
    settings = _settings(values)
    unused = unused_options(jaas, mechanism, settings.token_source is not None)
    return settings, _ignored(environment) + (unused if settings.credentials else [])


def load_https(environment: Mapping[str, str]) -> ServerTls | None:
    """TLS of a REST bridge alone, which has the sidecar's settings for it; None: plain HTTP.

    Args:
        environment: usually ``os.environ``.

    Raises:
        ConfigError: anything is wrong with them; all of it is listed.
    """
    problems: list[str] = []
    names = ("https_", "ssl_update_interval_ms")
    mine = [setting for setting in SETTINGS if setting.name.startswith(names)]
    values = {setting.name: setting.default for setting in mine}
    values |= _from_environment(environment, problems, mine)
    found = None if problems else door_tls("https", "GATEWAY_HTTPS", values, problems)
    if problems:
        raise ConfigError(problems)
    return found


def _assemble(values: dict[str, Any], problems: list[str]) -> None:
    """Make of single settings what they are about together."""
    interval = values["ssl_update_interval_ms"] / 1000
    check_certificates(values, problems)
    values["grpc_tls"] = door_tls("grpc_ssl", "GATEWAY_GRPC_SSL", values, problems)
    values["http_tls"] = door_tls("https", "GATEWAY_HTTPS", values, problems)
    values["principal_rules"] = values.pop("ssl_principal_mapping_rules")
    values["listener_tls"] = listener_tls(values, problems)
    values["credentials"], values["token_source"] = cluster_credentials(values, problems)
    values["cluster_tls"] = cluster_tls(values, problems, interval)
    values["logins"] = login_rules(values, problems)
    protocol = values.pop("security_protocol")
    values["authenticate"] = protocol.startswith("SASL")
    values["delegated"] = protocol.startswith("DELEGATED")


def _settings(values: dict[str, Any]) -> Settings:
    for chosen_by_parser in ("kafka_security_protocol", "mode"):
        del values[chosen_by_parser]  # what follows from it is there
    values["log_level"] = values["log_level"].lower()
    if values["grpc_port"] is None:
        http_port = values["http_port"]
        shifted = DEFAULT_GRPC_PORT + http_port - DEFAULT_HTTP_PORT
        values["grpc_port"] = shifted if http_port and shifted < 65536 else 0
    return Settings(**values)


def _from_environment(
    environment: Mapping[str, str], problems: list[str], settings: Iterable[Setting] = SETTINGS
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for setting in settings:
        given = {v: environment[v] for v in setting.variables if environment.get(v)}
        if len(set(given.values())) > 1:
            problems.append(f"{' and '.join(given)} differ; give one of them")
        for variable, text in given.items():
            _take(setting, variable, text, values, problems)
    return values


def _from_file(path: str, problems: list[str]) -> dict[str, Any]:
    import tomllib  # only whoever has a file pays for it

    try:
        with open(path, "rb") as file:
            document = tomllib.load(file)
    except OSError as error:
        problems.append(f"{path}: {error.strerror}")
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(f"{path}: not TOML: {error}")
        return {}
    by_key = {setting.key: setting for setting in SETTINGS}
    values: dict[str, Any] = {}
    for section, table in document.items():
        if not isinstance(table, dict):
            problems.append(f"{path}: {section} stands outside a section; there are kafka, gateway")
            continue
        for name, value in table.items():
            key = f"{section}.{name}"
            if key in by_key:
                _take(by_key[key], f"{path}: {key}", value, values, problems)
            else:
                problems.append(f"{path}: {key} is not a setting; see chaos-sidecar run --help")
    return values


def _take(
    setting: Setting, origin: str, raw: Any, values: dict[str, Any], problems: list[str]
) -> None:
    try:
        values[setting.name] = setting.parse(raw)
    except ValueError as error:
        shown = "the value given" if setting.confidential else repr(raw)
        problems.append(f"{origin}: {shown} is not allowed; it takes {error}")
        values[setting.name] = ()  # given; nobody reads it, since problems raise


def _ignored(environment: Mapping[str, str]) -> list[str]:
    return sorted(
        name
        for name, value in environment.items()
        if name.startswith(("GATEWAY_", "KAFKA_")) and value and name not in _VARIABLES
    )
