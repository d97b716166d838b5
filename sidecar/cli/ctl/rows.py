"""The rows and lines in which people see interceptors, injections and the rest."""

import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sidecar.cli.ctl import times
from sidecar.cli.ctl.output import Row, Table
from sidecar.cli.ctl.values import enum_name, instant, to_json
from sidecar.gen.kafka.chaos.v1.injection_pb2 import Injection
from sidecar.gen.kafka.chaos.v1.injection_service_pb2 import (
    Gap,
    ListInjectionsResponse,
    WatchInjectionsResponse,
)
from sidecar.gen.kafka.chaos.v1.interceptor_pb2 import Interceptor, Scope
from sidecar.gen.kafka.chaos.v1.lease_pb2 import Lease
from sidecar.gen.kafka.chaos.v1.observation_pb2 import Recovery, SequenceAnomaly
from sidecar.gen.kafka.chaos.v1.sidecar_pb2 import SidecarStatus
from sidecar.gen.kafka.chaos.v1.sidecar_service_pb2 import GetStatusResponse
from sidecar.gen.kafka.chaos.v1.token_service_pb2 import CreateTokenResponse
from sidecar.gen.kafka.chaos.v1.virtual_cluster_service_pb2 import ListVirtualClustersResponse

_UNSET: Final[tuple[Any, ...]] = (None, {}, [])


def _interceptor(item: Interceptor) -> Row:
    fault = item.WhichOneof("fault") or ""
    told: dict[str, Any] = to_json(getattr(item, fault)) if fault else {}
    told.pop("seed", None)  # it has a column of its own
    for part in (item.selector, item.limits):
        told |= to_json(part)
    return (
        item.name,
        scope_words(item.scope),
        str(item.priority),
        fault.replace("_", "-"),
        " ".join(f"{key}={_plain(value)}" for key, value in told.items() if value not in _UNSET),
        enum_name(Interceptor.State.DESCRIPTOR, item.state) or "",
        _ends(item),
        str(item.effective_seed),
        str(item.injections),
    )


def _ends(item: Interceptor) -> str:
    """When an interceptor is over, as far as that is known."""
    when = [instant(item.expire_time)] if item.HasField("expire_time") else []
    return ", ".join([*when, *([f"with lease {item.lease}"] if item.lease else [])])


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, Mapping):
        return ",".join(f"{key}:{_plain(one)}" for key, one in sorted(value.items()))
    return ",".join(map(_plain, value)) if isinstance(value, list) else str(value)


def scope_words(scope: Scope) -> str:
    """Whom an interceptor is for."""
    words = ("vcluster", scope.virtual_cluster), ("group", scope.group), ("user", scope.username)
    return " ".join(f"{kind} {name}" for kind, name in words if name) or "global"


def _injection(item: Injection) -> Row:
    return (
        instant(item.time),
        item.interceptor,
        item.fault.replace("_", "-"),
        item.virtual_cluster,
        what(item),
        item.api,
        place(item),
        item.client_id,
        str(item.record_count) if item.HasField("record_count") else "",
        str(item.draw),
    )


INJECTION_COLUMNS: Final = (
    *("TIME", "INTERCEPTOR", "FAULT", "VCLUSTER", "OUTCOME", "API", "PARTITION", "CLIENT"),
    *("RECORDS", "DRAW"),
)


def place(item: Injection) -> str:
    """The topic-partition an injection struck, as clients call it; empty for a whole request."""
    return f"{item.topic}-{item.partition}" if item.HasField("topic") else ""


def what(item: Injection) -> str:
    """What was done to it."""
    if item.HasField("delay_ms"):
        return f"{item.outcome} {item.delay_ms} ms"
    return item.outcome if item.error in ("", "NONE") else f"{item.outcome} {item.error}"


def injection_line(item: Injection) -> str:
    """An injection as one line, for streams."""
    words = [
        instant(item.time),
        item.interceptor,
        item.virtual_cluster,
        what(item),
        item.api,
        place(item),
        f"client={item.client_id}" if item.HasField("client_id") else "",
        f"records={item.record_count}" if item.HasField("record_count") else "",
        f"draw={item.draw}",
    ]
    return " ".join(word for word in words if word)


def recovery_line(item: Recovery) -> str:
    """What a client needed to succeed again, as one line."""
    seconds = item.duration.ToNanoseconds() / 1e9
    how = f"RECOVERED in {seconds:.3f} s" if item.recovered else f"NOT RECOVERED in {seconds:.0f} s"
    words = [
        instant(item.time),
        item.interceptor,
        item.virtual_cluster,
        how,
        item.api,
        f"{item.topic}-{item.partition}",
        f"client={item.client_id}" if item.HasField("client_id") else "",
        f"errors={item.errors}",
        f"retries={item.retries}",
        f"metadata-refreshes={item.metadata_refreshes}",
    ]
    return " ".join(word for word in words if word)


