"""What users of declared messages rely on."""

import pytest

import codec
from codec.error_codes import ErrorCode
from codec.messages.delete_topics import DeleteTopicsRequest
from codec.messages.fetch import FetchRequest, FetchResponse
from codec.messages.produce import ProduceRequest, ProduceResponse
from codec.schema import version_range

Topic = ProduceResponse.TopicProduceResponse
Partition = Topic.PartitionProduceResponse


def test_keywords_construct_and_defaults_fill_up() -> None:
    partition = Partition(index=3, error_code=ErrorCode.NOT_LEADER_OR_FOLLOWER)
    assert (partition.index, partition.error_code) == (3, 6)
    assert partition.log_append_time_ms == -1
    assert partition.current_leader is None
    message = ProduceResponse(responses=[Topic(name="t", partition_responses=[partition])])
    again = codec.decode_response(0, 9, codec.encode(message, 9))
    assert again == message
    assert isinstance(again, ProduceResponse)


def test_unset_arrays_are_fresh_lists() -> None:
    first, second = ProduceResponse(), ProduceResponse()
    first.responses.append(Topic(name="t"))
    assert second.responses == []


def test_attributes_that_are_no_fields() -> None:
    with pytest.raises(TypeError, match="ProduceResponse has no field respones"):
        ProduceResponse(respones=[])
    with pytest.raises(TypeError, match="TopicProduceResponse has no field trailing"):
        Topic(trailing=b"")
    with pytest.raises(TypeError, match="no field nmae"):
        Topic().copy(nmae="t")
    with pytest.raises(AttributeError):
        Topic().nmae = "t"  # type: ignore[attr-defined]


def test_fields_absent_in_a_version_read_as_their_default() -> None:
    message = codec.decode_request(1, 4, codec.encode(FetchRequest(rack_id="r"), 4))
    assert isinstance(message, FetchRequest)
    assert (message.rack_id, message.session_epoch, message.cluster_id) == ("", -1, None)
    assert list(message.forgotten_topics_data) == []
    assert message.unknown_tags == ()


def test_equality() -> None:
    assert Topic(name="t") == Topic(name="t", partition_responses=())
    assert Topic(name="t") != Topic(name="u")
    assert Topic(name="t") != Topic(name="t", unknown_tags=[(1, b"")])
    assert ProduceResponse() != ProduceResponse(trailing=b"x")
    assert Topic() != Partition()
    assert Topic() != "Topic"
    with pytest.raises(TypeError):
        hash(Topic())


def test_copy_is_shallow_and_leaves_the_original() -> None:
    original = codec.decode_response(0, 9, codec.encode(ProduceResponse(throttle_time_ms=5), 9))
    changed = original.copy(throttle_time_ms=6)
    assert (original.throttle_time_ms, changed.throttle_time_ms) == (5, 6)  # type: ignore[attr-defined]
    assert changed.responses is original.responses  # type: ignore[attr-defined]


def test_repr_names_class_and_fields() -> None:
    assert repr(Topic(name="t")).startswith("TopicProduceResponse(name='t', topic_id=")


@pytest.mark.parametrize(
    ("values", "version"),
    [
        pytest.param({"responses": None}, 9, id="null array"),
        pytest.param({"responses": [Topic(name=None)]}, 9, id="null string"),
        pytest.param({"throttle_time_ms": 1 << 31}, 9, id="too large"),
        pytest.param({"throttle_time_ms": "1"}, 9, id="text for a number"),
        pytest.param({"responses": [Topic(name=b"t")]}, 9, id="bytes for text"),
        pytest.param({"responses": [object()]}, 9, id="no struct"),
        pytest.param({"unknown_tags": [(5, b""), (4, b"")]}, 9, id="tags out of order"),
        pytest.param(
            {"responses": [Topic(partition_responses=[Partition(record_errors=None)])]},
            9,
            id="null in a sparse field",
        ),
        pytest.param({"responses": [Topic(topic_id=1)]}, 13, id="number for a uuid"),
    ],
)
def test_values_that_do_not_fit(values: dict[str, object], version: int) -> None:
    with pytest.raises(codec.EncodeError):
        codec.encode(ProduceResponse(**values), version)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
