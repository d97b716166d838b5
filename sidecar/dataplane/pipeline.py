"""The interceptors of a snapshot, compiled: who wants to see what, and whose turn it is to draw."""

from collections.abc import Callable, Hashable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

from codec.api_keys import ApiKey
from sidecar.dataplane.budget import Ask, BorrowedPurse, Budget, OwnPurse, budget
from sidecar.dataplane.guarding import GuardedRule
from sidecar.dataplane.selecting import Selection, selection
from sidecar.dataplane.tenancy.names import Names
from sidecar.faults.base import Learner, Rule
from sidecar.faults.draws import Draws
from sidecar.faults.registry import kind_of, rule_for
from sidecar.model.identity import Identity
from sidecar.model.interceptor import NEVER, Interceptor, resolve
from sidecar.model.place import ALONE, Place
from sidecar.model.snapshot import Snapshot
from sidecar.model.user_mapping import mapped


class Mark(NamedTuple):
    """What one rule keeps in mind, see `faults.marks`.

    Args:
        uid: of its interceptor.
        about: what it is about.
        time: seconds since the epoch.
    """

    uid: str
    about: Hashable
    time: float


DrawNumbers = Iterator[int]
"""The numbers of an interceptor's draws to come; outlives the snapshots it stands in."""


class Stage:
    """One interceptor in a chain.

    Args:
        interceptor: whose turn it is.
        rule: what carries out its fault.
        numbers: of its draws.
        ends: seconds since the epoch from which on it does nothing.
        budget: what it may still do; None: anything.
    """

    __slots__ = (
        "_chooses",
        "_numbers",
        "budget",
        "ends",
        "interceptor",
        "kind",
        "plain",
        "rule",
        "selection",
    )

    def __init__(
        self,
        interceptor: Interceptor,
        rule: Rule,
        numbers: DrawNumbers,
        ends: float = NEVER,
        budget: Budget | None = None,
    ) -> None:
        self.interceptor = interceptor
        self.kind = kind_of(interceptor.fault)
        self.rule = rule
        self._chooses: Callable[[int], bool] = (
            frozenset(interceptor.draws).__contains__
            if interceptor.draws
            else Draws(interceptor.seed, rule.share).chooses
        )
        self._numbers = numbers
        self.ends = ends
        self.budget = budget
        self.selection: Selection | None = selection(interceptor.selector)
        """None: it is about every request of its APIs."""
        self.plain = (
            ends == NEVER
            and budget is None
            and (self.selection is None or not self.selection.reads_partitions)
        )
        """Whether a Produce that begins as it selects is drawn for, whatever else it has."""

    def is_over(self, now: float) -> bool:
        """Whether it does nothing any more, whatever comes."""
        return now >= self.ends or (self.budget is not None and self.budget.spent)

    def draw(self) -> tuple[int, bool]:
        """Make the next draw: its number, and whether it selects the request."""
        n = next(self._numbers)
        return n, self._chooses(n)


Chains = Mapping[int, tuple[Stage, ...]]
"""By api key: who wants requests of this API, in the order they run. No key: nobody does."""


