"""DescribeConfigs over a socket."""

import pytest

from codec.error_codes import ErrorCode
from codec.messages.describe_configs import DescribeConfigsRequest, DescribeConfigsResponse
from sidecar.embedded.topics import NewTopic

Resource = DescribeConfigsRequest.DescribeConfigsResource


@pytest.fixture
def ask(running):
    wish = NewTopic("t", 1, configs={"segment.ms": "99"})
    running.on_hub(lambda cluster: cluster.topics.create(wish))

    def ask_one(kind, name, keys=None, version=4):
        resource = Resource(resource_type=kind, resource_name=name, configuration_keys=keys)
        request = DescribeConfigsRequest(resources=[resource])
        return running.wire(1).ask(request, version, DescribeConfigsResponse).results[0]

    return ask_one


@pytest.mark.parametrize("version", range(1, 5))
def test_topics_in_every_version(ask, version):
    configs = {c.name: c for c in ask(2, "t", version=version).configs}
    assert (configs["segment.ms"].value, configs["segment.ms"].config_source) == ("99", 1)
    assert (configs["retention.ms"].value, configs["retention.ms"].config_source) == ("-1", 5)
    assert configs["retention.ms"].config_type == (5 if version >= 3 else 0)


def test_only_what_is_asked_for(ask):
    assert [c.name for c in ask(2, "t", ["segment.ms", "x"]).configs] == ["segment.ms"]


def test_brokers_describe_themselves(ask):
    for name in ("1", ""):
        configs = {c.name: c for c in ask(4, name).configs}
        assert configs["node.id"].value == "1"
        assert configs["auto.create.topics.enable"].value == "false"
        assert configs["node.id"].read_only


@pytest.mark.parametrize(
    ("kind", "name", "code"),
    [
        (2, "x", ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
        (4, "2", ErrorCode.INVALID_REQUEST),
        (32, "g", ErrorCode.INVALID_REQUEST),
    ],
)
def test_refusals(ask, kind, name, code):
    answer = ask(kind, name)
    assert answer.error_code == code
    assert answer.error_message
    assert answer.configs == []
