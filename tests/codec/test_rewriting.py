"""Rewriting equals decoding, editing and encoding."""

from typing import Any

import pytest

import codec
from codec.messages.delete_groups import DeleteGroupsRequest
from codec.messages.fetch import FetchResponse
from codec.messages.find_coordinator import FindCoordinatorResponse
from codec.messages.heartbeat import HeartbeatRequest
from codec.messages.list_offsets import ListOffsetsRequest
from codec.messages.metadata import MetadataResponse
from codec.messages.offset_fetch import OffsetFetchResponse
from codec.messages.produce import ProduceRequest, ProduceResponse
from codec.schema import Field, Kind, Role, Struct
from tests.codec.vectors import RELEASES, Vector, bodies, distinct_bodies

# Long enough to turn one-byte lengths into two-byte ones.
PREFIXES = {
    Role.TOPIC: "tenant-a." * 15,
    Role.GROUP: "g.",
    Role.TRANSACTIONAL_ID: "x.",
    Role.TEXT: "masked: ",
    Role.TOPIC_PATTERN: "tenant-a\\.",
    Role.TRANSACTIONAL_ID_PATTERN: "x\\.",
}


class Keep:
    """Hands back what it was given: the same object, or an equal one."""

    def __init__(self, *, same: bool) -> None:
        self.same = same

    def topic(self, name: bytes) -> bytes | None:
        return name if self.same else bytes(bytearray(name))

    group = transactional_id = topic

    def text(self, message: bytes) -> bytes:
        return message if self.same else bytes(bytearray(message))

    topic_id = topic_pattern = transactional_id_pattern = text

    def broker(self, node_id: int, host: bytes, port: int) -> tuple[bytes, int]:
        return self.text(host), port


class Prefix:
    """Puts a prefix before every name, and every broker somewhere else."""

    def topic(self, name: bytes) -> bytes | None:
        return PREFIXES[Role.TOPIC].encode() + name

    def group(self, name: bytes) -> bytes | None:
        return PREFIXES[Role.GROUP].encode() + name

    def transactional_id(self, name: bytes) -> bytes | None:
        return PREFIXES[Role.TRANSACTIONAL_ID].encode() + name

    def text(self, message: bytes) -> bytes:
        return PREFIXES[Role.TEXT].encode() + message

    def topic_pattern(self, pattern: bytes) -> bytes:
        return PREFIXES[Role.TOPIC_PATTERN].encode() + pattern

    def transactional_id_pattern(self, pattern: bytes) -> bytes:
        return PREFIXES[Role.TRANSACTIONAL_ID_PATTERN].encode() + pattern

    def topic_id(self, topic_id: bytes) -> bytes:
        assert len(topic_id) == 16
        return other_id(topic_id)

    def broker(self, node_id: int, host: bytes, port: int) -> tuple[bytes, int]:
        return _address(node_id)[0].encode(), _address(node_id)[1]


class Only(Prefix):
    """Lets only some names pass, unchanged."""

    def __init__(self, *allowed: str) -> None:
        self.allowed = [name.encode() for name in allowed]

    def topic(self, name: bytes) -> bytes | None:
        return name if name in self.allowed else None

    group = transactional_id = topic

    def topic_id(self, topic_id: bytes) -> bytes:
        return topic_id


def other_id(topic_id: bytes) -> bytes:
    """An id for each id, the zero one included."""
    return topic_id[8:] + bytes(255 - byte for byte in topic_id[:8])


def _address(node_id: int) -> tuple[str, int]:
    return f"proxy-{node_id}.example", 20000 + node_id % 1000


