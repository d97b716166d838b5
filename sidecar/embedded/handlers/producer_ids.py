"""InitProducerId: ids for idempotent producers."""

from codec.error_codes import ErrorCode
from codec.messages.init_producer_id import InitProducerIdRequest, InitProducerIdResponse
from sidecar.embedded.handlers.context import Context


def init_producer_id(request: InitProducerIdRequest, context: Context) -> InitProducerIdResponse:
    """Hand out a fresh producer id with epoch 0.

    Without a transactional id Kafka ignores the id a producer already has, and so does this.
    A transactional id is refused with the one error every client takes for final.
    """
    if request.transactional_id is not None:
        return InitProducerIdResponse(
            error_code=ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, producer_epoch=-1
        )
    return InitProducerIdResponse(producer_id=context.cluster.new_producer_id(), producer_epoch=0)
