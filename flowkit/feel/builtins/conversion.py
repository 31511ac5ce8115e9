"""Conversion functions (DMN 1.5, 10.3.4.1) and FEEL's at-literals."""

from __future__ import annotations

import re
from typing import Any

from flowkit.feel.builtins.registry import Table
from flowkit.feel.numbers import Number, parse_number, to_int
from flowkit.feel.temporal import (
    Date,
    DateTime,
    DaysTimeDuration,
    Duration,
    Time,
    YearsMonthsDuration,
    months_between,
    parse_date,
    parse_date_time,
    parse_duration,
    parse_temporal,
    parse_time,
    zone_info,
)
from flowkit.feel.temporal.values import SECOND
from flowkit.feel.text import to_text
from flowkit.feel.values import Null, Run

__all__ = ["TABLE"]

TABLE = Table("Conversion")

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def _whole(number: Number, what: str) -> int:
    whole = to_int(number)
    if whole is None:
        raise Null(f"the {what} must be a whole number, not {number}", "value")
    return whole


def _read(parse: Any, text: str) -> Any:
    try:
        return parse(text)
    except ValueError as reason:
        raise Null(str(reason), "value") from None


@TABLE.define("@", "text: string")
def at_literal(_run: Run, text: str) -> Any:
    """The temporal value that the text writes; ``@"…"`` is short for it."""
    return _read(parse_temporal, text)


@TABLE.define("date", "from: string|date|date and time")
def date(_run: Run, source: str | Date | DateTime) -> Any:
    """The date that a text writes, or the date part."""
    if isinstance(source, DateTime):
        return source.date
    return source if isinstance(source, Date) else _read(parse_date, source)


@TABLE.define("date", "year: number, month: number, day: number")
def date_of_parts(_run: Run, year: Number, month: Number, day: Number) -> Any:
    """The date with these parts."""
    return _build(Date, _whole(year, "year"), _whole(month, "month"), _whole(day, "day"))


def _build(kind: Any, *parts: Any) -> Any:
    try:
        return kind(*parts)
    except ValueError as reason:
        raise Null(str(reason), "value") from None


@TABLE.define("time", "from: string|time|date and time|date")
def time(_run: Run, source: str | Time | DateTime | Date) -> Any:
    """The time of day that a text writes, or the time part; midnight UTC for a date."""
    if isinstance(source, DateTime):
        return source.time
    if isinstance(source, Date):
        return Time(0, 0, 0, 0, 0)
    return source if isinstance(source, Time) else _read(parse_time, source)


@TABLE.define("time", "hour: number, minute: number, second: number, offset?: days and time duration|null")
def time_of_parts(
    _run: Run, hour: Number, minute: Number, second: Number, offset: DaysTimeDuration | None = None
) -> Any:
    """The time of day with these parts; the offset from UTC is a duration."""
    seconds = int(second)
    nanos = int((second - seconds) * SECOND)
    zone = None if offset is None else offset.nanos // SECOND
    return _build(Time, _whole(hour, "hour"), _whole(minute, "minute"), seconds, nanos, zone)


@TABLE.define("date and time", "from: string|date and time|date")
def date_and_time(_run: Run, source: str | DateTime | Date) -> Any:
    """The date and time that a text writes; a bare date means its midnight."""
    if isinstance(source, Date):
        return DateTime(source, Time(0, 0, 0, 0, 0))
    return source if isinstance(source, DateTime) else _read(parse_date_time, source)


@TABLE.define("date and time", "date: date|date and time, time: time")
def date_and_time_of_parts(_run: Run, day: Date | DateTime, clock: Time) -> Any:
    """The date of the first with the time of the second."""
    return DateTime(day.date if isinstance(day, DateTime) else day, clock)


@TABLE.define("date and time", "date and time: date and time, timezone: string")
def date_and_time_in_zone(_run: Run, moment: DateTime, timezone: str) -> Any:
    """The same moment seen from another zone; local time counts as UTC."""
    if zone_info(timezone) is None:
        raise Null(f"there is no time zone called {timezone!r}", "value")
    return DateTime.from_instant(moment.instant, timezone)


@TABLE.define(
    "date and time",
    "year: number, month: number, day: number, hour: number, minute: number, second: number, "
    "offset?: days and time duration|string|null",
)
def date_and_time_of_numbers(  # the standard's signature
    run: Run,
    year: Number,
    month: Number,
    day: Number,
    hour: Number,
    minute: Number,
    second: Number,
    offset: DaysTimeDuration | str | None = None,
) -> Any:
    """The date and time with these parts; the zone is an offset or an id."""
    length = offset if isinstance(offset, DaysTimeDuration) else None
    clock = time_of_parts(run, hour, minute, second, length)
    if isinstance(offset, str):
        if zone_info(offset) is None:
            raise Null(f"there is no time zone called {offset!r}", "value")
        clock = Time(clock.hour, clock.minute, clock.second, clock.nanosecond, offset)
    return DateTime(date_of_parts(run, year, month, day), clock)


@TABLE.define("duration", "from: string|days and time duration|years and months duration")
def duration(_run: Run, source: str | Duration) -> Any:
    """The duration that a text such as ``P1DT2H`` or ``P1Y6M`` writes."""
    return _read(parse_duration, source) if isinstance(source, str) else source


@TABLE.define("years and months duration", "from: date|date and time, to: date|date and time")
def years_and_months_duration(_run: Run, start: Date | DateTime, end: Date | DateTime) -> YearsMonthsDuration:
    """The whole years and months between two dates."""
    return YearsMonthsDuration(months_between(start, end))


@TABLE.define("number", "from: string|number")
def number(_run: Run, source: str | Number) -> Number | None:
    """The number that a text writes."""
    return _number(source) if isinstance(source, str) else source


@TABLE.define("number", "from: string, grouping separator: string|null, decimal separator: string|null")
def number_with_separators(_run: Run, text: str, grouping: str | None, point: str | None) -> Number | None:
    """The number that a text with these separators writes; either may be null for none."""
    if grouping not in (None, " ", ",", "."):
        raise Null(f"the grouping separator must be a space, ',' or '.', not {grouping!r}", "value")
    if point not in (None, ",", "."):
        raise Null(f"the decimal separator must be ',' or '.', not {point!r}", "value")
    if grouping is not None and grouping == point:
        raise Null("the grouping and the decimal separator must differ", "value")
    plain = text.replace(grouping, "") if grouping else text
    if point == ",":
        plain = plain.replace(".", "?").replace(",", ".")
    return _number(plain)


def _number(text: str) -> Number | None:
    parsed = parse_number(text) if _NUMBER.fullmatch(text) else None
    if parsed is None:
        raise Null(f"{text[:60]!r} is not a number", "value")
    return parsed


@TABLE.define("string", "from: any")
def string(_run: Run, value: Any) -> str | None:
    """The text of any value; null stays null."""
    return None if value is None else to_text(value)


@TABLE.define("context", "entries: list")
def context(_run: Run, entries: list[Any]) -> dict[str, Any]:
    """The context with these entries, each a context with ``key`` and ``value``."""
    result: dict[str, Any] = {}
    for entry in entries:
        if type(entry) is not dict or type(entry.get("key")) is not str or "value" not in entry:
            raise Null("context(): each entry must be a context with a string 'key' and a 'value'", "value")
        if entry["key"] in result:
            raise Null(f"context(): the key {entry['key']!r} appears twice", "value")
        result[entry["key"]] = entry["value"]
    return result
