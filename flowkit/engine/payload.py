"""Variables at the border: copied, so that nobody outside holds what is inside, and checked to be JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

import msgspec

from flowkit.errors import InvalidPayload
from flowkit.tasks.jsonable import NotJson, to_json_value
from flowkit.values import unstorable

__all__ = ["decode", "encode", "json_copy", "storable"]

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder().decode

_MAX_DEPTH = 200
_SAFE = frozenset({bool, type(None)})
_PLAIN = frozenset({str, int})
_SMALL = 1 << 53
"""Whole numbers below it are exact everywhere, and need no second look."""


def json_copy(variables: Mapping[str, Any] | None) -> dict[str, Any]:
    """A copy of ``variables`` as JSON, into which dates, decimals, models and the like are turned as in
    the results of handlers; raises InvalidPayload for what has no JSON form."""
    if not variables:
        return {}
    if type(variables) is not dict and not isinstance(variables, Mapping):
        raise InvalidPayload(f"Variables are a mapping from names to JSON values, found {variables!r}.")
    copied = {}
    for name, value in variables.items():
        if type(name) is not str or not name.isidentifier():
            _name(name, "")
        kind = type(value)
        plain = kind in _SAFE or (kind is int and -_SMALL < value < _SMALL)
        copied[name] = value if plain else _copy(value, f"/{name}", 1)
    return copied


def _name(name: object, path: str) -> str:
    if not isinstance(name, str):
        raise _invalid(path, f"a name must be a text, found {name!r}")
    problem = unstorable(name)
    if problem:
        raise _invalid(path, f"the name {name!r:.80}: {problem}")
    return name


def _copy(value: Any, path: str, depth: int) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        problem = unstorable(value)
        if problem:
            raise _invalid(path, problem)
        return value
    if kind in _SAFE:
        return value
    if kind is float:
        if math.isfinite(value):
            return value
        raise _invalid(path, f"a number must be finite, found {value}")
    if depth > _MAX_DEPTH:
        raise _invalid(path, f"values are nested at most {_MAX_DEPTH} deep")
    if isinstance(value, Mapping):
        return {_name(key, path): _copy(item, f"{path}/{key}", depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_copy(item, f"{path}/{index}", depth + 1) for index, item in enumerate(value)]
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, str | int | float):  # an enumeration, say
        return _copy(value.value if hasattr(value, "value") else kind.__mro__[-2](value), path, depth + 1)
    try:
        return to_json_value(value, path, depth)
    except NotJson:
        raise _invalid(path, f"expected a JSON value, found {kind.__name__} {value!r:.80}") from None


def _invalid(path: str, problem: str) -> InvalidPayload:
    return InvalidPayload(f"{path or 'variables'}: {problem}.", [(path, problem)])


def storable(text: str) -> str:
    """A text from outside, such as an exception's, without what no database takes: characters that are
    none (halves of a pair, as in file names that are not UTF-8), and NUL, which PostgreSQL refuses."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