class Pipeline:
    """A compiled snapshot. Immutable to its readers but for the numbers of draws.

    Args:
        snapshot: what to compile.
        previous: the pipeline it replaces; interceptors that stay go on drawing where they were.
        place: which of an interceptor's draws are made in this process.
        ask: how this process gets its part of what interceptors may do, see `budget`.
        spread: tells the other processes what rules keep in mind; never waits. None: there are
            none.
        failed: told of an interceptor whose rule has raised; never waits.
        passed_over: told of one that had no time for so many records of a message; never waits.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        previous: "Pipeline | None" = None,
        place: Place = ALONE,
        ask: Ask | None = None,
        spread: Callable[[Mark], None] | None = None,
        failed: Callable[[Interceptor, Exception], None] | None = None,
        passed_over: Callable[[Interceptor, int], None] | None = None,
    ) -> None:
        self.snapshot = snapshot
        old = previous._numbers if previous else {}
        self._numbers: dict[str, DrawNumbers] = {
            i.uid: old.get(i.uid) or place.numbers() for i in snapshot.interceptors
        }
        rules = previous._rules if previous else {}
        failed, passed_over = failed or _untold, passed_over or _untold
        self._rules: dict[str, Rule] = {
            i.uid: rules.get(i.uid)
            or GuardedRule(rule_for(i.fault), partial(failed, i), partial(passed_over, i))
            for i in snapshot.interceptors
        }
        for uid, rule in self._rules.items():
            if rule.marks is not None and spread is not None and uid not in rules:
                rule.marks.join(place, partial(_spread, spread, uid))
        self._teaches = any(rule.learner is not None for rule in self._rules.values())
        leases = {lease.uid: lease for lease in snapshot.leases}
        self._last = {i.uid: i.ends(leases) for i in snapshot.interceptors}
        at_work = () if snapshot.halted else snapshot.interceptors
        self._ends = {i.uid: self._last[i.uid] for i in at_work if not i.paused}
        spent = previous.budgets if previous else {}
        self.budgets: dict[str, Budget | None] = {
            i.uid: budget(i, spent.get(i.uid), place, ask) for i in snapshot.interceptors
        }
        """By uid; None where there are no limits."""
        self.borrowed = tuple(
            (uid, found.purse)
            for uid, found in self.budgets.items()
            if found is not None and isinstance(found.purse, BorrowedPurse)
        )
        """What this process has of the first one, by uid."""
        self._chains: dict[Identity, Chains] = {}
        self._learning: dict[Identity, tuple[Stage, ...]] = {}
        self._names: dict[str, Names] = {}

    def names(self, who: Identity) -> Names:
        """How the names of its virtual cluster are spelled; compiled at first use."""
        found = self._names.get(who.prefix)
        if found is None:
            aliases = {
                alias.logical_name: alias.physical_name
                for alias in self.snapshot.alias_topics
                if alias.virtual_cluster == who.virtual_cluster
            }
            found = self._names[who.prefix] = Names(who.prefix, aliases)
        return found

    def ends(self, uid: str) -> float:
        """From when on an interceptor does nothing, seconds since the epoch.

        Long ago for one that is paused or was deleted, and for all while they are halted.
        """
        return self._ends.get(uid, -NEVER)

    def purse(self, uid: str) -> OwnPurse | None:
        """What this process hands out of an interceptor's injections; None if nothing."""
        found = self.budgets.get(uid)
        purse = found.purse if found is not None else None
        return purse if isinstance(purse, OwnPurse) else None

    def marks(self) -> list[Mark]:
        """What all processes must see of what the rules of this one keep in mind."""
        return [
            Mark(uid, about, time)
            for uid, rule in self._rules.items()
            if rule.marks is not None
            for about, time in rule.marks.times.items()
        ]

    def hear(self, mark: Mark) -> None:
        """Another process has set one; it may be of an interceptor that is gone."""
        rule = self._rules.get(mark.uid)
        if rule is not None and rule.marks is not None:
            rule.marks.hear(mark.about, mark.time)

    def chains(self, who: Identity) -> Chains:
        """The chains that apply to `who`, user mappings included; compiled at first use."""
        found = self._chains.get(who)
        if found is None:
            found = self._chains[who] = self._compile(who)
        return found

    def learners(self, who: Identity, now: float) -> list[Learner]:
        """Whose rules are told of Metadata for `who`, whatever their selectors mean.

        What one client hears of leaders holds for all. Those that are paused or halted learn as
        well: when they go on they are to know.
        """
        if not self._teaches:
            return []
        self.chains(who)
        return [
            stage.rule.learner
            for stage in self._learning[who]
            if stage.rule.learner is not None and not stage.is_over(now)
        ]

    def _compile(self, who: Identity) -> Chains:
        chains: dict[ApiKey, list[Stage]] = {}
        learning: list[Stage] = []
        known = mapped(who, self.snapshot.user_mappings)
        for interceptor in resolve(self.snapshot.interceptors, known):
            uid = interceptor.uid
            rule, numbers = self._rules[uid], self._numbers[uid]
            stage = Stage(interceptor, rule, numbers, self._last[uid], self.budgets[uid])
            if rule.learner is not None:
                learning.append(stage)
            if uid not in self._ends:
                continue
            meant = stage.selection
            if meant is None or meant.principal(known):
                for api in rule.apis:
                    if meant is None or meant.api(api):
                        chains.setdefault(api, []).append(stage)
        self._learning[who] = tuple(learning)
        return {api: tuple(stages) for api, stages in chains.items()}


def _untold(interceptor: Interceptor, what: Exception | int) -> None:
    """Nobody is told."""


def _spread(spread: Callable[[Mark], None], uid: str, about: Hashable, time: float) -> None:
    spread(Mark(uid, about, time))
