"""Turning what handlers return into JSON, the only thing that process variables hold."""

from __future__ import annotations

import math
from collections.abc import Mapping, Set
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

from flowkit.values import unstorable

__all__ = ["NotJson", "iso_duration", "to_json_value"]

MAX_DEPTH = 100


class NotJson(ValueError):
    """A value has no JSON form; ``path`` is a JSON pointer to it."""

    def __init__(self, path: str, message: str) -> None:
        self.path = path
        super().__init__(f"{message} at {path or 'the top'}")


def iso_duration(value: timedelta) -> str:
    """``value`` in ISO 8601, as FEEL's ``string(duration)`` writes it: ``P1DT2H``, ``-PT0.5S``."""
    sign = "-" if value < timedelta(0) else ""
    value = abs(value)
    hours, rest = divmod(value.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    fraction = f"{seconds}.{value.microseconds:06d}".rstrip("0").rstrip(".")
    clock = "".join(
        (
            f"{hours}H" if hours else "",
            f"{minutes}M" if minutes else "",
            f"{fraction}S" if fraction != "0" else "",
        )
    )
    days = f"{value.days}D" if value.days else ""
    return f"{sign}P{days}{'T' + clock if clock else ''}" if days or clock else "PT0S"


def _storable(value: Any, path: str) -> Any:
    problem = unstorable(value)
    if problem:
        raise NotJson(path, problem)
    return value


def _number(value: float | Decimal, path: str) -> int | float:
    if not math.isfinite(value):
        raise NotJson(path, f"JSON has no number {value}")
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def to_json_value(value: Any, path: str = "", depth: int = 0) -> Any:
    """JSON for ``value``: dates and durations become ISO 8601 text, decimals numbers, sets sorted lists.

    Raises NotJson for anything without an obvious form (bytes, functions, arbitrary objects, NaN) and
    for nesting deeper than a hundred levels, which also stops cycles.
    """
    if depth > MAX_DEPTH:
        raise NotJson(path[:80], f"nested deeper than {MAX_DEPTH} levels")
    kind = type(value)
    if value is None or kind is bool:
        return value
    if kind is str or kind is int:
        return _storable(value, path)
    if kind is dict:
        return _object(value, path, depth)
    if isinstance(value, Enum):
        return to_json_value(value.value, path, depth + 1)
    if isinstance(value, float | Decimal):
        return _number(value, path)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return iso_duration(value)
    if isinstance(value, UUID | PurePath):
        return str(value)
    if isinstance(value, str):
        return _storable(str(value), path)
    if isinstance(value, int):
        return _storable(int(value), path)
    if isinstance(value, Mapping):
        return _object(value, path, depth)
    if isinstance(value, list | tuple):
        return [to_json_value(item, f"{path}/{index}", depth + 1) for index, item in enumerate(value)]
    if isinstance(value, Set):
        items = [to_json_value(item, path, depth + 1) for item in value]
        return sorted(items, key=repr)
    return to_json_value(_fields(value, path), path, depth + 1)


def _object(value: Mapping[Any, Any], path: str, depth: int) -> dict[str, Any]:
    for key in value:
        if not isinstance(key, str):
            raise NotJson(path, f"keys must be text, found {key!r}")
        _storable(key, path)
    return {str(key): to_json_value(item, f"{path}/{key}", depth + 1) for key, item in value.items()}


def _fields(value: Any, path: str) -> dict[str, Any]:
    if hasattr(type(value), "model_fields"):  # a pydantic model, without importing pydantic
        dumped: dict[str, Any] = value.model_dump(by_alias=True)
        return dumped
    names = getattr(type(value), "__dataclass_fields__", None) or getattr(
        type(value), "__struct_fields__", None
    )
    if names is None:
        raise NotJson(path, f"a {type(value).__name__} has no JSON form")
    return {name: getattr(value, name) for name in names}
