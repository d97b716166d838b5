"""JSON in and out, strict about what is read and exact about numbers.

Scripts get their `config` back as they sent it: 50 stays 50 and 50.0 stays 50.0. So numbers are
kept as the text they were until somebody needs their value.
"""

import json
from dataclasses import dataclass
from typing import NoReturn, TypeAlias


@dataclass(frozen=True, slots=True)
class Number:
    """A JSON number, as it was written."""

    text: str


Json: TypeAlias = "dict[str, Json] | list[Json] | str | bool | Number | None"
"""What a body is made of."""


class NotJson(ValueError):
    """The text is not acceptable JSON; ``str()`` says why."""


def parse(body: bytes) -> Json:
    """Return the value in `body`, UTF-8.

    Raises:
        NotJson: malformed, nested too deep, a key twice in one object, NaN or Infinity, not UTF-8,
            or with half a surrogate pair.
    """
    try:
        value: Json = _DECODER.decode(body.decode("utf-8"))
        # What is read must be fit to be stored and sent: half surrogate pairs can be escaped in
        # JSON, and the parser takes deeper nesting than can be written.
        dumps(value).encode("utf-8")
    except NotJson:
        raise
    except UnicodeDecodeError:
        raise NotJson("the body is not UTF-8") from None
    except UnicodeEncodeError:
        raise NotJson("the body has half a surrogate pair in a string") from None
    except json.JSONDecodeError as error:
        raise NotJson(
            f"the body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from None
    except RecursionError:
        raise NotJson("the body is nested too deep") from None
    return value


def dumps(value: Json) -> str:
    """Return `value` as compact JSON, keys in their order and numbers as they were written."""
    match value:
        case Number():
            return value.text
        case dict():
            return "{" + ",".join(f"{dumps(k)}:{dumps(v)}" for k, v in value.items()) + "}"
        case list():
            return "[" + ",".join(map(dumps, value)) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)


def show(value: Json, limit: int = 60) -> str:
    """Return `value` for a message, cut to `limit` characters."""
    text = dumps(value)
    return text if len(text) <= limit else f"{text[:limit]}..."


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    result: dict[str, Json] = {}
    for key, value in pairs:
        if key in result:
            raise NotJson(f"the body has the key {show(key)} twice in one object")
        result[key] = value
    return result


def _no_constant(name: str) -> NoReturn:
    raise NotJson(f"the body is not JSON: {name} is not a JSON number")


_DECODER = json.JSONDecoder(
    parse_int=Number, parse_float=Number, parse_constant=_no_constant, object_pairs_hook=_unique
)
