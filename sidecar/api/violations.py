"""Bad fields of a request, with their paths in it."""

from collections.abc import Iterator
from contextlib import contextmanager

from sidecar.model.errors import FieldViolation, InvalidArgument


@contextmanager
def below(prefix: str) -> Iterator[None]:
    """Raise the InvalidArgument raised inside with its paths below `prefix`."""
    violations: list[FieldViolation] = []
    with collecting(violations, prefix):
        yield
    if violations:
        raise InvalidArgument(*violations)


@contextmanager
def collecting(violations: list[FieldViolation], prefix: str) -> Iterator[None]:
    """Add the violations raised inside to `violations`, with their paths below `prefix`."""
    try:
        yield
    except InvalidArgument as error:
        for found in error.violations:
            path = f"{prefix}.{found.field}"
            violations.append(FieldViolation(path, found.description.replace(found.field, path, 1)))
