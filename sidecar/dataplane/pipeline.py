"""The interceptors of a snapshot, compiled: who wants to see what, and whose turn it is to draw."""

from collections.abc import Iterator, Mapping

from codec.api_keys import ApiKey
from sidecar.dataplane.tenancy.names import Names
from sidecar.faults.base import Rule
from sidecar.faults.draws import Draws
from sidecar.faults.registry import kind_of, rule_for
from sidecar.model.identity import Identity
from sidecar.model.interceptor import Interceptor, resolve
from sidecar.model.place import ALONE, Place
from sidecar.model.snapshot import Snapshot
from sidecar.model.user_mapping import mapped

DrawNumbers = Iterator[int]
"""The numbers of an interceptor's draws to come; outlives the snapshots it stands in."""


class Stage:
    """One interceptor in a chain."""

    __slots__ = ("_chooses", "_numbers", "interceptor", "kind", "rule")

    def __init__(self, interceptor: Interceptor, rule: Rule, numbers: DrawNumbers) -> None:
        self.interceptor = interceptor
        self.kind = kind_of(interceptor.fault)
        self.rule = rule
        self._chooses = Draws(interceptor.seed, rule.share).chooses
        self._numbers = numbers

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
    """

    def __init__(
        self, snapshot: Snapshot, previous: "Pipeline | None" = None, place: Place = ALONE
    ) -> None:
        self.snapshot = snapshot
        old = previous._numbers if previous else {}
        self._numbers: dict[str, DrawNumbers] = {
            i.uid: old.get(i.uid) or place.numbers() for i in snapshot.interceptors
        }
        rules = previous._rules if previous else {}
        self._rules: dict[str, Rule] = {
            i.uid: rules.get(i.uid) or rule_for(i.fault) for i in snapshot.interceptors
        }
        self._chains: dict[Identity, Chains] = {}
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

    def chains(self, who: Identity) -> Chains:
        """The chains that apply to `who`, user mappings included; compiled at first use."""
        found = self._chains.get(who)
        if found is None:
            found = self._chains[who] = self._compile(who)
        return found

    def _compile(self, who: Identity) -> Chains:
        chains: dict[ApiKey, list[Stage]] = {}
        known = mapped(who, self.snapshot.user_mappings)
        for interceptor in resolve(self.snapshot.interceptors, known):
            uid = interceptor.uid
            stage = Stage(interceptor, self._rules[uid], self._numbers[uid])
            for api in stage.rule.apis:
                chains.setdefault(api, []).append(stage)
        return {api: tuple(stages) for api, stages in chains.items()}
