"""Selectors, limits, ends, pauses and halts, as requests meet them in a session."""

from dataclasses import replace
from typing import Any

import pytest

from codec.api_keys import ApiKey
from codec.messages.api_versions import ApiVersionsRequest
from codec.messages.fetch import FetchRequest, FetchResponse
from codec.messages.heartbeat import HeartbeatRequest, HeartbeatResponse
from sidecar.dataplane.actions import HoldBack
from sidecar.dataplane.pipeline import Pipeline
from sidecar.faults.broken_broker import BrokenBroker
from sidecar.faults.latency import Latency
from sidecar.faults.leader_election import LeaderElection
from sidecar.faults.slow_broker import SlowBroker
from sidecar.faults.slow_clients import SlowClients
from sidecar.model.identity import Identity
from sidecar.model.injection import DRAWN, FOLLOWS
from sidecar.model.interceptor import Interceptor, Scope
from sidecar.model.lease import Lease
from sidecar.model.limits import Limits
from sidecar.model.selector import Selector
from sidecar.model.snapshot import Snapshot
from tests.support.messages import batch, produce, read_request, request, response
from tests.support.sessions import (
    NOW,
    TOKENS,
    Client,
    interceptor,
    striking,
    tenant,
    to_broker,
)


def selecting(**lists: Any) -> Interceptor:
    return interceptor(selector=Selector(**lists))


def swap(client: Client, *interceptors: Interceptor, **fields: Any) -> None:
    """What a control call does."""
    snapshot = Snapshot(2, interceptors, **fields)
    client.shared.pipeline = Pipeline(snapshot, client.shared.pipeline)


def is_struck(client: Client, message: Any = None, version: int = 9) -> bool:
    before = len(client.recorded.injections)
    struck = not to_broker(client.sends(message or produce(), version))
    assert struck is (len(client.recorded.injections) > before)
    return struck


# Selectors


@pytest.mark.parametrize(
    ("lists", "result"),
    [
        ({"topics": ("c.*",)}, True),
        ({"topics": ("b.*",)}, False),
        ({"partitions": (0,)}, True),
        ({"partitions": (1,)}, False),
        ({"client_ids": ("ap+",)}, True),
        ({"client_ids": ("a",)}, False),
        ({"principals": ("anonymous",)}, True),
        ({"principals": ("sa",)}, False),
        ({"brokers": (2,)}, True),
        ({"brokers": (1, 3)}, False),
        ({"apis": ("PRODUCE",)}, True),
        ({"apis": ("FETCH",)}, False),
        ({"acks": (-1,)}, True),
        ({"acks": (1,)}, False),
        ({"groups": ("g",)}, False),
        ({"topics": ("cars",), "client_ids": ("app",), "acks": (-1, 1), "brokers": (2,)}, True),
        ({"topics": ("cars",), "client_ids": ("app",), "acks": (1,), "brokers": (2,)}, False),
    ],
)
def test_only_what_is_selected_is_struck(lists: dict[str, Any], result: bool) -> None:
    assert is_struck(Client(selecting(**lists))) is result


@pytest.mark.parametrize(
    ("lists", "struck"),
    [
        ({"partitions": (1, 7)}, {("a", 1), ("b", 1)}),
        ({"topics": ("b",)}, {("b", 0), ("b", 1)}),
        ({"topics": ("a",), "partitions": (0,)}, {("a", 0)}),
        ({"topics": ("c",)}, set()),
        ({"topics": ("a",), "acks": (1,)}, set()),
        ({"groups": ("g",)}, set()),
    ],
)
@pytest.mark.parametrize("window", [0, 1000])
def test_what_strikes_partitions_strikes_those_that_are_selected(
    window: int, lists: dict[str, Any], struck: set[tuple[str, int]]
) -> None:
    """Of a request that has others too; and draws for no others."""
    fault = LeaderElection(rate_in_percent=100, draw="PARTITION", window_ms=window)
    selected = replace(interceptor(selector=Selector(**lists)), fault=fault)
    client = tenant(selected)
    message = produce({name: {0: batch(), 1: batch()} for name in ("a", "b")})

    [data] = to_broker(client.sends(message, 9))

    _, sent = read_request(data)
    kept = {
        (t.name.removeprefix("teamA"), p.index) for t in sent.topic_data for p in t.partition_data
    }
    assert kept == {(name, index) for name in "ab" for index in (0, 1)} - struck
    assert {(i.topic, i.partition) for i in client.recorded.injections} == struck


def test_topics_are_those_that_the_client_knows() -> None:
    assert is_struck(tenant(selecting(topics=("cars",), principals=("sa",))))
    assert not is_struck(tenant(selecting(topics=("teamAcars",))))


