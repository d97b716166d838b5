"""ApiVersions: what the broker speaks, also for clients that ask in a version it does not know."""

import re
from collections.abc import Mapping

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from codec.messages.api_versions import ApiVersionsRequest, ApiVersionsResponse

_CLIENT_NAMES_FROM = 3
_LEGAL_NAME = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?")

Offered = Mapping[ApiKey, tuple[int, int]]
"""Lowest and highest version by API."""


def api_versions(
    request: ApiVersionsRequest, version: int, offered: Offered
) -> ApiVersionsResponse:
    """List every API; INVALID_REQUEST for a client name that is not one (KIP-511)."""
    names = (request.client_software_name, request.client_software_version)
    if version >= _CLIENT_NAMES_FROM and not all(map(_LEGAL_NAME.fullmatch, names)):
        return ApiVersionsResponse(error_code=ErrorCode.INVALID_REQUEST)
    return ApiVersionsResponse(api_keys=_ranges(offered))


def unsupported_api_versions(offered: Offered) -> ApiVersionsResponse:
    """The answer to a version that is too new; to be encoded in version 0 (KIP-511)."""
    own = {ApiKey.API_VERSIONS: offered[ApiKey.API_VERSIONS]}
    return ApiVersionsResponse(error_code=ErrorCode.UNSUPPORTED_VERSION, api_keys=_ranges(own))


def _ranges(offered: Offered) -> list[ApiVersionsResponse.ApiVersion]:
    return [
        ApiVersionsResponse.ApiVersion(api_key=key, min_version=low, max_version=high)
        for key, (low, high) in sorted(offered.items())
    ]
