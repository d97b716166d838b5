"""FindCoordinator, ListGroups, DescribeGroups and DeleteGroups."""

from codec.error_codes import ErrorCode
from codec.messages.delete_groups import DeleteGroupsRequest, DeleteGroupsResponse
from codec.messages.describe_groups import DescribeGroupsRequest, DescribeGroupsResponse
from codec.messages.find_coordinator import FindCoordinatorRequest, FindCoordinatorResponse
from codec.messages.list_groups import ListGroupsRequest, ListGroupsResponse
from sidecar.embedded.errors import ApiError
from sidecar.embedded.groups.group import Group, GroupState
from sidecar.embedded.handlers.context import Context

DescribedGroup = DescribeGroupsResponse.DescribedGroup
Coordinator = FindCoordinatorResponse.Coordinator

_KEY_LIST_FROM = 4
_NOT_FOUND_FROM = 6
_GROUP = 0
_TRANSACTION = 1
_CLASSIC = "classic"


def find_coordinator(request: FindCoordinatorRequest, context: Context) -> FindCoordinatorResponse:
    """Name the broker that coordinates a group; there are no other coordinators here."""
    if context.version >= _KEY_LIST_FROM:
        found = [_coordinator(key, request.key_type, context) for key in request.coordinator_keys]
        return FindCoordinatorResponse(coordinators=found)
    one = _coordinator(request.key, request.key_type, context)
    return FindCoordinatorResponse(
        error_code=one.error_code,
        error_message=one.error_message,
        node_id=one.node_id,
        host=one.host,
        port=one.port,
    )


def list_groups(request: ListGroupsRequest, context: Context) -> ListGroupsResponse:
    """The groups this broker coordinates, filtered by state and type (KIP-518, KIP-848)."""
    states = {state.lower() for state in request.states_filter}
    types = {kind.lower() for kind in request.types_filter}
    return ListGroupsResponse(
        groups=[
            ListGroupsResponse.ListedGroup(
                group_id=group.group_id,
                protocol_type=group.protocol_type,
                group_state=group.state.value,
                group_type=_CLASSIC,
            )
            for group in context.cluster.groups.groups()
            if context.cluster.coordinator_of(group.group_id).node_id == context.node_id
            and (not states or group.state.value.lower() in states)
            and (not types or _CLASSIC in types)
        ]
    )


def describe_groups(request: DescribeGroupsRequest, context: Context) -> DescribeGroupsResponse:
    """State and members of groups."""
    return DescribeGroupsResponse(groups=[_describe(name, context) for name in request.groups])


def delete_groups(request: DeleteGroupsRequest, context: Context) -> DeleteGroupsResponse:
    """Delete groups without members, and their offsets."""
    results = []
    for name in request.groups_names:
        code = ErrorCode.NONE
        try:
            context.cluster.check_coordinator(name, context.node_id)
            context.cluster.groups.delete(name)
        except ApiError as error:
            code = error.code
        results.append(DeleteGroupsResponse.DeletableGroupResult(group_id=name, error_code=code))
    return DeleteGroupsResponse(results=results)


def _coordinator(key: str, key_type: int, context: Context) -> Coordinator:
    if key_type == _GROUP and key:
        node = context.cluster.coordinator_of(key)
        return Coordinator(
            key=key, node_id=node.node_id, host=node.host, port=node.port, error_message=""
        )
    code = ErrorCode.INVALID_REQUEST
    if key_type == _GROUP:
        code = ErrorCode.INVALID_GROUP_ID
    elif key_type == _TRANSACTION:
        code = ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
    message = "the embedded cluster coordinates consumer groups only"
    return Coordinator(
        key=key, node_id=-1, host="", port=-1, error_code=code, error_message=message
    )


def _describe(name: str, context: Context) -> DescribedGroup:
    try:
        context.cluster.check_coordinator(name, context.node_id)
    except ApiError as error:
        return DescribedGroup(group_id=name, error_code=error.code)
    group = context.cluster.groups.find(name)
    if group is None:
        # Before KIP-1043 a group that does not exist was described as dead, without an error.
        missing = context.version >= _NOT_FOUND_FROM
        return DescribedGroup(
            group_id=name,
            error_code=ErrorCode.GROUP_ID_NOT_FOUND if missing else ErrorCode.NONE,
            error_message=f"Group {name} not found." if missing else None,
            group_state="Dead",
        )
    return _described(group)


def _described(group: Group) -> DescribedGroup:
    stable = group.state is GroupState.STABLE
    return DescribedGroup(
        group_id=group.group_id,
        group_state=group.state.value,
        protocol_type=group.protocol_type,
        protocol_data=(group.protocol or "") if stable else "",
        members=[
            DescribedGroup.DescribedGroupMember(
                member_id=member.member_id,
                client_id=member.join.client_id,
                client_host=member.join.client_host,
                member_metadata=member.metadata(group.protocol) if stable else b"",
                member_assignment=member.assignment,
            )
            for member in group.members.values()
        ],
    )
