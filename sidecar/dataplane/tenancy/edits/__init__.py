"""The APIs whose messages say more than their roles do: one module for each family."""

from collections.abc import Mapping
from typing import Final

from codec.api_keys import ApiKey
from sidecar.dataplane.tenancy.edits.base import Edit
from sidecar.dataplane.tenancy.edits.configs import DESCRIBE_CONFIGS
from sidecar.dataplane.tenancy.edits.coordinators import FIND_COORDINATOR

EDITS: Final[Mapping[int, Edit]] = {
    ApiKey.FIND_COORDINATOR: FIND_COORDINATOR,
    ApiKey.DESCRIBE_CONFIGS: DESCRIBE_CONFIGS,
}

__all__ = ["EDITS", "Edit"]
