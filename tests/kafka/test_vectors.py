"""The committed vectors are what Kafka's own classes make."""

import json

import pytest

from codec.records.batch import read_batch_headers
from codec.records.rewrite import records_of
from tests.codec.records.sets import in_full
from tests.vectors.generate import by_message, file_of, read_lines
from tests.vectors.project import Project

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]


def test_bodies_are_made_anew(java_codec: tuple[str, Project]) -> None:
    release, project = java_codec
    made, committed = project.bodies(), read_lines(file_of("bodies", release))
    # First by message, because pytest shows that in a way one can read.
    assert by_message(made).keys() == by_message(committed).keys()
    assert made == committed


def test_record_sets_are_made_anew(java_codec: tuple[str, Project]) -> None:
    """Those of both releases are the same. Of gzip only the content is: its bytes are the JVM's."""
    _, project = java_codec
    made, committed = project.records(), read_lines(file_of("records", "3.9.0"))
    assert len(made) == len(committed)
    for ours, theirs in zip(map(json.loads, made), map(json.loads, committed), strict=True):
        if ours["codec"] == "gzip":
            ours["h"], theirs["h"] = _records(ours["h"]), _records(theirs["h"])
        assert ours == theirs


def _records(blob: str) -> list[object]:
    data = bytes.fromhex(blob)
    return [in_full(records_of(data, header)) for header in read_batch_headers(data)]
