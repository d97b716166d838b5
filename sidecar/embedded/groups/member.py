"""One member of a classic consumer group, and the answers it may be waiting for."""

from collections.abc import Callable
from dataclasses import dataclass, field

from codec.error_codes import ErrorCode


@dataclass(frozen=True, slots=True)
class JoinResult:
    """What a JoinGroup is answered with."""

    error: ErrorCode
    member_id: str
    generation: int = -1
    protocol_type: str | None = None
    protocol: str | None = None
    leader: str = ""
    members: tuple[tuple[str, bytes], ...] = ()
    """Member id and metadata of everyone, for the leader; empty for the others."""


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What a SyncGroup is answered with."""

    error: ErrorCode
    assignment: bytes = b""
    protocol_type: str | None = None
    protocol: str | None = None


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """What a consumer says of itself in a JoinGroup. Times are in seconds."""

    member_id: str
    client_id: str
    client_host: str
    session_timeout: float
    rebalance_timeout: float
    protocol_type: str
    protocols: tuple[tuple[str, bytes], ...]
    """Assignor name and metadata, the most wanted first."""
    require_member_id: bool
    """Answer a first join with MEMBER_ID_REQUIRED and an id (KIP-394, JoinGroup v4+)."""


@dataclass(slots=True, eq=False)
class Member:
    """A member's last JoinGroup, its assignment and its session."""

    member_id: str
    join: JoinRequest
    session_deadline: float
    """Time at which the member is taken for dead, unless it waits for an answer."""
    assignment: bytes = b""
    awaiting_join: list[Callable[[JoinResult], object]] = field(default_factory=list)
    awaiting_sync: list[Callable[[SyncResult], object]] = field(default_factory=list)
    synced: bool = False
    """Has sent SyncGroup in this generation."""

    def answer_join(self, result: JoinResult) -> None:
        """Answer a parked JoinGroup, if there is one."""
        waiting, self.awaiting_join = self.awaiting_join, []
        for reply in waiting:
            reply(result)

    def answer_sync(self, result: SyncResult) -> None:
        """Answer a parked SyncGroup, if there is one."""
        waiting, self.awaiting_sync = self.awaiting_sync, []
        for reply in waiting:
            reply(result)

    def metadata(self, protocol: str | None) -> bytes:
        """The member's metadata for an assignor; empty if it does not know it."""
        return dict(self.join.protocols).get(protocol or "", b"")
