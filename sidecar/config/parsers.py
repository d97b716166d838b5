"""From an environment string or a TOML value to a setting.

A parser raises ValueError; its message says what is allowed, and completes "it takes ...".
"""

import base64
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from sidecar.model.errors import InvalidArgument
from sidecar.model.names import virtual_cluster_name
from sidecar.model.virtual_clusters import MAX_VIRTUAL_CLUSTERS, conflicts


@dataclass(frozen=True, slots=True)
class AdminUser:
    """A user of the control API; `admin` may write, others may read."""

    username: str
    password: str = field(repr=False)
    admin: bool
    certificate: str = ""
    """A name in the certificate that it may show instead."""


def text(value: Any) -> str:
    """A text that is not empty, without the blanks around it."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a non-empty text")
    return value.strip()


def topic_part(value: Any) -> str:
    """What can stand in the name of a topic."""
    words = "1 to 200 letters, digits, '.', '_' and '-'"
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9._-]{1,200}", value):
        raise ValueError(words)
    return value


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


def principal_rules(value: Any) -> tuple[Any, ...]:
    """Rules for the subjects of certificates, see `sidecar.tls.principals`."""
    from sidecar.tls.principals import rules  # only who has rules pays for it

    return rules(text(value))


def any_text(value: Any) -> str:
    """A text as it is, which may be empty."""
    if not isinstance(value, str):
        raise ValueError("a text")
    return value


def pem(value: Any) -> str:
    """A PEM text."""
    if not isinstance(value, str) or "-----BEGIN " not in value:
        raise ValueError("a PEM text")
    # As Java's properties have it, where a newline may be written as two characters.
    return value.replace("\\n", "\n")


def users(value: Any) -> tuple[AdminUser, ...]:
    """Users, from a TOML list or a YAML one as the reference has it."""
    words = "a list such as [{username: admin, password: secret, admin: true}]"
    value = _unfolded(value, words)
    if not isinstance(value, list) or not value:
        raise ValueError(words)
    found = tuple(_user(entry, words) for entry in value)
    if len({user.username for user in found}) < len(found):
        raise ValueError(words + " with each username once")
    return found


def texts(value: Any) -> tuple[str, ...]:
    """Texts, from a TOML list or a YAML one as the reference has it."""
    words = "a list such as [a, b] of 1 to 100 texts"
    found = _unfolded(value, words)
    if not isinstance(found, list) or not 1 <= len(found) <= 100:
        raise ValueError(words)
    if not all(isinstance(each, str) and each for each in found):
        raise ValueError(words)
    return tuple(found)


def provider_url(value: Any) -> str:
    """Where an identity provider is asked, or leaves a file; it may hold a secret, and is not
    repeated."""
    words = (
        "http://host[:port]/path, https://..., or file:///path, without user, password, fragment"
        " and blanks"
    )
    try:
        url = text(value)
        parts = urlsplit(url)
        fit = parts.port != 0 and url.isascii() and url.isprintable() and " " not in url
    except ValueError:
        raise ValueError(words) from None
    if parts.scheme == "file":
        whole = parts.path.startswith("/") and len(parts.path) > 1
        fit &= whole and not parts.netloc and not parts.query
    else:
        fit &= parts.scheme in ("http", "https") and bool(parts.hostname)
    if not fit or parts.fragment or "@" in parts.netloc:
        raise ValueError(words)
    return url


def virtual_clusters(value: Any) -> tuple[str, ...]:
    """Names of virtual clusters that can stand side by side, from a TOML list or a YAML one."""
    words = f"a list such as [teamA, teamB] with at most {MAX_VIRTUAL_CLUSTERS} names"
    names = _unfolded(value, words)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(words)
    if len(names) > MAX_VIRTUAL_CLUSTERS:
        raise ValueError(words)
    problems = []
    for name in names:
        try:
            virtual_cluster_name(name, "a name")
        except InvalidArgument as error:
            problems.append(str(error))
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    problems += [f"{name!r} is there twice" for name in twice]
    problems += [
        f"{shorter!r} and {longer!r} cannot stand side by side"
        for shorter, longer in conflicts(names)
    ]
    if problems:
        raise ValueError(f"{words}, none of which begins with another: {'; '.join(problems)}")
    return tuple(names)


def _unfolded(value: Any, words: str) -> Any:
    """What a YAML text says; anything else as it is."""
    if not isinstance(value, str):
        return value
    import yaml  # a megabyte, for settings that few give

    try:
        # Not safe_load: texts stay as they are written, whatever YAML takes them for.
        return yaml.load(value, yaml.BaseLoader)
    except yaml.YAMLError:
        raise ValueError(words) from None


def _user(entry: Any, words: str) -> AdminUser:
    allowed = {"username", "password", "admin", "certificate"}
    if not isinstance(entry, dict) or entry.keys() - allowed:
        raise ValueError(words)
    username, password = entry.get("username"), entry.get("password", "")
    certificate = entry.get("certificate", "")
    if not all(isinstance(text, str) for text in (username, password, certificate)):
        raise ValueError(words)
    if not username or ":" in username or not (password or certificate):
        raise ValueError(words)
    try:
        return AdminUser(username, password, flag(entry.get("admin", False)), certificate)
    except ValueError:
        raise ValueError(words) from None
