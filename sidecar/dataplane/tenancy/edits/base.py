"""What an edit is: the changes to a message that no role of a single field can say."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from codec.schema import Response
from sidecar.dataplane.tenancy.exchange import Exchange

EditRequest = Callable[[Any, int, Exchange], Response | None]
"""Changes a decoded request of a version in place, its names being the client's. A message it
returns is the answer, and nothing is forwarded."""
EditResponse = Callable[[Any, int, Exchange], None]
"""Changes a decoded response in place, its names being the cluster's."""


@dataclass(frozen=True, slots=True)
class Edit:
    """How the messages of one API are edited, before the fields with roles are rewritten."""

    request: EditRequest | None = None
    response: EditResponse | None = None
