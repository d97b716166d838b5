"""Every kind of declaration, read, written and rewritten, in a version of each encoding."""

from collections.abc import Iterator
from struct import error as StructError
from typing import Any

import pytest

import codec
from codec.api_keys import ApiKey
from codec.compiler import compile_decoder
from codec.compiler.rewriting import compile_rewriter
from codec.errors import DecodeError, EncodeError
from codec.schema import (
    Request,
    Role,
    Struct,
    array,
    blob,
    boolean,
    float64,
    int8_array,
    int16,
    int16_array,
    int32,
    int32_array,
    int64_array,
    string,
    string_array,
    struct,
    uint16,
    uuid,
    uuid_array,
)
from tests.codec.test_rewriting import Keep, Prefix

# What generated code raises; the entry points make one of it.
CUT = (DecodeError, StructError, IndexError)
PLAIN, FLEXIBLE = 0, 1
BOTH = pytest.mark.parametrize("version", [PLAIN, FLEXIBLE])
IDS = [bytes([i]) * 16 for i in range(70)]


class Probe(Request, key=ApiKey.ALTER_CLIENT_QUOTAS, versions="0-1"):
    """Not Kafka's: its key only says that version 1 is the first flexible one."""

    class Cursor(Struct):
        topic = string("0+", role=Role.TOPIC)
        partition = int32("0+")

    class Empty(Struct):
        pass

    class Place(Struct):
        class Inner(Struct):
            weight = float64("0+", default=1.5)

        host = string("0+")
        port = uint16("0+", default=9092)
        inner = struct("0+", Inner)

    class Topic(Struct):
        topic_id = uuid("0+", role=Role.TOPIC_ID)
        partition = int32("0+")

    class Endpoint(Struct):
        node_id = int32("0+", role=Role.BROKER)
        host = string("0+", role=Role.BROKER)
        port = uint16("0+", role=Role.BROKER)

    first = int16("0+")
    share = float64("0+")
    error_message = string("0+", nullable="0+", default=None, sparse=True)
    place = struct("0+", Place)
    cursor = struct("0+", Cursor, nullable="0+")
    later = struct("1+", Cursor, nullable="1+")
    latest = struct("1+", Place)
    empty = struct("0+", Empty)
    bytes_or_null = blob("0+", nullable="0+", default=None)
    int8s = int8_array("0+")
    int16s = int16_array("0+", nullable="0+")
    int32s = int32_array("0+", nullable="0+", default=None)
    int64s = int64_array("0+")
    uuids = uuid_array("0+")
    names = string_array("0+", nullable="0+", default=None, role=Role.TOPIC)
    patterns = string_array("0+", role=Role.TOPIC_PATTERN)
    one_pattern = string("0+", nullable="0+", default=None, role=Role.TRANSACTIONAL_ID_PATTERN)
    topics = array("0+", Topic)
    endpoints = array("0+", Endpoint)
    tagged_uuids = uuid_array("1+", tag=0)
    tagged_or_null = uuid_array("1+", nullable="1+", default=None, tag=1)
    tagged_or_empty = int32_array("1+", nullable="1+", tag=2)
    tagged_port = uint16("1+", tag=3)
    tagged_share = float64("1+", tag=4, default=-1.0)
    tagged_text = string("1+", nullable="1+", default=None, tag=5)
    tagged_blob = blob("1+", tag=6)
    tagged_id = uuid("1+", tag=7, role=Role.TOPIC_ID)
    tagged_flag = boolean("1+", tag=8)
    end = string("0+", role=Role.TOPIC)


DECODERS = [compile_decoder(Probe, version) for version in (PLAIN, FLEXIBLE)]
REWRITERS = [compile_rewriter(Probe, version) for version in (PLAIN, FLEXIBLE)]


def decode(body: bytes, version: int) -> Any:
    return DECODERS[version](body, 0, len(body), body)


def rewrite(body: bytes, version: int, hooks: codec.Hooks) -> bytes:
    rewriter = REWRITERS[version]
    assert rewriter
    return b"".join(rewriter(body, 0, len(body), memoryview(body), hooks))


def full(**values: object) -> Probe:
    """A probe in which everything that is of version 0 is set."""
    everything: dict[str, object] = {
        "share": 0.25,
        "error_message": "e",
        "place": Probe.Place(host="h", port=65535, inner=Probe.Place.Inner(weight=-2.0)),
        "cursor": Probe.Cursor(topic="t", partition=7),
        "bytes_or_null": b"b",
        "int8s": [-128, 127],
        "int16s": [-32768, 32767],
        "int32s": [1],
        "int64s": [-1],
        "uuids": IDS[:2],
        "names": ["n", "m"],
        "patterns": ["p.*", ""],
        "one_pattern": "q+",
        "topics": [Probe.Topic(topic_id=IDS[3], partition=1), Probe.Topic()],
        "endpoints": [Probe.Endpoint(node_id=1, host="h", port=65535)],
        "end": "end",
    }
    return Probe(**{**everything, **values})


