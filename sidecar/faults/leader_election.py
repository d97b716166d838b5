"""Rung 1 of a simulated leader election: sampled NOT_LEADER_OR_FOLLOWER on Produce.

The request is refused as a whole and never forwarded: clients take this error as "certainly not
appended", so answering a request that was appended would duplicate records.
"""

from typing import Any

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from codec.messages.produce import ProduceResponse
from sidecar.faults.base import FORWARD, Answer, Decision, Disconnect
from sidecar.model.faults import LeaderElection

_ERROR = ErrorCode.NOT_LEADER_OR_FOLLOWER
_UNKNOWN = -1


class LeaderElectionRule:
    """Answers the sampled share of Produce requests as a broker that lost its partitions."""

    kind = "leader_election"
    rung = 1
    memorable = True

    def __init__(self, config: LeaderElection) -> None:
        self.share = config.rate_in_percent / 100
        # At 0 it wants nothing, and costs nothing.
        self.apis = frozenset({ApiKey.PRODUCE}) if self.share else frozenset[ApiKey]()

    def decide(self, api_key: ApiKey, request: Any) -> Decision:
        """Refuse every partition; with acks=0 there is no answer, so the connection closes.

        A request without partitions is forwarded: there is nothing to refuse in it.
        """
        if not any(topic.partition_data for topic in request.topic_data or ()):
            return FORWARD
        if request.acks == 0:
            return Disconnect(_ERROR)
        return Answer(_refusal(request), _ERROR)


def _refusal(request: Any) -> ProduceResponse:
    """The response a broker gives that leads none of the partitions, without KIP-951 hints."""
    topic_response = ProduceResponse.TopicProduceResponse
    partition_response = topic_response.PartitionProduceResponse
    return ProduceResponse(
        responses=[
            topic_response(
                name=topic.name,
                topic_id=topic.topic_id,
                partition_responses=[
                    partition_response(
                        index=partition.index,
                        error_code=_ERROR,
                        base_offset=_UNKNOWN,
                        log_append_time_ms=_UNKNOWN,
                        log_start_offset=_UNKNOWN,
                    )
                    for partition in topic.partition_data
                ],
            )
            for topic in request.topic_data
        ]
    )
