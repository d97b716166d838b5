"""Names: what is wrong with one is said with the field, the value and what is allowed."""

import pytest

from sidecar.model.errors import InvalidArgument
from sidecar.model.names import (
    MAX_NAME_LENGTH,
    principal_name,
    resource_name,
    topic_name,
    virtual_cluster_name,
)


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


@pytest.mark.parametrize("name", ["_", "__consumer_offset", "_schema", "_conduktor"])
def test_a_virtual_cluster_that_could_reach_internal_topics_is_refused(name: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        virtual_cluster_name(name, "vcluster")

    assert str(refusal.value) == (
        f"vcluster is {name!r}, names that begin with '_' are reserved:"
        " those of Kafka's internal topics do"
    )


@pytest.mark.parametrize("name", ["a", "__consumer_offsets", "...", "a.b_c-D9", "x" * 249])
def test_what_kafka_takes_names_a_topic(name: str) -> None:
    assert topic_name(name, "logical_name") == name


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("", "must not be empty"),
        ("x" * 250, "has 250 characters, at most 249 are allowed"),
        (".", "is '.', Kafka allows neither '.' nor '..'"),
        ("..", "is '..', Kafka allows neither '.' nor '..'"),
        ("a b", "is 'a b', allowed are letters, digits, '.', '_' and '-'"),
        ("a\n", "is 'a\\n', allowed are letters, digits, '.', '_' and '-'"),
        ("é", "is 'é', allowed are letters, digits, '.', '_' and '-'"),
    ],
)
def test_what_kafka_refuses_does_not_name_a_topic(name: str, wrong: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        topic_name(name, "logical_name")

    assert str(refusal.value) == f"logical_name {wrong}"


@pytest.mark.parametrize("name", ["sa", "CN=a, OU=b/c, O=é", "x" * 512])
def test_a_principal_may_be_a_distinguished_name(name: str) -> None:
    assert principal_name(name, "principal") == name


@pytest.mark.parametrize("name", ["", "a\x00", "x" * 513])
def test_a_principal_is_printable_and_bounded(name: str) -> None:
    with pytest.raises(InvalidArgument, match=r"^principal "):
        principal_name(name, "principal")


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
