"""What concerns the whole process."""

from typing import Final

from sidecar.config.parsers import flag, integer, one_of
from sidecar.config.setting import Setting

_MAX_SEED: Final = 2**64 - 1
_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")

PROCESS: Final[tuple[Setting, ...]] = (
    Setting(
        "storage_type",
        ("GATEWAY_STORAGE_TYPE",),
        "gateway.storage_type",
        one_of("IN_MEMORY", later=("KAFKA",)),
        "IN_MEMORY",
        "where interceptors are kept: IN_MEMORY, until the process ends",
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
        "log_level",
        ("GATEWAY_LOG_LEVEL",),
        "gateway.log_level",
        one_of(*_LOG_LEVELS),
        "INFO",
        "least level that is logged: " + ", ".join(_LOG_LEVELS),
    ),
)
