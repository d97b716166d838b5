"""From an environment string or a TOML value to a setting.

A parser raises ValueError; its message says what is allowed, and completes "it takes ...".
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class AdminUser:
    """A user of the control API; `admin` may write, others may read."""

    username: str
    password: str = field(repr=False)
    admin: bool


def text(value: Any) -> str:
    """A text that is not empty, without the blanks around it."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a non-empty text")
    return value.strip()


def integer(low: int, high: int) -> Callable[[Any], int]:
    """A whole number from `low` to `high`, both included."""

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


def flag(value: Any) -> bool:
    """True or false."""
    words = {"true": True, "false": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in words:
        return words[value.strip().lower()]
    raise ValueError("true or false")


def one_of(*allowed: str, later: tuple[str, ...] = ()) -> Callable[[Any], str]:
    """One of some words in capitals; those in `later` are refused as not supported yet."""

    def parse(value: Any) -> str:
        word = text(value).upper()
        if word in allowed:
            return word
        note = "; this one is not supported yet" if word in later else ""
        raise ValueError(" or ".join(allowed) + note)

    return parse


def servers(value: Any) -> tuple[tuple[str, int], ...]:
    """Hosts and ports, from a text with commas or a TOML list of texts."""
    words = "host:port, several separated by commas"
    if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
        value = ",".join(value)
    if not isinstance(value, str):
        raise ValueError(words)
    found = []
    for entry in text(value).split(","):
        host, colon, port = entry.strip().rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if not (host and colon and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise ValueError(words)
        found.append((host, int(port)))
    return tuple(found)


def secret(value: Any) -> bytes:
    """A key of 32 bytes or more, from base64."""
    try:
        key = base64.b64decode(text(value), validate=True)
    except ValueError:
        raise ValueError("base64 of at least 32 random bytes") from None
    if len(key) < 32:
        raise ValueError("base64 of at least 32 random bytes")
    return key


def users(value: Any) -> tuple[AdminUser, ...]:
    """Users, from a TOML list or a YAML one as the reference has it."""
    words = "a list such as [{username: admin, password: secret, admin: true}]"
    if isinstance(value, str):
        import yaml  # a megabyte, for a setting that few give

        try:
            # Not safe_load: passwords stay as they are written, whatever YAML takes them for.
            value = yaml.load(value, yaml.BaseLoader)
        except yaml.YAMLError:
            raise ValueError(words) from None
    if not isinstance(value, list) or not value:
        raise ValueError(words)
    found = tuple(_user(entry, words) for entry in value)
    if len({user.username for user in found}) < len(found):
        raise ValueError(words + " with each username once")
    return found


def _user(entry: Any, words: str) -> AdminUser:
    if not isinstance(entry, dict) or entry.keys() - {"username", "password", "admin"}:
        raise ValueError(words)
    username, password = entry.get("username"), entry.get("password")
    if not (isinstance(username, str) and isinstance(password, str)):
        raise ValueError(words)
    if not username or ":" in username or not password:
        raise ValueError(words)
    try:
        return AdminUser(username, password, flag(entry.get("admin", False)))
    except ValueError:
        raise ValueError(words) from None
