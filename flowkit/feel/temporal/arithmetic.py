"""Moving moments by durations and measuring between them (DMN 1.5, 10.3.2.5, tables 57 to 59)."""

from __future__ import annotations

import datetime as std
from typing import TypeVar, overload

from flowkit.feel.temporal.gregorian import days_in_month
from flowkit.feel.temporal.values import (
    DAY,
    SECOND,
    Date,
    DateTime,
    DaysTimeDuration,
    Duration,
    Time,
    YearsMonthsDuration,
    zone_info,
)

__all__ = ["add", "add_duration", "from_stdlib", "months_between", "nanos_between", "to_stdlib"]

Moment = TypeVar("Moment", Date, Time, DateTime)


def _add_months(date: Date, months: int) -> Date:
    """``date`` moved by whole months; a day that the month lacks becomes the month's last day."""
    year, month = divmod(date.year * 12 + date.month - 1 + months, 12)
    return Date(year, month + 1, min(date.day, days_in_month(year, month + 1)))


def add_duration(value: Moment, duration: Duration) -> Moment:
    """``value`` moved by ``duration``; a negative duration moves back. Raises ValueError out of range.

    Days and time move along the time line (a zone's id may change its offset on the way), months along
    the calendar. A date moved by hours stays a date: the day that the moment falls on. A time of day
    goes round the clock and takes no months.
    """
    if isinstance(value, Time):
        if isinstance(duration, YearsMonthsDuration):
            raise ValueError("a time of day can't be moved by years or months")
        return Time.from_nanos(value.nanos + duration.nanos, value.zone)
    if isinstance(value, Date):
        if isinstance(duration, YearsMonthsDuration):
            return _add_months(value, duration.months)
        return Date.from_days((value.days * DAY + duration.nanos) // DAY)
    if isinstance(duration, YearsMonthsDuration):
        return DateTime(_add_months(value.date, duration.months), value.time)
    zone = value.time.zone
    if isinstance(zone, str):
        return DateTime.from_instant(value.instant + duration.nanos, zone)
    return DateTime.from_local(value.local_nanos + duration.nanos, zone)


def nanos_between(later: Date | DateTime | Time, earlier: Date | DateTime | Time) -> int | None:
    """Nanoseconds from ``earlier`` to ``later``; None if one is local and the other has a zone.

    A date counts as midnight UTC, so it mixes with moments that have a zone, and not with local ones,
    unless both are dates.
    """
    if isinstance(later, Time) or isinstance(earlier, Time):
        if not (isinstance(later, Time) and isinstance(earlier, Time)):
            return None
        first, second = later.offset, earlier.offset
        if (first is None) != (second is None):
            return None
        return later.nanos - earlier.nanos - ((first or 0) - (second or 0)) * SECOND
    if _is_local(later) != _is_local(earlier):
        return None
    return _instant(later) - _instant(earlier)


def _is_local(value: Date | DateTime) -> bool:
    return isinstance(value, DateTime) and value.time.zone is None


def _instant(value: Date | DateTime) -> int:
    return value.days * DAY if isinstance(value, Date) else value.instant


def months_between(start: Date | DateTime, end: Date | DateTime) -> int:
    """Whole months from ``start`` to ``end``, negative if ``end`` is earlier, on the wall clock."""
    first = start if isinstance(start, Date) else start.date
    last = end if isinstance(end, Date) else end.date
    months = (last.year - first.year) * 12 + last.month - first.month
    if months > 0 and last.day < first.day:
        months -= 1
    elif months < 0 and last.day > first.day:
        months += 1
    return months


@overload
def from_stdlib(value: std.datetime) -> DateTime: ...  # type: ignore[overload-overlap]  # a datetime is a date
@overload
def from_stdlib(value: std.date) -> Date: ...
@overload
def from_stdlib(value: std.time) -> Time: ...
@overload
def from_stdlib(value: std.timedelta) -> DaysTimeDuration: ...
def from_stdlib(
    value: std.datetime | std.date | std.time | std.timedelta,
) -> DateTime | Date | Time | DaysTimeDuration:
    """The FEEL value of a standard library one; a :class:`zoneinfo.ZoneInfo` keeps its id."""
    if isinstance(value, std.datetime):
        return DateTime(Date(value.year, value.month, value.day), from_stdlib(value.timetz()))
    if isinstance(value, std.date):
        return Date(value.year, value.month, value.day)
    if isinstance(value, std.timedelta):
        return DaysTimeDuration((value.days * 86_400 + value.seconds) * SECOND + value.microseconds * 1000)
    key = getattr(value.tzinfo, "key", None)
    offset = value.utcoffset() if value.tzinfo and not key else None
    zone = key or (None if offset is None else int(offset.total_seconds()))
    return Time(value.hour, value.minute, value.second, value.microsecond * 1000, zone)


def to_stdlib(value: DateTime, default_zone: std.tzinfo = std.UTC) -> std.datetime:
    """The aware :class:`datetime.datetime` of ``value``; local time is taken in ``default_zone``.

    Nanoseconds are cut to microseconds. Raises ValueError for years outside 1..9999.
    """
    zone = value.time.zone
    if zone is None:
        info: std.tzinfo = default_zone
    elif isinstance(zone, str):
        info = zone_info(zone) or std.UTC
    else:
        info = std.timezone(std.timedelta(seconds=zone)) if zone else std.UTC
    date, time = value.date, value.time
    return std.datetime(
        date.year, date.month, date.day, time.hour, time.minute, time.second, time.nanosecond // 1000, info
    )


def add(moment: std.datetime, duration: Duration) -> std.datetime:
    """``moment`` (aware) moved by a FEEL duration: time along the time line, months along the calendar.

    Raises ValueError if the result lies outside the years 1..9999.
    """
    try:
        if isinstance(duration, YearsMonthsDuration):
            moved = _add_months(Date(moment.year, moment.month, moment.day), duration.months)
            return moment.replace(year=moved.year, month=moved.month, day=moved.day)
        step = std.timedelta(microseconds=duration.nanos // 1000)
        return (moment.astimezone(std.UTC) + step).astimezone(moment.tzinfo)
    except OverflowError as overflow:
        raise ValueError(f"{moment} moved by {duration} lies outside the years 1 to 9999") from overflow
