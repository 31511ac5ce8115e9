"""Working calendars of resources and arrivals: weekly shifts, holidays, time zones.

A calendar is compiled to the instants at which it goes on and off duty, in seconds since the start of
the run; they are worked out day by day as the run gets there. Shifts are wall-clock times, so a day
with a change to or from daylight saving time has 23 or 25 hours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

__all__ = ["ALWAYS", "Calendar", "Duty", "Shift", "parse_weekly"]

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SHIFT = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")
_LONGEST_WINDOW = 366 * 86400.0
"""Seconds after which a window ends even though duty goes on: looking ahead has to end somewhere."""
_LONGEST_CLOSURE = 3700
"""Days without a shift after which a calendar counts as empty."""


@dataclass(frozen=True, slots=True)
class Shift:
    """Minutes since midnight; ``end`` beyond 1440 reaches into the next day."""

    start: int
    end: int


@dataclass(frozen=True)
class Calendar:
    """``weekly`` holds the shifts of Monday to Sunday; ``None`` means day and night, every day.

    ``holidays`` are days off; ``workdays`` are dates that are worked like the weekday they are mapped to
    (0 is Monday), as China's make-up workdays are.
    """

    name: str
    weekly: tuple[tuple[Shift, ...], ...] | None = None
    timezone: str = "UTC"
    holidays: frozenset[date] = frozenset()
    workdays: Mapping[date, int] | None = None
    country: str = ""

    @property
    def always(self) -> bool:
        return self.weekly is None

    def shifts_on(self, day: date) -> tuple[Shift, ...]:
        """The shifts that begin on ``day``."""
        if self.weekly is None:
            return (Shift(0, 1440),)
        if self.workdays and day in self.workdays:
            return self.weekly[self.workdays[day]]
        if day in self.holidays or (self.country and _is_public_holiday(self.country, day)):
            return ()
        return self.weekly[day.weekday()]

    def windows(self, start: datetime) -> Iterator[tuple[float, float]]:
        """Duty from and to, in seconds since ``start``; merged where they touch; in order; without end."""
        zone = ZoneInfo(self.timezone)
        day = start.astimezone(zone).date() - timedelta(days=1)
        empty = 0
        opened: tuple[float, float] | None = None
        while empty < _LONGEST_CLOSURE:
            shifts = self.shifts_on(day)
            empty = 0 if shifts else empty + 1
            for shift in shifts:
                begin, end = _instant(day, shift.start, zone, start), _instant(day, shift.end, zone, start)
                if end <= 0 or end <= begin:
                    continue
                begin = max(begin, 0.0)
                if opened is None:
                    opened = (begin, end)
                elif begin <= opened[1] and end - opened[0] < _LONGEST_WINDOW:
                    opened = (opened[0], max(opened[1], end))
                else:
                    yield opened
                    opened = (begin, end)
            day += timedelta(days=1)
        if opened is not None:
            yield opened


def _instant(day: date, minutes: int, zone: ZoneInfo, start: datetime) -> float:
    extra, minute = divmod(minutes, 1440)
    local = datetime.combine(day + timedelta(days=extra), time(minute // 60, minute % 60), tzinfo=zone)
    return (local.astimezone(UTC) - start).total_seconds()


def _is_public_holiday(country: str, day: date) -> bool:
    from flowkit.simulation.public_holidays import days_off  # noqa: PLC0415 - an extra, read when asked for

    return day in days_off(country, day.year)


ALWAYS = Calendar("always")


class Duty:
    """A calendar being walked through, forward only."""

    __slots__ = ("_always", "_end", "_start", "_windows", "name")

    def __init__(self, calendar: Calendar, start: datetime) -> None:
        self.name = calendar.name
        self._always = calendar.always
        self._windows = iter(()) if calendar.always else calendar.windows(start)
        self._start, self._end = (0.0, float("inf")) if calendar.always else (0.0, 0.0)

    def next_window(self) -> tuple[float, float] | None:
        """The following duty window; None when there is none any more."""
        return next(self._windows, None)

    def after(self, now: float, work: float) -> float:
        """The instant when ``work`` seconds of duty have passed since ``now``; inf for never.

        ``now`` must not go back from call to call.
        """
        if self._always:
            return now + work
        while True:
            if now < self._end:
                begin = max(now, self._start)
                if begin + work <= self._end:
                    return begin + work
                work -= self._end - begin
                now = self._end
            window = next(self._windows, None)
            if window is None:
                return float("inf")
            self._start, self._end = window


def parse_weekly(weekly: Mapping[str, Sequence[str]]) -> tuple[tuple[Shift, ...], ...]:
    """``{"mon-fri": ["09:00-12:00", "13:00-17:00"]}`` as the shifts of the seven days.

    A shift whose end is not after its start ends on the next day. Raises ValueError.
    """
    days: list[list[Shift]] = [[] for _ in _DAYS]
    for key, shifts in weekly.items():
        for day in _days_of(key):
            days[day].extend(_parse_shift(text) for text in shifts)
    return tuple(tuple(sorted(day, key=lambda shift: shift.start)) for day in days)


def _days_of(key: str) -> Iterator[int]:
    for part in key.lower().replace(" ", "").split(","):
        if part in {"daily", "all"}:
            yield from range(7)
            continue
        first, dash, last = part.partition("-")
        try:
            begin = _DAYS.index(first[:3])
            end = _DAYS.index(last[:3]) if dash else begin
        except ValueError:
            raise ValueError(
                f"'{key}' is not a day or range of days; write mon, mon-fri, sat,sun or daily"
            ) from None
        yield from range(begin, end + 1) if begin <= end else [*range(begin, 7), *range(end + 1)]


def _parse_shift(text: str) -> Shift:
    match = _SHIFT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"'{text}' is not a shift; write 09:00-17:00")
    h1, m1, h2, m2 = (int(group) for group in match.groups())
    if h1 > 23 or h2 > 24 or m1 > 59 or m2 > 59:
        raise ValueError(f"'{text}' is not a shift: hours go to 24, minutes to 59")
    start, end = h1 * 60 + m1, h2 * 60 + m2
    return Shift(start, end if end > start else end + 1440)