def edit(made: Struct) -> int:
    """Do to a decoded message what Prefix does to its bytes; returns how much there was to do.

    Fields that are not of the version are edited too, which the encoder does not mind.
    """
    done = 0
    brokers = [field for field in made.FIELDS if field.role is Role.BROKER]
    for field in made.FIELDS:
        value = getattr(made, field.name)
        if field.role in PREFIXES and value is not None:
            done += 1
            setattr(made, field.name, _prefixed(field, value))
        elif field.role is Role.TOPIC_ID:
            done += 1
            setattr(made, field.name, other_id(value))
        elif field.kind is Kind.STRUCT and value:
            done += edit(value)
        elif field.kind is Kind.ARRAY and isinstance(field.element, type) and value:
            done += sum(map(edit, value))
    if brokers:
        node, host, port = brokers
        address = _address(getattr(made, node.name))
        setattr(made, host.name, address[0])
        setattr(made, port.name, address[1])
        done += 1
    return done


def _prefixed(field: Field, value: Any) -> Any:
    assert field.role
    prefix = PREFIXES[field.role]
    return [prefix + name for name in value] if field.kind is Kind.ARRAY else prefix + value


@pytest.mark.parametrize("same", [True, False])
@pytest.mark.parametrize("release", RELEASES)
def test_hooks_that_change_nothing_give_the_same_bytes(release: str, same: bool) -> None:
    hooks = Keep(same=same)
    vectors = bodies(release)
    assert len(vectors) > 3300
    for vector in vectors:
        assert vector.rewrite(hooks) == vector.body, vector
        assert vector.rewrite(hooks, vector.body + b"surplus") == vector.body + b"surplus", vector


@pytest.mark.parametrize("release", RELEASES)
def test_equals_decode_edit_encode(release: str) -> None:
    edited = 0
    for vector in bodies(release):
        message = vector.decode()
        edited += edit(message)
        assert vector.rewrite(Prefix()) == codec.encode(message, vector.version), vector
    assert edited > 4000


def test_empty_names_are_asked_about_and_nulls_are_not() -> None:
    topic = MetadataResponse.MetadataResponseTopic
    body = codec.encode(MetadataResponse(topics=[topic(name=""), topic(name=None)]), 12)
    [chunk] = codec.rewrite_response(3, 12, body, Prefix())
    again: Any = codec.decode_response(3, 12, chunk)
    assert [t.name for t in again.topics] == [PREFIXES[Role.TOPIC], None]


@pytest.mark.parametrize("version", range(14))
def test_none_drops_the_topic_and_mends_the_count(version: int) -> None:
    message = _metadata("a", "gone", "b", "gone", "gone")
    expected = _metadata("a", "b")
    for each in (message, expected):
        for broker in each.brokers:
            broker.host, broker.port = _address(broker.node_id)
    body = codec.encode(message, version)
    [chunk] = codec.rewrite_response(3, version, body, Only("a", "b"))
    assert chunk == codec.encode(expected, version)


def _metadata(*names: str) -> MetadataResponse:
    topic = MetadataResponse.MetadataResponseTopic
    partition = topic.MetadataResponsePartition
    return MetadataResponse(
        brokers=[MetadataResponse.MetadataResponseBroker(node_id=7, host="real", port=9092)],
        topics=[
            topic(name=name, partitions=[partition(partition_index=p) for p in range(len(name))])
            for name in names
        ],
    )


@pytest.mark.parametrize("version", [0, 2])
def test_none_drops_a_name_of_an_array_of_names(version: int) -> None:
    body = codec.encode(DeleteGroupsRequest(groups_names=["x", "mine", "y"]), version)
    [chunk] = codec.rewrite_request(42, version, body, Only("mine"))
    assert chunk == codec.encode(DeleteGroupsRequest(groups_names=["mine"]), version)


def test_dropping_happens_at_the_level_that_holds_the_name() -> None:
    group = OffsetFetchResponse.OffsetFetchResponseGroup
    topic = group.OffsetFetchResponseTopics

    def message(**groups: list[str]) -> OffsetFetchResponse:
        made = [group(group_id=g, topics=[topic(name=t) for t in ts]) for g, ts in groups.items()]
        return OffsetFetchResponse(groups=made)

    body = codec.encode(message(g1=["t", "no"], g2=["t", "t"], g3=["no"], g4=[]), 8)
    [chunk] = codec.rewrite_response(9, 8, body, Only("g1", "g3", "t"))
    assert chunk == codec.encode(message(g1=["t"], g3=[]), 8)


