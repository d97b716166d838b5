"""How a control thread gets an answer from the hub: it waits, the hub does not."""

from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TypeVar

import gevent

Result = TypeVar("Result")

_GRACE_SECONDS = 0.5
"""How much longer a caller waits than its function may take: the hub may be busy."""


class Crossing:
    """Runs functions on the hub of the thread that makes it, for other threads."""

    def __init__(self) -> None:
        self._hub = gevent.get_hub()

    def ask(self, function: Callable[[], Result], seconds: float) -> Result:
        """Run `function` on a greenlet of the hub and return what it returns.

        It is ended after `seconds`. Called on any thread but the hub's.

        Raises:
            TimeoutError: it takes longer, or the hub does not run.
            Exception: what `function` raises.
        """
        answer: SimpleQueue[tuple[Result, None] | tuple[None, Exception]] = SimpleQueue()

        def work() -> None:
            limit = gevent.Timeout.start_new(seconds)
            try:
                answer.put((function(), None))
            except gevent.Timeout:
                answer.put((None, TimeoutError(f"no answer in {seconds:g} s")))
            except Exception as error:  # noqa: BLE001 - it is the caller's, on his own thread
                answer.put((None, error))
            finally:
                limit.close()

        self._hub.loop.run_callback_threadsafe(gevent.spawn, work)
        try:
            result, error = answer.get(timeout=seconds + _GRACE_SECONDS)
        except Empty:
            raise TimeoutError(f"the hub did not answer in {seconds:g} s") from None
        if error is not None:
            raise error
        return result  # type: ignore[return-value]  # there is a result where there is no error
