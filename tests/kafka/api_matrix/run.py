"""Every API in every version, by two tenants side by side; what became of each."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum

from codec.api_keys import ApiKey
from tests.kafka.api_matrix import denied
from tests.kafka.api_matrix.client import ClosedError, Connection
from tests.kafka.api_matrix.spec import EXERCISES
from tests.kafka.api_matrix.tenant import Tenant

#: Importing them registers their exercises.
MODULES = (
    "acls",
    "configs",
    "data",
    "groups",
    "modern_groups",
    "offsets",
    "session",
    "share_groups",
    "topics",
    "transactions",
)
for _module in MODULES:
    importlib.import_module(f"tests.kafka.api_matrix.{_module}")

Range = tuple[int, int]
NEWEST_KEY = max(ApiKey)


class Verdict(Enum):
    """What a tenant gets for a request of one version of one API."""

    PASS = "pass"
    DENIED = "denied"
    HIDDEN = "hidden"
    FAIL = "FAIL"


@dataclass(frozen=True)
class Cell:
    """The verdict on one API in one version; `reason` says why it failed."""

    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True)
class Matrix:
    """All verdicts, with the ranges of versions that brokers and tenants are told of."""

    broker: Mapping[int, Range]
    offered: Mapping[int, Range]
    cells: Mapping[tuple[int, int], Cell]

    @property
    def failures(self) -> list[str]:
        """One line for each cell that is not as it should be."""
        return [
            f"{ApiKey(key).name} v{version}: {cell.reason}"
            for (key, version), cell in sorted(self.cells.items())
            if cell.verdict is Verdict.FAIL
        ]


def ranges(connection: Connection) -> dict[int, Range]:
    """What ApiVersions offers."""
    answer = connection.ask(ApiKey.API_VERSIONS, 0, {})
    return {
        each["api_key"]: (each["min_version"], each["max_version"]) for each in answer["api_keys"]
    }


def versions(offered: Mapping[int, Range], key: int) -> range:
    """The versions of an API in a table of ranges; none if it is not in there."""
    low, high = offered.get(key, (0, -1))
    return range(low, high + 1)


def run(direct: Connection, tenants: Sequence[Tenant], keys: Sequence[int] = ()) -> Matrix:
    """Exercise all APIs (or `keys`) as all `tenants` at once; a cell is as bad as its worst."""
    broker = ranges(direct)
    offered = ranges(tenants[0].connection())
    chosen = keys or range(NEWEST_KEY + 1)
    with ThreadPoolExecutor(len(tenants)) as pool:
        found = list(pool.map(lambda one: _cells(one, broker, offered, chosen), tenants))
    cells = {}
    for place in found[0]:
        each = [cells_of[place] for cells_of in found]
        cells[place] = next((cell for cell in each if cell.verdict is Verdict.FAIL), each[0])
    return Matrix(broker, offered, cells)


def _cells(
    tenant: Tenant,
    broker: Mapping[int, Range],
    offered: Mapping[int, Range],
    keys: Sequence[int],
) -> dict[tuple[int, int], Cell]:
    cells = {}
    for key in keys:
        for version in versions(broker, key) or [0]:
            try:
                verdict = _judge(tenant, key, version, version in versions(offered, key))
                cells[key, version] = Cell(verdict)
            except Exception as exc:  # noqa: BLE001  whatever goes wrong is the cell's verdict
                reason = f"{tenant.name}: {type(exc).__name__}: {exc}"
                cells[key, version] = Cell(Verdict.FAIL, reason)
    return cells


def _judge(tenant: Tenant, key: int, version: int, offered: bool) -> Verdict:
    if not offered or (key == ApiKey.PRODUCE and version < 3):
        # Produce is announced from 0 as brokers do, for old librdkafka, and served from 3.
        _expect_silence(tenant, key, version)
        return Verdict.HIDDEN
    EXERCISES[key](tenant, version)
    assert (key, version) in tenant.asked, "the exercise did not send it"
    return Verdict.DENIED if key in denied.REQUESTS else Verdict.PASS


def _expect_silence(tenant: Tenant, key: int, version: int) -> None:
    """The connection must close without an answer, as a broker's does."""
    connection = tenant.fresh()
    try:
        raw = connection.exchange(key, version, b"")
    except ClosedError:
        return
    finally:
        connection.close()
    raise AssertionError(f"an answer instead of a closed connection: {raw!r:.200}")
