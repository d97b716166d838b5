"""What tests of a virtual cluster's mapping have in common: what is mapped, and by whom."""

from codec.api_keys import ApiKey
from codec.registry import SUPPORTED
from sidecar.dataplane.tenancy import Names, Tenancy, TopicDirectory
from sidecar.dataplane.versions import LOCAL, Versions
from tests.support.sessions import address_book

ALL = {int(key): (api.min_version, api.max_version) for key, api in SUPPORTED.items()}
CONDITIONAL = {
    *(ApiKey.FIND_COORDINATOR, ApiKey.DESCRIBE_ACLS, ApiKey.CREATE_ACLS, ApiKey.DELETE_ACLS),
    *(ApiKey.DESCRIBE_CONFIGS, ApiKey.ALTER_CONFIGS, ApiKey.INCREMENTAL_ALTER_CONFIGS),
    ApiKey.LIST_CONFIG_RESOURCES,
}
"""APIs whose names depend on other fields."""
OFFERED = [
    (key, version)
    for key, (low, high) in Versions([ALL], secured=True).ranges.items()
    for version in range(low, high + 1)
    if key not in LOCAL
]
MAPPED = [pair for pair in OFFERED if pair[0] not in CONDITIONAL]
"""APIs and versions that a tenant is offered, whose names their roles tell."""


def kafka(node_id: int) -> tuple[str, int]:
    """The address of a broker as brokers tell it."""
    return f"kafka{node_id}", 9092


def sidecar(node_id: int) -> tuple[str, int]:
    """The same as clients are told."""
    return "sidecar", 6968 + node_id


def tenancy(prefix: str = "teamA") -> Tenancy:
    """The mapping of a virtual cluster of this name."""
    return Tenancy(lambda: Names(prefix), address_book().advertised, TopicDirectory())
