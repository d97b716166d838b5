"""ApiVersions (key 18): what versions of what APIs a broker speaks.

Versions 0 to 4, flexible from 3. The response header is never flexible, so that a client can read
it before it knows anything (KIP-511). A broker that does not know the requested version answers
with error 35 in the layout of version 0: the codec reads it so whatever version it is told.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Struct, array, boolean, int16, int32, int64, string


class ApiVersionsRequest(Request, key=ApiKey.API_VERSIONS, versions="0-4"):
    client_software_name = string("3+")
    client_software_version = string("3+")


class ApiVersionsResponse(Response, key=ApiKey.API_VERSIONS, versions="0-4"):
    class ApiVersion(Struct):
        api_key = int16("0+")
        min_version = int16("0+")
        max_version = int16("0+")

    class SupportedFeatureKey(Struct):
        name = string("3+")
        min_version = int16("3+")
        max_version = int16("3+")

    class FinalizedFeatureKey(Struct):
        name = string("3+")
        max_version_level = int16("3+")
        min_version_level = int16("3+")

    error_code = int16("0+")
    api_keys = array("0+", ApiVersion)
    throttle_time_ms = int32("1+")
    supported_features = array("3+", SupportedFeatureKey, tag=0)
    finalized_features_epoch = int64("3+", default=-1, tag=1)
    finalized_features = array("3+", FinalizedFeatureKey, tag=2)
    zk_migration_ready = boolean("3+", tag=3)
