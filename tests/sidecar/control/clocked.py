"""Interceptors and leases on one clock, which stands until it is moved."""

import itertools

from sidecar.control.interceptors import InterceptorService
from sidecar.control.journal import Journal
from sidecar.control.leases import LeaseService
from sidecar.control.state import ControlState
from sidecar.model.interceptor import Scope
from sidecar.model.snapshot import Snapshot
from tests.sidecar.control.test_interceptors import TEAM_A

START = 1_700_000_000.0


class Fixture:
    """Both services on one clock, which stands until it is moved."""

    def __init__(self) -> None:
        self.now = START
        self.published: list[Snapshot] = []
        self.used: dict[str, int] = {}
        self.state = ControlState(self.published.append)
        uids = itertools.count(1)
        self.service = InterceptorService(
            self.state,
            Journal(),
            process_seed=1,
            new_uid=lambda: f"uid-{next(uids)}",
            spent=lambda uid: self.used.get(uid, 0),
            clock=lambda: self.now,
        )
        leases = itertools.count(1)
        self.leases = LeaseService(
            self.state, clock=lambda: self.now, new_uid=lambda: f"lease-{next(leases)}"
        )

    def state_of(self, name: str = "elections", scope: Scope = TEAM_A) -> str:
        return self.service.get(name, scope).state

    @property
    def last(self) -> Snapshot:
        return self.published[-1]
