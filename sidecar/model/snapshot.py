"""The one value in which the control side meets the data side."""

from dataclasses import dataclass

from sidecar.model.alias_topic import AliasTopic
from sidecar.model.interceptor import Interceptor
from sidecar.model.lease import Lease
from sidecar.model.user_mapping import UserMapping


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that decides about a request, swapped whole.

    Args:
        revision: grows by one with each change.
        interceptors: every interceptor of every scope.
        alias_topics: those of every virtual cluster; logical and physical names are unique in it.
        user_mappings: those of every virtual cluster.
        leases: those that last, and some that are over.
        halted: whether no interceptor does anything for the time being.
        virtual_clusters: those that came into being by use, as far as this has been stored.
        signing_key_id: which key signs tokens; empty where that is not stored.
    """

    revision: int = 0
    interceptors: tuple[Interceptor, ...] = ()
    alias_topics: tuple[AliasTopic, ...] = ()
    user_mappings: tuple[UserMapping, ...] = ()
    leases: tuple[Lease, ...] = ()
    halted: bool = False
    virtual_clusters: tuple[str, ...] = ()
    signing_key_id: str = ""
