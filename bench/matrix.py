"""The measurement itself: all targets up side by side, rounds interleaved, order drawn."""

import contextlib
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import kload
from cached import Unavailable
from calm import Calm
from kload import Load, LoadFailed, Sample
from plan import Cell, Plan
from targets import BY_NAME, Running, Target

Rounds = dict[Cell, dict[str, list[Sample | None]]]
"""By cell and target, one sample a round; None where the target failed."""


@dataclass
class Outcome:
    """What a run found."""

    rounds: Rounds
    versions: dict[str, str]
    missing: dict[str, str]
    """Targets that could not be measured, and why."""
    failures: list[str] = field(default_factory=list)
    """Samples that failed."""


def say(text: str) -> None:
    """Progress, on stderr."""
    print(text, file=sys.stderr, flush=True)


@dataclass
class Bench:
    """Started targets before one broker."""

    broker: int
    """Its pid."""
    running: dict[str, Running]
    versions: dict[str, str]
    missing: dict[str, str]

    def measure(self, name: str, load: Load) -> Sample:
        """One sample of one target.

        Raises:
            LoadFailed: see kload.
        """
        target = self.running[name]
        sample = kload.measure(load, target.port, target.token, target.pids(), [self.broker])
        unexpected = set(sample.errors) - ({kload.ERROR_NOT_LEADER} if "inject" in name else set())
        if unexpected:
            raise LoadFailed(f"error codes in answers: {sample.errors}")
        if not sample.requests:
            raise LoadFailed("no request was answered within the window")
        return sample


def _start(target: Target, upstream: int, home: Path, stack: contextlib.ExitStack) -> Running:
    folder = home / target.name
    folder.mkdir()
    running = target.start(upstream, folder)
    stack.callback(running.stop)
    return running


def _verify(target: Target, home: Path) -> None:
    """Are the bytes of both directions intact behind this target? With a broker that looks."""
    folder = home / f"{target.name}-check"
    folder.mkdir()
    with contextlib.ExitStack() as stack:
        port, _ = stack.enter_context(kload.broker(folder, check=True))
        running = target.start(port, folder)
        stack.callback(running.stop)
        for api, frame in (("produce", 100), ("produce", 300_001), ("fetch", 300_001)):
            seconds = max(0.1, target.warmup / 3)
            load = Load(api, frame, 5, 3, seconds=seconds, warmup=0, check=True)
            sample = kload.measure(load, running.port, running.token)
            wrong = {code for code in sample.errors if code != kload.ERROR_NOT_LEADER}
            if wrong or not sample.requests:
                raise LoadFailed(f"{api} of {frame} bytes: {sample.requests} done, errors {wrong}")


@contextlib.contextmanager
def started(names: tuple[str, ...], home: Path) -> Iterator[Bench]:
    """The targets, checked and warm; those that cannot be had are in `missing`."""
    with contextlib.ExitStack() as stack:
        port, broker = stack.enter_context(kload.broker(home))
        bench = Bench(broker.pid, {}, {}, {})
        for name in names:
            target = BY_NAME[name]
            say(f"starting {name}")
            try:
                target.prepare()
                bench.versions[name] = target.version()
                _verify(target, home)
                bench.running[name] = _start(target, port, home, stack)
                for api, each in (("produce", 0.75), ("fetch", 0.25)):
                    bench.measure(name, Load(api, 1024, 5, 10, 0.1, target.warmup * each))
            except (Unavailable, LoadFailed, OSError, RuntimeError, TimeoutError) as error:
                bench.missing[name] = str(error)
                bench.running.pop(name, None)
                say(f"  not measured: {error}")
        yield bench


def measure(plan: Plan, bench: Bench, calm: Calm, seed: int) -> Outcome:
    """All rounds: in each, the cells in a drawn order, and in a cell the targets in another."""
    draw = random.Random(seed)
    names = list(bench.running)
    outcome = Outcome(
        {c: {n: [] for n in names} for c in plan.cells}, bench.versions, bench.missing
    )
    for number in range(plan.rounds):
        say(f"round {number + 1} of {plan.rounds}")
        for cell in draw.sample(plan.cells, len(plan.cells)):
            for name in draw.sample(names, len(names)):
                try:
                    sample = _calm_sample(bench, name, cell.load(plan.seconds), calm)
                except LoadFailed as error:
                    outcome.failures.append(f"{name} {cell.name} round {number + 1}: {error}")
                    say(f"  {outcome.failures[-1]}")
                    sample = None
                outcome.rounds[cell][name].append(sample)
    return outcome


def _calm_sample(bench: Bench, name: str, load: Load, calm: Calm) -> Sample:
    """The calmest of a few tries."""
    best: Sample | None = None
    for tries in range(1, 10):
        calm.wait()
        sample = bench.measure(name, load)
        if best is None or sample.foreign_cpu < best.foreign_cpu:
            best = sample
        if not calm.again(sample.foreign_cpu, tries, load.seconds + load.warmup):
            break
    assert best is not None
    return best