def test_what_is_not_selected_is_not_drawn_for() -> None:
    plain = Client(interceptor(50, seed=3))
    among_others = Client(interceptor(50, seed=3, selector=Selector(topics=("cars",))))

    alone = [is_struck(plain) for _ in range(40)]
    together = []
    for _ in range(40):
        assert not is_struck(among_others, produce({"bikes": {0: batch()}}))
        together.append(is_struck(among_others))
        assert not is_struck(among_others, produce({"cars": {0: batch()}, "bikes": {0: batch()}}))

    assert together == alone


def test_other_apis_are_selected_by_their_groups() -> None:
    fault = Latency(applied_percentage=100, latency_ms=500)
    client = Client(striking(fault, selector=Selector(groups=("g",))))

    for group, held in (("g", True), ("h", False)):
        client.sends(HeartbeatRequest(group_id=group, generation_id=1, member_id="m"), 4)
        [action] = client.broker_answers(response(HeartbeatResponse(), 4))
        assert isinstance(action, HoldBack) is held
        if isinstance(action, HoldBack):
            client.session.released(action.chunks)
    assert [i.api for i in client.recorded.injections] == ["HEARTBEAT"]


def wants(client: Client, api: ApiKey) -> bool:
    injector = client.session._injector
    assert injector is not None
    return bool(injector.stages(client.shared.pipeline, api))


def test_requests_pass_when_who_sends_them_cannot_be_meant() -> None:
    breaking = BrokenBroker(rate_in_percent=100)
    for lists in ({"brokers": (9,)}, {"principals": ("sa",)}, {"apis": ("METADATA",)}):
        client = Client(striking(breaking, selector=Selector(**lists)))
        assert not wants(client, ApiKey.PRODUCE)
        assert not wants(client, ApiKey.FETCH)
    client = Client(striking(breaking, selector=Selector(apis=("FETCH",))))
    assert not wants(client, ApiKey.PRODUCE)
    assert wants(client, ApiKey.FETCH)


def test_the_plan_follows_what_a_client_calls_itself() -> None:
    breaking = BrokenBroker(rate_in_percent=100)
    client = Client(striking(breaking, selector=Selector(client_ids=("billing",))))
    assert wants(client, ApiKey.FETCH), "it is not known yet"
    client.session.stale = False

    client.sends_frame(request(ApiVersionsRequest(), 0))
    assert client.session.stale
    assert not wants(client, ApiKey.FETCH)
    client.sends_frame(request(ApiVersionsRequest(), 0, client_id="billing"))
    assert wants(client, ApiKey.FETCH)


def test_who_does_not_ask_for_client_ids_makes_no_new_plan() -> None:
    client = Client(interceptor(50))
    wants(client, ApiKey.PRODUCE)
    client.session.stale = False

    client.sends_frame(request(ApiVersionsRequest(), 0))

    assert not client.session.stale


# Ends


def test_an_interceptor_strikes_until_its_moment() -> None:
    assert is_struck(Client(interceptor(expires=NOW + 0.001)))
    client = Client(interceptor(expires=NOW))

    assert wants(client, ApiKey.PRODUCE)
    client.session.stale = False
    assert not is_struck(client)
    assert client.session.stale, "who has expired is not asked again"
    assert not wants(client, ApiKey.PRODUCE)


@pytest.mark.parametrize(
    ("leases", "result"),
    [
        ((Lease(name="x", duration=9, expires=NOW + 1, uid="l"),), True),
        ((Lease(name="x", duration=9, expires=NOW, uid="l"),), False),
        ((Lease(name="x", duration=9, expires=NOW + 1, uid="another"),), False),
        ((), False),
    ],
)
def test_an_interceptor_strikes_as_long_as_its_lease(leases: Any, result: bool) -> None:
    client = Client()
    swap(client, interceptor(lease="x", lease_uid="l"), leases=leases)

    assert is_struck(client) is result


def test_a_renewed_lease_goes_on_with_the_draws() -> None:
    client, plain = Client(), Client(interceptor(50, seed=5))
    found = []
    for step in range(40):
        lease = Lease(name="x", duration=9, expires=NOW + 1 + step, uid="l")
        swap(client, interceptor(50, seed=5, lease="x", lease_uid="l"), leases=(lease,))
        found.append(is_struck(client))

    assert found == [is_struck(plain) for _ in range(40)]


# Pauses and halts


def test_a_pause_draws_nothing_so_draws_go_on_where_they_were() -> None:
    one = interceptor(50, seed=5)
    plain, client = Client(one), Client(one)
    expected = [is_struck(plain) for _ in range(40)]

    found = [is_struck(client) for _ in range(20)]
    for stop in ({"paused": True}, {}):
        swap(client, replace(one, **stop), halted=not stop)
        assert not wants(client, ApiKey.PRODUCE)
        assert not any(is_struck(client) for _ in range(10))
    swap(client, one)
    found += [is_struck(client) for _ in range(20)]

    assert found == expected


