"""Which APIs the codec has layouts for. To add one, see codec.messages.

A module of messages is imported when one of them is first needed: most processes see few APIs.
"""

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Final, cast

from codec.api_keys import FLEXIBLE_SINCE, ApiKey, is_flexible
from codec.errors import UnsupportedVersion
from codec.schema import Message, Request, Response

# For each API, in the order of keys: its module in codec.messages, and the lowest and highest
# version that module declares.
_MODULES: Final[dict[ApiKey, tuple[str, int, int]]] = {
    ApiKey.PRODUCE: ("produce", 0, 13),
    ApiKey.FETCH: ("fetch", 0, 18),
    ApiKey.LIST_OFFSETS: ("list_offsets", 0, 11),
    ApiKey.METADATA: ("metadata", 0, 13),
    ApiKey.LEADER_AND_ISR: ("leader_and_isr", 0, 7),
    ApiKey.STOP_REPLICA: ("stop_replica", 0, 4),
    ApiKey.UPDATE_METADATA: ("update_metadata", 0, 8),
    ApiKey.CONTROLLED_SHUTDOWN: ("controlled_shutdown", 0, 3),
    ApiKey.OFFSET_COMMIT: ("offset_commit", 0, 10),
    ApiKey.OFFSET_FETCH: ("offset_fetch", 0, 10),
    ApiKey.FIND_COORDINATOR: ("find_coordinator", 0, 6),
    ApiKey.JOIN_GROUP: ("join_group", 0, 9),
    ApiKey.HEARTBEAT: ("heartbeat", 0, 4),
    ApiKey.LEAVE_GROUP: ("leave_group", 0, 5),
    ApiKey.SYNC_GROUP: ("sync_group", 0, 5),
    ApiKey.DESCRIBE_GROUPS: ("describe_groups", 0, 6),
    ApiKey.LIST_GROUPS: ("list_groups", 0, 5),
    ApiKey.SASL_HANDSHAKE: ("sasl_handshake", 0, 1),
    ApiKey.API_VERSIONS: ("api_versions", 0, 4),
    ApiKey.CREATE_TOPICS: ("create_topics", 0, 7),
    ApiKey.DELETE_TOPICS: ("delete_topics", 0, 6),
    ApiKey.DELETE_RECORDS: ("delete_records", 0, 2),
    ApiKey.INIT_PRODUCER_ID: ("init_producer_id", 0, 6),
    ApiKey.OFFSET_FOR_LEADER_EPOCH: ("offset_for_leader_epoch", 0, 4),
    ApiKey.ADD_PARTITIONS_TO_TXN: ("add_partitions_to_txn", 0, 5),
    ApiKey.ADD_OFFSETS_TO_TXN: ("add_offsets_to_txn", 0, 4),
    ApiKey.END_TXN: ("end_txn", 0, 5),
    ApiKey.WRITE_TXN_MARKERS: ("write_txn_markers", 0, 2),
    ApiKey.TXN_OFFSET_COMMIT: ("txn_offset_commit", 0, 5),
    ApiKey.DESCRIBE_ACLS: ("describe_acls", 0, 3),
    ApiKey.CREATE_ACLS: ("create_acls", 0, 3),
    ApiKey.DELETE_ACLS: ("delete_acls", 0, 3),
    ApiKey.DESCRIBE_CONFIGS: ("describe_configs", 0, 4),
    ApiKey.ALTER_CONFIGS: ("alter_configs", 0, 2),
    ApiKey.ALTER_REPLICA_LOG_DIRS: ("alter_replica_log_dirs", 0, 2),
    ApiKey.DESCRIBE_LOG_DIRS: ("describe_log_dirs", 0, 5),
    ApiKey.SASL_AUTHENTICATE: ("sasl_authenticate", 0, 2),
    ApiKey.CREATE_PARTITIONS: ("create_partitions", 0, 3),
    ApiKey.CREATE_DELEGATION_TOKEN: ("create_delegation_token", 0, 3),
    ApiKey.RENEW_DELEGATION_TOKEN: ("renew_delegation_token", 0, 2),
    ApiKey.EXPIRE_DELEGATION_TOKEN: ("expire_delegation_token", 0, 2),
    ApiKey.DESCRIBE_DELEGATION_TOKEN: ("describe_delegation_token", 0, 3),
    ApiKey.DELETE_GROUPS: ("delete_groups", 0, 2),
    ApiKey.ELECT_LEADERS: ("elect_leaders", 0, 2),
    ApiKey.INCREMENTAL_ALTER_CONFIGS: ("incremental_alter_configs", 0, 1),
    ApiKey.ALTER_PARTITION_REASSIGNMENTS: ("alter_partition_reassignments", 0, 1),
    ApiKey.LIST_PARTITION_REASSIGNMENTS: ("list_partition_reassignments", 0, 0),
    ApiKey.OFFSET_DELETE: ("offset_delete", 0, 0),
    ApiKey.DESCRIBE_CLIENT_QUOTAS: ("describe_client_quotas", 0, 1),
    ApiKey.ALTER_CLIENT_QUOTAS: ("alter_client_quotas", 0, 1),
    ApiKey.DESCRIBE_USER_SCRAM_CREDENTIALS: ("describe_user_scram_credentials", 0, 0),
    ApiKey.ALTER_USER_SCRAM_CREDENTIALS: ("alter_user_scram_credentials", 0, 0),
    ApiKey.VOTE: ("vote", 0, 2),
    ApiKey.BEGIN_QUORUM_EPOCH: ("begin_quorum_epoch", 0, 1),
    ApiKey.END_QUORUM_EPOCH: ("end_quorum_epoch", 0, 1),
    ApiKey.DESCRIBE_QUORUM: ("describe_quorum", 0, 2),
    ApiKey.ALTER_PARTITION: ("alter_partition", 0, 3),
    ApiKey.UPDATE_FEATURES: ("update_features", 0, 2),
    ApiKey.ENVELOPE: ("envelope", 0, 0),
    ApiKey.FETCH_SNAPSHOT: ("fetch_snapshot", 0, 1),
    ApiKey.DESCRIBE_CLUSTER: ("describe_cluster", 0, 2),
    ApiKey.DESCRIBE_PRODUCERS: ("describe_producers", 0, 0),
    ApiKey.BROKER_REGISTRATION: ("broker_registration", 0, 4),
    ApiKey.BROKER_HEARTBEAT: ("broker_heartbeat", 0, 2),
    ApiKey.UNREGISTER_BROKER: ("unregister_broker", 0, 0),
    ApiKey.DESCRIBE_TRANSACTIONS: ("describe_transactions", 0, 0),
    ApiKey.LIST_TRANSACTIONS: ("list_transactions", 0, 2),
    ApiKey.ALLOCATE_PRODUCER_IDS: ("allocate_producer_ids", 0, 0),
    ApiKey.CONSUMER_GROUP_HEARTBEAT: ("consumer_group_heartbeat", 0, 1),
    ApiKey.CONSUMER_GROUP_DESCRIBE: ("consumer_group_describe", 0, 1),
    ApiKey.CONTROLLER_REGISTRATION: ("controller_registration", 0, 0),
    ApiKey.GET_TELEMETRY_SUBSCRIPTIONS: ("get_telemetry_subscriptions", 0, 0),
    ApiKey.PUSH_TELEMETRY: ("push_telemetry", 0, 0),
    ApiKey.ASSIGN_REPLICAS_TO_DIRS: ("assign_replicas_to_dirs", 0, 0),
    ApiKey.LIST_CONFIG_RESOURCES: ("list_config_resources", 0, 1),
    ApiKey.DESCRIBE_TOPIC_PARTITIONS: ("describe_topic_partitions", 0, 0),
    ApiKey.SHARE_GROUP_HEARTBEAT: ("share_group_heartbeat", 0, 1),
    ApiKey.SHARE_GROUP_DESCRIBE: ("share_group_describe", 0, 1),
    ApiKey.SHARE_FETCH: ("share_fetch", 0, 2),
    ApiKey.SHARE_ACKNOWLEDGE: ("share_acknowledge", 0, 2),
    ApiKey.ADD_RAFT_VOTER: ("add_raft_voter", 0, 1),
    ApiKey.REMOVE_RAFT_VOTER: ("remove_raft_voter", 0, 0),
    ApiKey.UPDATE_RAFT_VOTER: ("update_raft_voter", 0, 0),
    ApiKey.INITIALIZE_SHARE_GROUP_STATE: ("initialize_share_group_state", 0, 0),
    ApiKey.READ_SHARE_GROUP_STATE: ("read_share_group_state", 0, 0),
    ApiKey.WRITE_SHARE_GROUP_STATE: ("write_share_group_state", 0, 1),
    ApiKey.DELETE_SHARE_GROUP_STATE: ("delete_share_group_state", 0, 0),
    ApiKey.READ_SHARE_GROUP_STATE_SUMMARY: ("read_share_group_state_summary", 0, 1),
    ApiKey.STREAMS_GROUP_HEARTBEAT: ("streams_group_heartbeat", 0, 0),
    ApiKey.STREAMS_GROUP_DESCRIBE: ("streams_group_describe", 0, 0),
    ApiKey.DESCRIBE_SHARE_GROUP_OFFSETS: ("describe_share_group_offsets", 0, 1),
    ApiKey.ALTER_SHARE_GROUP_OFFSETS: ("alter_share_group_offsets", 0, 0),
    ApiKey.DELETE_SHARE_GROUP_OFFSETS: ("delete_share_group_offsets", 0, 0),
}


