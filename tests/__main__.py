"""All tests (``make test``): those with real Kafka, and all others beside them.

The first wait for brokers and tools most of the time, the others compute; one after the other
they take longer than twenty minutes on a slow day. With arguments it is pytest with these.
"""

import subprocess
import sys
import tempfile

PYTEST = (sys.executable, "-m", "pytest")


def main(arguments: list[str]) -> int:
    """Run them; the exit status is 0 if all have passed."""
    if arguments:
        return subprocess.call([*PYTEST, *arguments])
    with tempfile.TemporaryFile("w+") as told:
        print("tests without Kafka run beside these; what they say comes at the end", flush=True)
        others = subprocess.Popen([*PYTEST, "-m", "not kafka"], stdout=told, stderr=told)
        try:
            with_kafka = subprocess.call([*PYTEST, "-m", "kafka"])
            without = others.wait()
        finally:
            # After Ctrl-C, which both have heard.
            others.wait()
        told.seek(0)
        print("\ntests without Kafka:\n", told.read(), sep="", flush=True)
    return with_kafka or without


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
