"""What a worker has in memory before the first request."""

import subprocess
import sys


def test_a_worker_starts_with_the_messages_it_speaks_itself() -> None:
    script = (
        "import sys, sidecar.workers.worker\n"
        "print(*[m for m in sys.modules if m.startswith('codec.messages.')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) == {
        f"codec.messages.{name}"
        # Of the connection's beginning, the discovery of brokers, and the injection itself.
        for name in ("api_versions", "sasl_handshake", "sasl_authenticate", "metadata", "produce")
    }
