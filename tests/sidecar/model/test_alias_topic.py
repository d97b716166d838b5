"""Which topics a virtual cluster may see under another name."""

import pytest

from sidecar.model.alias_topic import AliasTopic
from sidecar.model.errors import InvalidArgument


def test_logical_and_physical_name_may_be_the_same() -> None:
    alias = AliasTopic("london", "existingLondonTopic", "existingLondonTopic")

    assert alias.logical_name == alias.physical_name == "existingLondonTopic"


@pytest.mark.parametrize(
    ("fields", "field", "description"),
    [
        (("", "a", "b"), "virtual_cluster", "virtual_cluster must not be empty"),
        (
            ("passthrough", "a", "b"),
            "virtual_cluster",
            "virtual_cluster is 'passthrough', which sees the cluster as it is:"
            " alias topics need another virtual cluster",
        ),
        (("v", "..", "b"), "logical_name", "logical_name is '..', Kafka allows neither"),
        (("v", "a", "b c"), "physical_name", "physical_name is 'b c', allowed are letters"),
        (("v", "a", "x" * 250), "physical_name", "physical_name has 250 characters"),
        (
            ("v", "a", "__consumer_offsets"),
            "physical_name",
            "physical_name is '__consumer_offsets', no alias leads to names that begin with '_'",
        ),
        (("v", "a", "_schemas"), "physical_name", "physical_name is '_schemas', no alias leads"),
        (
            ("team", "a", "teamA"),
            "physical_name",
            "physical_name is 'teamA', which virtual cluster 'team' has already:"
            " its clients call it 'A'",
        ),
    ],
)
def test_what_cannot_be_is_refused(
    fields: tuple[str, str, str], field: str, description: str
) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        AliasTopic(*fields)

    [violation] = refusal.value.violations
    assert violation.field == field
    assert violation.description.startswith(description)


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(InvalidArgument) as refusal:
        AliasTopic("_", "", "a b")

    fields = [violation.field for violation in refusal.value.violations]
    assert fields == ["virtual_cluster", "logical_name", "physical_name"]
