"""Every API in every version, by two tenants side by side, through eavesdropped connections."""

from __future__ import annotations

import pytest

from codec.api_keys import ApiKey
from tests.kafka.api_matrix import denied, hidden
from tests.kafka.api_matrix.run import Matrix, Verdict, versions
from tests.kafka.api_matrix.table import PATH, render
from tests.kafka.overheard import Overheard

# The first test pays for the start of the cluster, and perhaps for the download.
pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]


def test_no_cell_fails(matrix: Matrix) -> None:
    assert "\n".join(matrix.failures) == ""


def test_nothing_foreign_was_heard(matrix: Matrix, overheard: Overheard) -> None:
    assert matrix.cells
    assert overheard.leaks() == []


@pytest.mark.parametrize("key", ApiKey, ids=lambda key: key.name)
def test_every_version_has_the_verdict_that_is_wanted(matrix: Matrix, key: ApiKey) -> None:
    """Nothing is blank: each version that a broker speaks is passed, denied or hidden."""
    for version in versions(matrix.broker, key) or [0]:
        found = matrix.cells[key, version].verdict
        if hidden.expected(key, version):
            assert found is Verdict.HIDDEN
        elif key in denied.REQUESTS:
            assert found is Verdict.DENIED
        else:
            assert found is Verdict.PASS


def test_no_more_is_offered_than_brokers_speak(matrix: Matrix) -> None:
    for key in matrix.offered:
        assert set(versions(matrix.offered, key)) <= set(versions(matrix.broker, key))


def test_the_committed_table_is_fresh(matrix: Matrix, overheard: Overheard) -> None:
    """If not, `make api-coverage` writes it anew."""
    assert PATH.read_text() == render(matrix, overheard.kafka.distribution.version)
