"""One partition: its leader and leader epoch, its log, and who waits for news of it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from codec.error_codes import ErrorCode
from sidecar.embedded.errors import ApiError
from sidecar.embedded.log import PartitionLog
from sidecar.embedded.producer_state import ProducerStates

NO_EPOCH = -1
"""A client that names no leader epoch asks for no check (KIP-320)."""


@dataclass(slots=True, eq=False)
class Partition:
    """A partition of a topic. Replicas share the one log, so all of them are always in sync."""

    topic: str
    index: int
    replicas: list[int]
    """Node ids, the preferred leader first."""
    leader: int = field(init=False)
    leader_epoch: int = field(init=False, default=0)
    log: PartitionLog = field(init=False, default_factory=PartitionLog)
    producers: ProducerStates = field(init=False, default_factory=ProducerStates)
    deleted: bool = field(init=False, default=False)
    _watchers: set[Callable[[], object]] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self.leader = self.replicas[0]
        self.log.epochs.begin(self.leader_epoch, 0)

    def check_leader(self, node_id: int) -> None:
        """Raise NOT_LEADER_OR_FOLLOWER unless `node_id` leads this partition."""
        if node_id != self.leader:
            raise ApiError(
                ErrorCode.NOT_LEADER_OR_FOLLOWER,
                f"broker {node_id} does not lead {self.topic}-{self.index}",
            )

    def check_epoch(self, current_leader_epoch: int) -> None:
        """Compare the leader epoch a client believes in with the true one (KIP-320).

        Raises:
            ApiError: FENCED_LEADER_EPOCH for an older, UNKNOWN_LEADER_EPOCH for a newer one.
        """
        if current_leader_epoch == NO_EPOCH or current_leader_epoch == self.leader_epoch:
            return
        older = current_leader_epoch < self.leader_epoch
        raise ApiError(
            ErrorCode.FENCED_LEADER_EPOCH if older else ErrorCode.UNKNOWN_LEADER_EPOCH,
            f"leader epoch of {self.topic}-{self.index} is {self.leader_epoch}, "
            f"not {current_leader_epoch}",
        )

    def elect(self, node_id: int) -> None:
        """Make `node_id` the leader, with the next leader epoch; wakes whoever waits.

        A node without a replica takes over the old leader's, as after a reassignment.
        """
        if node_id not in self.replicas:
            self.replicas[self.replicas.index(self.leader)] = node_id
        self.leader = node_id
        self.leader_epoch += 1
        self.log.epochs.begin(self.leader_epoch, self.log.end_offset)
        self.notify()

    def delete(self) -> None:
        """Mark the partition as gone; wakes whoever waits."""
        self.deleted = True
        self.notify()

    def watch(self, callback: Callable[[], object]) -> None:
        """Have `callback` called after every append, election and on deletion."""
        self._watchers.add(callback)

    def unwatch(self, callback: Callable[[], object]) -> None:
        """Stop calling `callback`."""
        self._watchers.discard(callback)

    def notify(self) -> None:
        """Call every watcher."""
        for callback in tuple(self._watchers):
            callback()
