"""Keeps a bug in a fault to itself: what its rule fails to decide about goes on untouched."""

from collections.abc import Callable

from sidecar.faults.base import (
    FORWARD,
    Answered,
    Asked,
    Decision,
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
