"""Properties of temporal values and ranges, such as ``d.year`` or ``r.start included`` (10.3.2.15)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flowkit.feel.temporal import Date, DateTime, DaysTimeDuration, Time, YearsMonthsDuration
from flowkit.feel.temporal.values import DAY, HOUR, MINUTE, SECOND, Zone
from flowkit.feel.values import Range

__all__ = ["PROPERTIES", "property_of"]


def _zone_id(zone: Zone) -> str | None:
    return zone if isinstance(zone, str) else None


def _offset(value: Time | DateTime) -> DaysTimeDuration | None:
    offset = value.offset
    return None if offset is None else DaysTimeDuration(offset * SECOND)


def _toward_zero(number: int, unit: int, modulus: int) -> int:
    part = abs(number) // unit % modulus
    return -part if number < 0 else part


_DATE: dict[str, Callable[[Any], Any]] = {
    "year": lambda date: date.year,
    "month": lambda date: date.month,
    "day": lambda date: date.day,
    "weekday": lambda date: date.weekday,
}
_TIME: dict[str, Callable[[Any], Any]] = {
    "hour": lambda time: time.hour,
    "minute": lambda time: time.minute,
    "second": lambda time: time.second,
    "time offset": _offset,
    "timezone": lambda time: _zone_id(time.zone),
}


def _of_part(part: str, reader: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda moment: reader(getattr(moment, part))


PROPERTIES: Mapping[type, Mapping[str, Callable[[Any], Any]]] = {
    Date: _DATE,
    Time: _TIME,
    DateTime: {
        **{name: _of_part("date", reader) for name, reader in _DATE.items()},
        **{name: _of_part("time", reader) for name, reader in _TIME.items()},
        "time offset": _offset,
    },
    DaysTimeDuration: {
        "days": lambda length: _toward_zero(length.nanos, DAY, 10**18),
        "hours": lambda length: _toward_zero(length.nanos, HOUR, 24),
        "minutes": lambda length: _toward_zero(length.nanos, MINUTE, 60),
        "seconds": lambda length: _toward_zero(length.nanos, SECOND, 60),
    },
    YearsMonthsDuration: {
        "years": lambda length: _toward_zero(length.months, 12, 10**18),
        "months": lambda length: _toward_zero(length.months, 1, 12),
    },
    Range: {
        "start": lambda bounds: bounds.low,
        "end": lambda bounds: bounds.high,
        "start included": lambda bounds: bounds.low_included,
        "end included": lambda bounds: bounds.high_included,
    },
}
"""For each type of value its properties and how they are read."""


def property_of(value: Any, name: str) -> Any:
    """Property ``name`` of ``value``, or NotImplemented if it has none."""
    reader = PROPERTIES.get(type(value), {}).get(name)
    return NotImplemented if reader is None else reader(value)
