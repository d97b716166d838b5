"""The record of one injected error: one per affected topic-partition."""

from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import Any, Final, NamedTuple

DRAWN: Final = "DRAWN"
FOLLOWS: Final = "FOLLOWS"


# Not frozen as its neighbours are: that would make it three times slower to build, on the hub.
@dataclass(slots=True, kw_only=True)
class Injection:
    """What was done to whom, in the words of the log event ``fault_injected``. Never changed.

    The same record goes to the log, the stream and the counters. Fields that are not known on the
    wire are None: ``record_count`` and the producer fields come from record batch v2 headers only.
    """

    time: float
    """Seconds since the epoch, UTC."""
    interceptor: str
    interceptor_uid: str
    """Tells scopes and replacements of one name apart; what the counters go by."""
    fault: str
    """Kind of fault, such as ``leader_election``."""
    rung: int
    """Fidelity of a simulated election: 1 is a sampled error."""
    outcome: str
    """``REJECT``: not forwarded, never appended; ``DISCONNECT``: the same, and its connection
    closes; ``SWALLOW``: the same, and it stays open without an answer; ``APPEND_THEN_REJECT``,
    ``APPEND_THEN_DISCONNECT``, ``APPEND_THEN_SWALLOW``: forwarded, and the client is told otherwise
    or nothing; ``THROTTLE``: its connection is slow from then on; ``DELAY``: the answer left later;
    ``CHANGE_REQUEST``, ``CHANGE_RESPONSE``: it went on as something else."""
    error: str
    """``NONE`` where there was none."""
    error_code: int
    virtual_cluster: str
    principal: str
    connection_id: int
    client_id: str | None
    client_software_name: str | None
    client_software_version: str | None
    broker_id: int
    api: str
    version: int
    correlation_id: int
    topic: str | None
    """As the client calls it, without the virtual cluster's prefix. None with the partition where
    it is about a whole request."""
    partition: int | None
    acks: int | None
    """Of a Produce."""
    batch_count: int
    record_count: int | None
    producer_id: int | None
    producer_epoch: int | None
    base_sequence: int | None
    draw: int
    """Which draw of the interceptor this was, from 0."""
    seed: int
    reason: str = DRAWN
    """``DRAWN``, or ``FOLLOWS``: refused so as not to overtake a refused batch of its producer;
    `draw` is then the one that refused that batch."""
    leader_id: int | None
    """Leader advertised in the answer (KIP-951); None when no hint was given."""
    leader_epoch: int | None
    delay_ms: int | None = None
    """From the request to when its answer may leave, or its connection closes, milliseconds."""
    records_changed: int | None = None
    coordinator_key: str | None = None
    """Group or transactional id, as the client calls it, where it is about the coordinator."""

    def whole(self) -> "Injection":
        """Itself; as `Brief.whole`."""
        return self

    def as_dict(self) -> dict[str, object]:
        """Field names and values, in the order above."""
        return dict(zip(_FIELDS, _values(self), strict=True))


_FIELDS = tuple(f.name for f in fields(Injection))
_values = attrgetter(*_FIELDS)


class Form:
    """What many injections have in common; what differs is in their `Brief`.

    Args:
        common: an injection; its time and its `varying` fields do not count.
        idempotent: whether their batches have producers; else those fields are None.
    """

    __slots__ = ("common", "idempotent", "kept", "varying")

    def __init__(self, common: Injection, *, idempotent: bool) -> None:
        self.common = common
        self.idempotent = idempotent
        self.varying = _VARYING if idempotent else _WITHOUT_PRODUCER
        """Fields in which these injections differ, besides the time."""
        self.kept: Any = None
        """What the recorder has prepared for these injections, in this process."""

    def __reduce__(self) -> Any:
        return _form, (self.common, self.idempotent)


class Brief(NamedTuple):
    """An injection as what differs from others of its form: made and rendered in a fraction of the
    time. The fields are those of `Injection`, in the same order.
    """

    form: Form
    time: float
    correlation_id: int
    partition: int
    record_count: int
    producer_id: int
    producer_epoch: int
    base_sequence: int
    draw: int

    @property
    def interceptor_uid(self) -> str:
        """As in `Injection`."""
        return self.form.common.interceptor_uid

    def values(self) -> tuple[int, ...]:
        """Those of the form's varying fields."""
        if self.form.idempotent:
            return self[2:]
        return self.correlation_id, self.partition, self.record_count, self.draw

    def whole(self) -> Injection:
        """The injection."""
        varying: dict[str, Any] = dict(zip(self.form.varying, self.values(), strict=True))
        return replace(self.form.common, time=self.time, **varying)


_VARYING: Final = Brief._fields[2:]
_WITHOUT_PRODUCER: Final = ("correlation_id", "partition", "record_count", "draw")


def _form(common: Injection, idempotent: bool) -> Form:
    """A form that comes from another process, without what was kept there."""
    return Form(common, idempotent=idempotent)


Noted = Injection | Brief
"""An injection, whole or not."""