def test_none_for_a_name_outside_an_array_is_an_error() -> None:
    body = codec.encode(HeartbeatRequest(group_id="g", member_id="m"), 4)
    with pytest.raises(codec.EncodeError, match="HeartbeatRequest v4"):
        codec.rewrite_request(12, 4, body, Only())


def test_addresses_in_tags_are_found() -> None:
    endpoints = [
        ProduceResponse.NodeEndpoint(node_id=4, host="real", port=9092, rack="r"),
        ProduceResponse.NodeEndpoint(node_id=5, host="real", port=9093),
    ]
    message = ProduceResponse(node_endpoints=endpoints, unknown_tags=[(9, b"kept")])
    [chunk] = codec.rewrite_response(0, 10, codec.encode(message, 10), Prefix())
    again = codec.decode_response(0, 10, chunk)
    assert isinstance(again, ProduceResponse)
    assert [(e.host, e.port) for e in again.node_endpoints] == [_address(4), _address(5)]
    assert again.unknown_tags == [(9, b"kept")]


def test_the_hook_decides_about_no_broker() -> None:
    asked = []

    class Hook(Keep):
        def broker(self, node_id: int, host: bytes, port: int) -> tuple[bytes, int]:
            asked.append((node_id, host, port))
            return host, port

    message = FindCoordinatorResponse(error_code=15, node_id=-1, host="", port=-1)
    body = codec.encode(message, 2)
    assert codec.rewrite_response(10, 2, body, Hook(same=True)) == [body]
    assert asked == [(-1, b"", -1)]


@pytest.mark.parametrize("version", [10, 11, 12, 13])
def test_a_name_is_asked_about_just_before_its_id(version: int) -> None:
    asked: list[bytes] = []

    class Hook(Prefix):
        def topic(self, name: bytes) -> bytes | None:
            asked.append(name)
            return None if name == b"gone" else name

        def topic_id(self, topic_id: bytes) -> bytes:
            asked.append(topic_id)
            return topic_id

    topic = MetadataResponse.MetadataResponseTopic
    ids = {name: name.encode()[:1] * 16 for name in ("a", "gone", "b")}
    topics = [topic(name=name, topic_id=id_) for name, id_ in ids.items()]
    message = MetadataResponse(topics=[*topics, topic(name="")])
    codec.rewrite_response(3, version, codec.encode(message, version), Hook())
    pairs = [(name.encode(), id_) for name, id_ in ids.items()]
    assert asked == [each for pair in (*pairs, (b"", bytes(16))) for each in pair]


def test_hooks_are_looked_up_only_where_the_message_needs_them() -> None:
    class Hook:
        def topic(self, name: bytes) -> bytes:
            return b"t." + name

    body = codec.encode(
        ListOffsetsRequest(topics=[ListOffsetsRequest.ListOffsetsTopic(name="x")]), 2
    )
    only_topics: Any = Hook()
    [chunk] = codec.rewrite_request(2, 2, body, only_topics)
    assert b"t.x" in bytes(chunk)


@pytest.mark.parametrize("length", [0, 15, 17])
def test_an_id_must_have_16_bytes(length: int) -> None:
    class Hook(Prefix):
        def topic_id(self, topic_id: bytes) -> bytes:
            return bytes(length)

    with pytest.raises(codec.EncodeError, match=f"a topic id of {length} bytes"):
        codec.rewrite_response(3, 12, codec.encode(_metadata("a"), 12), Hook())


