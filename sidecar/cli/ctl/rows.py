"""The rows and lines in which people see interceptors, injections and the rest."""

import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sidecar.cli.ctl.output import Row, Table
from sidecar.cli.ctl.values import instant, to_json
from sidecar.gen.kafka.chaos.v1.injection_pb2 import Injection
from sidecar.gen.kafka.chaos.v1.injection_service_pb2 import Gap, ListInjectionsResponse
from sidecar.gen.kafka.chaos.v1.interceptor_pb2 import Interceptor, Scope
from sidecar.gen.kafka.chaos.v1.sidecar_pb2 import SidecarStatus
from sidecar.gen.kafka.chaos.v1.sidecar_service_pb2 import GetStatusResponse
from sidecar.gen.kafka.chaos.v1.token_service_pb2 import CreateTokenResponse
from sidecar.gen.kafka.chaos.v1.virtual_cluster_service_pb2 import ListVirtualClustersResponse


def _interceptor(item: Interceptor) -> Row:
    fault = item.WhichOneof("fault") or ""
    settings = _settings(getattr(item, fault)) if fault else ""
    return (
        item.name,
        scope_words(item.scope),
        str(item.priority),
        fault.replace("_", "-"),
        settings,
        str(item.effective_seed),
        str(item.injections),
    )


def _settings(fault: Any) -> str:
    """The fields of a fault that are set, but for the seed, which has a column of its own."""
    told = to_json(fault)
    return " ".join(
        f"{k}={_plain(v)}" for k, v in told.items() if k != "seed" and v not in (None, {})
    )


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


def gap_words(gap: Gap) -> str:
    """A hole in a stream."""
    if gap.restarted:
        return "GAP: the sidecar was started anew; its injections from here on"
    return f"GAP: {gap.missed} injections went by that it can no longer tell"


def _status(answer: GetStatusResponse) -> Iterable[Row]:
    status = answer.status
    yield (
        status.build.version,
        duration(time.time() - status.start_time.ToNanoseconds() / 1e9),
        state(status),
        str(len(status.brokers)),
        str(status.connections),
        str(status.interceptors),
        str(status.injections),
    )


def state(status: SidecarStatus) -> str:
    """Whether a sidecar injects what it is told to."""
    return "log too slow, injects nothing" if status.injection_paused else "ready"


def duration(seconds: float) -> str:
    """Such as ``3d4h``, ``5m12s``."""
    left, words = max(0, int(seconds)), []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            words.append(f"{count}{unit}")
    return "".join(words[:2]) or "0s"


def _brokers(answer: GetStatusResponse) -> Iterable[Row]:
    for broker in answer.status.brokers:
        yield (str(broker.node_id), f"{broker.host}:{broker.port}", str(broker.client_port))


def _virtual_clusters(answer: ListVirtualClustersResponse) -> Iterable[Row]:
    for one in answer.virtual_clusters:
        counts = (one.alias_topics, one.user_mappings, one.groups, one.interceptors, one.tokens)
        yield (one.name, "yes" if one.configured else "no", *map(str, counts))


def _token(answer: CreateTokenResponse) -> Iterable[Row]:
    yield (instant(answer.expire_time), answer.token)


def _injections(answer: ListInjectionsResponse) -> Iterable[Row]:
    return map(_injection, answer.injections)


_INTERCEPTOR_COLUMNS: Final = (
    *("NAME", "SCOPE", "PRIORITY", "FAULT", "SETTINGS", "SEED", "INJECTIONS"),
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
TOKEN: Final = Table(("EXPIRES", "TOKEN"), _token)
