"""One line of the table of settings."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a value comes from and what it means."""

    name: str
    variables: tuple[str, ...]
    key: str
    """Section and key in the TOML file."""
    parse: Callable[[Any], Any]
    default: Any
    help: str
    confidential: bool = False
    """Whether the value is never shown, not even one that is refused."""
