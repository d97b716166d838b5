"""What the sidecar answers itself: ApiVersions and authentication."""

from __future__ import annotations

from codec.api_keys import ApiKey
from tests.kafka.api_matrix.spec import exercise, ok
from tests.kafka.api_matrix.tenant import Tenant

SOFTWARE = {"client_software_name": "matrix", "client_software_version": "1"}


@exercise(ApiKey.API_VERSIONS)
def api_versions(tenant: Tenant, version: int) -> None:
    """The same table in every version."""
    answer = ok(tenant.ask(ApiKey.API_VERSIONS, version, SOFTWARE))
    newest = ok(tenant.ask(ApiKey.API_VERSIONS, 0, {}))
    assert answer["api_keys"] == newest["api_keys"]


@exercise(ApiKey.SASL_HANDSHAKE)
def sasl_handshake(tenant: Tenant, version: int) -> None:
    """On a connection of its own; after version 0 the token goes without a header."""
    tenant.authenticate(handshake=version, authenticate=2 if version else None)


@exercise(ApiKey.SASL_AUTHENTICATE)
def sasl_authenticate(tenant: Tenant, version: int) -> None:
    """On a connection of its own."""
    tenant.authenticate(handshake=1, authenticate=version)
