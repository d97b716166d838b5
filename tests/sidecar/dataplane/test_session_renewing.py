"""Bearer tokens at the door of a session, and clients that show again who they are (KIP-368)."""

from __future__ import annotations

from typing import Any

import pytest

from codec.api_keys import ApiKey
from codec.messages.heartbeat import HeartbeatRequest, HeartbeatResponse
from codec.messages.sasl_authenticate import SaslAuthenticateRequest
from codec.messages.sasl_handshake import SaslHandshakeRequest
from sidecar.dataplane.actions import Close, RenewKeys, Report, ToClient, Until
from sidecar.dataplane.sasl import INVALID_TOKEN, Logins
from sidecar.model.identity import (
    AuthenticationFailed,
    Identity,
    KeysUnavailable,
    KeyUnknown,
    Proof,
)
from sidecar.model.user_mapping import UserMapping
from tests.support.bearer import first_message
from tests.support.messages import read_response, response
from tests.support.sessions import NOW, Client, closes, reports, to_broker, to_client

AL = Identity("al", "teamA")
DUMMY = b"\x01"
"""What a client answers a challenge with."""


class Fixture(Client):
    """A client of a listener with both mechanisms; the state of its provider can be changed."""

    def __init__(self, *, seconds: float | None = 60.0, longest: float = 0) -> None:
        super().__init__(secured=True)
        self.who = AL
        self.seconds = seconds
        self.failure: AuthenticationFailed | None = None
        self.refusal: AuthenticationFailed | None = None
        self.admitted: list[Identity] = []
        self.shared.logins = Logins(
            plain=self.proof, bearer=self.proof, admit=self.admit, longest=longest
        )
        self.session = type(self.session)(self.shared, connection_id=7, broker_id=2)

    def proof(self, token: str, now: float) -> Proof:
        assert now == self.now
        if self.failure is not None:
            raise self.failure
        return Proof(self.who, self.seconds)

    def admit(self, who: Identity) -> None:
        self.admitted.append(who)
        if self.refusal is not None:
            raise self.refusal

    def shakes(self, mechanism: str = "OAUTHBEARER", version: int = 1) -> Any:
        [data] = to_client(self.sends(SaslHandshakeRequest(mechanism=mechanism), version))
        return read_response(ApiKey.SASL_HANDSHAKE, version, data)[1]

    def says(self, message: bytes = first_message("x"), version: int = 2, **more: Any) -> Any:
        return self.sends(SaslAuthenticateRequest(auth_bytes=message), version, **more)

    def logs_in(self, mechanism: str = "OAUTHBEARER", version: int = 2) -> Any:
        assert self.shakes(mechanism).error_code == 0
        return self.says(b"\0al\0x" if mechanism == "PLAIN" else first_message("x"), version)


def answer(actions: Any, version: int = 2) -> Any:
    [data] = to_client(actions)
    return read_response(ApiKey.SASL_AUTHENTICATE, version, data)[1]


def says_no(actions: Any, words: str) -> None:
    """Error 58 with these words, and the end."""
    assert answer(actions).error_code == 58
    assert words in answer(actions).error_message
    assert closes(actions) == ["authentication_failed"]


# A first time.


@pytest.mark.parametrize("version", [0, 1, 2])
def test_a_bearer_token_opens_the_session_for_as_long_as_it_is_good(version: int) -> None:
    client = Fixture()

    assert list(client.shakes().mechanisms) == ["PLAIN", "OAUTHBEARER"]
    actions = client.says(version=version)

    said = answer(actions, version)
    assert (said.error_code, bytes(said.auth_bytes)) == (0, b"")
    assert said.session_lifetime_ms == (60_000 if version else 0)
    who = {"principal": "al", "virtual_cluster": "teamA"}
    assert actions[1:] == [Report("authenticated", who), Until(NOW + 60)]
    assert client.session.peer.identity == AL
    assert client.session.expires == NOW + 60
    assert client.admitted == [AL]


