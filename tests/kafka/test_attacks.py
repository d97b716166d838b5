"""What one virtual cluster gets when it reaches for another's: what it gets for what nobody has.

Every request is sent twice, about something that is not the attacker's and about something that
does not exist; the answers must be the same in every field. And at the end all that the victim has
must be as it was.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import uuid4

import pytest

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from tests.kafka.api_matrix import modern_groups
from tests.kafka.api_matrix.data import fetch_request
from tests.kafka.api_matrix.run import ranges, versions
from tests.kafka.api_matrix.shapes import Plain
from tests.kafka.api_matrix.spec import ok
from tests.kafka.api_matrix.tenant import TOPIC, Tenant
from tests.kafka.attacks import by_group, by_topic
from tests.kafka.attacks.siege import (
    ATTACKER,
    CLASSIC,
    COMMITTED,
    MODERN,
    OUTSIDE,
    SHARED,
    TOPICS,
    TRANSACTION,
    VICTIM,
    Siege,
    Target,
    nobody,
    siege,
)
from tests.kafka.sidecars import Access, Gateways

# The first test pays for the start of the cluster, and perhaps for the download.
pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

#: Drawn anew for every answer.
VOLATILE = {"session_id", "throttle_time_ms", "acquisition_lock_timeout_ms", "controller_id"}
#: A second each time: one foreign topic must do.
SLOW = (ApiKey.CONSUMER_GROUP_HEARTBEAT,)
GROUPS = (CLASSIC, MODERN, COMMITTED, SHARED)
#: Logical names, which are in use in the victim's virtual cluster only; and physical ones.
GROUP_NAMES = (*GROUPS, *(VICTIM + each for each in GROUPS), OUTSIDE)
TRANSACTION_NAMES = (TRANSACTION, VICTIM + TRANSACTION)
FETCH_VERSIONS = range(7, 19)
BEATS = 5
HOSTILE = (
    ".*",
    f"{VICTIM}.*",
    f"^{VICTIM}.*$",
    f"^(?:{ATTACKER})?{VICTIM}.*",
    f"(?i){VICTIM.upper()}.*",
    f"x|{VICTIM}.*",
    f"x)|(?:{VICTIM}.*",
    ")|.*|(?:",
    ")$|^.*$|^(",
    "\\E.*",
    f"\\Q{VICTIM}{TOPIC}\\E",
    f"\\Q)|{VICTIM}{TOPIC}",
    "(?s).*",
    "(?m)^.*$",
    "[\\s\\S]*",
    f"\\A{VICTIM}{TOPIC}\\z",
    "__.*",
    "(?:(?:(?:",
    "[",
    "(?=.*)",
    "a{1001}",
    "\\C*",
    "\x00",
)


@pytest.fixture(scope="module")
def besieged(gateways: Gateways) -> Iterator[Siege]:
    """Attacker and victim behind different sidecars; nobody eavesdrops: attackers name names."""
    marker = uuid4().hex
    attacker = Tenant(ATTACKER, gateways.first.access(ATTACKER), f"attacker-{marker}")
    victim = Tenant(VICTIM, gateways.second.access(VICTIM), f"victim-{marker}")
    outside = Tenant("", Access(gateways.kafka.bootstrap), f"outside-{marker}")
    with siege(attacker, victim, outside) as made:
        yield made


@pytest.fixture(scope="module")
def same_sidecar(gateways: Gateways, besieged: Siege) -> Iterator[Tenant]:
    """The attacker at the victim's sidecar, which knows all about the victim."""
    attacker = Tenant(ATTACKER, gateways.second.access(ATTACKER), besieged.attacker.marker.decode())
    attacker.learn_brokers()
    attacker.ids = besieged.attacker.ids
    attacker.forbidden = besieged.attacker.forbidden
    yield attacker
    attacker.close()


@pytest.fixture(params=["other sidecar", "same sidecar"])
def attacker(request: pytest.FixtureRequest, besieged: Siege, same_sidecar: Tenant) -> Tenant:
    """At either sidecar; the victim's members are kept alive meanwhile."""
    besieged.victim.beat()
    return besieged.attacker if request.param == "other sidecar" else same_sidecar


@pytest.fixture(autouse=True, scope="module")
def untouched(besieged: Siege) -> Iterator[None]:
    """Whatever was tried, the victim has what it had, and goes on."""
    before = besieged.untouched()
    assert before["topics"].keys() == {VICTIM + TOPIC, VICTIM + TRANSACTION, OUTSIDE}
    assert before["transaction"]["transaction_state"] == "Ongoing"
    assert len(before["entries"]) == 2
    yield
    besieged.victim.beat()
    assert besieged.victim.fetches()
    assert besieged.untouched() == before


