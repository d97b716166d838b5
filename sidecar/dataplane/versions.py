"""Which API versions the sidecar offers: what the broker speaks and the codec can rewrite.

A version the sidecar cannot read would pass unmapped and uninjected, so it is not offered.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import codec
from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from codec.messages.api_versions import ApiVersionsResponse
from codec.registry import SUPPORTED
from sidecar.dataplane.tenancy.policy import HIDDEN, INTERNAL

Range = tuple[int, int]
"""Lowest and highest version, both included."""

SOFTWARE_TEXT = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?")
"""What a client's software name and version must look like (KIP-511)."""

LOCAL = frozenset({ApiKey.API_VERSIONS, ApiKey.SASL_HANDSHAKE, ApiKey.SASL_AUTHENTICATE})
"""APIs the sidecar answers itself, whatever the broker speaks."""

_CAPS: Mapping[ApiKey, int] = {
    # v4 and v5 are for brokers only (KIP-890).
    ApiKey.ADD_PARTITIONS_TO_TXN: 3,
}
_ALL_FEATURES_SINCE = 4
"""Before, brokers leave out features that may be at level 0: clients refused them."""


@dataclass(frozen=True, slots=True)
class Features:
    """The features of a cluster (KIP-584): what its brokers could do, and what it has agreed on.

    Args:
        supported: names with the lowest and highest level.
        finalized: names with the highest and lowest level in use.
        epoch: grows with each change of `finalized`; -1 if it is not known.
    """

    supported: tuple[tuple[str, int, int], ...] = ()
    finalized: tuple[tuple[str, int, int], ...] = ()
    epoch: int = -1


class Versions:
    """The table behind ApiVersions, for the brokers of one cluster.

    Args:
        upstream: for each broker, the ranges it announced; a version must be spoken by all, since
            clients keep what one broker told them in mind for a while.
        secured: whether clients may live in virtual clusters.
        sasl: whether SASL is offered; None: where it is `secured`.
        features: those of the cluster.
    """

    def __init__(
        self,
        upstream: Iterable[Mapping[int, Range]],
        *,
        secured: bool,
        sasl: bool | None = None,
        features: Features = Features(),
    ) -> None:
        brokers = list(upstream)
        self._features = features
        self.ranges: dict[int, Range] = {}
        hidden = INTERNAL | HIDDEN if secured else INTERNAL
        for key, api in SUPPORTED.items():
            if key in hidden:
                continue
            offered = [(api.min_version, api.max_version)]
            if key not in LOCAL:
                offered += [ranges.get(key, (0, -1)) for ranges in brokers]
            elif key != ApiKey.API_VERSIONS and not (secured if sasl is None else sasl):
                continue
            low = max(low for low, _ in offered)
            high = min(high for _, high in offered)
            high = min(high, _CAPS.get(key, high))
            if low <= high:
                self.ranges[key] = (low, high)

    def accepts(self, api_key: int, version: int) -> bool:
        """Whether a request of this version can be served."""
        low, high = self.ranges.get(api_key, (0, -1))
        return low <= version <= high

    def response(self, version: int) -> bytes:
        """Body of the ApiVersions response to a request of `version`.

        A version above ours gets UNSUPPORTED_VERSION in the v0 layout (KIP-511).
        """
        high = self.ranges[ApiKey.API_VERSIONS][1]
        if version > high:
            only = ApiVersionsResponse.ApiVersion(
                api_key=ApiKey.API_VERSIONS, min_version=0, max_version=high
            )
            refusal = ApiVersionsResponse(error_code=ErrorCode.UNSUPPORTED_VERSION, api_keys=[only])
            return codec.encode(refusal, 0)
        entries = [
            # Produce from 0: with a higher minimum, librdkafka before 2.5 silently stops
            # compressing (KAFKA-18659); brokers announce 0 too, and refuse 0 to 2.
            ApiVersionsResponse.ApiVersion(
                api_key=key,
                min_version=0 if key == ApiKey.PRODUCE else low,
                max_version=high,
            )
            for key, (low, high) in sorted(self.ranges.items())
        ]
        features = self._features
        supported, finalized = (
            ApiVersionsResponse.SupportedFeatureKey,
            ApiVersionsResponse.FinalizedFeatureKey,
        )
        answer = ApiVersionsResponse(
            api_keys=entries,
            supported_features=[
                supported(name=name, min_version=low, max_version=high)
                for name, low, high in features.supported
                if low or version >= _ALL_FEATURES_SINCE
            ],
            finalized_features_epoch=features.epoch,
            finalized_features=[
                finalized(name=name, max_version_level=high, min_version_level=low)
                for name, high, low in features.finalized
            ],
        )
        return codec.encode(answer, version)


def features_of(response: ApiVersionsResponse) -> Features:
    """The features a broker tells in its answer to ApiVersions."""
    return Features(
        tuple((f.name, f.min_version, f.max_version) for f in response.supported_features),
        tuple(
            (f.name, f.max_version_level, f.min_version_level) for f in response.finalized_features
        ),
        response.finalized_features_epoch,
    )


def invalid_client_software(version: int) -> bytes:
    """Body of the answer to a client whose software name or version is malformed (KIP-511)."""
    return codec.encode(ApiVersionsResponse(error_code=ErrorCode.INVALID_REQUEST), version)
