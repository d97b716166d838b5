"""CreateTopics, DeleteTopics and CreatePartitions. Any broker takes them, as with KRaft."""

from collections import Counter

from codec.error_codes import ErrorCode
from codec.messages.create_partitions import CreatePartitionsRequest, CreatePartitionsResponse
from codec.messages.create_topics import CreateTopicsRequest, CreateTopicsResponse
from codec.messages.delete_topics import DeleteTopicsRequest, DeleteTopicsResponse
from codec.schema import ZERO_UUID
from sidecar.embedded.errors import ApiError
from sidecar.embedded.handlers.configs import topic_values
from sidecar.embedded.handlers.context import Context
from sidecar.embedded.topics import NewTopic, Topic

Creatable = CreateTopicsRequest.CreatableTopic
Created = CreateTopicsResponse.CreatableTopicResult
Deleted = DeleteTopicsResponse.DeletableTopicResult
Grown = CreatePartitionsResponse.CreatePartitionsTopicResult

_IDS_FROM = 6


def create_topics(request: CreateTopicsRequest, context: Context) -> CreateTopicsResponse:
    """Create topics, each on its own; a name asked for twice is refused both times."""
    named = Counter(topic.name for topic in request.topics)
    response = CreateTopicsResponse()
    for name in named:
        wishes = [topic for topic in request.topics if topic.name == name]
        try:
            if len(wishes) > 1:
                raise ApiError(ErrorCode.INVALID_REQUEST, "Duplicate topic name.")
            wish = _wish(wishes[0])
            topic = context.cluster.topics.create(wish, validate_only=request.validate_only)
            response.topics.append(_created(topic, validate_only=request.validate_only))
        except ApiError as error:
            response.topics.append(
                Created(name=name, error_code=error.code, error_message=error.message)
            )
    return response


def delete_topics(request: DeleteTopicsRequest, context: Context) -> DeleteTopicsResponse:
    """Delete topics, by name or from version 6 by id."""
    response = DeleteTopicsResponse()
    asked: list[tuple[str | None, bytes]] = [(name, ZERO_UUID) for name in request.topic_names]
    if context.version >= _IDS_FROM:
        asked = [(topic.name, topic.topic_id) for topic in request.topics]
    for name, topic_id in asked:
        try:
            topic = context.topic(name, topic_id)
            context.cluster.delete_topic(topic)
            response.responses.append(Deleted(name=topic.name, topic_id=topic.id))
        except ApiError as error:
            response.responses.append(
                Deleted(
                    name=name, topic_id=topic_id, error_code=error.code, error_message=error.message
                )
            )
    return response


def create_partitions(
    request: CreatePartitionsRequest, context: Context
) -> CreatePartitionsResponse:
    """Give topics more partitions."""
    response = CreatePartitionsResponse()
    for each in request.topics:
        assignments = None
        if each.assignments is not None:
            assignments = [list(replicas.broker_ids) for replicas in each.assignments]
        result = Grown(name=each.name)
        response.results.append(result)
        try:
            context.cluster.topics.grow(
                each.name, each.count, assignments, validate_only=request.validate_only
            )
        except ApiError as error:
            result.error_code, result.error_message = error.code, error.message
    return response


def _wish(asked: Creatable) -> NewTopic:
    assignments = {each.partition_index: tuple(each.broker_ids) for each in asked.assignments}
    if len(assignments) != len(asked.assignments):
        raise ApiError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, "a partition is assigned twice")
    return NewTopic(
        name=asked.name,
        num_partitions=asked.num_partitions,
        replication_factor=asked.replication_factor,
        assignments=assignments,
        configs={each.name: each.value for each in asked.configs},
    )


def _created(topic: Topic, *, validate_only: bool) -> Created:
    return Created(
        name=topic.name,
        topic_id=ZERO_UUID if validate_only else topic.id,
        error_message=None,
        num_partitions=len(topic.partitions),
        replication_factor=topic.replication_factor,
        configs=[
            Created.CreatableTopicConfigs(
                name=name, value=value, config_source=source, is_sensitive=False
            )
            for name, value, source in topic_values(topic)
        ],
    )
