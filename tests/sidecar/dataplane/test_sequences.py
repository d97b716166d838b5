"""What follows a refused batch of an idempotent producer is refused, until that batch passes."""

from typing import Any

import pytest

from codec.messages.heartbeat import HeartbeatRequest
from sidecar.dataplane.actions import Action, ToBroker, ToClient
from sidecar.dataplane.pipeline import Pipeline
from sidecar.model.injection import DRAWN, FOLLOWS
from tests.support.messages import batch, produce
from tests.support.sessions import Client, interceptor, snapshot

PRODUCER = 4000


def send(
    client: Client, sequence: int, *, partition: int = 0, epoch: int = 0, **batch_of: Any
) -> str:
    """Send a batch; ``forwarded`` or ``refused``."""
    fields = {"producer_id": PRODUCER, "producer_epoch": epoch, "base_sequence": sequence}
    message = produce({"cars": {partition: batch(**(fields | batch_of))}})
    return outcome(client.sends(message, 9))


def outcome(actions: list[Action]) -> str:
    if [type(action) for action in actions] == [ToBroker]:
        return "forwarded"
    assert [type(action) for action in actions] in ([ToClient], [])
    return "refused"


def refusing(*first: int) -> Client:
    """A client whose batches of these sequences were refused, and draws no refusal any more."""
    client = Client(interceptor(100))
    for sequence in first:
        assert send(client, sequence) == "refused"
    client.shared.pipeline = Pipeline(snapshot(), client.shared.pipeline)
    client.recorded.injections.clear()
    return client


def test_a_batch_behind_a_refused_one_is_refused_until_that_one_has_passed() -> None:
    client = refusing(0)

    assert send(client, 1) == "refused"
    assert send(client, 2) == "refused"
    assert send(client, 0) == "forwarded"
    assert send(client, 1) == "forwarded"


def test_the_earliest_of_several_refused_batches_counts() -> None:
    client = refusing(5, 3)

    assert send(client, 4) == "refused"
    assert send(client, 3) == "forwarded"


def test_a_batch_that_comes_again_before_the_refused_one_shows_that_it_was_given_up() -> None:
    """Clients retry in order; the broker then says what it thinks of the gap."""
    client = refusing(0)

    assert send(client, 1) == "refused"
    assert send(client, 2) == "refused"
    assert send(client, 1) == "forwarded"
    assert send(client, 2) == "forwarded"


def test_a_retry_of_the_refused_batch_shows_that_it_was_not_given_up() -> None:
    client = refusing(0, 1, 2)
    client.shared.pipeline = Pipeline(snapshot(interceptor(100)), client.shared.pipeline)
    assert send(client, 0) == "refused"
    client.shared.pipeline = Pipeline(snapshot(), client.shared.pipeline)

    assert send(client, 1) == "refused"
    assert send(client, 0) == "forwarded"
    assert send(client, 1) == "forwarded"


def test_a_batch_drawn_after_the_one_before_it_was_given_up_is_the_refused_one() -> None:
    client = refusing(0, 1, 1)

    assert send(client, 2) == "refused"
    assert send(client, 1) == "forwarded"
    assert send(client, 2) == "forwarded"


def test_the_event_names_the_draw_it_follows_from() -> None:
    client = Client(interceptor(100, seed=9))
    send(client, 0)
    client.shared.pipeline = Pipeline(snapshot(), client.shared.pipeline)

    send(client, 1)

    first, second = client.recorded.injections
    assert (first.reason, first.draw, first.base_sequence) == (DRAWN, 0, 0)
    assert (second.reason, second.draw, second.base_sequence) == (FOLLOWS, 0, 1)
    assert second.seed == first.seed == 9


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"partition": 1}, id="partition"),
        pytest.param({"producer_id": PRODUCER + 1}, id="producer"),
        pytest.param({"epoch": 1}, id="epoch"),
        pytest.param({"producer_id": -1}, id="not idempotent"),
    ],
)
def test_others_are_not_held_back(other: dict[str, Any]) -> None:
    client = refusing(0)

    assert send(client, 1, **other) == "forwarded"


def test_a_new_epoch_forgets_what_the_old_one_was_refused() -> None:
    client = refusing(0)
    send(client, 1, epoch=1)

    assert send(client, 1, epoch=0) == "forwarded"


def test_sequences_begin_again_after_the_highest() -> None:
    client = refusing(2**31 - 1)

    assert send(client, 0) == "refused"
    assert send(client, 2**31 - 2) == "forwarded"


def test_what_cannot_be_recorded_is_forwarded() -> None:
    client = refusing(0)
    client.recorded.accepts = False

    assert send(client, 1) == "forwarded"


def test_another_api_is_not_held_back() -> None:
    client = refusing(0)

    assert outcome(client.sends(HeartbeatRequest(group_id="g"), 3)) == "forwarded"


def test_every_request_is_drawn_for_also_one_that_follows() -> None:
    """The n-th draw is the n-th request's, so that one seed means one series."""
    client = Client(interceptor(50, seed=1))
    drawn = Client(interceptor(50, seed=1))
    chosen = [send(drawn, 0, producer_id=-1) == "refused" for _ in range(20)]
    assert True in chosen
    assert False in chosen

    outcomes = [send(client, n) for n in range(20)]

    events = {e.base_sequence: e for e in client.recorded.injections}
    assert [n for n, e in events.items() if e.reason == DRAWN] == [
        n for n, refused in enumerate(chosen) if refused
    ]
    first = chosen.index(True)
    assert outcomes == ["forwarded"] * first + ["refused"] * (20 - first)
