"""Rung 1 of a simulated leader election: sampled NOT_LEADER_OR_FOLLOWER on Produce.

The request is refused as a whole and never forwarded: clients take this error as "certainly not
appended", so answering a request that was appended would duplicate records.
"""

from dataclasses import dataclass

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from sidecar.faults.base import FORWARD, Answer, Asked, Decision, Disconnect, RequestRule
from sidecar.faults.refusals import refuse_produce
from sidecar.model.faults import Checks

_ERROR = ErrorCode.NOT_LEADER_OR_FOLLOWER


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderElection:
    """Answer sampled Produce requests with NOT_LEADER_OR_FOLLOWER instead of forwarding them.

    Args:
        rate_in_percent: share of requests that are answered, 0 to 100; retries are drawn afresh.
        seed: 0 to 2**64-1; None takes the process seed, or a random one.

    Raises:
        InvalidArgument: a value is out of range.
    """

    rate_in_percent: float
    seed: int | None = None

    def __post_init__(self) -> None:
        checks = Checks()
        checks.rate("rate_in_percent", self.rate_in_percent)
        checks.seed(self.seed)
        checks.done()


class LeaderElectionRule(RequestRule):
    """Answers the sampled share of Produce requests as a broker that lost its partitions."""

    rung = 1
    memorable = True

    def __init__(self, config: LeaderElection) -> None:
        self.share = config.rate_in_percent / 100
        # At 0 it wants nothing, and costs nothing.
        self.apis = frozenset({ApiKey.PRODUCE}) if self.share else frozenset[ApiKey]()

    def decide(self, asked: Asked) -> Decision:
        """Refuse every partition; with acks=0 there is no answer, so the connection closes.

        A request without partitions is forwarded: there is nothing to refuse in it.
        """
        request = asked.request
        if not any(topic.partition_data for topic in request.topic_data or ()):
            return FORWARD
        if request.acks == 0:
            return Disconnect(_ERROR)
        return Answer(refuse_produce(request, _ERROR), _ERROR)
