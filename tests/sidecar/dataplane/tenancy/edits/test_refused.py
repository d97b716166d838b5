"""Items that do not go to the broker come back where the client put them."""

from hypothesis import given
from hypothesis import strategies as st

from codec.messages.alter_configs import AlterConfigsResponse
from sidecar.dataplane.tenancy.edits.refused import put_in, take_out

ANSWER = AlterConfigsResponse.AlterConfigsResourceResponse


@given(st.lists(st.booleans()))
def test_answers_stand_in_the_order_of_the_request(allowed: list[bool]) -> None:
    items = list(enumerate(allowed))

    left, refused = take_out(items, lambda i: None if i[1] else ANSWER(resource_name=str(i[0])))
    merged = put_in([ANSWER(resource_name=str(place)) for place, _ in left], refused)

    assert [place for place, ok in items if ok] == [place for place, _ in left]
    assert [answer.resource_name for answer in merged] == [str(place) for place, _ in items]


@given(st.sets(st.integers(0, 20)), st.lists(st.integers(), max_size=20))
def test_no_answer_is_lost_when_a_broker_gives_too_few(
    places: set[int], answers: list[int]
) -> None:
    refused = {place: ANSWER() for place in sorted(places)}

    merged = put_in(answers, refused)

    assert [answer for answer in merged if not isinstance(answer, ANSWER)] == answers
    assert len(merged) == len(answers) + len(refused)
