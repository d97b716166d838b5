"""Whether a Produce request gets an answer, told without decoding it."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import codec
from codec.errors import DecodeError
from sidecar.dataplane.produce import expects_response
from tests.support.messages import produce

LONG = "t" * 300


@pytest.mark.parametrize("version", range(14))
@pytest.mark.parametrize("acks", [-1, 0, 1])
@pytest.mark.parametrize("transactional_id", [None, "", "tx", "t" * 127, LONG])
def test_only_acks_0_goes_unanswered(version: int, acks: int, transactional_id: str | None) -> None:
    body = codec.encode(produce(acks=acks, transactional_id=transactional_id), version)

    assert expects_response(version, body) is (acks != 0)
    assert expects_response(version, memoryview(body)) is (acks != 0)


@pytest.mark.parametrize("version", range(14))
def test_a_body_that_ends_before_acks_is_an_error(version: int) -> None:
    body = codec.encode(produce(transactional_id=LONG), version)
    end_of_acks = 2 if version < 3 else 2 + len(LONG) + 2

    for end in (0, 1, end_of_acks - 1):
        with pytest.raises(DecodeError):
            expects_response(version, body[:end])
    assert expects_response(version, body[:end_of_acks])


def test_a_length_of_more_than_five_bytes_is_an_error() -> None:
    with pytest.raises(DecodeError, match="impossible length"):
        expects_response(9, b"\xff" * 20)


@given(st.integers(0, 13), st.binary(max_size=40))
@settings(derandomize=True)
def test_garbage_gives_an_answer_or_a_decode_error(version: int, body: bytes) -> None:
    with suppress(DecodeError):
        assert expects_response(version, body) in (True, False)
