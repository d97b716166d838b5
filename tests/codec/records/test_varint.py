"""Zigzag integers: known forms, round trips, and what is too long."""

import pytest
from hypothesis import given

from codec.errors import DecodeError, EncodeError
from codec.records.varint import read_varint, read_varlong, varint, varlong
from tests.codec.records.sets import INT32, INT64

KNOWN = {0: "00", -1: "01", 1: "02", 63: "7e", -64: "7f", 64: "8001", -65: "8101", 300: "d804"}
EXTREMES = {
    (1 << 31) - 1: "feffffff0f",
    -(1 << 31): "ffffffff0f",
    (1 << 63) - 1: "feffffffffffffffff01",
    -(1 << 63): "ffffffffffffffffff01",
}


@pytest.mark.parametrize(("value", "form"), [*KNOWN.items(), *EXTREMES.items()])
def test_known_forms(value: int, form: str) -> None:
    assert varlong(value).hex() == form
    assert read_varlong(bytes.fromhex("ff" + form + "ff"), 1) == (value, 1 + len(form) // 2)


@given(INT32)
def test_varint_round_trip(value: int) -> None:
    assert read_varint(varint(value), 0) == (value, len(varint(value)))
    assert varint(value) == varlong(value)


@given(INT64)
def test_varlong_round_trip(value: int) -> None:
    assert read_varlong(varlong(value), 0) == (value, len(varlong(value)))


@pytest.mark.parametrize("bits", [31, 63])
def test_what_does_not_fit(bits: int) -> None:
    write = varint if bits == 31 else varlong
    for value in (1 << bits, -(1 << bits) - 1):
        with pytest.raises(EncodeError, match=str(value)):
            write(value)


@pytest.mark.parametrize(
    ("form", "reason"),
    [("808080808000", "longer than 5"), ("ff" * 1000, "longer than 5"), ("ffffffff1f", "too many")],
)
def test_varints_that_are_none(form: str, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        read_varint(bytes.fromhex(form), 0)


@pytest.mark.parametrize(
    ("form", "reason"),
    [("80" * 10 + "00", "longer than 10"), ("ff" * 1000, "longer than"), ("ff" * 9 + "02", "many")],
)
def test_varlongs_that_are_none(form: str, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        read_varlong(bytes.fromhex(form), 0)
