"""Two tenants with the same names behind two sidecars, and a stranger on the cluster itself."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from codec.api_keys import ApiKey
from tests.kafka.api_matrix.client import Connection
from tests.kafka.api_matrix.tenant import Tenant

#: What all names of virtual clusters of this suite begin with, and no other name in it does: an
#: answer that holds it shows a physical name, be it the client's own.
PREFIX = b"tenant-"
FIRST, SECOND = "tenant-alfa-", "tenant-bravo-"
OUTSIDE = "outsider"
INTERNAL = ("__consumer_offsets", "__transaction_state", "__share_group_state")


@dataclass(frozen=True)
class World:
    """The two tenants, the stranger, and a connection straight to a broker."""

    first: Tenant
    second: Tenant
    outside: Tenant

    @property
    def tenants(self) -> tuple[Tenant, Tenant]:
        """Both tenants."""
        return self.first, self.second

    @property
    def direct(self) -> Connection:
        """A connection to a broker."""
        return self.outside.connection()

    def forbid(self) -> None:
        """Tell each tenant what it must never see; again after ids have come into being."""
        ids = topic_ids(self.outside)
        for own in self.tenants:
            others = [each for each in (*self.tenants, self.outside) if each is not own]
            own.forbidden = [
                PREFIX,
                *(each.marker for each in others),
                *(name.encode() for name in (OUTSIDE, *INTERNAL)),
                *(ids[name] for name in ids if not name.startswith(own.name)),
            ]


def topic_ids(outside: Tenant) -> dict[str, bytes]:
    """The ids of all topics there are, by physical name."""
    topics = outside.ask(ApiKey.METADATA, 12, {"topics": None})["topics"]
    return {topic["name"]: topic["topic_id"] for topic in topics}


@contextlib.contextmanager
def world(first: Tenant, second: Tenant, outside: Tenant) -> Iterator[World]:
    """Give both tenants the same objects, and the stranger one; close all three at the end."""
    made = World(first, second, outside)
    try:
        for tenant in made.tenants:
            tenant.prepare()
        outside.learn_brokers()
        outside.create(OUTSIDE)
        outside.produce(OUTSIDE, [outside.marker] * 5)
        made.forbid()
        yield made
    finally:
        for each in (*made.tenants, outside):
            each.close()
