"""What the first process has that its workers ask for."""

from collections.abc import Callable
from dataclasses import dataclass

from sidecar.dataplane.addresses import Broker
from sidecar.dataplane.budget import OwnPurse
from sidecar.dataplane.pipeline import Mark
from sidecar.model.snapshot import Snapshot
from sidecar.workers.messages import ClusterView, Report


@dataclass(frozen=True, slots=True)
class Sources:
    """What the fleet asks of the first process, and hands to it; all on the hub.

    Args:
        cluster: what is known about the cluster now.
        snapshot: the interceptors now.
        report: takes what a worker reported.
        seen: takes a broker that a worker does not know.
        unreachable: told that a worker cannot connect to a broker.
        marks: what rules of the first process keep in mind for all.
        hear: takes what a rule of a worker does.
        purse: what may be handed out of an interceptor's injections, by uid.
        refusal: why a virtual cluster may not be used, in words fit for a client, or None.
    """

    cluster: Callable[[], ClusterView]
    snapshot: Callable[[], Snapshot]
    report: Callable[[Report], None]
    seen: Callable[[Broker], object]
    unreachable: Callable[[], None]
    purse: Callable[[str], OwnPurse | None]
    refusal: Callable[[str], str | None]
    marks: Callable[[], list[Mark]]
    hear: Callable[[Mark], None]
