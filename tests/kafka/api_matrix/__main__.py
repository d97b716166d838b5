"""``make api-coverage``: write docs/api-coverage.md anew, from a real cluster."""

from __future__ import annotations

import sys

from tests.kafka.api_matrix.run import run
from tests.kafka.api_matrix.table import PATH, render
from tests.kafka.api_matrix.tenant import Tenant
from tests.kafka.api_matrix.world import FIRST, SECOND, world
from tests.kafka.cluster import ClusterError, running
from tests.kafka.distribution import KafkaUnavailableError
from tests.kafka.sidecars import Access, pair


def main() -> int:
    """Returns 1, and writes nothing, if a cell fails or there is no Kafka."""
    try:
        with running() as kafka, pair(kafka) as gateways:
            first = Tenant(FIRST, gateways.first.access(FIRST))
            second = Tenant(SECOND, gateways.second.access(SECOND))
            with world(first, second, Tenant("", Access(kafka.bootstrap))) as made:
                matrix = run(made.direct, made.tenants)
            version = kafka.distribution.version
    except (ClusterError, KafkaUnavailableError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if matrix.failures:
        print("\n".join(["these cells failed:", *matrix.failures]), file=sys.stderr)
        return 1
    text = render(matrix, version)
    PATH.write_text(text)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
