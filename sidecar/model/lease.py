"""Leases: interceptors that name one end when nobody renews it."""

from dataclasses import dataclass
from typing import Final

from sidecar.model.errors import FieldViolation, InvalidArgument
from sidecar.model.faults import exact
from sidecar.model.names import resource_name

MIN_DURATION: Final = 1
MAX_DURATION: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A promise to come again in time.

    Args:
        name: chosen by the client, unique among those that last.
        duration: seconds it lasts after each renewal, 1 to 86400.
        expires: seconds since the epoch at which it is over; given by the service.
        uid: tells it from others of its name; given by the service.

    Raises:
        InvalidArgument: the name or duration is bad.
    """

    name: str
    duration: float
    expires: float = 0.0
    uid: str = ""

    def __post_init__(self) -> None:
        violations: list[FieldViolation] = []
        try:
            resource_name(self.name, "name")
        except InvalidArgument as error:
            violations += error.violations
        if not MIN_DURATION <= self.duration <= MAX_DURATION:
            violations.append(
                FieldViolation(
                    "duration",
                    f"duration is {exact(self.duration)} s,"
                    f" allowed are {MIN_DURATION} s to {MAX_DURATION} s",
                )
            )
        if violations:
            raise InvalidArgument(*violations)
