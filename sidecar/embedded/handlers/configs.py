"""DescribeConfigs: the configs of topics, and the few of brokers."""

from codec.error_codes import ErrorCode
from codec.messages.describe_configs import DescribeConfigsRequest, DescribeConfigsResponse
from sidecar.embedded.errors import ApiError
from sidecar.embedded.handlers.context import Context
from sidecar.embedded.settings import Settings
from sidecar.embedded.topic_configs import TOPIC_CONFIGS, ConfigDefault, ConfigSource, ConfigType
from sidecar.embedded.topics import Topic

Resource = DescribeConfigsRequest.DescribeConfigsResource
Result = DescribeConfigsResponse.DescribeConfigsResult
Entry = Result.DescribeConfigsResourceResult

_TOPIC = 2
_BROKER = 4


def describe_configs(request: DescribeConfigsRequest, context: Context) -> DescribeConfigsResponse:
    """Describe each resource, or the configs of it that are asked for."""
    results = []
    for resource in request.resources:
        result = Result(
            resource_type=resource.resource_type,
            resource_name=resource.resource_name,
            error_message=None,
        )
        results.append(result)
        try:
            wanted = resource.configuration_keys
            result.configs = [
                entry for entry in _entries(resource, context) if not wanted or entry.name in wanted
            ]
        except ApiError as error:
            result.error_code, result.error_message = error.code, error.message
    return DescribeConfigsResponse(results=results)


def topic_values(topic: Topic) -> list[tuple[str, str, ConfigSource]]:
    """Name, value and source of every config of a topic."""
    return [
        (
            name,
            topic.configs.get(name, default.value),
            ConfigSource.DYNAMIC_TOPIC_CONFIG
            if name in topic.configs
            else ConfigSource.DEFAULT_CONFIG,
        )
        for name, default in TOPIC_CONFIGS.items()
    ]


def _entries(resource: Resource, context: Context) -> list[Entry]:
    if resource.resource_type == _TOPIC:
        topic = context.cluster.topics.find(resource.resource_name)
        return [
            _entry(name, value, source, TOPIC_CONFIGS[name].type, read_only=False)
            for name, value, source in topic_values(topic)
        ]
    if resource.resource_type == _BROKER:
        if resource.resource_name not in ("", str(context.node_id)):
            reason = f"Unexpected broker id, expected {context.node_id} or empty string"
            raise ApiError(ErrorCode.INVALID_REQUEST, reason)
        values = _broker_configs(context.cluster.settings, context.node_id)
        return [
            _entry(name, each.value, ConfigSource.STATIC_BROKER_CONFIG, each.type, read_only=True)
            for name, each in values.items()
        ]
    reason = f"resource type {resource.resource_type} has no configs here"
    raise ApiError(ErrorCode.INVALID_REQUEST, reason)


def _entry(
    name: str, value: str, source: ConfigSource, kind: ConfigType, *, read_only: bool
) -> Entry:
    return Entry(
        name=name,
        value=value,
        read_only=read_only,
        config_source=source,
        config_type=kind,
        documentation=None,
    )


def _broker_configs(settings: Settings, node_id: int) -> dict[str, ConfigDefault]:
    numbers = {
        "broker.id": node_id,
        "node.id": node_id,
        "num.partitions": settings.num_partitions,
        "default.replication.factor": settings.default_replication_factor,
        "message.max.bytes": settings.max_message_bytes,
        "socket.request.max.bytes": settings.max_request_bytes,
        "fetch.max.bytes": settings.max_fetch_bytes,
        "group.min.session.timeout.ms": settings.min_session_timeout_ms,
        "group.max.session.timeout.ms": settings.max_session_timeout_ms,
    }
    configs = {name: ConfigDefault(str(n), ConfigType.INT) for name, n in numbers.items()}
    creates = "true" if settings.auto_create_topics else "false"
    configs["auto.create.topics.enable"] = ConfigDefault(creates, ConfigType.BOOLEAN)
    return configs
