"""Who exercises which API: one function per API key, called once for every version."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from tests.kafka.api_matrix.client import Answer
from tests.kafka.api_matrix.shapes import error_codes
from tests.kafka.api_matrix.tenant import Tenant

Exercise = Callable[[Tenant, int], None]
EXERCISES: dict[int, Exercise] = {}


def exercise(key: ApiKey) -> Callable[[Exercise], Exercise]:
    """Register a function that sends `key` in the version it is given, and checks the answer."""

    def register(function: Exercise) -> Exercise:
        assert key not in EXERCISES, key
        EXERCISES[key] = function
        return function

    return register


def ok(answer: Answer, *tolerated: int) -> Answer:
    """Fail unless every error code in the answer is NONE or one of those `tolerated`."""
    bad = {
        path: ErrorCode(code).name
        for path, code in error_codes(answer.body)
        if code != 0 and code not in tolerated
    }
    assert not bad, f"{bad} in {shown(answer)}"
    return answer


def refused(answer: Answer, code: ErrorCode) -> Answer:
    """Fail unless the answer holds error codes, and all of them are `code`."""
    codes = [each for _, each in error_codes(answer.body)]
    assert codes, f"no error code in {shown(answer)}"
    assert set(codes) == {code}, f"not only {code.name} in {shown(answer)}"
    return answer


def same(found: Collection[Any], expected: Collection[Any], what: str) -> None:
    """Fail unless both hold the same elements, in any order."""
    assert sorted(found) == sorted(expected), f"{what}: {found!r}, not {expected!r}"


def only(values: list[Any]) -> Any:
    """The single element of a list."""
    assert len(values) == 1, f"one expected, not {values!r}"
    return values[0]


def shown(answer: Answer) -> str:
    """An answer, cut to what fits into a failure's line."""
    return repr(answer.body)[:600]
