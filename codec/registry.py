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
    ApiKey.TXN_OFFSET_COMMIT: ("txn_offset_commit", 0, 5),
    ApiKey.DESCRIBE_CONFIGS: ("describe_configs", 0, 4),
    ApiKey.SASL_AUTHENTICATE: ("sasl_authenticate", 0, 2),
    ApiKey.CREATE_PARTITIONS: ("create_partitions", 0, 3),
    ApiKey.DELETE_GROUPS: ("delete_groups", 0, 2),
    ApiKey.DESCRIBE_CLUSTER: ("describe_cluster", 0, 2),
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
