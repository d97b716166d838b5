"""docs/limits.md and the code: every constant and setting named there is there, with that value.

A row names what sets its limit in the column "Where it is set" (or "Set as"): a constant of a
module in capitals, a parameter's or field's default, a class, or a setting. The values of
constants, defaults and settings must be in the column "Value", written as a reader would.
"""

import ast
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from sidecar.config import SETTINGS

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "limits.md"
EMBEDDED = "sidecar/embedded/settings.py"
"""Where the names of the table without files are."""
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
NAME = re.compile(r"_?[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z_]\w*)?")
FILE = re.compile(r"(?:sidecar|codec|rest_bridge)/[\w/]*(?:\.py)?")
UNITS: dict[str, tuple[Fraction, ...]] = {
    "KiB": (Fraction(1024),),
    "MiB": (Fraction(1024**2),),
    "GiB": (Fraction(1024**3),),
    "ms": (Fraction(1), Fraction(1, 1000), Fraction(10**6)),
    "s": (Fraction(1), Fraction(1000)),
    "min": (Fraction(60), Fraction(60_000)),
    "minutes": (Fraction(60),),
    "h": (Fraction(3600), Fraction(3_600_000)),
    "hour": (Fraction(3600),),
    "days": (Fraction(86_400),),
    "years": (Fraction(365 * 86_400),),
}
"""What a unit may make of a number: constants are in bytes, in seconds or in milliseconds."""


@dataclass(frozen=True)
class Row:
    """One limit.

    Args:
        line: in the page.
        value: its text.
        places: names and the file, or "" for a setting, of what sets it.
    """

    line: int
    limit: str
    value: str
    places: tuple[tuple[str, str], ...]


def rows(text: str) -> Iterator[Row]:
    """The rows of all tables that say where a limit is set."""
    where: int | None = None
    file = ""
    for number, line in enumerate(text.splitlines(), 1):
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if not line.startswith("|"):
            where = None
        elif where is None:
            found = [i for i, c in enumerate(cells) if c in ("Where it is set", "Set as")]
            where = found[0] if found else -1
            file = EMBEDDED if cells[where] == "Set as" else ""
        elif where >= 0 and not line.startswith("|---"):
            places, file = placed(cells[where], file)
            yield Row(number, cells[0], cells[1], places)


def placed(cell: str, file: str) -> tuple[tuple[tuple[str, str], ...], str]:
    """Names with the file that follows them in a cell, or that stood in the row above."""
    places: list[tuple[str, str]] = []
    names: list[str] = []
    for token in re.findall(r"`([^`]+)`|(as above)", cell):
        text = token[0]
        if FILE.fullmatch(text):
            file = text
            places += [(name, file) for name in names] or [("", file)]
            names = []
        elif token[1]:
            places += [(name, file) for name in names]
            names = []
        elif NAME.fullmatch(text):
            names.append(text)
    return (*places, *((name, file) for name in names)), file


@cache
def tree(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text())


def module(file: str) -> Any:
    return importlib.import_module(file.removesuffix(".py").replace("/", "."))


def defaults(file: str, name: str) -> Iterator[object]:
    """Values of parameters and fields of a name."""
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.arguments):
            plain = node.posonlyargs + node.args
            given = zip(plain[len(plain) - len(node.defaults) :], node.defaults, strict=True)
            for argument, value in (*given, *zip(node.kwonlyargs, node.kw_defaults, strict=True)):
                if argument.arg == name and value is not None:
                    yield evaluated(value, file)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            named = node.target.id == name
            if named and node.value is not None:
                yield evaluated(node.value, file)


def evaluated(node: ast.expr, file: str) -> object:
    return eval(ast.unparse(node), dict(vars(module(file))))


def values(name: str, file: str) -> tuple[object, ...]:
    """What a name of a file stands for; AssertionError if it is nothing."""
    if name.startswith(("GATEWAY_", "KAFKA_")):
        [setting] = [s for s in SETTINGS if name in s.variables]
        return (setting.default,)
    owner, _, attribute = name.rpartition(".")
    found = getattr(module(file), owner or name, None)
    if owner:
        assert hasattr(found, attribute), f"{file} has no {name}"
        return ()
    if found is not None:
        return (found,)
    given = tuple(defaults(file, name))
    assert given, f"{file} has no {name}"
    return given


def written(text: str) -> set[Fraction]:
    """Every number that a text may mean."""
    found: set[Fraction] = set()
    for match in NUMBER.finditer(text):
        number = Fraction(match[0].replace(",", ""))
        unit = re.match(r" ?([A-Za-z]+)", text[match.end() :])
        found.add(number)
        found |= {number * factor for factor in UNITS.get(unit[1] if unit else "", ())}
    return found


def problem(row: Row) -> str:
    """What is wrong with a row; empty if nothing is."""
    for name, file in row.places:
        if not name:
            if not (ROOT / file).exists():
                return f"there is no {file}"
            continue
        try:
            stated = values(name, file)
        except (AssertionError, ImportError, OSError, ValueError) as error:
            return f"{name}: {error}"
        numbers = [v for v in stated if isinstance(v, int | float) and not isinstance(v, bool)]
        if numbers and not {Fraction(str(number)) for number in numbers} & written(row.value):
            return f"{name} is {', '.join(map(str, numbers))}, which is not in {row.value!r}"
    return ""


ROWS = tuple(rows(PAGE.read_text()))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"line {row.line}")
def test_what_a_row_names_is_there_with_its_value(row: Row) -> None:
    assert problem(row) == ""


def is_checked(row: Row) -> bool:
    """Whether a value of a row is held to the code."""
    return problem(replace(row, value="")) != ""


def test_other_values_would_be_noticed() -> None:
    checked = [row for row in ROWS if is_checked(row)]
    assert len(checked) >= 100  # so that the tables are read at all
    for row in checked:
        other = NUMBER.sub(lambda found: f"7{found[0]}", row.value)
        assert problem(replace(row, value=other)), row


@pytest.mark.parametrize(
    ("cell", "value", "wrong"),
    [
        ("`MAX_BODY_BYTES`, `rest_bridge/wsgi.py`", "64 KiB", ""),
        ("`MAX_BODY_BYTES`, `rest_bridge/wsgi.py`", "65,536 bytes", ""),
        ("`MAX_BODY_BYTES`, `rest_bridge/wsgi.py`", "64 MiB", "MAX_BODY_BYTES is 65536, which"),
        ("`MAX_BODY`, `rest_bridge/wsgi.py`", "64 KiB", "MAX_BODY: rest_bridge/wsgi.py has no"),
        ("`rest_bridge/web.py`", "", "there is no rest_bridge/web.py"),
        ("`GATEWAY_MAX_CONNECTIONS`", "4,096", ""),
        ("`GATEWAY_MAX_CONNECTIONS`", "4,097", "GATEWAY_MAX_CONNECTIONS is 4096, which"),
        ("`GATEWAY_CONNECTIONS`", "4,096", "GATEWAY_CONNECTIONS: "),
        ("`Channel.nothing`, `rest_bridge/channel.py`", "", "Channel.nothing: rest_bridge/channel"),
    ],
)
def test_a_row_is_compared_with_the_code(cell: str, value: str, wrong: str) -> None:
    [row] = rows(f"| Limit | Value | Where it is set |\n|---|---|---|\n| x | {value} | {cell} |")
    assert problem(row).startswith(wrong)
    assert bool(problem(row)) is bool(wrong)
