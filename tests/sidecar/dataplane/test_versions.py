"""What ApiVersions offers: never more than the broker speaks or the sidecar can rewrite."""

from typing import Any

import pytest

import codec
from codec.api_keys import ApiKey
from codec.registry import SUPPORTED
from sidecar.dataplane.tenancy.policy import DENIED, HIDDEN, INTERNAL
from sidecar.dataplane.versions import (
    LOCAL,
    Features,
    Versions,
    features_of,
    invalid_client_software,
)

ALL = {int(key): (api.min_version, api.max_version) for key, api in SUPPORTED.items()}
SASL = {ApiKey.SASL_HANDSHAKE, ApiKey.SASL_AUTHENTICATE}


def offered(versions: Versions, version: int = 3) -> dict[int, tuple[int, int]]:
    body = versions.response(version)
    response: Any = codec.decode_response(ApiKey.API_VERSIONS, version, body)
    assert response.error_code == 0
    return {entry.api_key: (entry.min_version, entry.max_version) for entry in response.api_keys}


@pytest.mark.parametrize("version", range(5))
def test_every_version_of_the_response_tells_the_same(version: int) -> None:
    versions = Versions([ALL], secured=True)

    assert offered(versions, version) == offered(versions, 0)
    assert offered(versions, version)[ApiKey.API_VERSIONS] == (0, 4)


def test_a_version_must_be_spoken_by_every_broker_and_by_the_codec() -> None:
    old = ALL | {ApiKey.METADATA: (0, 5), ApiKey.FETCH: (4, 11), ApiKey.LIST_OFFSETS: (0, 99)}
    new = ALL | {ApiKey.METADATA: (4, 12), ApiKey.FETCH: (6, 17), ApiKey.LIST_OFFSETS: (1, 99)}

    found = offered(Versions([old, new], secured=False))

    assert found[ApiKey.METADATA] == (4, 5)
    assert found[ApiKey.FETCH] == (6, 11)
    assert found[ApiKey.LIST_OFFSETS] == (1, SUPPORTED[ApiKey.LIST_OFFSETS].max_version)


def test_an_api_that_brokers_do_not_share_is_not_offered() -> None:
    without = {key: span for key, span in ALL.items() if key != ApiKey.DELETE_RECORDS}
    disjoint = ALL | {ApiKey.HEARTBEAT: (90, 99)}

    versions = Versions([ALL, without, disjoint], secured=False)

    assert not {ApiKey.DELETE_RECORDS, ApiKey.HEARTBEAT} & offered(versions).keys()
    assert not versions.accepts(ApiKey.DELETE_RECORDS, 0)
    assert not versions.accepts(ApiKey.HEARTBEAT, 95)


def test_an_api_the_codec_cannot_rewrite_is_hidden() -> None:
    broker = ALL | {ApiKey.CONSUMER_GROUP_HEARTBEAT: (2, 3), 93: (0, 1), 999: (0, 9)}

    for secured in (False, True):
        found = offered(Versions([broker], secured=secured))
        assert not {ApiKey.CONSUMER_GROUP_HEARTBEAT, 93, 999} & found.keys()


def test_produce_is_announced_from_0_whatever_the_broker_says() -> None:
    """KAFKA-18659: with a higher minimum librdkafka before 2.5 silently stops compressing."""
    versions = Versions([ALL | {ApiKey.PRODUCE: (3, 12)}], secured=False)

    assert offered(versions)[ApiKey.PRODUCE] == (0, 12)
    assert [versions.accepts(ApiKey.PRODUCE, v) for v in (2, 3, 12, 13)] == [
        False,
        True,
        True,
        False,
    ]


def test_what_is_between_brokers_only_is_not_offered() -> None:
    for secured in (False, True):
        found = offered(Versions([ALL], secured=secured))
        assert found[ApiKey.ADD_PARTITIONS_TO_TXN][1] == 3
        assert not INTERNAL & found.keys()


def test_everything_else_is_offered_in_every_version_both_sides_know() -> None:
    open_to_all = offered(Versions([ALL], secured=False))
    for_tenants = offered(Versions([ALL], secured=True))

    assert open_to_all.keys() == ALL.keys() - INTERNAL - SASL
    assert for_tenants.keys() == ALL.keys() - INTERNAL - HIDDEN
    for found in (open_to_all, for_tenants):
        for key in found.keys() - {ApiKey.ADD_PARTITIONS_TO_TXN}:
            assert found[key] == ALL[key], key


def test_the_sets_of_the_policy_do_not_overlap() -> None:
    assert not INTERNAL & HIDDEN
    assert not DENIED & (INTERNAL | HIDDEN)
    assert not LOCAL & (INTERNAL | HIDDEN | DENIED)


FEATURES = Features(
    supported=(("metadata.version", 7, 29), ("transaction.version", 0, 2)),
    finalized=(("metadata.version", 29, 29), ("transaction.version", 2, 2)),
    epoch=12,
)


@pytest.mark.parametrize(
    ("version", "supported"),
    [(3, ["metadata.version"]), (4, ["metadata.version", "transaction.version"])],
)
def test_the_clusters_features_are_told(version: int, supported: list[str]) -> None:
    """Before v4 those that may be at level 0 are left out, as brokers do (KAFKA-17011)."""
    body = Versions([ALL], secured=True, features=FEATURES).response(version)
    found: Any = codec.decode_response(ApiKey.API_VERSIONS, version, body)

    assert [feature.name for feature in found.supported_features] == supported
    assert features_of(found).finalized == FEATURES.finalized
    assert found.finalized_features_epoch == 12


def test_without_features_the_tags_are_left_out() -> None:
    body = Versions([ALL], secured=True).response(3)
    assert features_of(codec.decode_response(ApiKey.API_VERSIONS, 3, body)) == Features()


def test_sasl_is_offered_where_clients_authenticate_whatever_the_broker_speaks() -> None:
    without_sasl = {key: span for key, span in ALL.items() if key not in SASL}

    secured = offered(Versions([without_sasl], secured=True))
    unsecured = offered(Versions([ALL], secured=False))

    assert secured[ApiKey.SASL_HANDSHAKE] == (0, 1)
    assert secured[ApiKey.SASL_AUTHENTICATE] == (0, 2)
    assert not SASL & unsecured.keys()


@pytest.mark.parametrize("version", [5, 6, 99, 32767])
def test_a_version_above_ours_is_refused_in_the_layout_of_version_0(version: int) -> None:
    body = Versions([ALL], secured=False).response(version)

    response: Any = codec.decode_response(ApiKey.API_VERSIONS, 0, body)
    assert response.error_code == 35
    assert [(e.api_key, e.min_version, e.max_version) for e in response.api_keys] == [(18, 0, 4)]
    assert not response.trailing


@pytest.mark.parametrize("version", [3, 4])
def test_malformed_client_software_is_an_invalid_request(version: int) -> None:
    response: Any = codec.decode_response(
        ApiKey.API_VERSIONS, version, invalid_client_software(version)
    )

    assert (response.error_code, list(response.api_keys)) == (42, [])