def tagged() -> Probe:
    """A probe in which everything is set."""
    return full(
        later=Probe.Cursor(topic="l"),
        latest=Probe.Place(host="x"),
        tagged_uuids=IDS[:2],
        tagged_or_null=[],
        tagged_or_empty=None,
        tagged_port=1,
        tagged_share=1.0,
        tagged_text="",
        tagged_blob=b"b",
        tagged_id=IDS[1],
        tagged_flag=True,
    )


@BOTH
@pytest.mark.parametrize("probe", [Probe(), full(), tagged()], ids=["default", "full", "tagged"])
def test_round_trip(probe: Probe, version: int) -> None:
    if version == PLAIN:
        probe = probe.copy(latest=Probe.Place(), later=None)
        for field in probe.FIELDS:
            if field.tag is not None:
                setattr(probe, field.name, field.default)
    body = codec.encode(probe, version)
    assert decode(body, version) == probe
    assert rewrite(body, version, Keep(same=True)) == body
    assert rewrite(body, version, Keep(same=False)) == body


@BOTH
def test_layouts(version: int) -> None:
    # Written out once, so that reader and writer cannot agree on something else than Kafka.
    body = codec.encode(full(later=Probe.Cursor(topic="l")), version)
    uuids = b"".join(IDS[:2])
    topics = IDS[3] + b"\0\0\0\1" + bytes(20)
    if version == PLAIN:
        expected = (
            "0000 3fd0000000000000 000165 000168 ffff c000000000000000 01 000174 00000007"
            "00000001 62 00000002 807f 00000002 80007fff 00000001 00000001"
            f"00000001 ffffffffffffffff 00000002 {uuids.hex()} 00000002 00016e 00016d"
            f"00000002 0003702e2a 0000 0002712b 00000002 {topics.hex()}"
            "00000001 00000001 000168 ffff 0003656e64"
        )
    else:
        expected = (
            "0000 3fd0000000000000 0265 0268 ffff c000000000000000 00 00 01 0274 00000007 00"
            "01 026c 00000000 00 01 2384 3ff8000000000000 00 00 00"
            "02 62 03 807f 03 80007fff 02 00000001"
            f"02 ffffffffffffffff 03 {uuids.hex()} 03 026e 026d"
            f"03 04702e2a 01 03712b 03 {topics[:20].hex()} 00 {topics[20:].hex()} 00"
            "02 00000001 0268 ffff 00 04656e64 00"
        )
    assert body.hex() == expected.replace(" ", "")


def test_tagged_fields_are_written_unless_they_hold_their_default() -> None:
    body = codec.encode(tagged(), FLEXIBLE)
    ids = b"".join(IDS[:2]).hex()
    tags = (
        f"09 00 21 03{ids} 01 01 01 02 01 00 03 02 0001 04 08 3ff0000000000000"
        f"05 01 01 06 02 0262 07 10 {IDS[1].hex()} 08 01 01"
    )
    assert body.hex().endswith(("04656e64" + tags).replace(" ", ""))
    untagged = full(tagged_uuids=(), tagged_or_null=None, tagged_or_empty=[], tagged_share=-1.0)
    assert codec.encode(untagged, FLEXIBLE).endswith(b"\x04end\x00")


@BOTH
def test_rewriting_equals_decoding_editing_and_encoding(version: int) -> None:
    body = codec.encode(tagged(), version)
    edited = tagged()
    hooks = Prefix()
    for cursor in (edited.cursor, edited.later):
        assert cursor
        cursor.topic = hooks.topic(cursor.topic.encode()).decode()
    edited.patterns = [hooks.topic_pattern(p.encode()).decode() for p in edited.patterns]
    edited.one_pattern = hooks.transactional_id_pattern(b"q+").decode()
    for topic in edited.topics:
        topic.topic_id = hooks.topic_id(topic.topic_id)
    edited.tagged_id = hooks.topic_id(edited.tagged_id)
    edited.names = [hooks.topic(name.encode()).decode() for name in edited.names or ()]
    edited.end = hooks.topic(edited.end.encode()).decode()
    for end in edited.endpoints:
        host, end.port = hooks.broker(end.node_id, b"", 0)
        end.host = host.decode()
    assert rewrite(body, version, hooks) == codec.encode(edited, version)


@BOTH
def test_every_cut_is_refused(version: int) -> None:
    body = codec.encode(tagged(), version)
    for end in range(len(body)):
        with pytest.raises(CUT):
            decode(body[:end], version)
        with pytest.raises(CUT):
            # All of it is read: the last hooked field stands at the end.
            rewrite(body[: min(end, body.rindex(b"end") + 2)], version, Keep(same=True))


