"""The state in a file: written whole, beside the old one, and put in its place at once."""

import contextlib
import fcntl
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from sidecar.model.errors import Unavailable
from sidecar.model.snapshot import Snapshot
from sidecar.state.mirror import FIELDS, Mirror, Unreadable

_FORMAT = "kafka-chaos-sidecar state"


class StateFileError(Exception):
    """The file cannot be used; ``str()`` says why."""


class FileStore:
    """One sidecar's state in one file, which no other process may use at the same time.

    Args:
        path: of the file; made with the first change. A lock file and the next version, with
            ``.lock`` and ``.new`` added to its name, are beside it.
        clock: seconds since the epoch.
        unreadable: see `mirror.Unreadable`.

    Raises:
        StateFileError: it is not such a file, cannot be read or written, or another process has it.
    """

    def __init__(self, path: Path, clock: Callable[[], float], unreadable: Unreadable) -> None:
        self._path = path
        self._new = path.with_name(path.name + ".new")
        self._mirror = Mirror(clock, unreadable)
        self._lock = _locked(path.with_name(path.name + ".lock"))
        self._news: frozenset[str] = self._mirror.take(_loaded(path).items())

    lacking: Final = False
    """A file that was deleted is written anew with the next change."""

    def news(self, *, everything: bool = False) -> Mapping[str, Any] | None:
        """Return what the file had at the start, the first time."""
        news, self._news = FIELDS if everything else self._news, frozenset()
        return self._mirror.fields(news) if news else None

    def save(self, wanted: Snapshot) -> None:
        """Write the file. Raises Unavailable when that does not succeed; the old one stays."""
        changes = self._mirror.missing(wanted)
        if not changes:
            return
        texts: dict[str, str | None] = {**self._mirror.texts, **changes}
        kept = {key: text for key, text in texts.items() if text is not None}
        try:
            self._write(json.dumps({"format": _FORMAT, "records": kept}, indent=1))
        except OSError as error:
            with contextlib.suppress(OSError):
                self._new.unlink()  # where a disk is full it takes room that others need
            raise Unavailable(f"{self._path} cannot be written: {error.strerror}") from None
        self._mirror.take(changes.items())

    def close(self) -> None:
        """Let others have the file."""
        os.close(self._lock)

    def _write(self, text: str) -> None:
        descriptor = os.open(self._new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        self._new.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # or a power cut may undo the replacement
        finally:
            os.close(folder)


def _locked(path: Path) -> int:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StateFileError(f"{path} cannot be made: {error.strerror}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise StateFileError(f"{path} is locked: another sidecar uses this file") from None
    return descriptor


def _loaded(path: Path) -> dict[str, str]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise StateFileError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise StateFileError(f"{path} is not JSON") from None
    records = document.get("records") if isinstance(document, dict) else None
    if not isinstance(records, dict) or document.get("format") != _FORMAT:
        raise StateFileError(f"{path} is not the state of a sidecar")
    if not all(isinstance(text, str) for text in records.values()):
        raise StateFileError(f"{path} has records that are not texts")
    return records
