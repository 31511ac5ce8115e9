"""Business time: working calendars as data, and the FEEL functions over them.

A calendar knows its zone, the working hours of each weekday, holidays, and make-up days: days at a weekend
on which one works (China's 调休). All functions are pure; moments are aware :class:`datetime.datetime`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from flowkit.feel.temporal import Date, DateTime, DaysTimeDuration, from_stdlib, to_stdlib
from flowkit.feel.text import shorten
from flowkit.feel.values import HostFunction

__all__ = [
    "WorkingCalendar",
    "add_working_days",
    "add_working_time",
    "calendar_functions",
    "is_working_day",
    "next_working_time",
    "working_time_between",
]

MAX_DAYS = 40_000
"""How far from a moment working time is looked for: a century."""

Hours = tuple[tuple[time, time], ...]
"""Spans of work in a day, ascending; an end that is not after its start lies on the next day."""

OFFICE: Hours = ((time(9), time(12)), (time(13), time(18)))


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """When people work. ``weekly`` holds the hours of Monday to Sunday.

    On ``holidays`` nobody works; on ``workdays`` one does whatever the weekday says, at weekends in the hours
    of the first weekday that has any. Raises ValueError for impossible hours.
    """

    name: str
    zone: ZoneInfo
    weekly: tuple[Hours, ...] = (OFFICE,) * 5 + ((), ())
    holidays: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        if len(self.weekly) != 7:
            raise ValueError(f"calendar {self.name!r}: weekly must give hours for 7 days, Monday first")
        if not any(self.weekly):
            raise ValueError(f"calendar {self.name!r}: there must be working hours on some day")
        for hours in self.weekly:
            for (_, end), (start, _) in pairwise(hours):
                if start < end:
                    raise ValueError(f"calendar {self.name!r}: hours must be ascending and must not overlap")

    def hours(self, day: date) -> Hours:
        """The hours of a day."""
        if day in self.workdays:
            return self.weekly[day.weekday()] or next(hours for hours in self.weekly if hours)
        return () if day in self.holidays else self.weekly[day.weekday()]

    def spans(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        """The spans of work that begin on ``day``, in UTC."""
        for start, end in self.hours(day):
            last = day if start < end else day + timedelta(days=1)
            begin = datetime.combine(day, start, self.zone).astimezone(UTC)
            finish = datetime.combine(last, end, self.zone).astimezone(UTC)
            if begin < finish:  # a span that daylight saving swallows has no length
                yield begin, finish


def is_working_day(calendar: WorkingCalendar, day: date) -> bool:
    """Whether one works on ``day``."""
    return bool(calendar.hours(day))


def _days(calendar: WorkingCalendar, start: date, step: int) -> Iterator[date]:
    """Days from ``start`` on. Raises ValueError when a century has passed."""
    try:
        for number in range(MAX_DAYS):
            yield start + timedelta(days=step * number)
    except OverflowError:
        pass
    raise ValueError(f"calendar {calendar.name!r}: no working time within a century of {start}")


def _spans_from(calendar: WorkingCalendar, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
    """What is left of the spans after ``moment``, in UTC."""
    now = moment.astimezone(UTC)
    yesterday = moment.astimezone(calendar.zone).date() - timedelta(days=1)  # for spans over midnight
    for day in _days(calendar, yesterday, 1):
        for begin, finish in calendar.spans(day):
            if finish > now:
                yield max(begin, now), finish


def _spans_before(calendar: WorkingCalendar, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
    """What lies of the spans before ``moment``, latest first, in UTC."""
    now = moment.astimezone(UTC)
    for day in _days(calendar, moment.astimezone(calendar.zone).date(), -1):
        for begin, finish in reversed(list(calendar.spans(day))):
            if begin < now:
                yield begin, min(finish, now)


def next_working_time(calendar: WorkingCalendar, moment: datetime) -> datetime:
    """``moment`` itself if one works then, else when work begins next; in the calendar's zone."""
    begin, _ = next(_spans_from(calendar, moment))
    return begin.astimezone(calendar.zone)


