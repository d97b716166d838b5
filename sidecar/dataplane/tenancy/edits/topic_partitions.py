"""DescribeTopicPartitions: no topics asks for all of them, page by page in the order of names.

Own names stand together in that order, so the pages begin with a cursor before the first of them
and end with the last one. Brokers skip what is before a cursor, whether or not a topic has its
name. Alias topics, whose physical names stand anywhere, are not in this listing: a page could hold
some of them or none. Clients list topics with Metadata, which has them.
"""

from typing import Any, Final

from codec.messages.describe_topic_partitions import Cursor
from sidecar.dataplane.tenancy.edits.base import Edit
from sidecar.dataplane.tenancy.exchange import Exchange, encoded

_FIRST: Final = "!"
"""Before every character that names of topics have, so no topic or alias is called so."""


def _request(request: Any, version: int, exchange: Exchange) -> None:
    exchange.kept = everything = not request.topics
    if everything and request.cursor is None:
        request.cursor = Cursor(topic_name=_FIRST)
    elif everything and not request.cursor.topic_name:
        request.cursor.topic_name = _FIRST


def _response(response: Any, version: int, exchange: Exchange) -> None:
    names = exchange.names
    if exchange.kept:
        response.topics = [
            topic
            for topic in response.topics
            if topic.name is not None and names.logical(encoded(topic.name))
        ]
    cursor = response.next_cursor
    if cursor is None or exchange.logical_topic(cursor.topic_name):
        return
    if exchange.kept and names.logical(encoded(cursor.topic_name)):
        # An alias hides this topic, and its name would lead elsewhere: go on right behind it.
        cursor.topic_name += _FIRST
        cursor.partition_index = 0
    else:
        response.next_cursor = None


DESCRIBE_TOPIC_PARTITIONS: Final = Edit(_request, _response)
