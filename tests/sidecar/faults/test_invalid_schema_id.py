"""Invalid schema ids: the four bytes behind a zero byte are others, and nothing else is."""

import struct
from typing import Any

import pytest

from codec.api_keys import ApiKey
from sidecar.faults.base import FORWARD, Change, Part
from sidecar.faults.invalid_schema_id import InvalidSchemaId, InvalidSchemaIdRule
from sidecar.faults.registry import kind_of, rule_for
from sidecar.model.errors import InvalidArgument
from tests.support.records import answered, asked, batch, blobs, fetched, produced, seen, values

AVRO = struct.pack(">bi", 0, 17) + b"\x0eavro body"
JSON = struct.pack(">bi", 0, 18) + b'{"name": "a"}'
EMPTY = struct.pack(">bi", 0, 19)
OTHERS = [None, b"", b"\0", b"\0\0\0\1", b"plain text", b"\1" + AVRO[1:]]


def rule(**config: Any) -> InvalidSchemaIdRule:
    return InvalidSchemaIdRule(InvalidSchemaId(**config))


@pytest.mark.parametrize("target", ["PRODUCE", "CONSUME"])
@pytest.mark.parametrize("compression", range(5))
def test_every_record_with_an_id_gets_the_other(target: str, compression: int) -> None:
    before = batch([AVRO, *OTHERS, JSON, EMPTY], compression=compression)
    wanted = rule(invalid_schema_id=999, target=target)
    if target == "PRODUCE":
        decision: Any = wanted.decide(asked(produced({"with-schema": {0: before}})))
    else:
        decision = wanted.answered(answered(fetched({"with-schema": {0: before}})))

    assert isinstance(decision, Change)
    assert decision.parts == [Part("with-schema", 0, 3)]
    after = blobs(decision.message)["with-schema", 0]
    head = b"\0\0\0\x03\xe7"
    assert values(after) == [head + AVRO[5:], *OTHERS, head + JSON[5:], head]
    assert [r._replace(value=None) for r in seen(after)] == [
        r._replace(value=None) for r in seen(before)
    ]


def test_without_an_id_of_its_own_each_record_gets_a_random_one() -> None:
    request = produced({"a": {0: batch([AVRO, b"none", JSON])}})

    decision = rule(target="PRODUCE").decide(asked(request, [0.5, 0.25]))

    assert isinstance(decision, Change)
    after = blobs(decision.message)["a", 0]
    one, other = struct.pack(">bi", 0, 2**30), struct.pack(">bi", 0, 2**29)
    assert values(after) == [one + AVRO[5:], b"none", other + JSON[5:]]


@pytest.mark.parametrize("highest", [0.0, 1 - 2**-53])
def test_random_ids_are_ids(highest: float) -> None:
    request = produced({"a": {0: batch([AVRO])}})

    decision = rule(target="PRODUCE").decide(asked(request, [highest]))

    assert isinstance(decision, Change)
    [value] = values(blobs(decision.message)["a", 0])
    assert value is not None
    assert 0 <= struct.unpack(">i", value[1:5])[0] < 2**31


def test_records_without_ids_or_with_that_one_already_are_no_change() -> None:
    wanted = rule(invalid_schema_id=17, target="PRODUCE")

    assert wanted.decide(asked(produced({"a": {0: batch([*OTHERS, AVRO])}}))) is FORWARD


def test_the_defaults_are_those_of_the_reference() -> None:
    fault = InvalidSchemaId()
    found = rule_for(fault)

    assert (fault.topic, fault.invalid_schema_id, fault.target) == (".*", None, "CONSUME")
    assert kind_of(fault) == "invalid_schema_id"
    assert (found.share, found.apis) == (1, {ApiKey.FETCH})


def test_whatever_is_wrong_is_named_at_once() -> None:
    with pytest.raises(InvalidArgument) as caught:
        InvalidSchemaId(topic="[", invalid_schema_id=2**31, target="BOTH", seed=2**64)

    fields = [violation.field for violation in caught.value.violations]
    assert fields == ["topic", "invalid_schema_id", "target", "seed"]
    assert "target is 'BOTH', allowed are PRODUCE, CONSUME" in str(caught.value)
