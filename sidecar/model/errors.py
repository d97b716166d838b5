"""What can be wrong with a request to the control side, independent of gRPC and HTTP."""

from dataclasses import dataclass


class DomainError(Exception):
    """Base of every refusal; ``str()`` is the message for the caller."""


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One bad field: its name in the API's own words, and what is wrong with it."""

    field: str
    description: str


class InvalidArgument(DomainError):
    """One or more fields are bad; all of them are reported at once."""

    def __init__(self, *violations: FieldViolation) -> None:
        super().__init__("; ".join(v.description for v in violations))
        self.violations = violations

    @classmethod
    def of(cls, field: str, description: str) -> "InvalidArgument":
        """The common case of one bad field."""
        return cls(FieldViolation(field, description))


class NotFound(DomainError):
    """The named resource does not exist."""


class AlreadyExists(DomainError):
    """The name is taken in this scope by something else."""


class FailedPrecondition(DomainError):
    """Something else must be changed first; the message says what."""


class Aborted(DomainError):
    """The etag is not the current one: somebody else changed the resource."""


class Unauthenticated(DomainError):
    """No credentials, or wrong ones."""


class PermissionDenied(DomainError):
    """Known, but not allowed."""


class ResourceExhausted(DomainError):
    """A limit is reached: too many of something, or too fast."""


class Refused(ResourceExhausted):
    """Turned away at the door, unread: there are too many calls of this kind.

    Args:
        reason: ``rate``, ``lockout`` or ``busy``; such calls are counted by it.
        retry_seconds: when the caller may try again.
    """

    def __init__(self, reason: str, message: str, retry_seconds: int = 1) -> None:
        super().__init__(message)
        self.reason = reason
        self.retry_seconds = retry_seconds


class Unavailable(DomainError):
    """Not now; the same call may succeed later."""
