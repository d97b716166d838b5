"""What all sessions of a process share."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sidecar.dataplane import sasl
from sidecar.dataplane.noting import Record
from sidecar.dataplane.pipeline import Pipeline
from sidecar.dataplane.recovering import Recoveries
from sidecar.dataplane.sequence_oracle import SequenceOracle
from sidecar.dataplane.tenancy import Advertise, TopicDirectory
from sidecar.dataplane.versions import Features, Range, Versions
from sidecar.model.identity import Identity
from sidecar.model.names import PASSTHROUGH
from sidecar.model.observation import Ended


def _unheard(ended: Ended) -> None:
    """Nobody wants to know."""


@dataclass(slots=True)
class Shared:
    """What all sessions of a sidecar share. `pipeline` and `versions` are replaced as they change.

    Args:
        pipeline: the compiled interceptors; a request reads this reference once.
        versions: what ApiVersions answers.
        advertise: the addresses clients are told.
        record: takes note of injections; False when it cannot, and then nothing is injected.
        logins: how clients show who they are; None on listeners without authentication.
        delegated: whether clients authenticate to the broker instead.
        tenants: whether clients may be in virtual clusters.
        directory: which topic an id is of.
        recoveries: how long clients go without success.
        oracle: judges what brokers acknowledge; None: nobody does.
    """

    pipeline: Pipeline
    versions: Versions
    advertise: Advertise
    record: Record
    logins: sasl.Logins | None = None
    delegated: bool = False
    tenants: bool | None = None
    directory: TopicDirectory = field(default_factory=TopicDirectory)
    recoveries: Recoveries = field(default_factory=lambda: Recoveries(_unheard))
    oracle: SequenceOracle | None = None

    def versions_of(self, upstream: Iterable[Mapping[int, Range]], features: Features) -> Versions:
        """What is offered when the brokers speak this."""
        tokens = self.logins is not None
        return Versions(
            upstream,
            secured=tokens if self.tenants is None else self.tenants,
            sasl=tokens or self.delegated,
            features=features,
        )

    def located(self, principal: str, virtual_cluster: str = PASSTHROUGH) -> Identity:
        """Who a client is that a certificate, a broker or a bearer token calls so.

        It is where user mappings put it, else in this virtual cluster.
        """
        for mapping in self.pipeline.snapshot.user_mappings:
            if mapping.principal == principal:
                return Identity(principal, mapping.virtual_cluster)
        return Identity(principal, virtual_cluster)
