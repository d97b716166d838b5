"""The table of paths in the docs is the table of paths."""

import re
from pathlib import Path

from rest_bridge.routes import ROUTES, Endpoint

DOCS = (Path(__file__).parents[3] / "docs" / "rest-v2.md").read_text()
EVERY = "all"


def test_the_docs_tell_every_path_and_its_methods() -> None:
    told = {}
    for paths, methods in re.findall(r"^\| (`/[^|]*) \| ([A-Za-z, ]+) \|", DOCS, re.MULTILINE):
        for path in re.findall(r"`([^`]*)`", paths):
            told[path] = methods
    served = {}
    for rule in ROUTES.iter_rules():
        if rule.rule.startswith("/gateway/v2/"):
            assert isinstance(rule.endpoint, Endpoint)
            path = rule.rule.removeprefix("/gateway/v2").removesuffix("/")
            methods = ", ".join(rule.endpoint.resource)
            served[re.sub(r"<(\w+)>", r"{\1}", path)] = methods

    assert sorted(told) == sorted(served)
    for path, methods in told.items():
        assert methods in (served[path], EVERY), path
