"""One target in a process of its own: ``python -m tests.fuzz.one TARGET [libFuzzer options]``.

FUZZ_AGAIN is a script that does the same, which libFuzzer starts where it needs more processes.
"""

from __future__ import annotations

import builtins
import os
import sys
from typing import Any

import atheris


def _instrumented(code: Any, names: dict[str, Any]) -> None:
    builtins.exec(atheris.patch_code(code, trace_dataflow=False), names)


def main() -> None:
    """Fuzz until libFuzzer has had enough."""
    with atheris.instrument_imports(include=["codec", "sidecar", "rest_bridge"]):
        from tests.fuzz.targets import TARGETS
    import codec.compiler.source

    # The codec writes the code of its readers and writers itself: that is code to reach, too.
    codec.compiler.source.exec = _instrumented  # type: ignore[attr-defined]
    name = sys.argv.pop(1)
    sys.argv[0] = os.environ.get("FUZZ_AGAIN", sys.argv[0])
    atheris.Setup(sys.argv, TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
