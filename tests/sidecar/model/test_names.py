"""Names: what is wrong with one is said with the field, the value and what is allowed."""

import pytest

from sidecar.model.errors import InvalidArgument
from sidecar.model.names import MAX_NAME_LENGTH, resource_name, virtual_cluster_name


@pytest.mark.parametrize("name", ["teamA", "a", "a.b_c-d", "passthrough", "x" * MAX_NAME_LENGTH])
def test_a_name_kafka_allows_in_topics_is_a_virtual_cluster(name: str) -> None:
    assert virtual_cluster_name(name) == name


@pytest.mark.parametrize("name", ["team A", "a/b", "é", "a\n", "a:b", "*"])
def test_a_virtual_cluster_with_a_character_kafka_forbids_is_refused(name: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        virtual_cluster_name(name, "scope.virtual_cluster")

    [violation] = refusal.value.violations
    assert violation.field == "scope.virtual_cluster"
    assert violation.description == (
        f"scope.virtual_cluster is {name!r}, allowed are letters, digits, '.', '_' and '-'"
    )


@pytest.mark.parametrize("name", ["my interceptor", "é", "日本", "a:b", "a.b", "x" * 128])
def test_printable_text_names_an_interceptor(name: str) -> None:
    assert resource_name(name, "name") == name


@pytest.mark.parametrize("name", ["a/b", "a\nb", "a\n", "\x00", "tab\t", "\x7f"])
def test_a_slash_or_control_character_in_a_resource_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        resource_name(name, "name")

    assert str(refusal.value) == f"name is {name!r}, allowed are printable characters without '/'"


@pytest.mark.parametrize("check", [virtual_cluster_name, resource_name])
def test_empty_and_overlong_names_are_refused_with_their_length(check) -> None:
    with pytest.raises(InvalidArgument, match=r"^username must not be empty$"):
        check("", "username")
    with pytest.raises(
        InvalidArgument, match=r"^username has 129 characters, at most 128 are allowed$"
    ):
        check("x" * 129, "username")
