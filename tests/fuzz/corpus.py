"""What fuzzing has found worth keeping: one archive a target, read by the tests as well."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

FOLDER = Path(__file__).with_name("corpus")
_EPOCH = (1980, 1, 1, 0, 0, 0)


def entries(target: str) -> list[bytes]:
    """The inputs that are kept for a target."""
    path = FOLDER / f"{target}.zip"
    if not path.exists():
        return []
    with zipfile.ZipFile(path) as archive:
        return [archive.read(name) for name in sorted(archive.namelist())]


def keep(target: str, inputs: Iterable[bytes]) -> None:
    """Replace them; the same inputs give the same archive."""
    FOLDER.mkdir(exist_ok=True)
    named = {hashlib.sha1(each, usedforsecurity=False).hexdigest(): each for each in inputs}
    with zipfile.ZipFile(FOLDER / f"{target}.zip", "w") as archive:
        for name in sorted(named):
            info = zipfile.ZipInfo(name, _EPOCH)
            archive.writestr(info, named[name], zipfile.ZIP_DEFLATED, 9)


def seeds(target: str) -> Iterator[bytes]:
    """Inputs to begin with, made from what Kafka's own classes have written."""
    from tests.codec.vectors import distinct_bodies
    from tests.fuzz.targets import MESSAGES
    from tests.support.messages import request

    numbers = {message: number for number, message in enumerate(MESSAGES)}
    for vector in distinct_bodies():
        number = numbers.get((vector.key, vector.is_request, vector.version))
        if number is None:
            continue
        if target in ("decode", "rewrite"):
            yield number.to_bytes(2) + vector.body
        elif target in ("session", "lane") and vector.is_request and len(vector.body) < 2000:
            head = request(vector.decode(), vector.version)
            data = len(head).to_bytes(4) + head if target == "lane" else head
            yield bytes([vector.version]) + b"\0" + len(data).to_bytes(2) + data
    if target == "records":
        from tests.codec.vectors import lines

        for line in lines("records-3.9.0"):
            yield bytes.fromhex(line["h"])
    if target == "rest":
        yield b'{"pluginClass":"x","priority":1,"config":{"rateInPercent":50}}'
        yield b'{"kind":"Interceptor","apiVersion":"gateway/v2","metadata":{"name":"a"},"spec":{}}'
    if target == "stored":
        yield b'["halted"]\0{"version":1,"created":1,"halted":true}'
