"""Items of a request that do not go to the broker, and their places in its response."""

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any, TypeVar, cast

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from codec.registry import response_class
from codec.schema import Response, Struct
from sidecar.dataplane.tenancy.denials import CODE, TEXT

T = TypeVar("T")
Refused = Mapping[int, Struct]
"""Answers to items, by their places in the request, which rise."""


def refusal(
    key: ApiKey, array: str, error: ErrorCode = CODE, text: str = TEXT, **values: Any
) -> Struct:
    """An item that tells an error, in this array of the response; the other fields as given."""
    [field] = [field for field in response_class(key).FIELDS if field.name == array]
    kind = cast(type[Struct], field.element)
    return kind(error_code=int(error), error_message=text, **values)


def take_out(
    items: Iterable[T], refuse: Callable[[T], Struct | None]
) -> tuple[list[T], dict[int, Struct]]:
    """Items that may go on, and the answers to those that may not."""
    left = []
    refused = {}
    for place, item in enumerate(items):
        answer = refuse(item)
        if answer is None:
            left.append(item)
        else:
            refused[place] = answer
    return left, refused


def put_in(answers: Iterable[Any], refused: Refused) -> list[Any]:
    """A broker's answers and those to refused items, in the order of the request."""
    rest = iter(answers)
    merged: list[Any] = []
    for place, answer in refused.items():
        merged += islice(rest, place - len(merged))
        merged.append(answer)
    return [*merged, *rest]


def all_refused(key: ApiKey, array: str, refused: Refused) -> Response:
    """The response when nothing is left for the broker."""
    return response_class(key)(**{array: list(refused.values())})
