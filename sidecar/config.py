"""Settings from the environment (Conduktor Gateway's names) and a TOML file; environment wins.

All mistakes are reported at once. The table `SETTINGS` is the single list of what there is: the
file's keys, ``run --help`` and the README follow it.
"""

import base64
import binascii
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

_DEFAULT_HTTP_PORT: Final = 8888
_DEFAULT_GRPC_PORT: Final = 50051
MAX_SEED: Final = 2**64 - 1


class ConfigError(Exception):
    """The settings are not usable; `problems` lists every one of them."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class AdminUser:
    """A user of the control API; `admin` may write, others may read."""

    username: str
    password: str
    admin: bool


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
    secret_key: bytes | None
    admin_users: tuple[AdminUser, ...]
    http_port: int
    grpc_host: str
    grpc_port: int
    secured_metrics: bool
    seed: int | None
    max_connections: int
    max_frame_bytes: int
    log_level: str


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the table: where a value comes from and what it means."""

    name: str
    variables: tuple[str, ...]
    key: str
    """Section and key in the TOML file."""
    parse: Callable[[Any], Any]
    default: Any
    help: str


# Parsers take a TOML value or an environment string and raise ValueError with what is allowed.


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a non-empty text")
    return value.strip()


def _integer(low: int, high: int) -> Callable[[Any], int]:
    def parse(value: Any) -> int:
        words = f"a whole number from {low} to {high}"
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise ValueError(words)
        try:
            number = int(value)
        except ValueError:
            raise ValueError(words) from None
        if not low <= number <= high:
            raise ValueError(words)
        return number

    return parse


