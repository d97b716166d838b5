"""Libraries without their optional companions, which they import wherever these are installed.

structlog takes rich (4 MB) for tracebacks in colour and PyJWT takes cryptography (11 MB) for other
algorithms than ours. The sidecar uses neither, unless bearer tokens are configured (`logins`); with
this it is as small in a shared environment as in one of its own.
"""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_COMPANIONS: Final = {
    "structlog": ("better_exceptions", "rich", "twisted"),
    "jwt": ("cryptography",),
}


def import_alone(*libraries: str) -> None:
    """Import structlog or jwt without companions; to be called before anything else imports them.

    Raises:
        ImportError: one of them is not installed.
    """
    for library in libraries:
        with without(*_COMPANIONS[library]):
            importlib.import_module(library)


@contextmanager
def without(*packages: str) -> Iterator[None]:
    """Import inside as if these top-level packages were not installed.

    Afterwards they can be imported as ever. What has been imported before stays as it is.
    """
    hidden = [name for name in packages if name not in sys.modules]
    for name in hidden:
        # The import system's own way to say no: https://docs.python.org/3/reference/import.html
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