def test_a_token_that_is_refused_is_told_so_in_two_steps() -> None:
    """As Kafka's own server does, and RFC 7628 has it."""
    client = Fixture()
    client.failure = AuthenticationFailed("the token expired at noon")
    client.shakes()

    first = client.says()
    second = client.says(DUMMY)

    assert (answer(first).error_code, bytes(answer(first).auth_bytes)) == (0, INVALID_TOKEN)
    assert answer(first).session_lifetime_ms == 0
    failed = {"cause": "the token expired at noon"}
    assert [type(action) for action in first] == [ToClient, Report]
    assert reports(first) == [("authentication_failed", failed)]
    says_no(second, "Authentication failed: the token expired at noon")
    assert reports(second) == []
    assert not client.session.authenticated


def test_behind_a_refusal_nothing_else_is_taken() -> None:
    client = Fixture()
    client.failure = AuthenticationFailed("no")
    client.shakes()
    client.says()
    client.failure = None

    assert client.shakes().error_code == 34
    says_no(client.says(), "no")


@pytest.mark.parametrize(
    "message", [b"", DUMMY, b"\0al\0x", first_message("x", "eve"), first_message("")]
)
def test_messages_that_are_none_are_refused_at_once(message: bytes) -> None:
    client = Fixture()
    client.shakes()

    says_no(client.says(message), "Authentication failed: the")


def test_who_may_not_come_in_is_refused_at_once() -> None:
    client = Fixture()
    client.refusal = AuthenticationFailed("virtual cluster 'teamA' may not be used here")
    client.shakes()

    says_no(client.says(), "may not be used here")
    assert not client.session.authenticated


def test_an_authorization_id_may_name_the_principal() -> None:
    client = Fixture()
    client.shakes()

    assert answer(client.says(first_message("x", "al", "host=h\x01"))).error_code == 0


def test_keys_are_looked_for_once_where_one_is_not_known() -> None:
    client = Fixture()
    client.failure = KeyUnknown("signed with a key that is not known")
    client.shakes()

    assert client.says() == [RenewKeys()]
    assert answer(client.says(looked_up=True)).auth_bytes == INVALID_TOKEN
    says_no(client.says(DUMMY), "signed with a key that is not known")


def test_newer_keys_make_a_token_good() -> None:
    client = Fixture()
    client.failure = KeyUnknown("signed with a key that is not known")
    client.shakes()
    client.says()
    client.failure = None

    assert answer(client.says(looked_up=True)).error_code == 0
    assert client.session.authenticated


def test_without_any_keys_a_client_is_not_told_that_its_token_is_bad() -> None:
    """That would be final."""
    client = Fixture()
    client.failure = KeysUnavailable("keys could not be fetched yet")
    client.shakes()

    assert client.says() == [RenewKeys()]
    actions = client.says(looked_up=True)

    assert to_client(actions) == []
    assert closes(actions) == ["keys_unavailable"]


def test_bearer_tokens_without_a_header() -> None:
    client = Fixture()
    client.shakes(version=0)

    actions = client.sends_frame(first_message("x"))

    assert to_client(actions) == [b""]
    assert client.session.expires == NOW + 60
    assert to_broker(client.sends(HeartbeatRequest(), 0))


def test_bearer_tokens_without_a_header_that_are_refused() -> None:
    client = Fixture()
    client.failure = KeyUnknown("no")
    client.shakes(version=0)

    assert client.sends_frame(first_message("x")) == [RenewKeys()]
    assert to_client(client.sends_frame(first_message("x"), looked_up=True)) == [INVALID_TOKEN]
    actions = client.sends_frame(DUMMY)
    assert (to_client(actions), closes(actions)) == ([], ["authentication_failed"])


def test_without_keys_for_them_bearer_tokens_are_not_offered() -> None:
    client = Client(secured=True)

    [data] = to_client(client.sends(SaslHandshakeRequest(mechanism="OAUTHBEARER"), 1))

    said: Any = read_response(ApiKey.SASL_HANDSHAKE, 1, data)[1]
    assert (said.error_code, list(said.mechanisms)) == (33, ["PLAIN"])


def test_user_mappings_say_where_somebody_is_and_else_the_token() -> None:
    client = Fixture()
    mapping = UserMapping("teamB", "alice", principal="al")
    pipeline: Any = client.shared.pipeline

    assert client.shared.located("al", "teamA") == Identity("al", "teamA")
    object.__setattr__(pipeline.snapshot, "user_mappings", (mapping,))
    assert client.shared.located("al", "teamA") == Identity("al", "teamB")
    assert client.shared.located("eve") == Identity("eve", "passthrough")


# Again.