def _flag(value: Any) -> bool:
    words = {"true": True, "false": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in words:
        return words[value.strip().lower()]
    raise ValueError("true or false")


def _one_of(*allowed: str, later: tuple[str, ...] = ()) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        text = _text(value).upper()
        if text in allowed:
            return text
        note = "; this one is not supported yet" if text in later else ""
        raise ValueError(" or ".join(allowed) + note)

    return parse


def _servers(value: Any) -> tuple[tuple[str, int], ...]:
    words = "host:port, several separated by commas"
    found = []
    for entry in _text(value).split(","):
        host, colon, port = entry.strip().rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if not (host and colon and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise ValueError(words)
        found.append((host, int(port)))
    return tuple(found)


def _secret(value: Any) -> bytes:
    try:
        key = base64.b64decode(_text(value), validate=True)
    except binascii.Error:
        raise ValueError("base64 of at least 32 random bytes") from None
    if len(key) < 32:
        raise ValueError("base64 of at least 32 random bytes")
    return key


def _users(value: Any) -> tuple[AdminUser, ...]:
    words = "a list such as [{username: admin, password: secret, admin: true}]"
    if isinstance(value, str):
        try:
            value = yaml.safe_load(value)
        except yaml.YAMLError:
            raise ValueError(words) from None
    if not isinstance(value, list) or not value:
        raise ValueError(words)
    users = tuple(_user(entry, words) for entry in value)
    if len({user.username for user in users}) < len(users):
        raise ValueError(words + " with each username once")
    return users


def _user(entry: Any, words: str) -> AdminUser:
    if not isinstance(entry, dict) or entry.keys() - {"username", "password", "admin"}:
        raise ValueError(words)
    # YAML reads an unquoted 1234 as a number.
    username, password = str(entry.get("username", "")), str(entry.get("password", ""))
    admin = entry.get("admin", False)
    if not username or ":" in username or not password or not isinstance(admin, bool):
        raise ValueError(words)
    return AdminUser(username, password, admin)


_PORT = _integer(0, 65535)
_SASL = "SASL_PLAINTEXT"
_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")

SETTINGS: Final[tuple[Setting, ...]] = (
    Setting(
        "bootstrap_servers",
        ("KAFKA_BOOTSTRAP_SERVERS",),
        "kafka.bootstrap_servers",
        _servers,
        None,
        "brokers to find the cluster by, host:port[,host:port...]; required",
    ),
    Setting(
        "kafka_security_protocol",
        ("KAFKA_SECURITY_PROTOCOL",),
        "kafka.security_protocol",
        _one_of("PLAINTEXT", later=("SSL", _SASL, "SASL_SSL")),
        "PLAINTEXT",
        "how to talk to the brokers: PLAINTEXT",
    ),
    Setting(
        "advertised_host",
        ("GATEWAY_ADVERTISED_HOST",),
        "gateway.advertised_host",
        _text,
        "localhost",
        "host name clients are told to connect to",
    ),
    Setting(
        "bind_host",
        ("GATEWAY_BIND_HOST",),
        "gateway.bind_host",
        _text,
        "0.0.0.0",  # as in the reference; a container's published ports need it
        "address to listen on, for clients and REST",
    ),
    Setting(
        "port_start",
        ("GATEWAY_PORT_START", "GATEWAY_START_PORT"),
        "gateway.port_start",
        _integer(1, 65535),
        6969,
        "first client port; one a broker, in order of node id",
    ),
    Setting(
        "port_count",
        ("GATEWAY_PORT_COUNT",),
        "gateway.port_count",
        _integer(1, 65535),
        None,
        "how many client ports may be used; default: as many as there are brokers",
    ),
    Setting(
        "min_broker_id",
        ("GATEWAY_MIN_BROKERID",),
        "gateway.min_broker_id",
        _integer(0, 2**31 - 1),
        None,
        "if set, a broker's port is first port + node id - this, whichever brokers are up",
    ),
    Setting(
        "mode",
        ("GATEWAY_MODE",),
        "gateway.mode",
        _one_of("VCLUSTER", later=("KAFKA_SECURITY", "GATEWAY_SECURITY")),
        "VCLUSTER",
        "VCLUSTER: a token's vcluster claim decides which virtual cluster a client sees",
    ),
    Setting(
        "security_protocol",
        ("GATEWAY_SECURITY_PROTOCOL",),
        "gateway.security_protocol",
        _one_of("PLAINTEXT", _SASL, later=("SSL", "SASL_SSL")),
        "PLAINTEXT",
        "SASL_PLAINTEXT: clients send a token as SASL/PLAIN password; "
        "PLAINTEXT: everybody is anonymous in `passthrough`",
    ),
    Setting(
        "secret_key",
        ("GATEWAY_USER_POOL_SECRET_KEY",),
        "gateway.user_pool_secret_key",
        _secret,
        None,
        "base64 of the key that signs tokens, 32 bytes or more; default: a random one, "
        "so that tokens end with the process",
    ),
    Setting(
        "admin_users",
        ("GATEWAY_ADMIN_API_USERS",),
        "gateway.admin_api_users",
        _users,
        (AdminUser("admin", "conduktor", admin=True),),
        "users of REST and gRPC: [{username: admin, password: conduktor, admin: true}]",
    ),
    Setting(
        "http_port",
        ("GATEWAY_HTTP_PORT",),
        "gateway.http_port",
        _PORT,
        _DEFAULT_HTTP_PORT,
        "port of the REST API, /health and /metrics",
    ),
    Setting(
        "grpc_host",
        ("GATEWAY_GRPC_HOST",),
        "gateway.grpc_host",
        _text,
        "127.0.0.1",
        "address of the gRPC API; it has no TLS, so keep it on loopback",
    ),
    Setting(
        "grpc_port",
        ("GATEWAY_GRPC_PORT",),
        "gateway.grpc_port",
        _PORT,
        None,
        f"port of the gRPC API; default: {_DEFAULT_GRPC_PORT} + GATEWAY_HTTP_PORT - "
        f"{_DEFAULT_HTTP_PORT}, so that two sidecars on one host do not meet",
    ),
    Setting(
        "secured_metrics",
        ("GATEWAY_SECURED_METRICS",),
        "gateway.secured_metrics",
        _flag,
        True,
        "whether /metrics asks for a user",
    ),
    Setting(
        "storage_type",
        ("GATEWAY_STORAGE_TYPE",),
        "gateway.storage_type",
        _one_of("IN_MEMORY", later=("KAFKA",)),
        "IN_MEMORY",
        "where interceptors are kept: IN_MEMORY, until the process ends",
    ),
    Setting(
        "seed",
        ("GATEWAY_SEED",),
        "gateway.seed",
        _integer(0, MAX_SEED),
        None,
        "makes every draw reproducible; an interceptor's own seed wins",
    ),
    Setting(
        "max_connections",
        ("GATEWAY_MAX_CONNECTIONS",),
        "gateway.max_connections",
        _integer(1, 1_000_000),
        4096,
        "client connections at once, over all listeners; more wait to be accepted",
    ),
    Setting(
        "max_frame_bytes",
        ("GATEWAY_MAX_FRAME_BYTES",),
        "gateway.max_frame_bytes",
        _integer(65536, 2**31 - 1),
        100 * 1024 * 1024,
        "largest request or response; Kafka's socket.request.max.bytes has the same default",
    ),
    Setting(
        "log_level",
        ("GATEWAY_LOG_LEVEL",),
        "gateway.log_level",
        _one_of(*_LOG_LEVELS),
        "INFO",
        "least level that is logged: " + ", ".join(_LOG_LEVELS),
    ),
)

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
    for setting in SETTINGS:
        values.setdefault(setting.name, setting.default)
    if values["bootstrap_servers"] is None and not any("BOOTSTRAP" in p for p in problems):
        problems.append(
            "KAFKA_BOOTSTRAP_SERVERS is not set; it takes host:port, several separated by commas"
        )
    if problems:
        raise ConfigError(problems)
    return _settings(values), _ignored(environment)


def _settings(values: dict[str, Any]) -> Settings:
    for chosen_by_parser in ("kafka_security_protocol", "mode", "storage_type"):
        del values[chosen_by_parser]  # one value is allowed, and it is how things are
    values["authenticate"] = values.pop("security_protocol") == _SASL
    values["log_level"] = values["log_level"].lower()
    if values["grpc_port"] is None:
        http_port = values["http_port"]
        shifted = _DEFAULT_GRPC_PORT + http_port - _DEFAULT_HTTP_PORT
        values["grpc_port"] = shifted if http_port and shifted < 65536 else 0
    return Settings(**values)


def _from_environment(environment: Mapping[str, str], problems: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        given = {v: environment[v] for v in setting.variables if environment.get(v)}
        if len(set(given.values())) > 1:
            problems.append(f"{' and '.join(given)} differ; give one of them")
        for variable, text in given.items():
            _take(setting, variable, text, values, problems)
    return values


def _from_file(path: str, problems: list[str]) -> dict[str, Any]:
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
        shown = "the value given" if setting.name in ("secret_key", "admin_users") else repr(raw)
        problems.append(f"{origin}: {shown} is not allowed; it takes {error}")


def _ignored(environment: Mapping[str, str]) -> list[str]:
    return sorted(
        name
        for name, value in environment.items()
        if name.startswith(("GATEWAY_", "KAFKA_")) and value and name not in _VARIABLES
    )
