"""What tests of silent and of slow connections have in common."""

import gc
import time
from typing import Any

import gevent

from codec.messages.heartbeat import HeartbeatRequest
from sidecar.dataplane.pipeline import Pipeline
from sidecar.faults.bandwidth import Bandwidth
from sidecar.faults.blackhole import Blackhole
from sidecar.faults.slow_close import SlowClose
from sidecar.model.interceptor import Interceptor
from sidecar.model.snapshot import Snapshot
from sidecar.net.pacing import PacedReader
from sidecar.net.relay import Relay
from sidecar.net.silence import Silenced
from tests.support.fake_broker import until
from tests.support.gateways import Running, Wire
from tests.support.messages import batch, produce
from tests.support.sessions import striking

KIB = 1024
BEAT = HeartbeatRequest(group_id="g", generation_id=1, member_id="m")
AT_ONCE = 2.0
"""Seconds that what nobody holds up takes at most, on a busy machine."""
SOON = 3.0
"""Seconds after which a fault that is over must be over, ditto."""


def blackhole(moment: str = "BEFORE", **fields: Any) -> Interceptor:
    return striking(Blackhole(rate_in_percent=100, moment=moment), name="wire", **fields)


def slow_close(milliseconds: int) -> Interceptor:
    return striking(SlowClose(rate_in_percent=100, delay_ms=milliseconds), name="wire")


def bandwidth(rate: int, direction: str = "BOTH", **fields: Any) -> Interceptor:
    fault = Bandwidth(rate_in_percent=100, bytes_per_second=rate, direction=direction)
    return striking(fault, name="wire", **fields)


def change(running: Running, *interceptors: Interceptor, halted: bool = False) -> None:
    """From now on these are there."""
    found = Snapshot(2, interceptors, halted=halted)
    running.shared.pipeline = Pipeline(found, running.shared.pipeline)


def beats(client: Wire, seconds: float = AT_ONCE) -> None:
    started = time.monotonic()
    client.ask(BEAT, 4)
    assert time.monotonic() - started < seconds


def is_silent(client: Wire, seconds: float = 0.2) -> bool:
    """Whether nothing comes, and the connection stays open."""
    try:
        with gevent.Timeout(seconds, TimeoutError):
            client.sock.recv(1)
    except TimeoutError:
        return True
    return False


def left(kind: type) -> int:
    gc.collect()
    return sum(isinstance(each, kind) for each in gc.get_objects())


def ends(running: Running) -> None:
    """Every connection ends, and nothing of it is left."""
    until(lambda: running.gateway.connections == 0, "the connections to end")
    for kind in (Relay, Silenced, PacedReader):
        until(lambda kind=kind: left(kind) == 0, f"no {kind.__name__} to be left")
    assert running.log.of("relay_failed") == []


def big(size: int) -> Any:
    return produce({"cars": {0: batch(payload=bytes(size))}})
