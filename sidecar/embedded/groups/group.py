"""The state machine of one classic consumer group.

States and transitions are those of Kafka's classic group: Empty, PreparingRebalance (waiting for
every member to join), CompletingRebalance (waiting for the leader's assignment), Stable. Time is
an argument; `expire` does what is due. Static membership (KIP-345) is not kept: an instance id is
ignored.
"""

from collections.abc import Callable, Sequence
from enum import Enum

from codec.error_codes import ErrorCode
from sidecar.embedded.errors import ApiError
from sidecar.embedded.groups.member import JoinRequest, JoinResult, Member, SyncResult


class GroupState(Enum):
    """States as ListGroups and DescribeGroups name them."""

    EMPTY = "Empty"
    PREPARING_REBALANCE = "PreparingRebalance"
    COMPLETING_REBALANCE = "CompletingRebalance"
    STABLE = "Stable"


_RUNNING = (GroupState.COMPLETING_REBALANCE, GroupState.STABLE)


class Group:
    """A classic group.

    Args:
        group_id: its name.
        new_member_id: makes a member id from a client id.
    """

    def __init__(self, group_id: str, new_member_id: Callable[[str], str]) -> None:
        self.group_id = group_id
        self.state = GroupState.EMPTY
        self.generation = 0
        self.protocol_type = ""
        self.protocol: str | None = None
        self.leader: str | None = None
        self.members: dict[str, Member] = {}
        self._pending: dict[str, float] = {}
        self._phase_deadline = float("inf")
        self._new_member_id = new_member_id

    def join(self, request: JoinRequest, now: float, reply: Callable[[JoinResult], object]) -> None:
        """Let a consumer in, or in again. `reply` is called once, now or when the group is ready.

        Raises:
            ApiError: INCONSISTENT_GROUP_PROTOCOL or UNKNOWN_MEMBER_ID.
        """
        self._check_protocols(request)
        member_id = request.member_id
        if not member_id:
            member_id = self._new_member_id(request.client_id)
            if request.require_member_id:
                self._pending[member_id] = now + request.session_timeout
                reply(JoinResult(ErrorCode.MEMBER_ID_REQUIRED, member_id))
                return
            self._add(member_id, request, now, reply)
        elif member_id in self._pending:
            del self._pending[member_id]
            self._add(member_id, request, now, reply)
        elif member_id in self.members:
            self._rejoin(self.members[member_id], request, now, reply)
        else:
            raise ApiError(ErrorCode.UNKNOWN_MEMBER_ID)

    def sync(
        self,
        member_id: str,
        generation: int,
        protocol: tuple[str | None, str | None],
        assignments: dict[str, bytes],
        now: float,
        reply: Callable[[SyncResult], object],
    ) -> None:
        """Hand out the leader's assignment. `reply` is called once, now or when it is there.

        Args:
            member_id: who asks.
            generation: the generation it joined.
            protocol: protocol type and name the member believes in; None means it does not say.
            assignments: by member id; only the leader's are looked at.
            now: seconds.
            reply: takes the answer.

        Raises:
            ApiError: UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION, INCONSISTENT_GROUP_PROTOCOL or
                REBALANCE_IN_PROGRESS.
        """
        member = self._known(member_id, generation)
        if any(
            said is not None and said != true
            for said, true in zip(protocol, (self.protocol_type, self.protocol), strict=True)
        ):
            raise ApiError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
        if self.state not in _RUNNING:
            raise ApiError(ErrorCode.REBALANCE_IN_PROGRESS)
        self._touch(member, now)
        member.synced = True
        member.awaiting_sync.append(reply)
        if self.state is GroupState.STABLE:
            self._answer_sync(member)
        elif member_id == self.leader:
            for other in self.members.values():
                other.assignment = assignments.get(other.member_id, b"")
            self.state = GroupState.STABLE
            for other in self.members.values():
                self._answer_sync(other)

    def heartbeat(self, member_id: str, generation: int, now: float) -> None:
        """Extend a member's session.

        Raises:
            ApiError: UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION or REBALANCE_IN_PROGRESS.
        """
        member = self._known(member_id, generation)
        self._touch(member, now)
        if self.state is GroupState.PREPARING_REBALANCE:
            raise ApiError(ErrorCode.REBALANCE_IN_PROGRESS)

    def leave(self, member_id: str, now: float) -> None:
        """Take a member out.

        Raises:
            ApiError: UNKNOWN_MEMBER_ID.
        """
        if self._pending.pop(member_id, None) is not None:
            return
        member = self.members.get(member_id)
        if member is None:
            raise ApiError(ErrorCode.UNKNOWN_MEMBER_ID)
        self._remove(member, now)

    def check_commit(self, member_id: str, generation: int, now: float) -> None:
        """Check that offsets may be committed; counts as a heartbeat.

        A negative generation is a consumer that assigns itself: allowed while the group is empty.

        Raises:
            ApiError: UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION or REBALANCE_IN_PROGRESS.
        """
        if generation < 0 and self.state is GroupState.EMPTY:
            return
        member = self._known(member_id, generation)
        if self.state is GroupState.COMPLETING_REBALANCE:
            raise ApiError(ErrorCode.REBALANCE_IN_PROGRESS)
        self._touch(member, now)

    def expire(self, now: float) -> None:
        """Drop members whose session is over, and end a phase whose time is up."""
        self._pending = {name: end for name, end in self._pending.items() if end > now}
        for member in tuple(self.members.values()):
            waiting = member.awaiting_join or member.awaiting_sync
            if not waiting and member.session_deadline <= now:
                self._remove(member, now)
        if now < self._phase_deadline:
            return
        if self.state is GroupState.PREPARING_REBALANCE:
            for member in tuple(self.members.values()):
                if not member.awaiting_join:
                    self._forget(member)
            self._complete_join(now)
        elif self.state in _RUNNING:
            self._phase_deadline = float("inf")
            for member in [m for m in self.members.values() if not m.synced]:
                self._remove(member, now)

    @property
    def is_idle(self) -> bool:
        """No member, and none expected."""
        return self.state is GroupState.EMPTY and not self._pending

    def _check_protocols(self, request: JoinRequest) -> None:
        names = {name for name, _ in request.protocols}
        consistent = bool(request.protocol_type and names)
        if self.members and consistent:
            others = [m for m in self.members.values() if m.member_id != request.member_id]
            common = _common_protocols(others)
            consistent = request.protocol_type == self.protocol_type and (
                not others or not names.isdisjoint(common)
            )
        if not consistent:
            raise ApiError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)

    def _add(
        self,
        member_id: str,
        request: JoinRequest,
        now: float,
        reply: Callable[[JoinResult], object],
    ) -> None:
        if not self.members:
            self.protocol_type = request.protocol_type
        member = Member(member_id, request, now + request.session_timeout)
        self.members[member_id] = member
        member.awaiting_join.append(reply)
        self._prepare_rebalance(now)

    def _rejoin(
        self,
        member: Member,
        request: JoinRequest,
        now: float,
        reply: Callable[[JoinResult], object],
    ) -> None:
        changed = member.join.protocols != request.protocols
        must_rebalance = (
            self.state not in _RUNNING
            or changed
            or (self.state is GroupState.STABLE and member.member_id == self.leader)
        )
        member.join = request
        self._touch(member, now)
        if must_rebalance:
            member.awaiting_join.append(reply)
            self._prepare_rebalance(now)
        else:
            reply(self._joined(member))

    def _prepare_rebalance(self, now: float) -> None:
        if self.state is not GroupState.PREPARING_REBALANCE:
            for member in self.members.values():
                member.answer_sync(SyncResult(ErrorCode.REBALANCE_IN_PROGRESS))
                member.assignment = b""
            longest = max((m.join.rebalance_timeout for m in self.members.values()), default=0.0)
            self._phase_deadline = now + longest
            self.state = GroupState.PREPARING_REBALANCE
        if all(member.awaiting_join for member in self.members.values()):
            self._complete_join(now)

    def _complete_join(self, now: float) -> None:
        self.generation += 1
        if not self.members:
            self.state = GroupState.EMPTY
            self.leader = self.protocol = None
            self._phase_deadline = float("inf")
            return
        if self.leader not in self.members:
            self.leader = next(iter(self.members))
        self.protocol = self._vote()
        self.state = GroupState.COMPLETING_REBALANCE
        longest = max(m.join.rebalance_timeout for m in self.members.values())
        self._phase_deadline = now + longest
        for member in tuple(self.members.values()):
            member.synced = False
            self._touch(member, now)
            member.answer_join(self._joined(member))

    def _vote(self) -> str:
        """The assignor most members like best among those all of them know."""
        common = _common_protocols(tuple(self.members.values()))
        votes: dict[str, int] = {}
        for member in self.members.values():
            wanted = next(name for name, _ in member.join.protocols if name in common)
            votes[wanted] = votes.get(wanted, 0) + 1
        return max(votes, key=lambda name: votes[name])

    def _joined(self, member: Member) -> JoinResult:
        leads = member.member_id == self.leader
        return JoinResult(
            ErrorCode.NONE,
            member.member_id,
            self.generation,
            self.protocol_type,
            self.protocol,
            self.leader or "",
            tuple((m.member_id, m.metadata(self.protocol)) for m in self.members.values())
            if leads
            else (),
        )

    def _answer_sync(self, member: Member) -> None:
        member.answer_sync(
            SyncResult(ErrorCode.NONE, member.assignment, self.protocol_type, self.protocol)
        )

    def _known(self, member_id: str, generation: int) -> Member:
        member = self.members.get(member_id)
        if member is None:
            raise ApiError(ErrorCode.UNKNOWN_MEMBER_ID)
        if generation != self.generation:
            raise ApiError(ErrorCode.ILLEGAL_GENERATION)
        return member

    def _touch(self, member: Member, now: float) -> None:
        member.session_deadline = now + member.join.session_timeout

    def _forget(self, member: Member) -> None:
        del self.members[member.member_id]
        member.answer_join(JoinResult(ErrorCode.UNKNOWN_MEMBER_ID, member.member_id))
        member.answer_sync(SyncResult(ErrorCode.UNKNOWN_MEMBER_ID))

    def _remove(self, member: Member, now: float) -> None:
        self._forget(member)
        self._prepare_rebalance(now)


def _common_protocols(members: Sequence[Member]) -> set[str]:
    """Assignors that every one of `members` knows."""
    sets = [{name for name, _ in member.join.protocols} for member in members]
    return set.intersection(*sets) if sets else set()
