"""A broken broker: sampled Produce and Fetch requests get an error and are not forwarded."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from sidecar.faults.base import FORWARD, Answer, Asked, Decision, Disconnect, RequestRule
from sidecar.faults.refusals import refuse_fetch, refuse_produce, refuse_whole_fetch
from sidecar.model.faults import Checks

_DEFAULTS = {"PRODUCE": "CORRUPT_MESSAGE", "FETCH": "UNKNOWN_SERVER_ERROR"}
ALLOWED: Mapping[str, tuple[str, ...]] = {
    "PRODUCE": (
        "CORRUPT_MESSAGE",
        "UNKNOWN_TOPIC_OR_PARTITION",
        "NOT_LEADER_OR_FOLLOWER",
        "INVALID_TOPIC_EXCEPTION",
        "RECORD_LIST_TOO_LARGE",
        "NOT_ENOUGH_REPLICAS",
        "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
        "INVALID_REQUIRED_ACKS",
        "TOPIC_AUTHORIZATION_FAILED",
        "UNSUPPORTED_FOR_MESSAGE_FORMAT",
        "INVALID_PRODUCER_EPOCH",
        "CLUSTER_AUTHORIZATION_FAILED",
        "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
        "INVALID_RECORD",
    ),
    "FETCH": (
        "OFFSET_OUT_OF_RANGE",
        "TOPIC_AUTHORIZATION_FAILED",
        "REPLICA_NOT_AVAILABLE",
        "NOT_LEADER_OR_FOLLOWER",
        "FENCED_LEADER_EPOCH",
        "UNKNOWN_LEADER_EPOCH",
        "UNKNOWN_TOPIC_OR_PARTITION",
        "KAFKA_STORAGE_ERROR",
        "UNSUPPORTED_COMPRESSION_TYPE",
        "CORRUPT_MESSAGE",
        "UNKNOWN_TOPIC_ID",
        "FETCH_SESSION_TOPIC_ID_ERROR",
        "INCONSISTENT_TOPIC_ID",
        "UNKNOWN_SERVER_ERROR",
    ),
}
"""By API the errors that the reference allows."""
_OF_THE_SESSION = frozenset({ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR})
"""Errors of a whole Fetch, in its head."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenBroker:
    """Answer sampled Produce and Fetch requests with errors instead of forwarding them.

    Args:
        rate_in_percent: share of requests that are answered, 0 to 100; retries are drawn afresh.
        error_map: by API (PRODUCE, FETCH) one of the errors `ALLOWED` for it; an API that is not
            named gets none.
        seed: 0 to 2**64-1; None takes the process seed, or a random one.

    Raises:
        InvalidArgument: a value is none of these.
    """

    rate_in_percent: float
    error_map: Mapping[str, str] = field(default_factory=lambda: MappingProxyType(_DEFAULTS))
    seed: int | None = None

    def __post_init__(self) -> None:
        checks = Checks()
        checks.rate("rate_in_percent", self.rate_in_percent)
        for api, error in self.error_map.items():
            if api not in ALLOWED:
                names = ", ".join(ALLOWED)
                checks.refuse("error_map", f"error_map has the key {api!r}, allowed are {names}")
            elif error not in ALLOWED[api]:
                names = ", ".join(ALLOWED[api])
                checks.refuse("error_map", f"error_map[{api!r}] is {error!r}, allowed are {names}")
        checks.seed(self.seed)
        checks.done()


class BrokenBrokerRule(RequestRule):
    """Answers the sampled share of requests with the error of their API."""

    def __init__(self, config: BrokenBroker) -> None:
        self.share = config.rate_in_percent / 100
        self._errors = {ApiKey[api]: ErrorCode[name] for api, name in config.error_map.items()}
        self.apis = frozenset(self._errors if self.share else ())

    def decide(self, asked: Asked) -> Decision:
        """Refuse every partition; with acks=0 there is no answer, so the connection closes.

        A Fetch that goes on with a session and names no partition gets the error as a whole; any
        other request without partitions is forwarded: there is nothing to refuse in it.
        """
        request, error = asked.request, self._errors[asked.api]
        if asked.api is ApiKey.PRODUCE:
            if not any(topic.partition_data for topic in request.topic_data or ()):
                return FORWARD
            if request.acks == 0:
                return Disconnect(error)
            return Answer(refuse_produce(request, error), error)
        named = any(topic.partitions for topic in request.topics or ())
        if error in _OF_THE_SESSION or (request.session_epoch > 0 and not named):
            return Answer(refuse_whole_fetch(error), error)
        return Answer(refuse_fetch(request, error), error) if named else FORWARD
