"""JoinGroup, SyncGroup, Heartbeat and LeaveGroup: being a member of a classic group."""

from typing import cast

from gevent.event import AsyncResult

from codec.error_codes import ErrorCode
from codec.messages.heartbeat import HeartbeatRequest, HeartbeatResponse
from codec.messages.join_group import JoinGroupRequest, JoinGroupResponse
from codec.messages.leave_group import LeaveGroupRequest, LeaveGroupResponse
from codec.messages.sync_group import SyncGroupRequest, SyncGroupResponse
from sidecar.embedded.errors import ApiError
from sidecar.embedded.groups.member import JoinRequest, JoinResult, SyncResult
from sidecar.embedded.handlers.context import Context

_MEMBER_ID_REQUIRED_FROM = 4
_NULL_PROTOCOL_FROM = 7
_MEMBER_LIST_FROM = 3


def join_group(request: JoinGroupRequest, context: Context) -> JoinGroupResponse:
    """Enter a group; waits until every member has."""
    session = request.session_timeout_ms / 1000
    rebalance = request.rebalance_timeout_ms / 1000
    wish = JoinRequest(
        member_id=request.member_id,
        client_id=context.client_id,
        client_host=context.client_host,
        session_timeout=session,
        rebalance_timeout=session if rebalance < 0 else rebalance,
        protocol_type=request.protocol_type,
        protocols=tuple((each.name, bytes(each.metadata)) for each in request.protocols),
        require_member_id=context.version >= _MEMBER_ID_REQUIRED_FROM,
    )
    waiting: AsyncResult[JoinResult] = AsyncResult()
    try:
        context.cluster.check_coordinator(request.group_id, context.node_id)
        context.cluster.groups.join(request.group_id, wish, waiting.set)
        result = cast(JoinResult, waiting.get())
    except ApiError as error:
        result = JoinResult(error.code, request.member_id)
    nothing = None if context.version >= _NULL_PROTOCOL_FROM else ""
    return JoinGroupResponse(
        error_code=result.error,
        generation_id=result.generation,
        protocol_type=result.protocol_type,
        protocol_name=nothing if result.protocol is None else result.protocol,
        leader=result.leader,
        member_id=result.member_id,
        members=[
            JoinGroupResponse.JoinGroupResponseMember(member_id=name, metadata=metadata)
            for name, metadata in result.members
        ],
    )


def sync_group(request: SyncGroupRequest, context: Context) -> SyncGroupResponse:
    """Get one's assignment; waits for the leader to send it."""
    waiting: AsyncResult[SyncResult] = AsyncResult()
    try:
        context.cluster.check_coordinator(request.group_id, context.node_id)
        context.cluster.groups.sync(
            request.group_id,
            request.member_id,
            request.generation_id,
            (request.protocol_type, request.protocol_name),
            {each.member_id: bytes(each.assignment) for each in request.assignments},
            waiting.set,
        )
        result = cast(SyncResult, waiting.get())
    except ApiError as error:
        result = SyncResult(error.code)
    return SyncGroupResponse(
        error_code=result.error,
        protocol_type=result.protocol_type,
        protocol_name=result.protocol,
        assignment=result.assignment,
    )


def heartbeat(request: HeartbeatRequest, context: Context) -> HeartbeatResponse:
    """Stay a member."""
    try:
        context.cluster.check_coordinator(request.group_id, context.node_id)
        context.cluster.groups.heartbeat(request.group_id, request.member_id, request.generation_id)
    except ApiError as error:
        return HeartbeatResponse(error_code=error.code)
    return HeartbeatResponse()


def leave_group(request: LeaveGroupRequest, context: Context) -> LeaveGroupResponse:
    """Stop being a member: one, or from version 3 several at once."""
    try:
        context.cluster.check_coordinator(request.group_id, context.node_id)
        if context.version < _MEMBER_LIST_FROM:
            context.cluster.groups.leave(request.group_id, request.member_id)
    except ApiError as error:
        return LeaveGroupResponse(error_code=error.code)
    return LeaveGroupResponse(
        members=[
            LeaveGroupResponse.MemberResponse(
                member_id=each.member_id,
                group_instance_id=each.group_instance_id,
                error_code=_left(request.group_id, each.member_id, context),
            )
            for each in request.members
        ]
    )


def _left(group_id: str, member_id: str, context: Context) -> ErrorCode:
    try:
        context.cluster.groups.leave(group_id, member_id)
    except ApiError as error:
        return error.code
    return ErrorCode.NONE
