"""The optional `control` beside an interceptor's `config`: our own, the reference has none.

Its keys are the fields of `Selector` and `Limits` in lowerCamel, and when the interceptor ends.
What the lists may hold is the sidecar's to say; here only that it is the right kind of thing.
"""

import math
import re
from typing import Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.timestamp_pb2 import Timestamp

from rest_bridge.errors import bad_request
from rest_bridge.json_body import Json, Number, show
from rest_bridge.plugins import integer, refuse_unknown
from sidecar.gen.kafka.chaos.v1.interceptor_pb2 import Interceptor, Limits, Selector

_LISTS: Final = {field.json_name: field for field in Selector.DESCRIPTOR.fields}
_LIMITS: Final = {field.json_name: field for field in Limits.DESCRIPTOR.fields}
_TTL: Final = "ttlSeconds"
_EXPIRY: Final = "expireTime"
_LEASE: Final = "lease"
_KEYS: Final = (*_LISTS, *_LIMITS, _TTL, _EXPIRY, _LEASE)
_INTEGERS: Final = {"acks": (-1, 1)}
"""What the integers of a list may be, where that is not 0 to 2**31-1."""
_RFC3339: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
    r"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
)
"""protobuf's own parser also takes digits of other scripts, and zones that are none."""
_MAX_TTL: Final = 366 * 86_400
_MICRO: Final = 1_000_000


def read_control(control: Json, into: Interceptor, where: str = "control") -> None:
    """Set selector, limits and end from a `control`, or raise Refusal (400).

    Args:
        where: what refusals call it.
    """
    if not isinstance(control, dict):
        raise bad_request(f"{where} is {show(control)}, a JSON object is needed")
    refuse_unknown(control, _KEYS, f"{where}.")
    for key, value in control.items():
        name = f"{where}.{key}"
        if key in _LISTS:
            field = _LISTS[key]
            getattr(into.selector, field.name).extend(_entries(field, value, name))
        elif key == "maxInjections":
            into.limits.max_injections = integer(value, name, 1, 2**64 - 1)
        elif key == "maxPerSecond":
            into.limits.max_per_second = _number(value, name, "numbers from 0.001 to 100000")
        elif key == _TTL:
            seconds = _number(value, name, f"numbers above 0 and up to {_MAX_TTL}")
            if not 0 < seconds <= _MAX_TTL:
                raise _refused(value, name, f"numbers above 0 and up to {_MAX_TTL}")
            into.ttl.FromMicroseconds(max(1, round(seconds * _MICRO)))
        elif key == _EXPIRY:
            into.expire_time.CopyFrom(_time(value, name))
        else:
            into.lease = _text(value, name)


def control_of(interceptor: Interceptor) -> dict[str, Json]:
    """Return the `control` that describes an interceptor; empty if there is nothing to tell."""
    found: dict[str, Json] = {}
    for key, field in _LISTS.items():
        entries = getattr(interceptor.selector, field.name)
        if entries:
            found[key] = [e if isinstance(e, str) else Number(str(e)) for e in entries]
    for key, field in _LIMITS.items():
        if interceptor.limits.HasField(field.name):  # type: ignore[arg-type]  # its own fields
            value = getattr(interceptor.limits, field.name)
            found[key] = Number(repr(value).removesuffix(".0"))
    if interceptor.HasField("expire_time"):
        found[_EXPIRY] = interceptor.expire_time.ToJsonString()
    if interceptor.lease:
        found[_LEASE] = interceptor.lease
    return found


def _entries(field: FieldDescriptor, value: Json, name: str) -> list[int] | list[str]:
    texts = field.type == FieldDescriptor.TYPE_STRING
    if not isinstance(value, list):
        raise _refused(value, name, f"lists of {'strings' if texts else 'integers'}")
    if texts:
        return [_text(entry, f"{name}[{i}]") for i, entry in enumerate(value)]
    low, high = _INTEGERS.get(field.name, (0, 2**31 - 1))
    return [integer(entry, f"{name}[{i}]", low, high) for i, entry in enumerate(value)]


def _text(value: Json, name: str) -> str:
    if not isinstance(value, str):
        raise _refused(value, name, "strings")
    return value


def _number(value: Json, name: str, allowed: str) -> float:
    if isinstance(value, Number) and math.isfinite(float(value.text)):
        return float(value.text)
    raise _refused(value, name, allowed)


def _time(value: Json, name: str) -> Timestamp:
    time, text = Timestamp(), _text(value, name)
    try:
        if _RFC3339.fullmatch(text):
            time.FromJsonString(text)
            return time
    except ValueError:
        pass  # the 30th of February
    raise _refused(value, name, "times such as 2030-01-31T12:00:00Z")


def _refused(value: Json, name: str, allowed: str) -> Exception:
    return bad_request(f"{name} is {show(value)}, allowed are {allowed}")
