"""Configuration: of topics and groups, which are the tenant's, and of the rest, which is not."""

from __future__ import annotations

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from tests.kafka.api_matrix.shapes import Plain
from tests.kafka.api_matrix.spec import exercise, ok, only, refused
from tests.kafka.api_matrix.tenant import TOPIC, Tenant

TOPIC_RESOURCE, BROKER, LOGGER, METRICS, GROUP_RESOURCE = 2, 4, 8, 16, 32
#: Resources of the physical cluster, by a name that exists.
PHYSICAL = {BROKER: "1", LOGGER: "1", METRICS: "subscription"}
SET = 0


def set_config(tenant: Tenant, kind: int, resource: str, name: str, value: str) -> None:
    """Set one value with the newest IncrementalAlterConfigs."""
    config = {"name": name, "config_operation": SET, "value": value}
    values = {"resources": [_resource(kind, resource, [config])]}
    ok(tenant.ask(ApiKey.INCREMENTAL_ALTER_CONFIGS, 1, values))


def _resource(kind: int, name: str, configs: list[Plain]) -> Plain:
    return {"resource_type": kind, "resource_name": name, "configs": configs}


def _own(version: int) -> dict[int, tuple[str, str, str]]:
    """A resource of each kind that is the tenant's: its name, one setting and a value."""
    return {
        TOPIC_RESOURCE: (f"configured-{version}", "retention.ms", f"{version + 1}000"),
        GROUP_RESOURCE: (f"configured-{version}", "consumer.session.timeout.ms", "50000"),
    }


def described(
    tenant: Tenant, version: int, kind: int, resource: str, name: str, node: int = -1
) -> str:
    """A setting's value, as this broker knows it."""
    one = {"resource_type": kind, "resource_name": resource, "configuration_keys": [name]}
    values = {"resources": [one], "include_synonyms": True, "include_documentation": True}
    result = only(ok(tenant.ask(ApiKey.DESCRIBE_CONFIGS, version, values, node))["results"])
    assert (result["resource_type"], result["resource_name"]) == (kind, resource), result
    return str(only(result["configs"])["value"])


@exercise(ApiKey.DESCRIBE_CONFIGS)
def describe_configs(tenant: Tenant, version: int) -> None:
    """Of the common topic and of a group; of brokers, loggers and client metrics it is denied."""
    set_config(tenant, TOPIC_RESOURCE, TOPIC, "retention.ms", "86400000")
    told = described(tenant, version, TOPIC_RESOURCE, TOPIC, "retention.ms")
    assert told == "86400000"
    told = described(tenant, version, GROUP_RESOURCE, "any", "share.auto.offset.reset")
    assert told == "latest"
    for kind, name in PHYSICAL.items():
        one = {"resource_type": kind, "resource_name": name, "configuration_keys": None}
        answer = tenant.ask(ApiKey.DESCRIBE_CONFIGS, version, {"resources": [one]})
        assert only(refused(answer, ErrorCode.CLUSTER_AUTHORIZATION_FAILED)["results"]) | {
            "error_message": None
        } == {
            "error_code": ErrorCode.CLUSTER_AUTHORIZATION_FAILED,
            "error_message": None,
            "resource_type": kind,
            "resource_name": name,
            "configs": [],
        }


def _altered(tenant: Tenant, key: ApiKey, version: int) -> None:
    tenant.create(f"configured-{version}-{key.name.lower()}")
    for kind, (prefix, name, value) in _own(version).items():
        resource = f"{prefix}-{key.name.lower()}"
        config = {"name": name, "value": value}
        if key == ApiKey.INCREMENTAL_ALTER_CONFIGS:
            config["config_operation"] = SET  # type: ignore[assignment]  # a dict of mixed values
        values = {"resources": [_resource(kind, resource, [config])]}
        entry = only(ok(tenant.ask(key, version, values))["responses"])
        assert (entry["resource_type"], entry["resource_name"]) == (kind, resource), entry
        tenant.until(
            lambda kind=kind, resource=resource, name=name: described(
                tenant, 4, kind, resource, name
            ),
            lambda told, value=value: told == value,
        )
    for kind, name in PHYSICAL.items():
        answer = tenant.ask(key, version, {"resources": [_resource(kind, name, [])]})
        refused(answer, ErrorCode.CLUSTER_AUTHORIZATION_FAILED)


@exercise(ApiKey.ALTER_CONFIGS)
def alter_configs(tenant: Tenant, version: int) -> None:
    """Of a topic and of a group, read back; of the rest it is denied."""
    _altered(tenant, ApiKey.ALTER_CONFIGS, version)


@exercise(ApiKey.INCREMENTAL_ALTER_CONFIGS)
def incremental_alter_configs(tenant: Tenant, version: int) -> None:
    """Of a topic and of a group, read back; of the rest it is denied."""
    _altered(tenant, ApiKey.INCREMENTAL_ALTER_CONFIGS, version)


@exercise(ApiKey.LIST_CONFIG_RESOURCES)
def list_config_resources(tenant: Tenant, version: int) -> None:
    """Topics and groups of the tenant; version 0 lists client metrics, of which it has none."""
    answer = ok(tenant.ask(ApiKey.LIST_CONFIG_RESOURCES, version, {}))
    if version == 0:
        assert answer["config_resources"] == [], answer
        return
    kinds = {each["resource_type"] for each in answer["config_resources"]}
    assert kinds <= {TOPIC_RESOURCE, GROUP_RESOURCE}, answer
    wanted = {"resource_types": [TOPIC_RESOURCE]}
    answer = ok(tenant.ask(ApiKey.LIST_CONFIG_RESOURCES, version, wanted))
    names = [each["resource_name"] for each in answer["config_resources"]]
    assert sorted(names) == sorted(tenant.ids), names