@dataclass(frozen=True, slots=True)
class Api:
    """One API: its key, its versions (both ends inclusive), its two messages.

    `flexible_since` is above every version for an API that never became flexible. `module` is the
    module of the messages, which asking for one of them imports.
    """

    key: ApiKey
    min_version: int
    max_version: int
    flexible_since: int
    module: str

    @property
    def request(self) -> type[Request]:
        """The class of its requests."""
        return cast(type[Request], _message(self.key, self.module, is_request=True))

    @property
    def response(self) -> type[Response]:
        """The class of its responses."""
        return cast(type[Response], _message(self.key, self.module, is_request=False))


@cache
def _message(key: ApiKey, module: str, *, is_request: bool) -> type[Message]:
    values = vars(import_module(module)).values()
    classes = [v for v in values if isinstance(v, type) and issubclass(v, Message)]
    declared = [cls for cls in classes if "VERSIONS" in vars(cls) and cls.API_KEY is key]
    [message] = [cls for cls in declared if cls.IS_REQUEST is is_request]
    return message


SUPPORTED: Final[dict[ApiKey, Api]] = {
    key: Api(key, low, high, FLEXIBLE_SINCE[key], f"codec.messages.{module}")
    for key, (module, low, high) in _MODULES.items()
}


def request_class(api_key: int) -> type[Request]:
    """The request of an API; UnsupportedVersion if the codec does not have it."""
    return _supported(api_key).request


def response_class(api_key: int) -> type[Response]:
    """The response of an API; UnsupportedVersion if the codec does not have it."""
    return _supported(api_key).response


def _supported(api_key: int) -> Api:
    api = SUPPORTED.get(cast(ApiKey, api_key))
    if api is None:
        raise UnsupportedVersion(f"no layout for API key {api_key}")
    return api


__all__ = ["SUPPORTED", "Api", "is_flexible", "request_class", "response_class"]
