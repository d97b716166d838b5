"""Calls whose message has not come yet: so few that silent callers are in nobody's way.

gRPC for Python waits for the message of a call on a thread. A client sends it together with the
call, so the wait is short, unless a caller wants it to be long.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from sidecar.model.errors import InvalidArgument, Refused


class Arrivals:
    """Waits for messages of `places` calls at once; for one more, the longest wait is ended.

    Any thread may call it.
    """

    def __init__(self, places: int) -> None:
        self._places = places
        self._lock = threading.Lock()
        self._waiting: OrderedDict[object, grpc.ServicerContext] = OrderedDict()

    def receive(
        self,
        messages: Iterator[bytes],
        context: grpc.ServicerContext,
        parse: Callable[[bytes], Any],
    ) -> Any:
        """Return the message of a call.

        Args:
            messages: of the call, as bytes; the first is its message.
            context: of the call; it is cancelled where others need the place.
            parse: makes it of its bytes.

        Raises:
            InvalidArgument: the call ended without a message, or with bytes that are none.
            Refused: its place was needed.
            grpc.RpcError: the caller has ended it.
        """
        turn = object()
        with self._lock:
            self._waiting[turn] = context
            full = len(self._waiting) > self._places
            longest = self._waiting.popitem(last=False)[1] if full else None
        if longest is not None:
            longest.cancel()
        data = None
        over: grpc.RpcError | None = None
        try:
            data = next(messages, None)
        except grpc.RpcError as error:
            over = error
        with self._lock:
            mine = self._waiting.pop(turn, None)
        if mine is None:
            raise Refused(
                "busy", "others needed the place of this call, whose message did not come"
            )
        if over is not None:
            raise over
        if data is None:
            raise InvalidArgument.of("request", "request: the call has no message")
        try:
            return parse(data)
        except DecodeError:
            raise InvalidArgument.of("request", "request: the message cannot be parsed") from None
