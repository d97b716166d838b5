"""Which requests a selector means, told from what is known of them at each point.

Who the client is and which API it calls is known before anything is read; the client id stands in
each header; topics, partitions, groups and acks in the message. A request is struck whole, so all
topics and partitions in it must be selected, and one that does not say which they are is not. But a
fault that strikes single partitions of a Produce is shown those that are selected, and no others.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final

from codec.api_keys import ApiKey
from sidecar.dataplane.splitting import picked
from sidecar.model.identity import Identity
from sidecar.model.patterns import compiled
from sidecar.model.selector import EVERYTHING, Selector

_TOPICS: Final = ("topic_data", "topics", "topic_names")
_GROUPS: Final = ("groups", "group_ids", "groups_names")
_OF_GROUPS: Final = 0
"""Kind of key by which FindCoordinator asks for groups."""
_TOPIC_NAMES: Final = ("name", "topic")
_PARTITIONS: Final = ("partition_data", "partitions", "partition_indexes")
_PARTITION_INDEXES: Final = ("index", "partition", "partition_index")
_CLIENT_IDS: Final = 256
"""Client ids whose fit is remembered, for each selector."""


class Selection:
    """A compiled selector that does not select everything.

    Args:
        selector: what to compile.
    """

    def __init__(self, selector: Selector) -> None:
        self._selector = selector
        self.topic: Callable[[str], bool] = _any_of(selector.topics)
        self._client_id = lru_cache(_CLIENT_IDS)(_any_of(selector.client_ids))
        self._partitions = frozenset(selector.partitions)
        self._groups = frozenset(selector.groups)
        self._acks = frozenset(selector.acks)
        self.reads = bool(
            selector.topics or selector.partitions or selector.groups or selector.acks
        )
        """Whether it has to see the message."""
        self.reads_partitions = bool(selector.partitions)

    def principal(self, who: Identity) -> bool:
        """Whether requests of this client can be meant."""
        wanted = self._selector.principals
        return not wanted or who.username in wanted or bool(who.other_names & frozenset(wanted))

    def broker(self, node_id: int) -> bool:
        """Whether requests to this broker can be meant."""
        return not self._selector.brokers or node_id in self._selector.brokers

    def api(self, api: ApiKey) -> bool:
        """Whether requests of this API can be meant."""
        return not self._selector.apis or api.name in self._selector.apis

    def client_id(self, client_id: str | None) -> bool:
        """Whether requests with this client id can be meant."""
        return not self._selector.client_ids or self._client_id(client_id or "")

    def beginning(self, client_id: str | None, acks: int, topic: str) -> bool:
        """Whether Produce requests can be meant whose only topic this is; see `partition`."""
        return (
            not self._groups
            and self.client_id(client_id)
            and (not self._acks or acks in self._acks)
            and self.topic(topic)
        )

    def partition(self, index: int) -> bool:
        """Whether requests about this partition only can be meant."""
        return not self._partitions or index in self._partitions

    def message(self, request: Any) -> bool:
        """Whether a decoded request is meant, whose topics have the client's names."""
        if self._acks and getattr(request, "acks", None) not in self._acks:
            return False
        if self._groups and not _all(_groups(request), self._groups.__contains__):
            return False
        if not self._selector.topics and not self._partitions:
            return True
        if getattr(request, "session_epoch", 0) > 0:
            return False  # a Fetch that names only what is new in its session
        topics = list(_topics(request))
        if self._selector.topics and not _all(topics, self._fits):
            return False
        return not self._partitions or _all(topics, self._has_partitions)

    def some(self, produce: Any) -> Any | None:
        """A decoded Produce request with the topic-partitions that are meant; None: none is."""
        if self._groups or (self._acks and produce.acks not in self._acks):
            return None
        left = picked(produce, lambda place: self.topic(place[0]) and self.partition(place[1]))
        return left if left.topic_data else None

    def _fits(self, topic: Any) -> bool:
        name = topic if isinstance(topic, str) else _first(topic, _TOPIC_NAMES)
        return bool(name) and self.topic(name)

    def _has_partitions(self, topic: Any) -> bool:
        found = _first(topic, _PARTITIONS) or ()
        return _all([_index(partition) for partition in found], self._partitions.__contains__)


@lru_cache(maxsize=1024)  # each change of any interceptor asks for those of all
def selection(selector: Selector) -> Selection | None:
    """The compiled selector; None for one that selects everything."""
    return None if selector == EVERYTHING else Selection(selector)


def _any_of(patterns: Sequence[str]) -> Callable[[str], bool]:
    """Whether a whole name matches one of them; anything does if there are none."""
    if not patterns:
        return _anything
    matchers = [compiled(pattern) for pattern in patterns]
    if len(matchers) == 1:
        return matchers[0]
    return lambda name: any(matches(name) for matches in matchers)


def _anything(_: str) -> bool:
    return True


def _all(found: Sequence[Any], fits: Callable[[Any], bool]) -> bool:
    """Whether there is something, and all of it fits."""
    return bool(found) and all(fits(item) for item in found)


def _first(item: Any, names: Sequence[str]) -> Any:
    return next((getattr(item, name) for name in names if hasattr(item, name)), None)


def _index(partition: Any) -> Any:
    return partition if isinstance(partition, int) else _first(partition, _PARTITION_INDEXES)


def _topics(request: Any) -> Iterator[Any]:
    """Topics of a request, or of the groups in it; None for a group that means all of its."""
    found = _some(request, _TOPICS)
    if found:
        yield from found
        return
    for group in getattr(request, "groups", None) or ():
        yield from _some(group, _TOPICS) or (None,)


def _groups(request: Any) -> Sequence[Any]:
    """Ids of the consumer groups that a request is about."""
    one = getattr(request, "group_id", None)
    if one:
        return [one]
    if hasattr(request, "key_type"):
        keys = request.coordinator_keys or [request.key]
        return keys if request.key_type == _OF_GROUPS else ()
    found = _some(request, _GROUPS) or ()
    return [group if isinstance(group, str) else getattr(group, "group_id", "") for group in found]


def _some(item: Any, names: Sequence[str]) -> Any:
    """The first of these lists that has something in it; a version uses one of them."""
    return next((found for name in names if (found := getattr(item, name, None))), None)