def anomaly_line(item: SequenceAnomaly) -> str:
    """What is wrong with an acknowledged batch, as one line."""
    words = [
        instant(item.time),
        item.kind,
        item.virtual_cluster,
        f"{item.topic}-{item.partition}",
        f"client={item.client_id}" if item.HasField("client_id") else "",
        f"producer={item.producer_id}/{item.producer_epoch}",
        f"sequence={item.base_sequence}",
        f"expected={item.expected_sequence}",
        f"offset={item.base_offset}",
        f"other-offset={item.other_offset}" if item.HasField("other_offset") else "",
    ]
    return " ".join(word for word in words if word)


def gap_words(gap: Gap) -> str:
    """A hole in a stream."""
    if gap.restarted:
        return "GAP: the sidecar was started anew; its injections from here on"
    what = f"{gap.missed} injections" if gap.missed else f"{gap.missed_observations} observations"
    return f"GAP: {what} went by that it can no longer tell"


def event_line(event: WatchInjectionsResponse) -> str:
    """Any event of a stream but a heartbeat, as one line."""
    match event.WhichOneof("event"):
        case "injection":
            return injection_line(event.injection)
        case "recovery":
            return recovery_line(event.recovery)
        case "sequence_anomaly":
            return anomaly_line(event.sequence_anomaly)
        case "gap":
            return gap_words(event.gap)
        case _:
            return "something this version of ctl does not know"


def _status(answer: GetStatusResponse) -> Iterable[Row]:
    status = answer.status
    yield (
        status.build.version,
        times.words(time.time() - status.start_time.ToNanoseconds() / 1e9),
        state(status),
        str(len(status.brokers)),
        str(status.connections),
        str(status.interceptors),
        str(status.injections),
    )


def state(status: SidecarStatus) -> str:
    """Whether a sidecar injects what it is told to."""
    if status.halted:
        return "halted"
    return "log too slow, injects nothing" if status.injection_paused else "ready"


def _brokers(answer: GetStatusResponse) -> Iterable[Row]:
    for broker in answer.status.brokers:
        yield (str(broker.node_id), f"{broker.host}:{broker.port}", str(broker.client_port))


def _virtual_clusters(answer: ListVirtualClustersResponse) -> Iterable[Row]:
    for one in answer.virtual_clusters:
        counts = (one.alias_topics, one.user_mappings, one.groups, one.interceptors, one.tokens)
        yield (one.name, "yes" if one.configured else "no", *map(str, counts))


def _lease(lease: Lease) -> Row:
    lasting = times.words(lease.duration.ToMilliseconds() / 1000)
    return (lease.name, lasting, instant(lease.expire_time), str(lease.interceptors))


def _token(answer: CreateTokenResponse) -> Iterable[Row]:
    yield (instant(answer.expire_time), answer.token)


def _injections(answer: ListInjectionsResponse) -> Iterable[Row]:
    return map(_injection, answer.injections)


_INTERCEPTOR_COLUMNS: Final = (
    *("NAME", "SCOPE", "PRIORITY", "FAULT", "SETTINGS", "STATE", "ENDS", "SEED", "INJECTIONS"),
)
INTERCEPTOR: Final = Table(_INTERCEPTOR_COLUMNS, lambda answer: [_interceptor(answer.interceptor)])
INTERCEPTORS: Final = Table(
    _INTERCEPTOR_COLUMNS, lambda answer: map(_interceptor, answer.interceptors)
)
INJECTIONS: Final = Table(INJECTION_COLUMNS, _injections)
STATUS: Final = Table(
    ("VERSION", "UPTIME", "STATE", "BROKERS", "CONNECTIONS", "INTERCEPTORS", "INJECTIONS"), _status
)
BROKERS: Final = Table(("BROKER", "ADDRESS", "CLIENT PORT"), _brokers)
VIRTUAL_CLUSTERS: Final = Table(
    ("NAME", "CONFIGURED", "ALIASES", "USERS", "GROUPS", "INTERCEPTORS", "TOKENS"),
    _virtual_clusters,
)
_LEASE_COLUMNS: Final = ("NAME", "DURATION", "ENDS", "INTERCEPTORS")
LEASE: Final = Table(_LEASE_COLUMNS, lambda answer: [_lease(answer.lease)])
LEASES: Final = Table(_LEASE_COLUMNS, lambda answer: map(_lease, answer.leases))
RESET: Final = Table(("DELETED",), lambda answer: [(str(answer.deleted),)])
TOKEN: Final = Table(("EXPIRES", "TOKEN"), _token)
