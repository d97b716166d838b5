"""For a process with this folder on PYTHONPATH: its wall clock is set by what a file says, seconds.

Python imports it at its start, before anybody has taken hold of the clock.
"""

import datetime
import os
import sys
import time
from pathlib import Path
from typing import Any

_LOOK_SECONDS = 0.02
_file = Path(os.environ["CLOCK_SET_BY"])
_time, _datetime = time.time, datetime.datetime
_looked, _set_by = -1.0, 0.0


def _wall() -> float:
    """As `time.time`; gRPC hands its deadlines to C, whose clock is not set."""
    grpc = sys._getframe(1).f_globals.get("__name__", "").startswith("grpc.")
    return _time() if grpc else _now()


def _now() -> float:
    global _looked, _set_by
    if time.monotonic() - _looked >= _LOOK_SECONDS:
        _set_by, _looked = float(_file.read_text()), time.monotonic()
    return _time() + _set_by


class _Datetime(_datetime):
    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return _datetime.fromtimestamp(_now(), tz)


time.time = _wall
time.time_ns = lambda: int(_now() * 1e9)
datetime.datetime = _Datetime  # type: ignore[misc]  # that is what this is for
