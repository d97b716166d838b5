"""The one value in which the control side meets the data side."""

from dataclasses import dataclass

from sidecar.model.interceptor import Interceptor


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that decides about a request, swapped whole.

    Args:
        revision: grows by one with each change.
        interceptors: every interceptor of every scope.
    """

    revision: int = 0
    interceptors: tuple[Interceptor, ...] = ()
