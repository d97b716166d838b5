"""The token bucket, on a clock of our own."""

import pytest

from sidecar.api.rate import TokenBucket
from sidecar.model.errors import ResourceExhausted


def test_a_burst_then_the_rate() -> None:
    now = 0.0
    bucket = TokenBucket(rate=10, burst=3, clock=lambda: now)

    for _ in range(3):
        bucket.take()
    with pytest.raises(ResourceExhausted, match="10 per second are allowed"):
        bucket.take()
    now = 0.1
    bucket.take()
    with pytest.raises(ResourceExhausted):
        bucket.take()
    now = 100.0
    for _ in range(3):
        bucket.take()
    with pytest.raises(ResourceExhausted):
        bucket.take()
