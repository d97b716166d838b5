"""Settings of an embedded cluster: the few of Kafka's broker configs that mean something here."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """What an embedded cluster is started with. Defaults are Kafka's unless said otherwise.

    Raises:
        ValueError: a number is out of its range.
    """

    brokers: int = 3
    """Number of brokers; node ids are 1..brokers."""
    auto_create_topics: bool = False
    """Create a topic named in Metadata (`auto.create.topics.enable`; off here, on in Kafka)."""
    num_partitions: int = 1
    """Partitions of a topic created without a count (`num.partitions`)."""
    max_bytes: int = 1 << 30
    """Bytes of records kept in all partitions; beyond it Produce answers KAFKA_STORAGE_ERROR."""
    max_message_bytes: int = 1048588
    """Largest record batch in bytes (`message.max.bytes`)."""
    max_request_bytes: int = 100 * 1024 * 1024
    """Largest request frame in bytes (`socket.request.max.bytes`)."""
    max_fetch_bytes: int = 55 * 1024 * 1024
    """Upper limit of record bytes in one Fetch response (`fetch.max.bytes`)."""
    connection_idle_seconds: float = 600.0
    """A silent or unread connection is closed after this long (`connections.max.idle.ms`)."""
    min_session_timeout_ms: int = 6_000
    """Shortest session of a group member (`group.min.session.timeout.ms`)."""
    max_session_timeout_ms: int = 1_800_000
    """Longest session of a group member (`group.max.session.timeout.ms`)."""

    def __post_init__(self) -> None:
        for name in ("brokers", "num_partitions", "max_bytes", "max_request_bytes"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")

    @property
    def default_replication_factor(self) -> int:
        """Replicas of a topic created without a count: three, or as many as there are brokers."""
        return min(3, self.brokers)
