"""What the codec's rewriters ask about names, ids and addresses, on the way there and back."""

from collections.abc import Callable

from sidecar.dataplane.tenancy.exchange import Exchange

Advertise = Callable[[int, bytes, int], tuple[bytes, int]]
"""Node id, host and port of a broker to the host and port a client is told."""


class ToPhysical:
    """Hooks of a request: every name is spelled as on the cluster, and remembered."""

    __slots__ = (
        "group",
        "topic",
        "topic_id",
        "topic_pattern",
        "transactional_id",
        "transactional_id_pattern",
    )

    def __init__(self, exchange: Exchange) -> None:
        self.topic = exchange.topic_bytes
        self.group = self.transactional_id = exchange.name_bytes
        self.topic_id = exchange.topic_id
        self.topic_pattern = exchange.topic_pattern
        self.transactional_id_pattern = exchange.names.physical_pattern

    def broker(self, node_id: int, host: bytes, port: int) -> tuple[bytes, int]:
        """Requests name no brokers that clients could connect to."""
        return host, port

    def text(self, message: bytes) -> bytes:
        """Nor do they hold messages for people."""
        return message


class ToLogical:
    """Hooks of a response: own names as clients know them, foreign ones left out, the sidecar's
    addresses."""

    __slots__ = (
        "broker",
        "group",
        "text",
        "topic",
        "topic_id",
        "topic_pattern",
        "transactional_id",
        "transactional_id_pattern",
    )

    def __init__(self, exchange: Exchange, advertise: Advertise) -> None:
        names = exchange.names
        self.broker = advertise
        self.text = exchange.restore
        self.topic: Callable[[bytes], bytes | None] = names.logical_topic
        self.group = self.transactional_id = names.logical
        self.topic_id: Callable[[bytes], bytes] = exchange.masks.original
        self.topic_pattern = self.transactional_id_pattern = names.logical_pattern


class Learning(ToLogical):
    """The same for responses that name a topic and then its id: the directory learns from them."""

    __slots__ = ()

    def __init__(self, exchange: Exchange, advertise: Advertise) -> None:
        super().__init__(exchange, advertise)
        self.topic, self.topic_id = _pairs(exchange)


def _pairs(
    exchange: Exchange,
) -> tuple[Callable[[bytes], bytes | None], Callable[[bytes], bytes]]:
    """What to ask about a topic, and about its id right after it.

    A list of all topics asks ten thousand times while every connection waits: hence the usual
    cases are decided here, without another call.
    """
    names, directory, masks = exchange.names, exchange.directory, exchange.masks
    logical_topic, knows = names.logical_topic, directory.knows
    prefix, aliases = names.prefix, bool(names.alias_topics)
    masked = bool(masks)
    last: bytes | None = None

    def topic(name: bytes) -> bytes | None:
        nonlocal last
        last = name
        if aliases:
            return logical_topic(name)
        logical = name.removeprefix(prefix)
        if len(logical) == len(name):
            return None if name and prefix else name
        return logical or None

    def topic_id(topic_id: bytes) -> bytes:
        nonlocal last
        if last is not None:
            if not knows(topic_id):
                directory.learn(topic_id, last)
            # Once only: the next id may have no name before it.
            last = None
        return masks.original(topic_id) if masked else topic_id

    return topic, topic_id
