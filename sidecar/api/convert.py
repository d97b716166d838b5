"""Proto messages to model values and back; the only place that knows both.

Field names in refusals are paths in the request, such as ``interceptor.scope.username``.
"""

from collections.abc import Iterable
from types import MappingProxyType
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.timestamp_pb2 import Timestamp

from sidecar.api.controls import controls_from_proto, set_controls
from sidecar.api.faults import fault_from_proto, given_in, set_fault
from sidecar.api.violations import below, collecting
from sidecar.control.interceptors import View
from sidecar.control.ports import Broker, BuildInfo
from sidecar.control.virtual_clusters import VirtualClusterView
from sidecar.gen.kafka.chaos.v1 import (
    alias_topic_pb2,
    group_pb2,
    injection_pb2,
    interceptor_pb2,
    sidecar_pb2,
    user_mapping_pb2,
    virtual_cluster_pb2,
)
from sidecar.model.alias_topic import AliasTopic
from sidecar.model.errors import FieldViolation, InvalidArgument
from sidecar.model.faults import Fault
from sidecar.model.identity import Identity
from sidecar.model.injection import Injection
from sidecar.model.interceptor import Interceptor, Scope
from sidecar.model.names import (
    PASSTHROUGH,
    principal_name,
    resource_name,
    virtual_cluster_name,
)
from sidecar.model.user_mapping import UserMapping

DEFAULT_PRIORITY = 100


class _Nothing:
    """Stands in for a fault until all is checked."""

    seed = None


_NOTHING = _Nothing()


def scope_from_proto(message: interceptor_pb2.Scope) -> Scope:
    """Return the scope, or raise InvalidArgument."""
    return Scope(
        virtual_cluster=message.virtual_cluster, group=message.group, username=message.username
    )


def interceptor_from_proto(message: interceptor_pb2.Interceptor) -> Interceptor:
    """Return the interceptor without its output-only fields.

    Raises:
        InvalidArgument: with every bad field at once, as far as they can be told apart.
    """
    violations: list[FieldViolation] = []
    scope = Scope()  # stands in until all is checked
    fault: Fault = _NOTHING
    with collecting(violations, "interceptor"):
        scope = scope_from_proto(message.scope)
    with collecting(violations, "interceptor"):
        fault = fault_from_proto(message)
    controls = controls_from_proto(message, violations)
    with collecting(violations, "interceptor"):
        result = Interceptor(
            name=message.name,
            scope=scope,
            priority=message.priority if message.HasField("priority") else DEFAULT_PRIORITY,
            fault=fault,
            annotations=MappingProxyType(dict(message.annotations)),
            **controls,
            given=given_in(message),
        )
    if violations:
        raise InvalidArgument(*violations)
    return result


def interceptor_to_proto(view: View) -> interceptor_pb2.Interceptor:
    """Return the message with its output-only fields."""
    item = view.interceptor
    message = interceptor_pb2.Interceptor(
        name=item.name,
        scope=interceptor_pb2.Scope(
            virtual_cluster=item.scope.virtual_cluster,
            group=item.scope.group,
            username=item.scope.username,
        ),
        priority=item.priority,
        annotations=dict(item.annotations),
        uid=item.uid,
        effective_seed=item.seed,
        injections=view.injections,
        etag=view.etag,
    )
    set_fault(message, item)
    set_controls(message, view)
    return message


def definition(view: View) -> dict[str, Any]:
    """What an interceptor is, in JSON; without the client's notes, which may be anything."""
    message = interceptor_to_proto(view)
    for name in ("annotations", "injections", "etag", "state"):
        message.ClearField(name)
    return MessageToDict(message, preserving_proto_field_name=True)


def identity_from_names(virtual_cluster: str, username: str, groups: list[str]) -> Identity:
    """Return the client these names describe; an empty virtual cluster is ``passthrough``.

    Args:
        username: or what the client's credentials call it; empty for nobody.

    Raises:
        InvalidArgument: a name is not one.
    """
    virtual_cluster = virtual_cluster_name(virtual_cluster or PASSTHROUGH)
    if username:
        principal_name(username, "username")
    checked = (resource_name(group, f"groups[{i}]") for i, group in enumerate(groups))
    return Identity(username, virtual_cluster, frozenset(checked))