def blurred(body: Any, target: Target) -> Any:
    """An answer with the target's name and id replaced, and without what is drawn anew."""
    if isinstance(body, dict):
        return {key: blurred(value, target) for key, value in body.items() if key not in VOLATILE}
    if isinstance(body, list):
        return [blurred(each, target) for each in body]
    if isinstance(body, str):
        return body.replace(target.name, "<name>")
    if isinstance(body, bytes):
        return body.replace(target.topic_id, b"<id>")
    return body


def offered(tenant: Tenant, key: ApiKey, since: int = 0) -> Sequence[int]:
    """The versions of an API that the tenant is offered."""
    found = [each for each in versions(ranges(tenant.connection()), key) if each >= since]
    assert found, f"{key.name} is not offered"
    return found


@pytest.mark.parametrize(
    ("key", "what"), by_topic.ATTACKS, ids=[f"{k.name} {w}".strip() for k, w in by_topic.ATTACKS]
)
def test_a_foreign_topic_is_one_that_nobody_has(
    besieged: Siege, attacker: Tenant, key: ApiKey, what: str
) -> None:
    since, attack = by_topic.ATTACKS[key, what]
    for version in offered(attacker, key, since):
        for name in TOPICS[:1] if key in SLOW else TOPICS:
            foreign = Target(name, besieged.ids[name])
            unknown = nobody(like=name)
            expected = blurred(attack(attacker, version, unknown).body, unknown)
            assert blurred(attack(attacker, version, foreign).body, foreign) == expected, (
                f"v{version}, {name}"
            )


@pytest.mark.parametrize("key", by_group.GROUP_ATTACKS, ids=lambda key: key.name)
def test_a_foreign_group_is_one_that_nobody_has(
    besieged: Siege, attacker: Tenant, key: ApiKey
) -> None:
    values = by_group.GROUP_ATTACKS[key]
    for version in offered(attacker, key):
        for name in GROUP_NAMES:
            answers = []
            for target in (Target(name, uuid4().bytes), nobody(like=name)):
                wanted = values(attacker, besieged.victim, target.name)
                answer = by_group.ask(attacker, key, version, wanted, target.name, 0)
                answers.append(blurred(answer.body, target))
                by_group.forget(attacker, target.name)
            assert answers[0] == answers[1], f"v{version}, {name}"


@pytest.mark.parametrize("key", by_group.TRANSACTION_ATTACKS, ids=lambda key: key.name)
def test_a_foreign_transaction_is_one_that_nobody_has(
    besieged: Siege, attacker: Tenant, key: ApiKey
) -> None:
    values = by_group.TRANSACTION_ATTACKS[key]
    for version in offered(attacker, key):
        for name in TRANSACTION_NAMES:
            answers = []
            for target in (Target(name, uuid4().bytes), nobody(like=name)):
                wanted = values(attacker, besieged.victim, target.name)
                answer = by_group.ask(attacker, key, version, wanted, target.name, 1)
                answers.append(blurred(answer.body, target))
            assert answers[0] == answers[1], f"v{version}, {name}"


@pytest.mark.parametrize("version", FETCH_VERSIONS)
@pytest.mark.parametrize("step", [0, 1, 2, None], ids=["now", "next", "later", "the end"])
def test_a_foreign_fetch_session_is_one_that_nobody_has(
    besieged: Siege, attacker: Tenant, version: int, step: int | None
) -> None:
    """Whoever says its number would be sent the victim's records, or end it."""
    victim = besieged.victim
    assert victim.fetches(), "the session brings something each time"
    epoch = -1 if step is None else victim.session_epoch + step
    session = {"session_id": victim.session_id, "session_epoch": epoch}
    answer = attacker.ask(ApiKey.FETCH, version, fetch_request(attacker, version, {}, **session), 2)

    # Whoever ends a session that nobody has is told nothing of it by a broker.
    error = ErrorCode.NONE if step is None else ErrorCode.FETCH_SESSION_ID_NOT_FOUND
    assert (answer["error_code"], answer["session_id"], answer["responses"]) == (error, 0, [])
    assert victim.fetches()


@pytest.mark.parametrize(
    "cursor", [VICTIM + TOPIC, VICTIM, OUTSIDE, "", "\x00", "__consumer_offsets", "zzz", ATTACKER]
)
def test_a_foreign_cursor_leads_to_own_topics(attacker: Tenant, cursor: str) -> None:
    for partition in (-1, 0, 99):
        place = {"topic_name": cursor, "partition_index": partition}
        values = {"topics": [], "response_partition_limit": 2000, "cursor": place}
        answer = attacker.ask(ApiKey.DESCRIBE_TOPIC_PARTITIONS, 0, values)
        names = {topic["name"] for topic in answer["topics"]}
        own = {topic["name"] for topic in _all_topics(attacker)}
        assert names <= own, f"{partition}: {names - own}"
        assert VICTIM.encode() not in answer.raw.replace(cursor.encode() or b"-", b"")