def test_a_paused_one_still_hides_one_of_its_name_in_a_wider_scope() -> None:
    narrow = interceptor(paused=True, uid="1", scope=Scope(virtual_cluster="passthrough"))
    client = Client(narrow, interceptor(uid="2"))
    assert not is_struck(client)
    swap(client, narrow, interceptor(uid="2", name="other"))
    assert is_struck(client)


def test_what_follows_a_refused_batch_is_refused_through_a_halt_and_beyond_limits() -> None:
    def of(sequence: int) -> Any:
        data = batch(1, producer_id=7, producer_epoch=0, base_sequence=sequence)
        return produce({"cars": {0: data}})

    client = Client(interceptor(limits=Limits(max_injections=1)))
    assert is_struck(client, of(0))
    assert is_struck(client, of(1)), "or it would overtake the first"
    swap(client, interceptor(limits=Limits(max_injections=1)), halted=True)
    assert is_struck(client, of(2))

    assert not is_struck(client, of(0)), "it comes again"
    assert not is_struck(client, of(1))
    assert [i.reason for i in client.recorded.injections] == [DRAWN, FOLLOWS, FOLLOWS]


FETCHED = FetchResponse(
    responses=[
        FetchResponse.FetchableTopicResponse(
            topic="cars",
            partitions=[
                FetchResponse.FetchableTopicResponse.PartitionData(
                    partition_index=0, error_code=0, high_watermark=1, records=batch()
                )
            ],
        )
    ]
)


def fetch() -> FetchRequest:
    topic = FetchRequest.FetchTopic
    return FetchRequest(
        topics=[topic(topic="cars", partitions=[topic.FetchPartition(partition=0)])]
    )


@pytest.mark.parametrize("stop", ["halt", "pause", "delete", "expire", "nothing"])
def test_answers_of_requests_in_flight_are_not_changed_any_more(stop: str) -> None:
    fault = SlowClients(topic="cars", rate_in_percent=100, min_latency_ms=100, max_latency_ms=100)
    one = striking(fault)
    client = Client(one)
    client.sends(fetch(), 11)

    match stop:
        case "halt":
            swap(client, one, halted=True)
        case "pause":
            swap(client, replace(one, paused=True))
        case "delete":
            swap(client)
        case "expire":
            swap(client, replace(one, expires=NOW))

    [action] = client.broker_answers(response(FETCHED, 11))
    assert isinstance(action, HoldBack) is (stop == "nothing")
    assert len(client.recorded.injections) == (stop == "nothing")


def test_a_delay_that_was_recorded_is_kept_through_a_halt() -> None:
    fault = SlowBroker(rate_in_percent=100, min_latency_ms=100, max_latency_ms=100)
    client = Client(striking(fault))
    client.sends(fetch(), 11)
    swap(client, striking(fault), halted=True)

    [action] = client.broker_answers(response(FETCHED, 11))

    assert isinstance(action, HoldBack)


# Limits


def test_a_number_counts_topic_partitions_and_is_not_exceeded() -> None:
    client = Client(interceptor(limits=Limits(max_injections=4)))
    three = produce({"cars": {0: batch(), 1: batch()}, "bikes": {0: batch()}})

    assert is_struck(client, three)
    assert not is_struck(client, three)
    assert is_struck(client)
    client.session.stale = False
    assert not is_struck(client)
    assert client.session.stale
    assert not wants(client, ApiKey.PRODUCE), "it will not strike again"
    assert len(client.recorded.injections) == 4

    swap(client, interceptor(limits=Limits(max_injections=5)))
    assert [is_struck(client) for _ in range(3)] == [True, False, False]


def test_what_a_limit_forbids_leaves_the_turn_to_the_next() -> None:
    second = interceptor(name="second", priority=200)
    client = Client(interceptor(limits=Limits(max_injections=1)), second)

    assert [is_struck(client) for _ in range(3)] == [True, True, True]
    assert [i.interceptor for i in client.recorded.injections] == ["simulate", "second", "second"]


def test_a_rate_is_kept_by_the_clock() -> None:
    client = Client(interceptor(limits=Limits(max_per_second=3)))
    frame = request(produce(), 9)
    struck = [
        not to_broker(client.session.on_request(frame, NOW + step / 10)) for step in range(20)
    ]

    assert struck == ([True] * 3 + [False] * 7) * 2


def test_limits_are_for_delays_too_and_what_is_not_recorded_is_not_spent() -> None:
    fault = SlowBroker(rate_in_percent=100, min_latency_ms=100, max_latency_ms=100)
    client = Client(striking(fault, limits=Limits(max_injections=2)))
    client.recorded.accepts = False
    client.sends(fetch(), 11)
    client.recorded.accepts = True
    for _ in range(5):
        client.sends(fetch(), 11)

    assert len(client.recorded.injections) == 2


def test_principals_are_also_what_mappings_call_a_user() -> None:
    assert TOKENS["good token"] == Identity("sa", "teamA", frozenset({"team"}))
    assert not is_struck(tenant(selecting(principals=("someone",))))
