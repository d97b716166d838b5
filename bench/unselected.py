"""What an interceptor costs that does not mean a request: processor time of the relay, in turns.

    .venv/bin/python bench/unselected.py [--rounds 40]

A Produce request of one partition goes through the relay of one connection, 300 of them in a read,
between sockets that do nothing; so all that is timed is the sidecar's own work. The cases take
turns, and each is told as its ratio to having no interceptors, round by round: the median, and in
which the middle half of the rounds lies. `halted` and `expired` are measured after the first
request found them so. `drawn`, which is selected and has next to no rate, shows what it costs to
be meant. Exits with 1 if a case that is not meant takes more than 3 % above nothing.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sidecar.dataplane.pipeline import Pipeline
from sidecar.faults.duplicate_messages import DuplicateMessages
from sidecar.faults.leaderless import Leaderless
from sidecar.model.interceptor import Interceptor
from sidecar.model.limits import Limits
from sidecar.model.selector import Selector
from sidecar.model.snapshot import Snapshot
from sidecar.net.relay import Relay
from sidecar.net.requests import request_reader
from tests.support.messages import batch, produce, request, sized
from tests.support.sessions import Client, interceptor, striking

BATCH = 300
READS = 40
MOST = 1.03


class Mute:
    """A socket that is readable when it is told to be, and swallows what it is sent."""

    def __init__(self) -> None:
        self.given = b""
        self.fileno = lambda: 0

    def recv_into(self, room: memoryview, size: int = 0, flags: int = 0) -> int:
        """Bring what is given, again each time."""
        room[: len(self.given)] = self.given
        return len(self.given)

    def send(self, data: Any) -> int:
        """Swallow it."""
        return len(data)

    def sendmsg(self, chunks: Iterable[Any]) -> int:
        """Swallow them."""
        return sum(map(len, chunks))


class Lane:
    """One connection, with what applies to it."""

    def __init__(self, *interceptors: Interceptor, halted: bool = False) -> None:
        client = Client()
        snapshot = Snapshot(1, interceptors, halted=halted)
        client.shared.pipeline = Pipeline(snapshot, client.shared.pipeline)
        self._near = Mute()
        self._order = client.session.order
        ignore: Any = lambda *_: None  # noqa: E731 - all that a relay could ask for
        self._relay = Relay(
            self._near,
            Mute(),
            client.session,
            1 << 20,
            ignore,
            ignore,
            ignore,  # type: ignore[arg-type]
        )
        self._relay.most_in_flight = 1 << 30
        self._read = request_reader(self._relay)
        self._near.given = sized(request(produce({"cars": {0: batch()}}), 9)) * BATCH
        self.run()

    def run(self) -> float:
        """Processor seconds of all reads."""
        began = time.process_time()
        for _ in range(READS):
            self._read()
        spent = time.process_time() - began
        self._order.queue.clear()
        return spent


def cases() -> dict[str, Lane]:
    """What is compared, by name; the first has nothing."""

    def lane(rate: float = 100, **fields: Any) -> Lane:
        return Lane(interceptor(rate, **fields))

    return {
        "nothing": Lane(),
        "again nothing": Lane(),
        "another topic": lane(selector=Selector(topics=("bikes.*",))),
        "another client id": lane(selector=Selector(client_ids=("billing",))),
        "another principal": lane(selector=Selector(principals=("sa",))),
        "another broker": lane(selector=Selector(brokers=(9,))),
        "other topics of a fault": Lane(
            striking(DuplicateMessages(topic="bikes.*", rate_in_percent=100)),
            striking(Leaderless(topic="bikes.*"), name="leaderless"),
        ),
        "another API": lane(selector=Selector(apis=("FETCH",))),
        "other acks": lane(selector=Selector(acks=(0,))),
        "paused": lane(paused=True),
        "halted": Lane(interceptor(100), halted=True),
        "expired": lane(expires=1.0),
        "another partition": lane(selector=Selector(partitions=(7,))),
        "drawn": lane(1e-9),
        "drawn, with limits": lane(1e-9, limits=Limits(max_injections=9, max_per_second=9)),
    }


MEANT = {"another partition", "drawn", "drawn, with limits"}
"""Those of which a request has to be looked at."""


def main() -> int:
    """Measure and print; see above."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    lanes = cases()
    for lane in lanes.values():
        lane.run()
    times: dict[str, list[float]] = {name: [] for name in lanes}
    for turn in range(rounds):
        names = list(lanes)
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            times[name].append(lanes[name].run())
    base = times["nothing"]
    print(f"nothing: {statistics.median(base) / BATCH / READS * 1e9:.0f} ns a request")
    worst = 0.0
    for name, found in times.items():
        low, middle, high = statistics.quantiles(
            [one / other for one, other in zip(found, base, strict=True)], n=4
        )
        print(f"{name:20} {middle:6.3f}  ({low:.3f} to {high:.3f})")
        if name not in MEANT:
            worst = max(worst, middle)
    return 0 if worst <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
