"""What an orchestrator controls a fault by, between `protos/` and model: selector, limits, end."""

import math
from dataclasses import fields
from typing import Any, Final

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from codec.api_keys import ApiKey
from sidecar.api.violations import collecting
from sidecar.control.interceptors import View
from sidecar.control.leases import LeaseView
from sidecar.gen.kafka.chaos.v1 import interceptor_pb2, lease_pb2
from sidecar.model.errors import FieldViolation, InvalidArgument
from sidecar.model.lease import Lease
from sidecar.model.limits import UNLIMITED, Limits
from sidecar.model.selector import Selector

_LAST: Final = 253402300800
"""The first second of the year 10000, since the epoch; protobuf's times are before it."""
_LATEST: Final = math.nextafter(_LAST, 0)
"""What the last moments before it are taken for: as a float they would be that second itself."""
_MICRO: Final = 1_000_000
_CONTROLS: Final = ("selector", "limits", "expire_time", "ttl", "lease")


def controls_from_proto(
    message: interceptor_pb2.Interceptor, violations: list[FieldViolation]
) -> dict[str, Any]:
    """What `sidecar.model.interceptor.Interceptor` is to be given of these fields.

    Args:
        violations: gets every bad field, with paths below ``interceptor``.
    """
    found: dict[str, Any] = {"lease": message.lease, "draws": tuple(message.draws)}
    with collecting(violations, "interceptor"):
        found["selector"] = _selector(message.selector)
    with collecting(violations, "interceptor"):
        found["limits"] = _limits(message.limits)
    with collecting(violations, "interceptor"):
        found |= _end(message)
    return found


def refuse_controls(message: interceptor_pb2.Interceptor) -> None:
    """Raise InvalidArgument for each of these fields that is set, where they are to be kept."""
    told = "is set, which keep_control excludes: leave one of the two out"
    set_ = {field.name for field, _ in message.ListFields()}.intersection(_CONTROLS)
    if set_:
        paths = [f"interceptor.{name}" for name in _CONTROLS if name in set_]
        raise InvalidArgument(*(FieldViolation(path, f"{path} {told}") for path in paths))


def set_controls(message: interceptor_pb2.Interceptor, view: View) -> None:
    """Write them into their fields of `message`, with those that are told only."""
    item = view.interceptor
    if item.selector:
        for field in fields(Selector):
            getattr(message.selector, field.name).extend(getattr(item.selector, field.name))
    if item.limits.max_injections is not None:
        message.limits.max_injections = item.limits.max_injections
    if item.limits.max_per_second is not None:
        message.limits.max_per_second = item.limits.max_per_second
    if item.expires is not None:
        message.expire_time.FromMicroseconds(round(item.expires * _MICRO))
    message.draws.extend(item.draws)
    message.lease = item.lease
    message.paused = item.paused
    message.state = interceptor_pb2.Interceptor.State.Value(f"STATE_{view.state}")


def lease_from_proto(message: lease_pb2.Lease) -> Lease:
    """Return the lease, or raise InvalidArgument with every bad field at once."""
    return Lease(name=message.name, duration=seconds_of(message.duration))


def lease_to_proto(view: LeaseView) -> lease_pb2.Lease:
    """Return the message with its output-only fields."""
    message = lease_pb2.Lease(name=view.lease.name, interceptors=view.interceptors)
    message.duration.FromMicroseconds(round(view.lease.duration * _MICRO))
    message.expire_time.FromMicroseconds(round(view.lease.expires * _MICRO))
    return message


def seconds_of(duration: Duration) -> float:
    """The length of a duration, to the microsecond."""
    return (duration.seconds * _MICRO + duration.nanos // 1000) / _MICRO


def _selector(message: interceptor_pb2.Selector) -> Selector:
    unknown = [
        FieldViolation(
            f"selector.apis[{place}]",
            f"selector.apis[{place}] is {name!r}, allowed are the names of Kafka's APIs in"
            f" capitals, such as {ApiKey.PRODUCE.name}, {ApiKey.FETCH.name} and"
            f" {ApiKey.JOIN_GROUP.name}",
        )
        for place, name in enumerate(message.apis)
        if name not in ApiKey.__members__
    ]
    lists = {field.name: tuple(getattr(message, field.name)) for field in fields(Selector)}
    try:
        selector = Selector(**lists)
    except InvalidArgument as error:
        raise InvalidArgument(*error.violations, *unknown) from None
    if unknown:
        raise InvalidArgument(*unknown)
    return selector


def _limits(message: interceptor_pb2.Limits) -> Limits:
    found = {
        field.name: getattr(message, field.name)
        for field in fields(Limits)
        if message.HasField(field.name)  # type: ignore[arg-type]  # the names are the same
    }
    return Limits(**found) if found else UNLIMITED


def _end(message: interceptor_pb2.Interceptor) -> dict[str, float]:
    """When it expires, or after how long."""
    if message.HasField("ttl"):
        if message.HasField("expire_time"):
            raise InvalidArgument.of("ttl", "ttl and expire_time exclude each other")
        return {"ttl": seconds_of(message.ttl)}
    if message.HasField("expire_time"):
        return {"expires": _moment(message.expire_time)}
    return {}


def _moment(time: Timestamp) -> float:
    if not (0 <= time.seconds < _LAST and 0 <= time.nanos < 1000 * _MICRO):
        raise InvalidArgument.of(
            "expire_time",
            f"expire_time is {time.seconds} s and {time.nanos} ns since 1970,"
            " allowed are times of the years 1970 to 9999",
        )
    return min((time.seconds * _MICRO + time.nanos // 1000) / _MICRO, _LATEST)
