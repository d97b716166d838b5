"""Keeps a bug in a fault to itself: what its rule fails to decide about goes on untouched."""

from collections.abc import Callable, Iterable
from typing import Any

from sidecar.faults.base import (
    FORWARD,
    Answered,
    Asked,
    Decision,
    Hints,
    Learner,
    Place,
    ResponseDecision,
    Rule,
)

Failed = Callable[[Exception], None]
"""Told of each failure; never waits."""


class GuardedRule:
    """A rule that never raises.

    Args:
        rule: the one that decides.
        failed: see `Failed`.
    """

    def __init__(self, rule: Rule, failed: Failed) -> None:
        self._rule = rule
        self._failed = failed
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
        except Exception as error:  # noqa: BLE001 - as below
            self._failed(error)
            return {}

    def decide(self, asked: Asked) -> Decision:
        """As the rule does; nothing where it fails."""
        try:
            return self._rule.decide(asked)
        except Exception as error:  # noqa: BLE001 - whatever it is, clients go on
            self._failed(error)
            return FORWARD

    def answered(self, answered: Answered) -> ResponseDecision:
        """As the rule does; nothing where it fails."""
        try:
            return self._rule.answered(answered)
        except Exception as error:  # noqa: BLE001 - as above
            self._failed(error)
            return FORWARD


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
