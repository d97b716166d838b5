"""What was seen of clients and records after an injection, or because somebody asked to look.

Unlike an `Injection`, nothing depends on its being noted.
"""

from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Final, Literal, NamedTuple

from sidecar.model.injection import Injection

PRODUCE: Final = "PRODUCE"
FETCH: Final = "FETCH"


@dataclass(slots=True, kw_only=True)
class Recovery:
    """How long a client went without success on a partition because of injected errors.

    In the words of the log events ``client_recovered`` and ``client_not_recovered``. Never changed.
    """

    time: float
    """When it ended, seconds since the epoch, UTC."""
    recovered: bool
    """Whether by a success; if not, the sidecar stopped waiting for one."""
    interceptor: str
    """Of the first error, as all up to `error`."""
    interceptor_uid: str
    fault: str
    error: str
    virtual_cluster: str
    principal: str
    client_id: str | None
    client_software_name: str | None
    client_software_version: str | None
    api: str
    """``PRODUCE`` or ``FETCH``."""
    topic: str
    """As the client calls it."""
    partition: int
    seconds: float
    """From the first injected error to the answer that had none."""
    errors: int
    """Injected into requests for the partition, the first included."""
    retries: int
    """Requests for the partition after the first error, the one that succeeded included."""
    metadata_refreshes: int
    """Metadata requests of the client meanwhile."""

    def as_dict(self) -> dict[str, object]:
        """Field names and values, in the order above."""
        return dict(zip(_RECOVERY, _recovery_values(self), strict=True))


class Ended(NamedTuple):
    """A recovery as what differs from others that began with the same error: made in a fraction of
    the time.

    Args:
        first: the first error, or an injection that differs from it in numbers only.
        place: topic and partition.
    """

    first: Injection
    place: tuple[str, int]
    time: float
    recovered: bool
    seconds: float
    errors: int
    retries: int
    metadata_refreshes: int

    def whole(self) -> Recovery:
        """The recovery."""
        first = self.first
        return Recovery(
            time=self.time,
            recovered=self.recovered,
            interceptor=first.interceptor,
            interceptor_uid=first.interceptor_uid,
            fault=first.fault,
            error=first.error,
            virtual_cluster=first.virtual_cluster,
            principal=first.principal,
            client_id=first.client_id,
            client_software_name=first.client_software_name,
            client_software_version=first.client_software_version,
            api=first.api,
            topic=self.place[0],
            partition=self.place[1],
            seconds=self.seconds,
            errors=self.errors,
            retries=self.retries,
            metadata_refreshes=self.metadata_refreshes,
        )


AnomalyKind = Literal["DUPLICATE", "GAP", "REORDERED"]


@dataclass(slots=True, kw_only=True)
class SequenceAnomaly:
    """A batch of an idempotent producer that a broker acknowledged, and should not have, or not so.

    In the words of the log event ``sequence_anomaly``. Never changed.
    """

    time: float
    """When the acknowledgement came, seconds since the epoch, UTC."""
    kind: AnomalyKind
    """``DUPLICATE``: the same batch stands at two offsets. ``GAP``: the sequence numbers before it
    were not acknowledged. ``REORDERED``: it stands behind a batch that follows it."""
    virtual_cluster: str
    principal: str
    client_id: str | None
    topic: str
    """As the client calls it."""
    partition: int
    producer_id: int
    producer_epoch: int
    base_sequence: int
    record_count: int
    base_offset: int
    expected_sequence: int
    """That which would have followed the last acknowledged batch."""
    other_offset: int | None
    """Of the batch it contradicts; None for a gap."""

    def as_dict(self) -> dict[str, object]:
        """Field names and values, in the order above."""
        return dict(zip(_ANOMALY, _anomaly_values(self), strict=True))

    def whole(self) -> "SequenceAnomaly":
        """Itself; as `Ended.whole`."""
        return self


_RECOVERY = tuple(f.name for f in fields(Recovery))
_recovery_values = attrgetter(*_RECOVERY)
_ANOMALY = tuple(f.name for f in fields(SequenceAnomaly))
_anomaly_values = attrgetter(*_ANOMALY)

Observation = Recovery | SequenceAnomaly
Observed = Ended | SequenceAnomaly
"""An observation, whole or not."""


def event_of(observation: Observation) -> str:
    """The name of its log event."""
    if isinstance(observation, SequenceAnomaly):
        return "sequence_anomaly"
    return "client_recovered" if observation.recovered else "client_not_recovered"
