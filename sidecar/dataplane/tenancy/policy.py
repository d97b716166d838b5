"""Which APIs a virtual cluster has, and which would show the physical cluster through it."""

from typing import Final

from codec.api_keys import ApiKey as K

INTERNAL: Final = frozenset(
    {
        # Removed in Kafka 4.0.
        *(K.LEADER_AND_ISR, K.STOP_REPLICA, K.UPDATE_METADATA, K.CONTROLLED_SHUTDOWN),
        # Between brokers and controllers.
        *(K.VOTE, K.BEGIN_QUORUM_EPOCH, K.END_QUORUM_EPOCH, K.ALTER_PARTITION, K.ENVELOPE),
        *(K.FETCH_SNAPSHOT, K.BROKER_REGISTRATION, K.BROKER_HEARTBEAT, K.ALLOCATE_PRODUCER_IDS),
        *(K.CONTROLLER_REGISTRATION, K.ASSIGN_REPLICAS_TO_DIRS, K.UPDATE_RAFT_VOTER),
        # Between the coordinators of share groups.
        *(K.INITIALIZE_SHARE_GROUP_STATE, K.READ_SHARE_GROUP_STATE, K.WRITE_SHARE_GROUP_STATE),
        *(K.DELETE_SHARE_GROUP_STATE, K.READ_SHARE_GROUP_STATE_SUMMARY),
    }
)
"""Never offered to clients."""

HIDDEN: Final = frozenset(
    {
        # Markers are written by coordinators; tools that abort a transaction by force send them.
        K.WRITE_TXN_MARKERS,
        # Metrics of clients (KIP-714) are compressed, and hold names of topics.
        *(K.GET_TELEMETRY_SUBSCRIPTIONS, K.PUSH_TELEMETRY),
    }
)
"""Not offered where clients live in virtual clusters."""

DENIED: Final = frozenset(
    {
        # Where replicas are, and who leads.
        *(K.ALTER_REPLICA_LOG_DIRS, K.DESCRIBE_LOG_DIRS, K.ELECT_LEADERS),
        *(K.ALTER_PARTITION_REASSIGNMENTS, K.LIST_PARTITION_REASSIGNMENTS),
        # Credentials and quotas of the physical cluster's users.
        *(K.CREATE_DELEGATION_TOKEN, K.RENEW_DELEGATION_TOKEN, K.EXPIRE_DELEGATION_TOKEN),
        *(K.DESCRIBE_DELEGATION_TOKEN, K.DESCRIBE_CLIENT_QUOTAS, K.ALTER_CLIENT_QUOTAS),
        *(K.DESCRIBE_USER_SCRAM_CREDENTIALS, K.ALTER_USER_SCRAM_CREDENTIALS),
        # The cluster itself.
        *(K.DESCRIBE_QUORUM, K.UPDATE_FEATURES, K.UNREGISTER_BROKER),
        *(K.ADD_RAFT_VOTER, K.REMOVE_RAFT_VOTER),
    }
)
"""Answered with CLUSTER_AUTHORIZATION_FAILED in a virtual cluster."""
