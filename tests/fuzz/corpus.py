"""What fuzzing has found worth keeping: one archive a target, read by the tests as well."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

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
    if target in _MADE:
        yield from _MADE[target]()
    if target == "rest":
        yield b'{"pluginClass":"x","priority":1,"config":{"rateInPercent":50}}'
        yield b'{"kind":"Interceptor","apiVersion":"gateway/v2","metadata":{"name":"a"},"spec":{}}'
    if target == "stored":
        yield b'["halted"]\0{"version":1,"created":1,"halted":true}'


def _logins() -> Iterator[bytes]:
    for rules in range(4):
        for mechanism in (0, 8):
            # Handshake, message, time; then again, and a dummy; and the same without headers.
            first = [(16 | mechanism, b""), (33 | mechanism, b"\0"), (-1, b"." * 5)]
            for word in range(6):
                again = [(16 | mechanism, b""), (33 | mechanism, bytes([word]))]
                yield _steps(rules, [*first, *again, (36, b""), (6, b"")])
                bare = [(mechanism, b""), (3 | mechanism, bytes([word])), (5, b"")]
                yield _steps(rules, bare)


def _bearers() -> Iterator[bytes]:
    from tests.support.bearer import first_message, jwk, key_set, token

    kinds = ("RS256", "ES384", "EdDSA")
    yield b"\0" + key_set(*(jwk(kind, "one", use="sig") for kind in kinds))
    yield b'\1{"sub":"al","exp":2000,"iat":1000,"nbf":1,"aud":["kafka"],"scope":"a b"}'
    yield b'\1{"sub":"al","exp":2e3,"aud":"kafka","gateway.vcluster":"teamA","scope":["a"]}'
    yield first_message(token(), "al", "host=h\x01")


def _steps(rules: int, steps: list[tuple[int, bytes]]) -> bytes:
    """As `targets.login` reads them; kind -1 is time that passes."""
    pieces = (
        bytes([1 if kind < 0 else kind << 1 & 255]) + len(piece).to_bytes(2) + piece
        for kind, piece in steps
    )
    return bytes([rules]) + b"".join(pieces)


_MADE: Final[Mapping[str, Callable[[], Iterator[bytes]]]] = {"login": _logins, "bearer": _bearers}
