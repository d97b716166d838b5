"""Keeps a bug in a fault to itself: what its rule fails to decide about goes on untouched.

It also passes on which records a rule had no time for.
"""

from collections.abc import Callable, Iterable
from typing import Any

from sidecar.faults.base import (
    FORWARD,
    Answered,
    Asked,
    Change,
    Decision,
    Forward,
    Hints,
    Learner,
    Place,
    ResponseDecision,
    Rule,
)

Failed = Callable[[Exception], None]
"""Told of each failure; never waits."""
PassedOver = Callable[[int], None]
"""Told how many records of a message went on without a draw, as there was no time; never waits."""


class GuardedRule:
    """A rule that never raises.

    Args:
        rule: the one that decides.
        failed: see `Failed`.
        passed_over: see `PassedOver`.
    """

    def __init__(self, rule: Rule, failed: Failed, passed_over: PassedOver) -> None:
        self._rule = rule
        self._failed = failed
        self._passed_over = passed_over
        self.rung = rule.rung
        self.apis = rule.apis
        self.share = rule.share
        self.splits = rule.splits
        self.memorable = rule.memorable
        self.watches = rule.watches
        self.topic = rule.topic
        self.marks = rule.marks
        self.learner = None if rule.learner is None else _GuardedLearner(rule.learner, failed)

    def hints(self, asked: Asked, places: Iterable[Place]) -> Hints:
        """As the rule does; none where it fails."""
        try:
            return self._rule.hints(asked, places)
        except Exception as error:  # noqa: BLE001 - whatever it is, clients go on
            self._failed(error)
            return {}

    def decide(self, asked: Asked) -> Decision:
        """As the rule does; nothing where it fails."""
        try:
            decision = self._rule.decide(asked)
        except Exception as error:  # noqa: BLE001 - as above
            self._failed(error)
            return FORWARD
        if isinstance(decision, Change | Forward) and decision.passed:
            self._passed_over(decision.passed)
        return decision

    def answered(self, answered: Answered) -> ResponseDecision:
        """As the rule does; nothing where it fails."""
        try:
            decision = self._rule.answered(answered)
        except Exception as error:  # noqa: BLE001 - as above
            self._failed(error)
            return FORWARD
        if isinstance(decision, Change | Forward) and decision.passed:
            self._passed_over(decision.passed)
        return decision


class _GuardedLearner:
    def __init__(self, learner: Learner, failed: Failed) -> None:
        self._learner = learner
        self._failed = failed

    def learn(self, virtual_cluster: str, metadata: Any) -> None:
        """As the rule's does; nothing where it fails."""
        try:
            self._learner.learn(virtual_cluster, metadata)
        except Exception as error:  # noqa: BLE001 - as above
            self._failed(error)