def add_working_time(calendar: WorkingCalendar, moment: datetime, length: timedelta) -> datetime:
    """The moment when ``length`` of working time has passed since ``moment``; a negative length goes back.

    Work that ends exactly at the end of a span ends there, not at the beginning of the next. Raises
    ValueError beyond a century.
    """
    left = abs(length)
    if not left:
        return moment.astimezone(calendar.zone)
    forward = length > timedelta(0)
    for begin, finish in (_spans_from if forward else _spans_before)(calendar, moment):
        if finish - begin >= left:
            return (begin + left if forward else finish - left).astimezone(calendar.zone)
        left -= finish - begin
    raise AssertionError("the spans end with an exception")


def add_working_days(calendar: WorkingCalendar, day: date, count: int) -> date:
    """The ``count``-th working day after ``day``, or before it if negative.

    Zero gives the day itself if it is a working day, else the next one. Raises ValueError beyond a century.
    """
    if not count and is_working_day(calendar, day):
        return day
    left = abs(count) or 1
    step = -1 if count < 0 else 1
    for candidate in _days(calendar, day + timedelta(days=step), step):
        left -= is_working_day(calendar, candidate)
        if not left:
            return candidate
    raise AssertionError("the days end with an exception")


def working_time_between(calendar: WorkingCalendar, start: datetime, end: datetime) -> timedelta:
    """How much working time lies between two moments; negative if ``end`` is earlier.

    Raises ValueError if more than a century lies between them.
    """
    if end < start:
        return -working_time_between(calendar, end, start)
    total, last = timedelta(0), end.astimezone(UTC)
    for begin, finish in _spans_from(calendar, start):
        if begin >= last:
            break
        total += min(finish, last) - begin
    return total


# -- FEEL


def _moment(value: Any, calendar: WorkingCalendar) -> datetime:
    if isinstance(value, DateTime):
        return to_stdlib(value, calendar.zone)
    if isinstance(value, Date):
        return datetime(value.year, value.month, value.day, tzinfo=calendar.zone)
    raise ValueError(f"{shorten(value)} is not a date and time; write date and time(…) around a text")


def _day(value: Any, calendar: WorkingCalendar) -> date:
    """The day in the calendar's zone on which a moment falls."""
    return _moment(value, calendar).astimezone(calendar.zone).date()


def calendar_functions(calendars: Mapping[str, WorkingCalendar]) -> Mapping[str, HostFunction]:
    """The FEEL functions over ``calendars``, each named by a text: ``add working days(d, 3, "service")``."""

    def named(name: Any) -> WorkingCalendar:
        if name not in calendars:
            known = ", ".join(sorted(calendars)) or "none"
            raise ValueError(f"there is no calendar {shorten(name)}; known: {known}")
        return calendars[name]

    def whole(days: Any) -> int:
        if isinstance(days, bool) or not isinstance(days, int):
            raise ValueError(f"the days must be a whole number, not {shorten(days)}")
        return days

    def length(duration: Any) -> timedelta:
        if not isinstance(duration, DaysTimeDuration):
            raise ValueError(f"{shorten(duration)} is not a days and time duration")
        return timedelta(microseconds=duration.nanos // 1000)

    def add_days(start: Any, days: Any, name: Any) -> Any:
        calendar = named(name)
        if isinstance(start, Date):
            return from_stdlib(add_working_days(calendar, _day(start, calendar), whole(days)))
        local = _moment(start, calendar).astimezone(calendar.zone)
        return from_stdlib(
            datetime.combine(add_working_days(calendar, local.date(), whole(days)), local.timetz())
        )

    def add_time(start: Any, duration: Any, name: Any) -> Any:
        calendar = named(name)
        return from_stdlib(add_working_time(calendar, _moment(start, calendar), length(duration)))

    def is_day(day: Any, name: Any) -> bool:
        calendar = named(name)
        return is_working_day(calendar, _day(day, calendar))

    def between(start: Any, end: Any, name: Any) -> Any:
        calendar = named(name)
        return from_stdlib(working_time_between(calendar, _moment(start, calendar), _moment(end, calendar)))

    def next_time(start: Any, name: Any) -> Any:
        calendar = named(name)
        return from_stdlib(next_working_time(calendar, _moment(start, calendar)))

    functions = (
        HostFunction("add working days", ("from", "days", "calendar"), add_days),
        HostFunction("add working time", ("from", "duration", "calendar"), add_time),
        HostFunction("is working day", ("date", "calendar"), is_day),
        HostFunction("working time between", ("a", "b", "calendar"), between),
        HostFunction("next working time", ("from", "calendar"), next_time),
    )
    return {function.name: function for function in functions}
