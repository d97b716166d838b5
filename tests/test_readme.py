"""The README's table is the table of settings."""

from pathlib import Path

import pytest

from sidecar.config import SETTINGS, Setting

README = (Path(__file__).parents[1] / "README.md").read_text()


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_readme_tells_every_setting(setting: Setting) -> None:
    names = ", ".join(f"`{variable}`" for variable in setting.variables)
    rows = [line for line in README.splitlines() if line.startswith(f"| {names} | `{setting.key}`")]
    assert len(rows) == 1
    assert rows[0].endswith(f"| {setting.help} |")
