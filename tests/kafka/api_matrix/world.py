"""Two tenants with the same names behind two sidecars, and a stranger on the cluster itself."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from codec.api_keys import ApiKey
from tests.kafka.api_matrix.client import Connection
from tests.kafka.api_matrix.tenant import Tenant
from tests.kafka.sidecars import Access, Gateways

#: Neither is the other's prefix, nor does any name the exercises use contain them.
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
        everything = self.outside.ask(ApiKey.METADATA, 12, {"topics": None})["topics"]
        ids = {topic["name"]: topic["topic_id"] for topic in everything}
        for own in self.tenants:
            foreign = [name for name in ids if not name.startswith(own.name)]
            others = [each for each in (*self.tenants, self.outside) if each is not own]
            own.forbidden = [
                FIRST.encode(),
                SECOND.encode(),
                *(each.marker for each in others),
                *(name.encode() for name in (OUTSIDE, *INTERNAL)),
                *(ids[name] for name in foreign),
            ]


@contextlib.contextmanager
def world(gateways: Gateways) -> Iterator[World]:
    """Both tenants and the stranger, with the same objects, for the length of a with block."""
    first = Tenant(FIRST, gateways.first.access(FIRST))
    second = Tenant(SECOND, gateways.second.access(SECOND))
    outside = Tenant("", Access(gateways.kafka.bootstrap))
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
