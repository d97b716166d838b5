"""The tree keeps its shape: tests mirror packages, and modules stay small enough to read."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("codec", "sidecar", "rest_bridge")
MOST_LINES = 400


def folders(package: str) -> list[Path]:
    """The folders with tests of a package, relative to the tests."""
    tests = ROOT / "tests"
    found = {path.parent.relative_to(tests) for path in (tests / package).rglob("test_*.py")}
    return sorted(found)


@pytest.mark.parametrize("folder", [f for package in PACKAGES for f in folders(package)], ids=str)
def test_every_folder_of_tests_mirrors_a_package(folder: Path) -> None:
    assert (ROOT / folder / "__init__.py").is_file()


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_is_longer_than_one_sitting(package: str) -> None:
    generated = ROOT / "sidecar" / "gen"
    long = {
        str(path.relative_to(ROOT)): lines
        for path in (ROOT / package).rglob("*.py")
        if generated not in path.parents
        and (lines := len(path.read_text().splitlines())) > MOST_LINES
    }

    assert long == {}


def test_the_packages_have_tests() -> None:
    """The tests above would say nothing about folders that are not there."""
    assert {Path("sidecar/dataplane"), Path("sidecar/net")} <= set(folders("sidecar"))
