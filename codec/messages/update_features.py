"""UpdateFeatures (key 57): levels of features to finalize (KIP-584).

Versions 0 to 2, flexible from 0. 1: upgrade_type (1 upgrade, 2 safe and 3 unsafe downgrade) instead
of allow_downgrade, and validate_only. 2: no results per feature.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Role, Struct, array, boolean, int8, int16, int32, string


class UpdateFeaturesRequest(Request, key=ApiKey.UPDATE_FEATURES, versions="0-2"):
    class FeatureUpdateKey(Struct):
        feature = string("0+")
        max_version_level = int16("0+")
        allow_downgrade = boolean("0")
        upgrade_type = int8("1+", default=1)

    timeout_ms = int32("0+", default=60000)
    feature_updates = array("0+", FeatureUpdateKey)
    validate_only = boolean("1+")


class UpdateFeaturesResponse(Response, key=ApiKey.UPDATE_FEATURES, versions="0-2"):
    class UpdatableFeatureResult(Struct):
        feature = string("0+")
        error_code = int16("0+")
        error_message = string("0+", nullable="0+", role=Role.TEXT)

    throttle_time_ms = int32("0+")
    error_code = int16("0+")
    error_message = string("0+", nullable="0+", role=Role.TEXT)
    results = array("0-1", UpdatableFeatureResult)
