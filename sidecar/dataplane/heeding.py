"""What answers tell of one connection's client: that it has recovered, and what was appended where.

Looked at are only answers to requests about which something is open, see `recovering`, and with an
oracle all of idempotent producers.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from codec.api_keys import ApiKey
from codec.headers import RequestHeader
from sidecar.dataplane.injecting import Peer
from sidecar.dataplane.recovering import ClientRecoveries, Recoveries, Watcher
from sidecar.dataplane.ruling import Heeds, Ruling
from sidecar.dataplane.sequence_oracle import SequenceOracle
from sidecar.dataplane.sequences import Batch, batches
from sidecar.model.identity import Identity
from sidecar.model.injection import Injection

_MAX_CLIENTS: Final = 8
"""Client ids of one connection that are remembered; nearly all have one."""


class Heeding:
    """Decides which answers are looked at, and looks at them.

    Args:
        peer, identity: the client.
        recoveries: those of the process.
        oracle: judges what is acknowledged; None: nobody does.
        changed: told of an API whose requests have to be looked at, or have not any more.
    """

    def __init__(
        self,
        peer: Peer,
        identity: Identity,
        recoveries: Recoveries,
        oracle: SequenceOracle | None,
        changed: Callable[[ApiKey], None],
    ) -> None:
        self._peer = peer
        self._identity = identity
        self._recoveries = recoveries
        self.oracle = oracle
        self._watcher = Watcher(changed)
        self._clients: dict[str, ClientRecoveries] = {}
        """Those that have been asked for on this connection."""

    def client(self, client_id: str | None) -> ClientRecoveries:
        """The recoveries of who calls itself so; changes are told from now on."""
        name = client_id or ""
        found = self._clients.get(name)
        if found is None:
            found = self._recoveries.client(self._identity, name)
            found.watched(self._watcher)
            if len(self._clients) >= _MAX_CLIENTS:
                del self._clients[next(iter(self._clients))]
            self._clients[name] = found
        return found

    def wants(self, api_key: int) -> bool:
        """Whether requests of this API have to be looked at."""
        if api_key == ApiKey.PRODUCE and self.oracle is not None:
            return True
        if not len(self._recoveries):
            return False
        self.client(self._peer.client_id)
        return any(each.opens(api_key) for each in self._clients.values())

    def refreshed(self, client_id: str | None) -> None:
        """The client asks for metadata."""
        if len(self._recoveries):
            self.client(client_id).refreshes += 1

    def told(self, injections: Sequence[Injection], now: float, response: bool) -> None:
        """Injections were recorded."""
        client = self.client(self._peer.client_id)
        client.told(injections, now, forwarded=response)

    def asked(self, header: RequestHeader, request: Any, ruling: Ruling | None) -> Ruling | None:
        """A decoded request is forwarded; the ruling, with what its answer tells of."""
        client = self.client(header.client_id)
        opens = client.opens(header.api_key)
        if header.api_key == ApiKey.FETCH:
            places = {
                (topic.topic, part.partition)
                for topic in request.topics or ()
                for part in topic.partitions or ()
            }
            for place, each in opens.items():
                # A fetch session goes on without naming what it is about.
                each.retries += place in places or each.broker_id == self._peer.broker_id
            heeds = Heeds(client) if opens else None
        else:
            heeds = self._produced(client, request, ruling)
        if heeds is not None:
            ruling = ruling or Ruling()
            ruling.heeds = heeds
        return ruling

    def _produced(
        self, client: ClientRecoveries, request: Any, ruling: Ruling | None
    ) -> Heeds | None:
        if not request.acks:
            return None
        refused = ruling.refused if ruling is not None else {}
        tried = False
        for topic in request.topic_data or ():
            for part in topic.partition_data or ():
                place = topic.name, part.index
                known = client.produce.get(place)
                if known is not None and place not in refused:
                    known.retries += 1
                    tried = True
        sent: list[Batch] = []
        if self.oracle is not None:
            sent = [each for each in batches(request) if each.key[:2] not in refused]
        return Heeds(client, sent) if tried or sent else None

    def appended(self, heeds: Heeds, response: Any, now: float) -> None:
        """What a broker answered, before faults: the oracle is told."""
        if self.oracle is None or not heeds.batches:
            return
        offsets = {
            (topic.name, part.index): part.base_offset
            for topic in response.responses or ()
            for part in topic.partition_responses or ()
            if not part.error_code
        }
        for batch in heeds.batches:
            offset = offsets.get(batch.key[:2])
            if offset is not None:
                self.acknowledged(heeds.client, batch, offset, now)

    def acknowledged(
        self, client: ClientRecoveries, batch: Batch, base_offset: int, now: float
    ) -> None:
        """A broker says that it has a batch; only where there is an oracle."""
        if self.oracle is not None:
            client_id = client.client_id or None
            self.oracle.acknowledged(self._identity, client_id, batch, base_offset, now)

    def answered(self, api_key: int, heeds: Heeds, response: Any, now: float) -> None:
        """An answer leaves at `now`, as the client is given it."""
        client = heeds.client
        opens = client.opens(api_key)
        if api_key == ApiKey.PRODUCE:
            for topic in response.responses or ():
                for part in topic.partition_responses or ():
                    if not part.error_code:
                        client.succeeded(opens, (topic.name, part.index), now)
        elif not response.error_code:
            for topic in response.responses or ():
                for part in topic.partitions or ():
                    if not part.error_code:
                        client.succeeded(opens, (topic.topic, part.partition_index), now)
