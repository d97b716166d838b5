"""Every API in every version, by two tenants side by side, through eavesdropped connections."""

from __future__ import annotations

import pytest

from codec.api_keys import ApiKey
from tests.kafka.api_matrix import denied
from tests.kafka.api_matrix.run import Matrix, Verdict, versions
from tests.kafka.overheard import Overheard

# The first test pays for the start of the cluster, and perhaps for the download.
pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]


def test_no_cell_fails(matrix: Matrix) -> None:
    assert matrix.failures == []


def test_nothing_foreign_was_heard(matrix: Matrix, overheard: Overheard) -> None:
    assert matrix.cells
    assert overheard.leaks() == []


@pytest.mark.parametrize("key", ApiKey, ids=lambda key: key.name)
def test_no_cell_is_blank(matrix: Matrix, key: ApiKey) -> None:
    """Each version that a broker or the sidecar speaks has a verdict that fits what is offered."""
    spoken = {*versions(matrix.broker, key), *versions(matrix.offered, key)}
    for version in spoken or {0}:
        verdict = matrix.cells[key, version].verdict
        if version not in versions(matrix.offered, key):
            assert verdict is Verdict.HIDDEN
        elif key in denied.REQUESTS:
            assert verdict is Verdict.DENIED


def test_the_denied_are_not_among_the_hidden(matrix: Matrix) -> None:
    """A client is told that it may not, rather than that the cluster cannot."""
    assert [key for key in denied.REQUESTS if key not in matrix.offered] == []
