"""What a client is told of virtual clusters that may not be, and what only the log is."""

import pytest

from sidecar.admission import Admission
from sidecar.model.errors import AlreadyExists, DomainError, Unavailable
from sidecar.model.identity import AuthenticationFailed, Identity
from tests.support.log import EventLog

WHO = Identity("sa", "teamA")


class Fixture:
    """An admission that refuses with `error`."""

    def __init__(self, error: DomainError | None = None) -> None:
        self.error = error
        self.claimed: list[str] = []
        self.log = EventLog()
        self.admission = Admission(self.claim, self.log)

    def claim(self, name: str) -> None:
        self.claimed.append(name)
        if self.error is not None:
            raise self.error


def test_a_client_with_a_token_claims_its_virtual_cluster() -> None:
    fixture = Fixture()

    fixture.admission.admit(WHO)

    assert fixture.claimed == ["teamA"]


def test_a_client_is_not_told_of_other_tenants_but_the_log_is() -> None:
    fixture = Fixture(AlreadyExists("'teamA' cannot stand beside 'team'"))

    with pytest.raises(AuthenticationFailed) as refusal:
        fixture.admission.admit(WHO)

    assert str(refusal.value) == ("virtual cluster 'teamA' may not be used here: ask who runs this")
    [event] = fixture.log.of("virtual_cluster_refused")
    assert event["virtual_cluster"] == "teamA"
    assert event["cause"] == "'teamA' cannot stand beside 'team'"


def test_a_client_that_came_at_a_bad_moment_is_told_to_try_again() -> None:
    fixture = Fixture(Unavailable("virtual cluster 'teamA' is being deleted: try again"))

    assert fixture.admission.refusal("teamA") == (
        "virtual cluster 'teamA' is being deleted: try again"
    )
