"""Messages to model values and back."""

from contextlib import suppress
from dataclasses import fields, replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sidecar.api import convert
from sidecar.control.alias_topics import MAX_ALIAS_TOPICS
from sidecar.control.interceptors import (
    ACTIVE,
    MAX_INTERCEPTORS,
    InterceptorService,
    View,
)
from sidecar.control.journal import Journal
from sidecar.control.state import ControlState
from sidecar.control.user_mappings import (
    MAX_USER_MAPPING_BYTES,
    MAX_USER_MAPPINGS,
    UserMappingService,
)
from sidecar.control.weights import MAX_ALL_ANNOTATION_BYTES
from sidecar.faults.leader_election import LeaderElection
from sidecar.gen.kafka.chaos.v1.alias_topic_service_pb2 import ListAliasTopicsResponse
from sidecar.gen.kafka.chaos.v1.injection_pb2 import Injection as InjectionMessage
from sidecar.gen.kafka.chaos.v1.interceptor_service_pb2 import ListInterceptorsResponse
from sidecar.gen.kafka.chaos.v1.user_mapping_service_pb2 import ListUserMappingsResponse
from sidecar.model.alias_topic import AliasTopic
from sidecar.model.errors import ResourceExhausted
from sidecar.model.injection import Injection
from sidecar.model.interceptor import MAX_PRIORITY, Interceptor, Scope
from sidecar.model.limits import Limits
from sidecar.model.names import MAX_NAME_LENGTH, MAX_TOPIC_NAME_LENGTH
from sidecar.model.selector import Selector
from sidecar.model.user_mapping import UserMapping
from tests.sidecar.api.harness import NOW, injection

NAMES = st.text("abcXYZ09._-é", min_size=1, max_size=128)
CLUSTERS = st.text("abcXYZ09._-", min_size=1, max_size=128).filter(lambda n: n[0] != "_")
SCOPES = st.one_of(
    st.just(Scope()),
    st.builds(Scope, virtual_cluster=CLUSTERS),
    st.builds(Scope, virtual_cluster=CLUSTERS, group=NAMES),
    st.builds(Scope, virtual_cluster=CLUSTERS, username=NAMES),
)
INTERCEPTORS = st.builds(
    Interceptor,
    name=NAMES,
    scope=SCOPES,
    priority=st.integers(0, 2**31 - 1),
    fault=st.builds(
        LeaderElection,
        rate_in_percent=st.floats(0, 100),
        seed=st.none() | st.integers(0, 2**64 - 1),
    ),
    annotations=st.dictionaries(NAMES, NAMES, max_size=3),
    selector=st.builds(
        Selector,
        topics=st.sampled_from([(), ("cars", "c.*")]),
        partitions=st.sampled_from([(), (0, 2**31 - 1)]),
        client_ids=st.sampled_from([(), ("app-[0-9]+",)]),
        principals=st.sampled_from([(), ("CN=billing,O=x",)]),
        groups=st.sampled_from([(), ("billing",)]),
        brokers=st.sampled_from([(), (0, 1)]),
        apis=st.sampled_from([(), ("PRODUCE", "FETCH")]),
        acks=st.sampled_from([(), (-1, 0, 1)]),
    ),
    limits=st.builds(
        Limits,
        max_injections=st.none() | st.integers(1, 2**64 - 1),
        max_per_second=st.none() | st.floats(0.001, 100_000),
    ),
    expires=st.none() | st.integers(0, 2**51).map(lambda micros: micros / 1e6),
    lease=st.just("") | NAMES,
)


@given(INTERCEPTORS)
def test_interceptors_survive_the_way_there_and_back(item: Interceptor) -> None:
    message = convert.interceptor_to_proto(View(item, 0, "", ACTIVE))

    assert replace(convert.interceptor_from_proto(message), given=None) == item


def test_the_longest_listing_is_below_what_grpc_clients_take() -> None:
    service = InterceptorService(ControlState(lambda _: None), Journal())
    keys = MAX_ALL_ANNOTATION_BYTES // MAX_INTERCEPTORS // 12  # three characters, nine around them
    cat = "\N{CAT FACE}"  # four bytes
    for i in range(MAX_INTERCEPTORS):
        service.create(
            Interceptor(
                name=f"{i:04}".ljust(MAX_NAME_LENGTH, cat),
                scope=Scope(virtual_cluster="v" * MAX_NAME_LENGTH, group=cat * MAX_NAME_LENGTH),
                priority=MAX_PRIORITY,
                fault=LeaderElection(rate_in_percent=99.9, seed=2**64 - 1),
                annotations={f"{key:03}": "" for key in range(keys)},
            )
        )

    messages = [convert.interceptor_to_proto(view) for view in service.list()]

    size = ListInterceptorsResponse(interceptors=messages).ByteSize()
    assert 2 * 1024 * 1024 < size < 4 * 1024 * 1024


def test_the_longest_listing_of_user_mappings_is_below_it_too() -> None:
    service = UserMappingService(ControlState(lambda _: None), lambda _: None)
    cat = "\N{CAT FACE}"
    names: dict[str, Any] = {
        "principal": "p" * 512,
        "groups": frozenset(f"{i:02}" for i in range(100)),
    }
    with suppress(ResourceExhausted):
        for i in range(MAX_USER_MAPPINGS):
            username = f"{i:04}".ljust(MAX_NAME_LENGTH, cat)
            service.create(UserMapping("v" * MAX_NAME_LENGTH, username, **names))

    messages = [convert.user_mapping_to_proto(mapping) for mapping in service.list()]

    size = ListUserMappingsResponse(user_mappings=messages).ByteSize()
    assert 1024 * 1024 < size < MAX_USER_MAPPING_BYTES


def test_the_longest_listing_of_alias_topics_is_below_it_too() -> None:
    long = "x" * MAX_TOPIC_NAME_LENGTH
    alias = convert.alias_topic_to_proto(AliasTopic("v" * MAX_NAME_LENGTH, long, long))

    assert (
        600 * MAX_ALIAS_TOPICS
        < (ListAliasTopicsResponse(alias_topics=[alias] * MAX_ALIAS_TOPICS).ByteSize())
        < 4 * 1024 * 1024
    )


def test_injections_have_the_same_fields_on_both_sides() -> None:
    ours = {field.name for field in fields(Injection)}

    assert set(InjectionMessage.DESCRIPTOR.fields_by_name) == ours | {"sequence"}


def test_injections_keep_every_value() -> None:
    record = injection(
        leader_id=0, leader_epoch=0, delay_ms=0, records_changed=0, coordinator_key="g"
    )
    message = convert.injection_to_proto(3, record)

    for name, value in record.as_dict().items():
        if name != "time":
            assert getattr(message, name) == value, name
            assert message.HasField(name) if value == 0 and "leader" in name else True
    assert message.sequence == 3
    assert message.time.ToMicroseconds() == round(NOW * 1e6)


def test_what_was_not_known_on_the_wire_stays_unset() -> None:
    unknown = [
        "client_id",
        "client_software_name",
        "client_software_version",
        "record_count",
        "producer_id",
        "producer_epoch",
        "base_sequence",
        "leader_id",
        "leader_epoch",
        "topic",
        "partition",
        "acks",
        "delay_ms",
        "records_changed",
        "coordinator_key",
    ]
    message = convert.injection_to_proto(1, injection(**dict.fromkeys(unknown)))

    assert [name for name in unknown if message.HasField(name)] == []


def test_text_that_is_not_unicode_is_still_told() -> None:
    message = convert.injection_to_proto(1, injection(client_id="a\udcffb"))

    assert message.client_id == "a?b"