def virtual_cluster_to_proto(view: VirtualClusterView) -> virtual_cluster_pb2.VirtualCluster:
    """Return the message."""
    return virtual_cluster_pb2.VirtualCluster(
        name=view.name,
        configured=view.configured,
        alias_topics=view.alias_topics,
        user_mappings=view.user_mappings,
        groups=view.groups,
        interceptors=view.interceptors,
        tokens=view.tokens,
    )


def user_mapping_from_proto(message: user_mapping_pb2.UserMapping) -> UserMapping:
    """Return the mapping; an empty virtual cluster is ``passthrough``.

    Raises:
        InvalidArgument: with every bad field at once.
    """
    violations: list[FieldViolation] = []
    groups = []
    for i, group in enumerate(message.groups):
        with collecting(violations, "user_mapping"):
            groups.append(resource_name(group, f"groups[{i}]"))
    with collecting(violations, "user_mapping"):
        result = UserMapping(
            message.virtual_cluster or PASSTHROUGH,
            message.username,
            message.principal,
            frozenset(groups),
        )
    if violations:
        raise InvalidArgument(*violations)
    return result


def user_mapping_to_proto(mapping: UserMapping) -> user_mapping_pb2.UserMapping:
    """Return the message, groups in order of their names."""
    return user_mapping_pb2.UserMapping(
        virtual_cluster=mapping.virtual_cluster,
        username=mapping.username,
        principal=mapping.principal,
        groups=sorted(mapping.groups),
    )


def group_to_proto(name: str, members: Iterable[tuple[str, str]]) -> group_pb2.Group:
    """Return the message, members in order of virtual cluster and username."""
    return group_pb2.Group(
        name=name,
        members=[
            group_pb2.GroupMember(virtual_cluster=virtual_cluster, username=username)
            for virtual_cluster, username in sorted(members)
        ],
    )


def alias_topic_from_proto(message: alias_topic_pb2.AliasTopic) -> AliasTopic:
    """Return the alias, or raise InvalidArgument with every bad field at once."""
    with below("alias_topic"):
        return AliasTopic(message.virtual_cluster, message.logical_name, message.physical_name)


def alias_topic_to_proto(alias: AliasTopic) -> alias_topic_pb2.AliasTopic:
    """Return the message."""
    return alias_topic_pb2.AliasTopic(
        virtual_cluster=alias.virtual_cluster,
        logical_name=alias.logical_name,
        physical_name=alias.physical_name,
    )


def injection_to_proto(sequence: int, injection: Injection) -> injection_pb2.Injection:
    """Return the message; what was not known stays unset."""
    known = {
        name: printable(value) if isinstance(value, str) else value
        for name, value in injection.as_dict().items()
        if name != "time" and value is not None
    }
    return injection_pb2.Injection(
        sequence=sequence,
        time=timestamp(injection.time),
        **known,  # type: ignore[arg-type]  # the field names are the same, a test compares them
    )


def build_to_proto(build: BuildInfo) -> sidecar_pb2.BuildInfo:
    """Return the message."""
    return sidecar_pb2.BuildInfo(version=build.version, time=build.time, commit=build.commit)


def broker_to_proto(broker: Broker) -> sidecar_pb2.Broker:
    """Return the message."""
    return sidecar_pb2.Broker(
        node_id=broker.node_id,
        host=broker.host,
        port=broker.port,
        client_port=broker.client_port,
    )


def timestamp(seconds: float) -> Timestamp:
    """Return `seconds` since the epoch to the microsecond."""
    result = Timestamp()
    result.FromMicroseconds(round(seconds * 1e6))
    return result


def printable(text: str) -> str:
    """Text that a message takes: names come from the wire, and need not be UTF-8."""
    return text.encode("utf-8", "replace").decode("utf-8")
