"""StreamsGroupHeartbeat: what is wrong with a topology, told to each member at each heartbeat.

The text names topics of the group's topology, which only a member's first heartbeat holds. So they
are looked for where the texts of Kafka 4.3 have them (InternalTopicManager, RepartitionTopics,
CopartitionedTopicsEnforcer, KafkaApis), such as "Source topics a, b are missing." Elsewhere a word
may begin as the virtual cluster is called.
"""

import re
from typing import Any, Final

from sidecar.dataplane.tenancy.edits.base import Edit
from sidecar.dataplane.tenancy.exchange import Exchange

_NAME: Final = r"[a-zA-Z0-9._-]+"
_ASIDE: Final = r"=\d+|\ \([^)]*\)"
_NAMES: Final = re.compile(
    rf"""(?P<before>\b[Tt]opics?:?\ [\['"]?|\b(?:missing|failed):\ |(?<!partitions\ )\[\{{?)
    (?P<names>(?!(?:are|do|had|has|in)\ ){_NAME}(?:{_ASIDE})?(?:,\ {_NAME}(?:{_ASIDE})?)*)""",
    re.VERBOSE,
)
_PART: Final = re.compile(rf"{_ASIDE}|{_NAME}", re.VERBOSE)


def _restored(text: str, exchange: Exchange) -> str:
    def own(part: re.Match[str]) -> str:
        if part[0].startswith(" "):
            # Why this topic could not be made.
            return _restored(part[0], exchange)
        return exchange.logical_topic(part[0]) or part[0]

    return _NAMES.sub(lambda found: found["before"] + _PART.sub(own, found["names"]), text)


def _response(response: Any, version: int, exchange: Exchange) -> None:
    for status in response.status or ():
        status.status_detail = _restored(status.status_detail, exchange)


STREAMS_GROUP_HEARTBEAT: Final = Edit(response=_response)
