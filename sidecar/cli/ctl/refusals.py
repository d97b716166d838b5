"""What becomes of a call that failed: a code, and words that say what to type instead."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

import grpc
from google.rpc.error_details_pb2 import BadRequest  # type: ignore[import-untyped]  # no py.typed
from grpc_status import rpc_status

from sidecar.cli.ctl.controls import SELECTIONS
from sidecar.cli.ctl.faults import KINDS

_NAME: Final = re.compile(
    r"""(?<!\w)(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""  # values, which stay as they are
    r"|(?<![\w.-])((?:scope|selector|limits)\.[a-z_]+|[a-z]+(?:_[a-z]+)+)"
)
"""Another field in a message: its path, or a name of several words. Single ones may be any word."""
_FLAGS: Final = {
    "name": "NAME",
    "priority": "--priority",
    "annotations": "--annotation",
    "virtual_cluster": "--vcluster",
    "group": "--group",
    "groups": "--group",
    "username": "--username",
    "interceptor": "--interceptor",
    "lifetime_seconds": "--lifetime",
    "max_injections": "--max-injections",
    "max_per_second": "--max-per-second",
    "ttl": "--ttl",
    "lease": "--lease",
    "duration": "--duration",
    **{f"selector.{one.field}": f"--select-{one.word}" for one in SELECTIONS},
}
"""Of the last words of paths, or the last two, whatever request they are in."""
_CHECK: Final = (
    "is the sidecar running, and is this its gRPC address? It listens on GATEWAY_GRPC_HOST"
    " (127.0.0.1 by default) and GATEWAY_GRPC_PORT (50051)"
)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a target did not do what it was asked.

    Args:
        code: gRPC's name, such as ``UNAVAILABLE``.
        message: one sentence or more.
    """

    code: str
    message: str


def _check(details: str) -> str:
    """What to look at, by what went wrong."""
    if "CERTIFICATE_VERIFY_FAILED" in details:
        return "its certificate is signed by nobody known here, or for another host: see --ca"
    # "Socket closed" is what plain text hears from a port that speaks TLS.
    if any(word in details for word in ("SSL", "TLS", "tsi_code", "Socket closed")):
        return "is the one end speaking TLS, and the other not? See --tls, --ca and --cert"
    return _CHECK


def failure_of(
    error: grpc.RpcError, seconds: float, words: Mapping[str, str] | None = None
) -> Failure:
    """Put a failed call into words.

    Args:
        seconds: how long it was given.
        words: by field, what a command calls it where that is not what others do.
    """
    call = cast(grpc.Call, error)  # what stubs raise is both
    code, details = call.code(), call.details() or ""
    message = details or "the sidecar gave no reason"
    if code is grpc.StatusCode.UNAVAILABLE and rpc_status.from_call(call) is None:
        message = f"cannot be reached ({_cause(details)}): {_check(details)}"
    elif code is grpc.StatusCode.DEADLINE_EXCEEDED:
        message = f"did not answer within {seconds:g} s (--timeout): {_CHECK}"
    elif code is grpc.StatusCode.UNIMPLEMENTED:
        message = f"this sidecar cannot do that, it is older than this command ({details})"
    elif code is grpc.StatusCode.UNAUTHENTICATED:
        message = f"{details}; put USERNAME:PASSWORD into CHAOS_SIDECAR_CREDENTIALS"
    elif code is grpc.StatusCode.INVALID_ARGUMENT:
        message = _violations(call, words or {}) or message
    return Failure(code.name, message)


def _cause(details: str) -> str:
    """What the system said, of what gRPC says of it."""
    known = {
        "http1": "it speaks HTTP/1, as the REST API does",
        "SETTINGS": "it does not speak gRPC; the REST API does not, for one",
        "DNS": "there is no such host",
        "name not found": "there is no such host",
    }
    for sign, words in known.items():
        if sign in details:
            return words
    return re.split("last error: |: ", details)[-1].strip() or "no reason given"


def _violations(error: grpc.Call, words: Mapping[str, str]) -> str:
    status = rpc_status.from_call(error)
    fields = BadRequest()
    for detail in status.details if status is not None else ():
        detail.Unpack(fields)  # leaves `fields` alone when it is something else
    return "; ".join(_in_flags(v.field, v.description, words) for v in fields.field_violations)


def _in_flags(path: str, description: str, own: Mapping[str, str]) -> str:
    """A description with its field, and others in it, as the flags they come from."""
    place, bracket, index = path.partition("[")
    flags = {**_FLAGS, **_of_the_fault(place), **own}
    key = bracket + index if bracket and not index[:1].isdigit() else ""  # it tells the value
    words = description.replace(path, _flag(flags, place) + key, 1)
    return _NAME.sub(lambda found: _flag(flags, found[1]) if found[1] else found[0], words)


def _flag(flags: Mapping[str, str], path: str) -> str:
    """The flag that a path, or a name in its message, comes from; itself if it is none."""
    *_, last = words = path.split(".")
    return flags.get(".".join(words[-2:]), flags.get(last, path))


def _of_the_fault(path: str) -> dict[str, str]:
    """The flags of the fault that a path leads into, by their fields' names."""
    name = [*path.split("."), ""][1]
    return {f.descriptor.name: f.flag for kind in KINDS if kind.name == name for f in kind.fields()}
