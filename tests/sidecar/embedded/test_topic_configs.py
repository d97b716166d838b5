"""Names and values of configs."""

import pytest

from codec.error_codes import ErrorCode
from sidecar.embedded.errors import ApiError
from sidecar.embedded.topic_configs import TOPIC_CONFIGS, check_topic_config


def test_every_default_is_a_legal_value():
    for name, default in TOPIC_CONFIGS.items():
        assert check_topic_config(name, default.value) == default.value


@pytest.mark.parametrize(
    ("name", "value"),
    [("x", "1"), ("segment.ms", None), ("segment.ms", "1d"), ("min.cleanable.dirty.ratio", "half")],
)
def test_refused(name, value):
    with pytest.raises(ApiError) as caught:
        check_topic_config(name, value)
    assert caught.value.code is ErrorCode.INVALID_CONFIG