def _all_topics(tenant: Tenant) -> list[Plain]:
    topics: list[Plain] = tenant.ask(ApiKey.METADATA, 12, {"topics": None})["topics"]
    return topics


@pytest.mark.parametrize("pattern", HOSTILE)
def test_a_pattern_finds_own_transactions_only(
    besieged: Siege, attacker: Tenant, pattern: str
) -> None:
    for node, _, _ in sorted(attacker.addresses):
        values = {"transactional_id_pattern": pattern, "producer_id_filters": []}
        answer = attacker.ask(ApiKey.LIST_TRANSACTIONS, 2, values, node)
        names = {state["transactional_id"] for state in answer["transaction_states"]}
        assert names <= {by_topic.OWN}
        assert VICTIM.encode() not in answer.raw
    own = {"producer_id_filters": [besieged.victim.producer.producer_id]}
    for node, _, _ in sorted(attacker.addresses):
        answer = ok(attacker.ask(ApiKey.LIST_TRANSACTIONS, 2, own, node))
        assert answer["transaction_states"] == []


@pytest.mark.parametrize("pattern", HOSTILE)
def test_a_pattern_subscribes_to_own_topics_only(besieged: Siege, pattern: str) -> None:
    """Beside a name, which is given out as soon as the group has been reckoned."""
    attacker = besieged.attacker
    group = f"attackers-{uuid4().hex}"
    node = attacker.coordinator(group, 0)
    member: Plain = {"group_id": group, "member_id": str(uuid4())}
    first = {**member, "member_epoch": 0, "rebalance_timeout_ms": 30000, "topic_partitions": []}
    wanted = {**first, "subscribed_topic_names": [TOPIC], "subscribed_topic_regex": pattern}
    answer = attacker.settled(ApiKey.CONSUMER_GROUP_HEARTBEAT, 1, wanted, node)
    if answer["error_code"]:
        assert answer["error_code"] == ErrorCode.INVALID_REGULAR_EXPRESSION
        assert ATTACKER not in answer["error_message"]
        return
    assigned: set[bytes] = set()

    def beaten() -> int:
        """How often: brokers look for what fits a pattern beside all else, and tell of it later."""
        nonlocal answer
        told = answer["assignment"] or {"topic_partitions": []}
        assigned.update(each["topic_id"] for each in told["topic_partitions"])
        again = {**member, "member_epoch": answer["member_epoch"]}
        answer = ok(attacker.ask(ApiKey.CONSUMER_GROUP_HEARTBEAT, 1, again, node))
        return next(beats)

    beats = itertools.count()
    attacker.until(beaten, lambda count: attacker.ids[TOPIC] in assigned and count >= BEATS)
    assert assigned <= {topic["topic_id"] for topic in _all_topics(attacker)}
    left = {**member, "member_epoch": answer["member_epoch"]}
    modern_groups.left(attacker, left, 1, node)


@pytest.mark.parametrize("name", [VICTIM + TOPIC, OUTSIDE, "__consumer_offsets", "__own"])
def test_a_topic_of_a_foreign_name_is_created_among_own(
    besieged: Siege, attacker: Tenant, name: str
) -> None:
    one = {"name": name, "num_partitions": 1, "replication_factor": 1}
    made = attacker.ask(ApiKey.CREATE_TOPICS, 7, {"topics": [one], "timeout_ms": 20000})["topics"]
    assert [(each["name"], each["error_code"]) for each in made] == [(name, 0)]
    wanted = {"topics": [{"name": ATTACKER + name}], "allow_auto_topic_creation": False}
    [found] = besieged.outside.until(
        lambda: besieged.outside.ask(ApiKey.METADATA, 12, wanted)["topics"],
        lambda topics: topics[0]["error_code"] == 0,
    )
    assert found["topic_id"] == made[0]["topic_id"] != besieged.ids.get(name)
    gone = {"topics": [{"name": name}], "timeout_ms": 20000}
    answer = ok(attacker.ask(ApiKey.DELETE_TOPICS, 6, gone))
    assert [each["topic_id"] for each in answer["responses"]] == [made[0]["topic_id"]]


@pytest.mark.parametrize(
    "vcluster",
    [
        VICTIM[:-1],
        VICTIM[:3],
        VICTIM + "x",
        VICTIM + TOPIC,
        "_",
        "__consumer_offsets",
        "_schemas",
    ],
)
def test_no_token_is_made_for_a_virtual_cluster_that_could_share_names(
    besieged: Siege, gateways: Gateways, vcluster: str
) -> None:
    path = f"/admin/vclusters/v1/vcluster/{vcluster}/username/sa"
    status, body = gateways.second.request("POST", path, {"lifeTimeSeconds": 3600})
    assert status in (400, 409), (status, body)
    assert "token" not in body
