"""Metadata and DescribeCluster: topics, leaders, brokers."""

from codec.error_codes import ErrorCode
from codec.messages.describe_cluster import DescribeClusterRequest, DescribeClusterResponse
from codec.messages.metadata import MetadataRequest, MetadataResponse
from sidecar.embedded.errors import ApiError
from sidecar.embedded.handlers.context import Context
from sidecar.embedded.topics import NewTopic, Topic

TopicRequest = MetadataRequest.MetadataRequestTopic
TopicResponse = MetadataResponse.MetadataResponseTopic
PartitionResponse = TopicResponse.MetadataResponsePartition

_NULL_NAMES_FROM = 12
_BROKERS = 1


def metadata(request: MetadataRequest, context: Context) -> MetadataResponse:
    """Describe the topics asked for, or all of them, and every broker."""
    cluster = context.cluster
    everything = request.topics is None or (context.version == 0 and not request.topics)
    if everything:
        topics = [_describe(topic) for topic in cluster.topics]
    else:
        topics = [_asked(each, request, context) for each in request.topics or ()]
    return MetadataResponse(
        brokers=[
            MetadataResponse.MetadataResponseBroker(
                node_id=node.node_id, host=node.host, port=node.port
            )
            for node in cluster.endpoints.values()
        ],
        cluster_id=cluster.id,
        controller_id=cluster.controller_id,
        topics=topics,
    )


def describe_cluster(request: DescribeClusterRequest, context: Context) -> DescribeClusterResponse:
    """Describe the brokers; controllers have no listener here (KIP-919)."""
    cluster = context.cluster
    if request.endpoint_type != _BROKERS:
        return DescribeClusterResponse(
            error_code=ErrorCode.MISMATCHED_ENDPOINT_TYPE,
            error_message="This listener is for brokers.",
            endpoint_type=request.endpoint_type,
            cluster_id=cluster.id,
        )
    return DescribeClusterResponse(
        cluster_id=cluster.id,
        controller_id=cluster.controller_id,
        brokers=[
            DescribeClusterResponse.DescribeClusterBroker(
                broker_id=node.node_id, host=node.host, port=node.port
            )
            for node in cluster.endpoints.values()
        ],
    )


def _asked(each: TopicRequest, request: MetadataRequest, context: Context) -> TopicResponse:
    try:
        return _describe(_find(each, request, context))
    except ApiError as error:
        name = each.name
        if name is None and context.version < _NULL_NAMES_FROM:
            name = ""
        return TopicResponse(error_code=error.code, name=name, topic_id=each.topic_id)


def _find(each: TopicRequest, request: MetadataRequest, context: Context) -> Topic:
    cluster = context.cluster
    try:
        return context.topic(each.name, each.topic_id)
    except ApiError as error:
        creatable = error.code is ErrorCode.UNKNOWN_TOPIC_OR_PARTITION and each.name
        if not (creatable and cluster.settings.auto_create_topics):
            raise
        if not request.allow_auto_topic_creation:
            raise
        return cluster.topics.create(NewTopic(each.name or ""))


def _describe(topic: Topic) -> TopicResponse:
    return TopicResponse(
        name=topic.name,
        topic_id=topic.id,
        partitions=[
            PartitionResponse(
                partition_index=partition.index,
                leader_id=partition.leader,
                leader_epoch=partition.leader_epoch,
                replica_nodes=tuple(partition.replicas),
                isr_nodes=tuple(partition.replicas),
            )
            for partition in topic.partitions
        ],
    )
