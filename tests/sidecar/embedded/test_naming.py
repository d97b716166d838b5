"""Legal topic names."""

import pytest

from codec.error_codes import ErrorCode
from sidecar.embedded.errors import ApiError
from sidecar.embedded.naming import check_topic_name


@pytest.mark.parametrize("name", ["a", "my-topic_1.x", "__consumer_offsets", "x" * 249, "..."])
def test_legal(name: str) -> None:
    check_topic_name(name)


@pytest.mark.parametrize("name", ["", ".", "..", "a b", "é", "a/b", "x" * 250, "a\n", "a\x00"])
def test_illegal(name: str) -> None:
    with pytest.raises(ApiError) as caught:
        check_topic_name(name)
    assert caught.value.code is ErrorCode.INVALID_TOPIC_EXCEPTION
