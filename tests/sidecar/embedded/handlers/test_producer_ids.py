"""InitProducerId over a socket."""

import pytest

from codec.error_codes import ErrorCode
from codec.messages.init_producer_id import InitProducerIdRequest, InitProducerIdResponse


@pytest.mark.parametrize("version", range(6))
def test_every_producer_gets_another_id(running, version):
    wire = running.wire()
    wish = InitProducerIdRequest(transactional_id=None, transaction_timeout_ms=1)
    answers = [wire.ask(wish, version, InitProducerIdResponse) for _ in range(3)]
    assert len({a.producer_id for a in answers}) == 3
    assert {(a.error_code, a.producer_epoch) for a in answers} == {(0, 0)}


def test_transactions_are_refused(running):
    wish = InitProducerIdRequest(transactional_id="x", transaction_timeout_ms=1)
    answer = running.wire().ask(wish, 4, InitProducerIdResponse)
    assert answer.error_code == ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
    assert answer.producer_id == -1
