"""Configurations: topics and groups are the tenant's, everything else is denied by itself."""

from typing import Any

import pytest

from codec.messages.alter_configs import AlterConfigsRequest, AlterConfigsResponse
from codec.messages.describe_configs import DescribeConfigsRequest, DescribeConfigsResponse
from codec.messages.incremental_alter_configs import (
    IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse,
)
from codec.messages.list_config_resources import (
    ListConfigResourcesRequest,
    ListConfigResourcesResponse,
)
from tests.support.tenants import Tenant

TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP = 2, 4, 8, 16, 32
DENIED = (31, "Cluster authorization failed.")
MESSAGES: list[tuple[type[Any], str, type[Any], type[Any], str, type[Any]]] = [
    (
        DescribeConfigsRequest,
        "resources",
        DescribeConfigsRequest.DescribeConfigsResource,
        DescribeConfigsResponse,
        "results",
        DescribeConfigsResponse.DescribeConfigsResult,
    ),
    (
        AlterConfigsRequest,
        "resources",
        AlterConfigsRequest.AlterConfigsResource,
        AlterConfigsResponse,
        "responses",
        AlterConfigsResponse.AlterConfigsResourceResponse,
    ),
    (
        IncrementalAlterConfigsRequest,
        "resources",
        IncrementalAlterConfigsRequest.AlterConfigsResource,
        IncrementalAlterConfigsResponse,
        "responses",
        IncrementalAlterConfigsResponse.AlterConfigsResourceResponse,
    ),
]
CASES = [
    pytest.param(*messages, version, id=f"{messages[0].__name__}-{version}")
    for messages in MESSAGES
    for version in messages[0].VERSIONS
]


@pytest.mark.parametrize(
    ("request_", "resources", "resource", "response", "results", "result", "version"), CASES
)
def test_own_resources_are_mapped_and_others_denied_in_the_requests_order(
    request_: Any, resources: str, resource: Any, response: Any, results: str, result: Any,
    version: int,
) -> None:  # fmt: skip
    asked = [(BROKER, "1"), (TOPIC, "cars"), (CLIENT_METRICS, "m"), (99, "?"), (GROUP, "group"),
             (TOPIC, ""), (TOPIC, "orders"), (BROKER_LOGGER, "1")]  # fmt: skip
    tenant = Tenant({"orders": "ops-orders"})
    request = request_(
        **{resources: [resource(resource_type=t, resource_name=n) for t, n in asked]}
    )

    sent, exchange = tenant.sends(request, version)

    forwarded = [(r.resource_type, r.resource_name) for r in sent.resources]
    assert forwarded == [
        (TOPIC, "teamAcars"),
        (GROUP, "teamAgroup"),
        (TOPIC, ""),
        (TOPIC, "ops-orders"),
    ]
    answers = [
        result(resource_type=t, resource_name=n, error_code=place, error_message=f"on '{n}'")
        for place, (t, n) in enumerate(forwarded)
    ]
    read = tenant.reads(response(**{results: answers}), version, exchange)
    told = [
        (r.resource_type, r.resource_name, r.error_code, r.error_message)
        for r in getattr(read, results)
    ]
    assert told == [
        (BROKER, "1", *DENIED),
        (TOPIC, "cars", 0, "on 'cars'"),
        (CLIENT_METRICS, "m", *DENIED),
        (99, "?", *DENIED),
        (GROUP, "group", 1, "on 'group'"),
        (TOPIC, "", 2, "on ''"),
        (TOPIC, "orders", 3, "on 'orders'"),
        (BROKER_LOGGER, "1", *DENIED),
    ]


@pytest.mark.parametrize(
    ("request_", "resources", "resource", "response", "results", "result", "version"), CASES
)
def test_what_holds_nothing_else_is_answered_here(
    request_: Any, resources: str, resource: Any, response: Any, results: str, result: Any,
    version: int,
) -> None:  # fmt: skip
    request = request_(**{resources: [resource(resource_type=BROKER, resource_name="1")]})

    answer, exchange = Tenant().sends(request, version)

    assert exchange is None
    [told] = getattr(answer, results)
    assert (told.resource_type, told.resource_name) == (BROKER, "1")
    assert (told.error_code, told.error_message) == DENIED


@pytest.mark.parametrize(
    ("request_", "resources", "resource", "response", "results", "result", "version"), CASES
)
def test_nothing_asked_is_for_the_broker_to_answer(
    request_: Any, resources: str, resource: Any, response: Any, results: str, result: Any,
    version: int,
) -> None:  # fmt: skip
    sent, exchange = Tenant().sends(request_(), version)

    assert list(sent.resources) == []
    assert list(getattr(Tenant().reads(response(), version, exchange), results)) == []


@pytest.mark.parametrize(
    ("asked", "sent_on"),
    [
        ([], [TOPIC, GROUP]),
        ([TOPIC], [TOPIC]),
        ([BROKER, GROUP, CLIENT_METRICS], [GROUP]),
        ([99], [99]),
    ],
)
def test_listed_are_own_topics_and_groups(asked: list[int], sent_on: list[int]) -> None:
    tenant = Tenant({"orders": "ops-orders"})
    sent, exchange = tenant.sends(ListConfigResourcesRequest(resource_types=asked), 1)
    resource = ListConfigResourcesResponse.ConfigResource
    found = [(TOPIC, "teamAcars"), (TOPIC, "teamBcars"), (GROUP, "teamAgroup"), (BROKER, "1"),
             (GROUP, "teamBgroup"), (CLIENT_METRICS, "teamAm"), (TOPIC, "ops-orders"),
             (BROKER_LOGGER, "1"), (GROUP, "ops-orders"), (99, "teamAx")]  # fmt: skip
    answer = ListConfigResourcesResponse(
        config_resources=[resource(resource_type=t, resource_name=n) for t, n in found]
    )

    read = tenant.reads(answer, 1, exchange)

    assert list(sent.resource_types) == sent_on
    assert [(r.resource_type, r.resource_name) for r in read.config_resources] == [
        (TOPIC, "cars"),
        (GROUP, "group"),
        (TOPIC, "orders"),
    ]


@pytest.mark.parametrize(("version", "asked"), [(0, []), (1, [BROKER]), (1, [16, 8])])
def test_a_list_of_others_resources_is_empty_without_asking(version: int, asked: list[int]) -> None:
    answer, exchange = Tenant().sends(ListConfigResourcesRequest(resource_types=asked), version)

    assert exchange is None
    assert (answer.error_code, list(answer.config_resources)) == (0, [])
