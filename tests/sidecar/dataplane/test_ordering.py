"""Answers leave in request order, whoever produced them."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.dataplane.ordering import Pending, ResponseOrder

WAITING = Pending(1, 0, 9)


def test_a_local_answer_with_nothing_in_flight_leaves_at_once() -> None:
    order = ResponseOrder()

    assert order.local([b"answer"]) == [b"answer"]
    assert len(order) == 0


def test_local_answers_wait_for_the_requests_before_them() -> None:
    order = ResponseOrder()
    order.forwarded(WAITING)
    assert order.local([b"second"]) == []
    assert order.local([b"third"]) == []
    order.forwarded(Pending(4, 0, 9))
    assert order.local([b"fifth"]) == []

    assert order.answered([b"first"]) == [b"first", b"second", b"third"]
    assert order.expected() == Pending(4, 0, 9)
    assert order.answered([b"fourth"]) == [b"fourth", b"fifth"]
    assert order.expected() is None


@given(st.lists(st.sampled_from(["forward", "local", "broker"])))
@settings(derandomize=True)
def test_every_answer_leaves_exactly_once_in_the_order_asked(steps: list[str]) -> None:
    order, asked, in_flight, left = ResponseOrder(), 0, [], []

    def leaves(chunks: list[Any]) -> None:
        left.extend(chunks)

    for step in steps:
        if step == "broker":
            if in_flight:
                leaves(order.answered([in_flight.pop(0)]))
            continue
        if step == "forward":
            order.forwarded(Pending(asked, 0, 9))
            in_flight.append(asked)
        else:
            leaves(order.local([asked]))
        asked += 1
    for answer in in_flight:
        leaves(order.answered([answer]))

    assert left == list(range(asked))
    assert len(order) == 0
