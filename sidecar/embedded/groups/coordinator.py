"""Every consumer group of a cluster, by name, with its committed offsets.

One coordinator serves the whole cluster; which broker may speak for which group is the cluster's
business. Committed offsets never expire.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from uuid import uuid4

from codec.error_codes import ErrorCode
from sidecar.embedded.errors import ApiError
from sidecar.embedded.groups.group import Group
from sidecar.embedded.groups.member import JoinRequest, JoinResult, SyncResult
from sidecar.embedded.settings import Settings

MAX_OFFSET_METADATA_BYTES = 4096
"""Longest text kept with an offset (`offset.metadata.max.bytes`)."""


@dataclass(frozen=True, slots=True)
class CommittedOffset:
    """What a group committed for one partition."""

    offset: int
    leader_epoch: int = -1
    metadata: str = ""


TopicPartition = tuple[str, int]
"""A topic name and a partition index."""


class GroupCoordinator:
    """The groups of a cluster.

    Args:
        settings: for the limits of session timeouts.
        clock: monotonic seconds.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._clock = clock
        self._groups: dict[str, Group] = {}
        self._offsets: dict[str, dict[TopicPartition, CommittedOffset]] = {}

    def join(
        self, group_id: str, request: JoinRequest, reply: Callable[[JoinResult], object]
    ) -> None:
        """JoinGroup; `reply` is called once, now or later. A new group comes into being.

        Raises:
            ApiError: INVALID_GROUP_ID, INVALID_SESSION_TIMEOUT, INCONSISTENT_GROUP_PROTOCOL or
                UNKNOWN_MEMBER_ID.
        """
        if not group_id:
            raise ApiError(ErrorCode.INVALID_GROUP_ID)
        milliseconds = request.session_timeout * 1000
        settings = self._settings
        if not (settings.min_session_timeout_ms <= milliseconds <= settings.max_session_timeout_ms):
            raise ApiError(ErrorCode.INVALID_SESSION_TIMEOUT)
        group = self._groups.get(group_id)
        if group is None:
            if request.member_id:
                raise ApiError(ErrorCode.UNKNOWN_MEMBER_ID)
            group = Group(group_id, _new_member_id)
        group.join(request, self._clock(), reply)
        self._groups[group_id] = group

    def sync(
        self,
        group_id: str,
        member_id: str,
        generation: int,
        protocol: tuple[str | None, str | None],
        assignments: dict[str, bytes],
        reply: Callable[[SyncResult], object],
    ) -> None:
        """SyncGroup; see `Group.sync`.

        Raises:
            ApiError: as `Group.sync`.
        """
        group = self._member_group(group_id)
        group.sync(member_id, generation, protocol, assignments, self._clock(), reply)

    def heartbeat(self, group_id: str, member_id: str, generation: int) -> None:
        """Heartbeat; see `Group.heartbeat`.

        Raises:
            ApiError: as `Group.heartbeat`.
        """
        self._member_group(group_id).heartbeat(member_id, generation, self._clock())

    def leave(self, group_id: str, member_id: str) -> None:
        """LeaveGroup for one member.

        Raises:
            ApiError: INVALID_GROUP_ID or UNKNOWN_MEMBER_ID.
        """
        self._member_group(group_id).leave(member_id, self._clock())

    def commit(
        self,
        group_id: str,
        member_id: str,
        generation: int,
        offsets: Mapping[TopicPartition, CommittedOffset],
    ) -> None:
        """Keep offsets for a group; one without members may be new.

        Raises:
            ApiError: INVALID_GROUP_ID, ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID or
                REBALANCE_IN_PROGRESS.
        """
        if not group_id:
            raise ApiError(ErrorCode.INVALID_GROUP_ID)
        group = self._groups.get(group_id)
        if group is None:
            if generation >= 0:
                raise ApiError(ErrorCode.ILLEGAL_GENERATION)
            group = self._groups[group_id] = Group(group_id, _new_member_id)
        group.check_commit(member_id, generation, self._clock())
        self._offsets.setdefault(group_id, {}).update(offsets)

    def offsets(self, group_id: str) -> Mapping[TopicPartition, CommittedOffset]:
        """Everything a group has committed, by topic and partition."""
        return self._offsets.get(group_id, {})

    def find(self, group_id: str) -> Group | None:
        """The group with this name, if there is one."""
        return self._groups.get(group_id)

    def groups(self) -> Iterable[Group]:
        """All groups."""
        return tuple(self._groups.values())

    def delete(self, group_id: str) -> None:
        """Forget a group and its offsets.

        Raises:
            ApiError: GROUP_ID_NOT_FOUND or NON_EMPTY_GROUP.
        """
        group = self._groups.get(group_id)
        if group is None:
            raise ApiError(ErrorCode.GROUP_ID_NOT_FOUND)
        if not group.is_idle:
            raise ApiError(ErrorCode.NON_EMPTY_GROUP)
        del self._groups[group_id]
        self._offsets.pop(group_id, None)

    def forget_topic(self, topic: str) -> None:
        """Drop the offsets of a deleted topic."""
        for offsets in self._offsets.values():
            for key in [key for key in offsets if key[0] == topic]:
                del offsets[key]

    def expire(self) -> None:
        """Do what is due: dead members, ended phases, groups that hold nothing."""
        now = self._clock()
        for group in tuple(self._groups.values()):
            group.expire(now)
            if group.is_idle and not self._offsets.get(group.group_id):
                del self._groups[group.group_id]
                self._offsets.pop(group.group_id, None)

    def _member_group(self, group_id: str) -> Group:
        if not group_id:
            raise ApiError(ErrorCode.INVALID_GROUP_ID)
        group = self._groups.get(group_id)
        if group is None:
            raise ApiError(ErrorCode.UNKNOWN_MEMBER_ID)
        return group


def _new_member_id(client_id: str) -> str:
    return f"{client_id}-{uuid4()}"