@pytest.mark.parametrize("mechanism", ["PLAIN", "OAUTHBEARER"])
def test_a_session_is_renewed_by_the_same_client(mechanism: str) -> None:
    client = Fixture(longest=4)
    client.logs_in(mechanism)
    client.now += 3.5

    actions = client.logs_in(mechanism)

    assert (answer(actions).error_code, answer(actions).session_lifetime_ms) == (0, 4000)
    assert reports(actions)[0][0] == "reauthenticated"
    assert actions[-1] == Until(NOW + 7.5)
    assert client.session.expires == NOW + 7.5
    assert client.admitted == [AL], "who is in need not be let in"


def test_a_session_ends_with_the_token_even_if_it_was_longer_before() -> None:
    client = Fixture(longest=40)
    client.logs_in()
    client.now += 10
    client.seconds = 2.0

    assert client.logs_in()[-1] == Until(NOW + 12)


@pytest.mark.parametrize("who", [Identity("eve", "teamA"), Identity("al", "teamB")])
def test_nobody_becomes_somebody_else(who: Identity) -> None:
    client = Fixture()
    client.logs_in()
    client.now += 10
    client.who = who

    says_no(client.logs_in(), "another principal or virtual cluster than before")
    assert client.session.peer.identity == AL


def test_groups_may_change() -> None:
    client = Fixture()
    client.logs_in()
    client.now += 10
    client.who = Identity("al", "teamA", frozenset({"new"}))

    assert answer(client.logs_in()).error_code == 0
    assert client.session.peer.identity == AL, "what is kept for a connection stays"


def test_nobody_changes_the_mechanism() -> None:
    """The handshake is answered, the next message refused: as by Kafka."""
    client = Fixture(longest=4)
    client.logs_in("PLAIN")
    client.now += 3

    says_no(client.logs_in("OAUTHBEARER"), "OAUTHBEARER does not renew a session of PLAIN")


def test_a_bad_token_ends_a_session() -> None:
    client = Fixture()
    client.logs_in()
    client.now += 10
    client.failure = AuthenticationFailed("the token expired at noon")

    assert bytes(answer(client.logs_in()).auth_bytes) == INVALID_TOKEN
    says_no(client.says(DUMMY), "the token expired at noon")
    assert client.session.expires == NOW + 60


def test_a_session_without_an_end_is_not_renewed() -> None:
    client = Fixture()
    client.logs_in("PLAIN")
    client.now += 10

    assert client.session.expires is None
    assert client.shakes("PLAIN").error_code == 34
    assert answer(client.says(b"\0al\0x")).error_code == 34


def test_nobody_begins_again_twice_a_second() -> None:
    client = Fixture()
    client.logs_in()
    client.now += 10
    client.logs_in()
    client.now += 0.9
    assert client.shakes().error_code == 34
    client.now += 0.1
    assert answer(client.logs_in()).error_code == 0


def test_bare_tokens_do_not_stand_between_requests() -> None:
    client = Fixture()
    client.logs_in()
    client.now += 10

    assert client.shakes(version=0).error_code == 34
    assert to_broker(client.sends(HeartbeatRequest(), 0))


def test_while_it_is_renewed_a_session_serves() -> None:
    client = Fixture()
    client.logs_in()
    client.now += 10

    client.shakes()
    assert to_broker(client.sends(HeartbeatRequest(), 0, 9))
    assert to_client(client.says()) == [], "in its turn"
    released = client.broker_answers(response(HeartbeatResponse(), 0, 9))

    first, second = to_client(released)
    assert read_response(ApiKey.HEARTBEAT, 0, first)[0] == 9
    assert read_response(ApiKey.SASL_AUTHENTICATE, 2, second)[1].session_lifetime_ms == 60_000


def test_a_refusal_waits_for_answers_that_are_due() -> None:
    client = Fixture()
    client.logs_in()
    client.now += 10
    client.who = Identity("eve")
    client.sends(HeartbeatRequest(), 0, 9)
    client.sends(SaslHandshakeRequest(mechanism="OAUTHBEARER"), 1)

    refused = client.says()
    assert [type(action) for action in refused] == [Report]
    assert client.sends(HeartbeatRequest(), 0, 10) == []
    released = client.broker_answers(response(HeartbeatResponse(), 0, 9))

    assert len(to_client(released)) == 3
    assert released[-1] == Close("authentication_failed")
