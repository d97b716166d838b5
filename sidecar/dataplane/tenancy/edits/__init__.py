"""The APIs whose messages say more than their roles do: one module for each family."""

from collections.abc import Mapping
from typing import Final

from codec.api_keys import ApiKey
from sidecar.dataplane.tenancy.edits.acls import CREATE_ACLS, DELETE_ACLS, DESCRIBE_ACLS
from sidecar.dataplane.tenancy.edits.base import Edit
from sidecar.dataplane.tenancy.edits.configs import (
    ALTER_CONFIGS,
    DESCRIBE_CONFIGS,
    INCREMENTAL_ALTER_CONFIGS,
    LIST_CONFIG_RESOURCES,
)
from sidecar.dataplane.tenancy.edits.coordinators import FIND_COORDINATOR
from sidecar.dataplane.tenancy.edits.members import DESCRIBE_GROUPS, JOIN_GROUP, SYNC_GROUP
from sidecar.dataplane.tenancy.edits.streams import STREAMS_GROUP_HEARTBEAT
from sidecar.dataplane.tenancy.edits.topics import (
    CREATE_TOPICS,
    DELETE_TOPICS,
    DESCRIBE_TOPIC_PARTITIONS,
)

EDITS: Final[Mapping[int, Edit]] = {
    ApiKey.FIND_COORDINATOR: FIND_COORDINATOR,
    ApiKey.JOIN_GROUP: JOIN_GROUP,
    ApiKey.SYNC_GROUP: SYNC_GROUP,
    ApiKey.DESCRIBE_GROUPS: DESCRIBE_GROUPS,
    ApiKey.CREATE_TOPICS: CREATE_TOPICS,
    ApiKey.DELETE_TOPICS: DELETE_TOPICS,
    ApiKey.DESCRIBE_TOPIC_PARTITIONS: DESCRIBE_TOPIC_PARTITIONS,
    ApiKey.DESCRIBE_ACLS: DESCRIBE_ACLS,
    ApiKey.CREATE_ACLS: CREATE_ACLS,
    ApiKey.DELETE_ACLS: DELETE_ACLS,
    ApiKey.DESCRIBE_CONFIGS: DESCRIBE_CONFIGS,
    ApiKey.ALTER_CONFIGS: ALTER_CONFIGS,
    ApiKey.INCREMENTAL_ALTER_CONFIGS: INCREMENTAL_ALTER_CONFIGS,
    ApiKey.LIST_CONFIG_RESOURCES: LIST_CONFIG_RESOURCES,
    ApiKey.STREAMS_GROUP_HEARTBEAT: STREAMS_GROUP_HEARTBEAT,
}

__all__ = ["EDITS", "Edit"]
