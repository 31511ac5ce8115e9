"""Facts from outside as FEEL values.

Variables are JSON, and JSON has no dates: a string given for a date, time, date and time or
duration is read as such, wherever the type of the input says so, also within lists and contexts.
Anything else is a plain value and stays what it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flowkit.feel.temporal import (
    DaysTimeDuration,
    YearsMonthsDuration,
    parse_date,
    parse_date_time,
    parse_duration,
    parse_time,
)
from flowkit.feel.types import ContextType, FeelType, ListType, NamedType, SimpleType
from flowkit.feel.values import normalize

__all__ = ["read_fact"]


def _days_time(text: str) -> Any:
    value = parse_duration(text)
    return value if isinstance(value, DaysTimeDuration) else text


def _years_months(text: str) -> Any:
    value = parse_duration(text)
    return value if isinstance(value, YearsMonthsDuration) else text


READERS: dict[str, Callable[[str], Any]] = {
    "date": parse_date,
    "time": parse_time,
    "date and time": parse_date_time,
    "days and time duration": _days_time,
    "years and months duration": _years_months,
    "duration": parse_duration,
}

PLAIN = frozenset({str, int, bool})


def read_fact(value: Any, kind: FeelType | None) -> Any:
    """``value`` (JSON or FEEL) as a FEEL value, its strings read as the temporal types in ``kind``."""
    if isinstance(kind, SimpleType) and kind.name not in READERS and type(value) in PLAIN:
        return value if type(value) is not int else normalize(value)
    return _read(normalize(value), kind)


def _read(value: Any, kind: FeelType | None) -> Any:
    while isinstance(kind, NamedType):
        kind = kind.base
    if isinstance(kind, SimpleType):
        return _temporal(value, kind.name) if isinstance(value, str) else value
    if isinstance(kind, ListType):
        return (
            [_read(item, kind.item) for item in value] if isinstance(value, list) else _read(value, kind.item)
        )
    if isinstance(kind, ContextType) and isinstance(value, dict):
        read = {name: _read(value[name], entry) for name, entry in kind.entries if name in value}
        return {**value, **read}
    return value


def _temporal(text: str, name: str) -> Any:
    reader = READERS.get(name)
    if reader is None:
        return text
    try:
        return reader(text.strip())
    except ValueError:
        return text
