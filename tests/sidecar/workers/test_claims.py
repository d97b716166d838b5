"""What a worker asks about virtual clusters, what it remembers, and what it does meanwhile."""

import gevent

from sidecar.model.identity import AuthenticationFailed, Identity
from sidecar.workers.claims import Claims
from sidecar.workers.messages import Claim, Claimed


class Fixture:
    """A worker's claims; clients' tokens are the names of their virtual clusters."""

    def __init__(self, answer_seconds: float = 20) -> None:
        self.asked: list[Claim] = []
        self.claims = Claims(self.asked.append, answer_seconds)

    def client(self, virtual_cluster: str) -> "gevent.Greenlet[..., str]":
        """A client that authenticates; its outcome, once there is one."""
        greenlet = gevent.spawn(self.outcome, virtual_cluster)
        gevent.sleep(0)
        return greenlet

    def outcome(self, virtual_cluster: str) -> str:
        try:
            self.claims.admit(Identity("sa", virtual_cluster))
        except AuthenticationFailed as refusal:
            return str(refusal)
        return virtual_cluster


def test_passthrough_needs_no_leave() -> None:
    fixture = Fixture()

    assert fixture.outcome("passthrough") == "passthrough"
    assert fixture.asked == []


def test_what_was_granted_is_not_asked_again() -> None:
    fixture = Fixture()
    client = fixture.client("teamA")
    assert not client.ready()

    fixture.claims.take(Claimed("teamA"))

    assert client.get(timeout=20) == "teamA"
    assert fixture.outcome("teamA") == "teamA"
    assert fixture.asked == [Claim("teamA")]


def test_a_refusal_is_told_and_not_remembered() -> None:
    fixture = Fixture()
    for _ in range(2):
        client = fixture.client("teamA")
        fixture.claims.take(Claimed("teamA", "it may not be used here"))
        assert client.get(timeout=20) == "it may not be used here"

    assert fixture.asked == [Claim("teamA")] * 2


def test_clients_that_come_together_ask_once() -> None:
    fixture = Fixture()
    clients = [fixture.client(name) for name in ("teamA", "teamB", "teamA")]

    fixture.claims.take(Claimed("teamB", "no"))
    fixture.claims.take(Claimed("teamA"))

    assert [client.get(timeout=20) for client in clients] == ["teamA", "no", "teamA"]
    assert fixture.asked == [Claim("teamA"), Claim("teamB")]


def test_without_an_answer_a_client_is_told_to_try_again() -> None:
    fixture = Fixture(answer_seconds=0.02)

    for _ in range(2):
        assert fixture.outcome("teamA") == (
            "whether virtual cluster 'teamA' may be used cannot be told now: try again"
        )
    assert fixture.asked == [Claim("teamA")] * 2


def test_an_answer_that_comes_late_counts_for_the_next() -> None:
    fixture = Fixture(answer_seconds=0.02)
    fixture.outcome("teamA")

    fixture.claims.take(Claimed("teamA"))

    assert fixture.outcome("teamA") == "teamA"


def test_what_was_forgotten_is_asked_again() -> None:
    fixture = Fixture()
    fixture.claims.take(Claimed("teamA"))
    fixture.claims.forget("teamA")
    fixture.claims.forget("never-seen")

    client = fixture.client("teamA")
    fixture.claims.take(Claimed("teamA", "no more"))

    assert client.get(timeout=20) == "no more"


def test_who_was_granted_it_but_has_not_gone_on_does_not_get_in() -> None:
    """Counted as nobody when it was forgotten, it must not be somebody afterwards."""
    fixture = Fixture()
    client = fixture.client("teamA")

    fixture.claims.take(Claimed("teamA"))
    fixture.claims.forget("teamA")

    assert client.get(timeout=20).endswith("cannot be told now: try again")