@pytest.mark.parametrize("size", [0, 1, 126, 127, 128, 1024, 16_382, 16_383, 16_384, 70_000])
@pytest.mark.parametrize("version", [3, 9])
def test_records_of_any_size_and_kind(kind: type[bytes], size: int, version: int) -> None:
    records = kind(b"r" * size)
    topic = ProduceRequest.TopicProduceData
    data = topic(name="t", partition_data=[topic.PartitionProduceData(records=records)])
    body = codec.encode(ProduceRequest(topic_data=[data]), version)
    decoded = codec.decode_request(0, version, body)
    assert isinstance(decoded, ProduceRequest)
    view = decoded.topic_data[0].partition_data[0].records
    assert isinstance(view, memoryview)
    assert view.obj is body
    assert view == b"r" * size


def test_large_records_are_the_same_objects_in_chunks() -> None:
    large, small = memoryview(b"r" * 1024), memoryview(b"s" * 10)
    topic = FetchResponse.FetchableTopicResponse
    partitions = [topic.PartitionData(records=records) for records in (large, small, None, large)]
    message = FetchResponse(responses=[topic(topic="t", partitions=partitions)])
    chunks = codec.encode_chunks(message, 12)
    assert b"".join(chunks) == codec.encode(message, 12)
    assert [chunk is large for chunk in chunks] == [False, True, False, True, False]


def test_arrays_around_the_prepared_lengths() -> None:
    topic = codec.registry.response_class(3).MetadataResponseTopic  # type: ignore[attr-defined]
    for count in (0, 1, 63, 64, 65, 66, 127, 128, 300):
        numbers = list(range(count))
        partition = topic.MetadataResponsePartition(replica_nodes=numbers, isr_nodes=numbers)
        message = codec.registry.response_class(3)(topics=[topic(partitions=[partition])])
        for version in (8, 9):
            again = codec.decode_response(3, version, codec.encode(message, version))
            assert again == message
            assert isinstance(again.topics[0].partitions[0].replica_nodes, tuple)  # type: ignore[attr-defined]


@pytest.mark.parametrize("count", [0, 1, 126, 127, 128, 20_000])
@pytest.mark.parametrize("version", [5, 6])
def test_long_arrays(count: int, version: int) -> None:
    if version == 5:
        message = DeleteTopicsRequest(topic_names=[f"t{i}" for i in range(count)])
    else:
        state = DeleteTopicsRequest.DeleteTopicState
        message = DeleteTopicsRequest(topics=[state(name=f"t{i}") for i in range(count)])
    assert codec.decode_request(20, version, codec.encode(message, version)) == message


def test_version_expressions() -> None:
    assert (3 in version_range("3+"), 2 in version_range("3+")) == (True, False)
    assert list(version_range("3-5")) == [3, 4, 5]
    assert list(version_range("8")) == [8]
    assert list(version_range("none")) == []


def test_error_codes() -> None:
    assert [code.value for code in ErrorCode] == list(range(-1, 134))
    assert ErrorCode(6) is ErrorCode.NOT_LEADER_OR_FOLLOWER
    assert ErrorCode.NOT_LEADER_OR_FOLLOWER.retriable
    assert ErrorCode.NOT_LEADER_OR_FOLLOWER.invalidates_metadata
    assert ErrorCode.REQUEST_TIMED_OUT.retriable
    assert not ErrorCode.REQUEST_TIMED_OUT.invalidates_metadata
    assert not ErrorCode.MESSAGE_TOO_LARGE.retriable
    assert ErrorCode.NOT_LEADER_OR_FOLLOWER.message == "Not leader or follower"
    assert {code for code in ErrorCode if code.invalidates_metadata} < {
        code for code in ErrorCode if code.retriable
    }
