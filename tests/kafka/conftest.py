"""One real Kafka per version and session, started when the first test asks for it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import NoReturn

import pytest

from tests.kafka.api_matrix.run import Matrix, run
from tests.kafka.api_matrix.table import render
from tests.kafka.api_matrix.tenant import Tenant
from tests.kafka.api_matrix.world import FIRST, SECOND, World, world
from tests.kafka.cluster import RealKafka, running
from tests.kafka.distribution import KafkaUnavailableError, ensure
from tests.kafka.overheard import Overheard, overhearing
from tests.kafka.secured import Certificates, certificates, secured_cluster
from tests.kafka.sidecars import Access, Gateways, pair
from tests.kafka.tools import Tools
from tests.support.token_endpoint import TokenEndpoint
from tests.vectors.project import Project, compiled

REQUIRED = os.environ.get("KAFKA_REQUIRED") == "1"
_MISSING: set[str] = set()
_TABLES: list[str] = []


def unavailable(reason: str) -> NoReturn:
    """Skip loudly; under KAFKA_REQUIRED=1 fail instead, so that CI cannot lose these tests."""
    if REQUIRED:
        pytest.fail(f"KAFKA_REQUIRED=1, but: {reason}", pytrace=False)
    _MISSING.add(reason)
    pytest.skip(reason)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line that nobody overlooks for each reason; and the matrix, if it was made."""
    for reason in sorted(_MISSING):
        text = f"TESTS AGAINST REAL KAFKA DID NOT RUN: {reason}"
        terminalreporter.write_line(text, yellow=True, bold=True)
    for table in _TABLES:
        terminalreporter.write_line(table)


def needs_kafka(version: str) -> None:
    """Skip, or fail where that is not allowed, unless this Kafka can be run here."""
    reason = ""
    try:
        ensure(version)
    except KafkaUnavailableError as exc:
        reason = str(exc)
    if reason:
        unavailable(reason)


def _cluster(version: str) -> Iterator[RealKafka]:
    needs_kafka(version)
    with running(version) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def kafka() -> Iterator[RealKafka]:
    """Three brokers of the newest Kafka 4."""
    yield from _cluster("4.x")


@pytest.fixture(scope="session")
def kafka39() -> Iterator[RealKafka]:
    """Three brokers of Kafka 3.9."""
    yield from _cluster("3.9")


@pytest.fixture(scope="session")
def mortal_kafka() -> Iterator[RealKafka]:
    """Three brokers of the newest Kafka 4 that tests may kill, if they start them again."""
    yield from _cluster("4.x")


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates of the cluster below, and for its clients."""
    return certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def token_endpoint() -> Iterator[TokenEndpoint]:
    """Where the tokens come from that the cluster below takes, and their keys."""
    with TokenEndpoint() as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def secured_kafka(files: Certificates, token_endpoint: TokenEndpoint) -> Iterator[RealKafka]:
    """Three brokers with TLS and SASL listeners."""
    needs_kafka("4.x")
    with secured_cluster(files, token_endpoint) as cluster:
        yield cluster


@pytest.fixture(scope="session", params=["kafka", "kafka39"], ids=["4.x", "3.9"])
def either_kafka(request: pytest.FixtureRequest) -> RealKafka:
    """Both clusters, one after the other."""
    cluster: RealKafka = request.getfixturevalue(request.param)
    return cluster


@pytest.fixture
def tools(either_kafka: RealKafka) -> Tools:
    """Kafka's own tools straight at the cluster, of the same version."""
    return Tools(either_kafka.distribution, either_kafka.bootstrap)


@pytest.fixture(scope="session")
def gateways(kafka: RealKafka) -> Iterator[Gateways]:
    """The demo's two sidecars in front of Kafka 4."""
    with pair(kafka) as both:
        yield both


@pytest.fixture(scope="session")
def gateways39(kafka39: RealKafka) -> Iterator[Gateways]:
    """The demo's two sidecars in front of Kafka 3.9."""
    with pair(kafka39) as both:
        yield both


@pytest.fixture(scope="session", params=["4.3.0", "3.9.0"])
def java_codec(request: pytest.FixtureRequest) -> Iterator[tuple[str, Project]]:
    """A Kafka release with committed vectors, and its own classes for messages and records."""
    release: str = request.param
    with ExitStack() as stack:
        reason, project = "", None
        try:
            project = stack.enter_context(compiled(release))
        except KafkaUnavailableError as exc:
            reason = str(exc)
        if project is None:
            unavailable(reason)
        yield release, project


@pytest.fixture(scope="session")
def overheard(kafka: RealKafka) -> Iterator[Overheard]:
    """Two sidecars in front of Kafka 4, with an eavesdropper on each one's clients."""
    with overhearing(kafka) as both:
        yield both


@pytest.fixture(scope="session")
def tenants(overheard: Overheard) -> Iterator[World]:
    """Two tenants with the same names, and a stranger on the cluster itself."""
    first = Tenant(FIRST, *overheard.first.tenant(FIRST))
    second = Tenant(SECOND, *overheard.second.tenant(SECOND))
    with world(first, second, Tenant("", Access(overheard.kafka.bootstrap))) as made:
        yield made


@pytest.fixture(scope="session")
def matrix(kafka: RealKafka, tenants: World) -> Matrix:
    """Every API in every version, once a session; the session's summary ends with the table."""
    made = run(tenants.direct, tenants.tenants)
    _TABLES.append(render(made, kafka.distribution.version))
    return made
