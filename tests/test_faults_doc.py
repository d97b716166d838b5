"""The page about faults says what the protos say, and the guide shows the code there is."""

import re
from pathlib import Path

import pytest

from sidecar.faults.broken_broker import ALLOWED
from sidecar.faults.registry import KINDS
from tests import faults_doc

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "writing-a-fault.md").read_text()
SHOWN = re.findall(r"^`([\w./]+)`:\n\n```\w+\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
"""Files named in the guide, and what it shows of them."""


def test_the_sections_are_those_that_the_protos_make() -> None:
    page = faults_doc.PAGE.read_text()

    assert page == faults_doc.updated(page), "make faults-doc writes them anew"


def test_every_fault_that_can_be_carried_out_has_a_section() -> None:
    page = faults_doc.PAGE.read_text()

    assert [kind for kind in KINDS if f"gRPC `{kind}`" not in page] == []


def test_notes_stay_and_sections_of_no_fault_go() -> None:
    page = faults_doc.PAGE.read_text()
    page = page.replace("\n## Leader election errors\n", "\n## Once there was\n")

    again = faults_doc.updated(page + "\nA new note.\n\n| a | table |\n")

    assert "\n## Leader election errors\n" in again
    assert "## Once there was" not in again
    assert again.endswith("\nA new note.\n\n| a | table |\n")


def test_the_errors_of_a_broken_broker_are_all_told() -> None:
    page = " ".join(faults_doc.PAGE.read_text().split())

    for api, errors in ALLOWED.items():
        assert f"Errors of {api}: {', '.join(errors)}." in page


@pytest.mark.parametrize(("file", "text"), SHOWN, ids=[file for file, _ in SHOWN])
def test_the_guide_shows_what_there_is(file: str, text: str) -> None:
    assert text in (ROOT / file).read_text()


def test_the_guide_shows_something() -> None:
    assert len(SHOWN) >= 4