def changed(body: bytes, version: int) -> Iterator[tuple[int, bytes]]:
    """The body with another byte before the cursor."""
    mark = b"\x01\x00\x01t" if version == PLAIN else b"\x01\x02t"
    assert body.count(mark) == 1
    for value in range(256):
        at = body.index(mark)
        yield value, body[:at] + bytes([value]) + body[at + 1 :]


@BOTH
def test_a_nullable_struct_is_there_or_not_and_nothing_else(version: int) -> None:
    for value, body in changed(codec.encode(full(), version), version):
        if value == 1:
            assert decode(body, version).cursor == Probe.Cursor(topic="t", partition=7)
        elif value != 255:
            with pytest.raises(DecodeError, match="cursor"):
                decode(body, version)
            with pytest.raises(DecodeError, match="cursor"):
                rewrite(body, version, Keep(same=True))
    body = codec.encode(full(cursor=None), version)
    assert decode(body, version).cursor is None


@BOTH
@pytest.mark.parametrize(
    "bits",
    [
        "7ff8000000000000",
        "7ff0000000000001",
        "fff8dead00000001",
        "7ff0000000000000",
        "8" + "0" * 15,
    ],
)
def test_a_float_keeps_its_bits(version: int, bits: str) -> None:
    body = bytearray(codec.encode(full(), version))
    body[2:10] = bytes.fromhex(bits)
    probe = decode(bytes(body), version)
    assert codec.encode(probe, version) == body
    assert decode(bytes(body), version) == probe
    assert probe != full(share=1.0)


@BOTH
@pytest.mark.parametrize("name", ["int8s", "int16s", "int32s", "int64s", "uuids"])
@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 70, 127, 300])
def test_arrays_of_any_length(version: int, name: str, count: int) -> None:
    values = [IDS[i % 70] if name == "uuids" else i % 128 for i in range(count)]
    body = codec.encode(full(**{name: values}), version)
    again = getattr(decode(body, version), name)
    assert list(again) == values
    assert isinstance(again, tuple)
    assert all(type(value) in (bytes, int) for value in again)
    assert rewrite(body, version, Keep(same=True)) == body
    view = bytearray(body)
    assert getattr(DECODERS[version](view, 0, len(view), view), name) == again


@BOTH
@pytest.mark.parametrize("name", ["int16s", "int32s", "names", "bytes_or_null"])
def test_null(version: int, name: str) -> None:
    body = codec.encode(full(**{name: None}), version)
    assert getattr(decode(body, version), name) is None
    assert rewrite(body, version, Keep(same=True)) == body


@BOTH
@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"place": None}, id="null struct"),
        pytest.param({"place": Probe.Place(port=-1)}, id="below 0"),
        pytest.param({"place": Probe.Place(port=65536)}, id="above 16 bits"),
        pytest.param({"place": Probe.Place(inner=3)}, id="no struct"),
        pytest.param({"cursor": 3}, id="no nullable struct"),
        pytest.param({"share": "much"}, id="text for a float"),
        pytest.param({"int8s": [128]}, id="above 8 bits"),
        pytest.param({"int8s": [1] * 100 + [128]}, id="above 8 bits in a long array"),
        pytest.param({"int8s": None}, id="null array"),
        pytest.param({"uuids": [5]}, id="number for a uuid"),
        pytest.param({"uuids": [5] * 100}, id="numbers for uuids in a long array"),
    ],
)
def test_values_that_do_not_fit(version: int, values: dict[str, object]) -> None:
    with pytest.raises(EncodeError):
        codec.encode(full(**values), version)


@BOTH
@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_does_not_fit(version: int, port: int) -> None:
    class Hook(Keep):
        def broker(self, node_id: int, host: bytes, port_: int) -> tuple[bytes, int]:
            return host, port

    with pytest.raises(EncodeError, match=f"port {port} does not fit 16 bits"):
        rewrite(codec.encode(full(), version), version, Hook(same=True))


def test_constructed_objects_share_no_struct() -> None:
    first, second = Probe(), Probe()
    first.place.port = 1
    assert second.place.port == 9092
    assert Probe(place=Probe.Place(port=3)).place.port == 3


@BOTH
def test_a_count_is_bounded_by_the_bytes_left(version: int) -> None:
    body = codec.encode(full(), version)
    at = body.index(IDS[0])
    bomb = (
        body[: at - 4] + b"\x7f\xff\xff\xff"
        if version == PLAIN
        else body[: at - 1] + b"\xff" * 4 + b"\x07"
    )
    with pytest.raises(DecodeError, match="uuids has count"):
        decode(bomb + body[at:], version)
    with pytest.raises(CUT):
        rewrite(bomb + body[at:], version, Keep(same=True))