def test_records_are_not_copied() -> None:
    records = bytes(range(256)) * 40
    data = ProduceRequest.TopicProduceData
    partitions = [data.PartitionProduceData(index=i, records=records) for i in range(3)]
    body = codec.encode(ProduceRequest(topic_data=[data(name="t", partition_data=partitions)]), 9)
    chunks = codec.rewrite_request(0, 9, body, Prefix())
    views = [chunk for chunk in chunks if isinstance(chunk, memoryview)]
    assert sum(map(len, views)) >= 3 * len(records)
    assert all(view.obj is body for view in views)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_kind_of_buffer_and_any_start(kind: type[bytes]) -> None:
    body = codec.encode(_metadata("a", "b"), 12)
    expected = codec.rewrite_response(3, 12, body, Prefix())
    assert codec.rewrite_response(3, 12, kind(body), Prefix()) == expected
    assert codec.rewrite_response(3, 12, kind(b"head" + body), Prefix(), 4) == expected


def test_a_message_without_names_comes_back_unread() -> None:
    body = b"whatever"
    assert codec.rewrite_request(18, 4, body, Prefix()) == [body]
    assert codec.rewrite_request(18, 4, body, Prefix(), 4) == [b"ever"]


@pytest.mark.parametrize(
    "hook",
    [
        pytest.param({"topic": b"n" * 32768}, id="name too long"),
        pytest.param({"broker": (b"h" * 32768, 1)}, id="host too long"),
        pytest.param({"broker": (b"h", 1 << 31)}, id="port too large"),
    ],
)
@pytest.mark.parametrize("version", [8, 9])
def test_what_does_not_fit_is_an_error(hook: dict[str, Any], version: int) -> None:
    hooks = Keep(same=True)
    for name, value in hook.items():
        setattr(hooks, name, lambda *_, value=value: value)
    with pytest.raises(codec.EncodeError):
        codec.rewrite_response(3, version, codec.encode(_metadata("a"), version), hooks)


@pytest.mark.parametrize("version", [8, 9, 13])
def test_nothing_is_read_behind_the_last_name(version: int) -> None:
    data = ProduceRequest.TopicProduceData
    partition = data.PartitionProduceData(records=bytes(300))
    topics = [data(name="t" * n, topic_id=b"i" * 16, partition_data=[partition]) for n in (1, 2)]
    whole = codec.encode(ProduceRequest(topic_data=topics), version)
    empty = codec.encode(
        ProduceRequest(topic_data=[topics[0], topics[1].copy(partition_data=[])]), version
    )
    last = len(empty) - (4 if version == 8 else 3)
    for end in (last, last + 1, len(whole) - 200):
        cut = whole[:end]
        assert b"".join(codec.rewrite_request(0, version, cut, Keep(same=True))) == cut
    with pytest.raises(codec.DecodeError):
        codec.rewrite_request(0, version, whole[: last - 1], Keep(same=True))
    if version < 13:
        # What is dropped has to be passed over.
        with pytest.raises(codec.DecodeError):
            codec.rewrite_request(0, version, whole[: len(whole) - 200], Only("t"))


def test_cut_bodies_raise_only_decode_errors() -> None:
    tried = refused = 0
    for vector in distinct_bodies():
        if vector.profile in ("DEF", "MIN", "NUL"):
            continue  # The other profiles have all they have, and more.
        for end in range(len(vector.body)):
            tried += 1
            refused += _refuses(vector, vector.body[:end])
    assert tried > 70_000
    # The rest was cut behind the last name, where nothing is read.
    assert refused > tried / 3


def _refuses(vector: Vector, body: bytes) -> bool:
    try:
        vector.rewrite(Keep(same=True), body)
    except codec.DecodeError:
        return True
    return False


def test_fetch_responses_keep_their_leader_tags() -> None:
    topic = FetchResponse.FetchableTopicResponse
    leader = topic.PartitionData.LeaderIdAndEpoch(leader_id=3, leader_epoch=9)
    partition = topic.PartitionData(error_code=6, current_leader=leader, records=b"")
    message = FetchResponse(responses=[topic(topic="t", partitions=[partition])])
    again = codec.decode_response(
        1, 12, b"".join(codec.rewrite_response(1, 12, codec.encode(message, 12), Prefix()))
    )
    assert isinstance(again, FetchResponse)
    assert again.responses[0].partitions == [partition]
