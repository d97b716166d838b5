"""What fuzzing has kept harms nobody; new findings belong into the corpus, too."""

import pytest

from tests.fuzz import corpus
from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("target", TARGETS)
def test_every_input_that_was_kept(target: str) -> None:
    inputs = corpus.entries(target)
    assert inputs
    for data in inputs:
        TARGETS[target](data)
