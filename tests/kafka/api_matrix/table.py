"""docs/api-coverage.md: the matrix as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from codec.api_keys import ApiKey
from tests.kafka.api_matrix import hidden
from tests.kafka.api_matrix.run import NEWEST_KEY, Matrix, Range, Verdict, versions

PATH = Path(__file__).parents[3] / "docs" / "api-coverage.md"
_SIDECAR = "answered by the sidecar"
_PARTLY: Mapping[ApiKey, str] = {
    ApiKey.API_VERSIONS: _SIDECAR,
    ApiKey.SASL_HANDSHAKE: _SIDECAR,
    ApiKey.SASL_AUTHENTICATE: _SIDECAR,
    ApiKey.DESCRIBE_ACLS: "entries of the cluster, of tokens and of users are not shown",
    ApiKey.CREATE_ACLS: "denied for the cluster, tokens and users",
    ApiKey.DELETE_ACLS: "denied for the cluster, tokens and users, and for filters without a name",
    **dict.fromkeys(
        [ApiKey.DESCRIBE_CONFIGS, ApiKey.ALTER_CONFIGS, ApiKey.INCREMENTAL_ALTER_CONFIGS],
        "denied for brokers, loggers and client metrics",
    ),
}
_HEAD = """\
# What a tenant gets for every Kafka API

Made by `make api-coverage`, never edited: two tenants with the same names send every API in every
version to Apache Kafka {kafka} through two sidecars, and each answer is judged. `make test` fails
where this file says something else than it finds.

- **pass**: it works on the tenant's own names and ids, and nothing else is to be seen.
- **denied**: the sidecar answers CLUSTER_AUTHORIZATION_FAILED; the request goes no further.
- **hidden**: it is not offered in ApiVersions; a request closes the connection unanswered.

`passthrough` is not a tenant: it sees the cluster as it is.

| key | API | brokers | tenants | verdict for each version | |
|--:|---|---|---|---|---|
"""


def render(matrix: Matrix, kafka: str) -> str:
    """The whole document, for brokers of the version `kafka`."""
    rows = [_row(matrix, ApiKey(key)) for key in range(NEWEST_KEY + 1)]
    return _HEAD.format(kafka=kafka) + "\n".join(rows) + "\n"


def _row(matrix: Matrix, key: ApiKey) -> str:
    name = "".join(part.capitalize() for part in key.name.split("_"))
    brokers, tenants = _range(matrix.broker, key), _range(matrix.offered, key)
    note = _note(key)
    return f"| {int(key)} | {name} | {brokers} | {tenants} | {_verdicts(matrix, key)} | {note} |"


def _note(key: ApiKey) -> str:
    if key in hidden.VERSIONS:
        return hidden.VERSIONS[key][1]
    return hidden.APIS.get(key) or _PARTLY.get(key, "")


def _range(ranges: Mapping[int, Range], key: ApiKey) -> str:
    spoken = versions(ranges, key)
    return _span(spoken) if spoken else "not offered"


def _verdicts(matrix: Matrix, key: ApiKey) -> str:
    if not versions(matrix.broker, key):
        return matrix.cells[key, 0].verdict.value
    parts: list[tuple[Verdict, list[int]]] = []
    for version in versions(matrix.broker, key):
        verdict = matrix.cells[key, version].verdict
        if not parts or parts[-1][0] is not verdict:
            parts.append((verdict, []))
        parts[-1][1].append(version)
    return ", ".join(f"{verdict.value} {_span(numbers)}" for verdict, numbers in parts)


def _span(numbers: Sequence[int]) -> str:
    first, last = numbers[0], numbers[-1]
    return str(first) if first == last else f"{first}-{last}"
