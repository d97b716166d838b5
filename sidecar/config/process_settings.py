"""What concerns the whole process."""

from typing import Final

from sidecar.config.parsers import flag, integer, one_of, text, topic_part
from sidecar.config.setting import Setting

IN_MEMORY, FILE, KAFKA = "IN_MEMORY", "FILE", "KAFKA"
_MAX_SEED: Final = 2**64 - 1
_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")

PROCESS: Final[tuple[Setting, ...]] = (
    Setting(
        "storage_type",
        ("GATEWAY_STORAGE_TYPE",),
        "gateway.storage_type",
        one_of(IN_MEMORY, FILE, KAFKA),
        IN_MEMORY,
        "where interceptors, user mappings, alias topics and virtual clusters are kept: IN_MEMORY, "
        "until the process ends; FILE, for this sidecar; KAFKA, in a topic of the cluster that all "
        "sidecars of one GATEWAY_CLUSTER_ID share",
    ),
    Setting(
        "storage_file",
        ("GATEWAY_STORAGE_FILE",),
        "gateway.storage_file",
        text,
        "chaos-sidecar.state.json",
        "path of the file for GATEWAY_STORAGE_TYPE=FILE",
    ),
    Setting(
        "cluster_id",
        ("GATEWAY_CLUSTER_ID",),
        "gateway.cluster_id",
        topic_part,
        "gateway",
        "names the fleet: sidecars of one id share the topic `_kafka_chaos_<id>_state`",
    ),
    Setting(
        "storage_replication_factor",
        ("GATEWAY_TOPIC_STORE_KCACHE_REPLICATION_FACTOR",),
        "gateway.storage_replication_factor",
        integer(-1, 32767),
        -1,
        "replicas of that topic when it is made; -1: as many as the brokers give by default",
    ),
    Setting(
        "seed",
        ("GATEWAY_SEED",),
        "gateway.seed",
        integer(0, _MAX_SEED),
        None,
        "makes every draw reproducible; an interceptor's own seed wins",
    ),
    Setting(
        "sequence_oracle",
        ("GATEWAY_SEQUENCE_ORACLE",),
        "gateway.sequence_oracle",
        flag,
        False,
        "whether the acknowledgements of idempotent producers are held against their sequence "
        "numbers as they pass: duplicates, gaps and reorderings are logged and counted",
    ),
    Setting(
        "workers",
        ("GATEWAY_WORKERS",),
        "gateway.workers",
        integer(1, 64),
        1,
        "processes that share the client ports, one processor's work each; "
        "seeds replay exactly with 1 only",
    ),
    Setting(
        "shutdown_timeout_ms",
        ("GATEWAY_SHUTDOWN_TIMEOUT_MS",),
        "gateway.shutdown_timeout_ms",
        integer(0, 600_000),
        5000,
        "how long a sidecar that is told to end (SIGTERM, Ctrl-C) lets clients finish what they "
        "have begun; 0: not at all",
    ),
    Setting(
        "log_level",
        ("GATEWAY_LOG_LEVEL",),
        "gateway.log_level",
        one_of(*_LOG_LEVELS),
        "INFO",
        "least level that is logged: " + ", ".join(_LOG_LEVELS),
    ),
)
