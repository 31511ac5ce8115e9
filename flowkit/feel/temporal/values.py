"""FEEL's temporal values: date, time, date and time, and the two kinds of duration.

They go beyond :mod:`datetime`: years from -999,999,999 to 999,999,999, nanoseconds, zones by offset or by
id. Values are frozen and carry no clock. ``str(value)`` is the lexical form that FEEL's ``string()`` gives.
Source: DMN 1.5, 10.3.2.3.4 to 10.3.2.3.8.
"""

from __future__ import annotations

import datetime as std
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo

from flowkit.feel.temporal.gregorian import MAX_YEAR, civil_from_days, days_from_civil, days_in_month, weekday

__all__ = [
    "DAY",
    "HOUR",
    "MINUTE",
    "SECOND",
    "TEMPORAL_TYPES",
    "Date",
    "DateTime",
    "DaysTimeDuration",
    "Duration",
    "Temporal",
    "Time",
    "YearsMonthsDuration",
    "Zone",
    "zone_info",
]

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

MAX_OFFSET = 18 * 3600
MAX_MONTHS = 12 * MAX_YEAR * 2
MAX_NANOS = 2 * (MAX_YEAR + 1) * 366 * DAY

Zone = int | str | None
"""An offset from UTC in seconds, the id of a zone such as ``"Europe/Paris"``, or None for local time."""


@lru_cache(maxsize=512)
def zone_info(zone_id: str) -> ZoneInfo | None:
    """The zone called ``zone_id`` in the IANA data base, or None if there is none."""
    try:
        return ZoneInfo(zone_id)
    except (KeyError, OSError, ValueError):  # unknown key, or a key that is a path outside the data base
        return None


@lru_cache(maxsize=512)
def _standard_offset(zone_id: str) -> int:
    """Offset of a zone's standard time, for times of day that have no date to tell summer from winter."""
    info = zone_info(zone_id)
    offsets = [info.utcoffset(std.datetime(2020, month, 1)) for month in (1, 7)] if info else []
    return min((int(offset.total_seconds()) for offset in offsets if offset is not None), default=0)


def _equivalent_year(year: int) -> int:
    """A year that :mod:`datetime` can hold and that has the same calendar as ``year``."""
    return year if 2 <= year <= 9998 else 2000 + year % 400


def _two(number: int) -> str:
    return f"{number:02d}"


def _offset_text(zone: Zone) -> str:
    if zone is None:
        return ""
    if isinstance(zone, str):
        return f"@{zone}"
    if zone == 0:
        return "Z"
    minutes, seconds = divmod(abs(zone), 60)
    hours, minutes = divmod(minutes, 60)
    tail = f":{_two(seconds)}" if seconds else ""
    return f"{'-' if zone < 0 else '+'}{_two(hours)}:{_two(minutes)}{tail}"


@dataclass(frozen=True, slots=True)
class Date:
    """A day of the proleptic Gregorian calendar. Raises ValueError if there is no such day."""

    year: int
    month: int
    day: int

    def __post_init__(self) -> None:
        if not -MAX_YEAR <= self.year <= MAX_YEAR:
            raise ValueError(f"year {self.year} is outside -{MAX_YEAR}..{MAX_YEAR}")
        if not 1 <= self.month <= 12:
            raise ValueError(f"month {self.month} is outside 1..12")
        if not 1 <= self.day <= days_in_month(self.year, self.month):
            raise ValueError(f"there is no day {self.day} in {self.year:04d}-{_two(self.month)}")

    @property
    def days(self) -> int:
        """Days since 1970-01-01."""
        return days_from_civil(self.year, self.month, self.day)

    @property
    def weekday(self) -> int:
        """1 for Monday to 7 for Sunday."""
        return weekday(self.days)

    def __str__(self) -> str:
        sign = "-" if self.year < 0 else ""
        return f"{sign}{abs(self.year):04d}-{_two(self.month)}-{_two(self.day)}"

    @classmethod
    def from_days(cls, days: int) -> Date:
        """The date ``days`` after 1970-01-01."""
        return cls(*civil_from_days(days))


@dataclass(frozen=True, slots=True)
class Time:
    """A time of day, local (``zone`` None) or in a zone. Raises ValueError if there is no such time."""

    hour: int
    minute: int
    second: int
    nanosecond: int = 0
    zone: Zone = None

    def __post_init__(self) -> None:
        if not 0 <= self.hour <= 23:
            raise ValueError(f"hour {self.hour} is outside 0..23")
        if not 0 <= self.minute <= 59:
            raise ValueError(f"minute {self.minute} is outside 0..59")
        if not 0 <= self.second <= 59:
            raise ValueError(f"second {self.second} is outside 0..59")
        if not 0 <= self.nanosecond < SECOND:
            raise ValueError(f"nanosecond {self.nanosecond} is outside 0..999999999")
        if isinstance(self.zone, int) and abs(self.zone) > MAX_OFFSET:
            raise ValueError("the offset from UTC must lie between -18:00 and +18:00")

    @property
    def nanos(self) -> int:
        """Nanoseconds since midnight, as the clock on the wall shows them."""
        return ((self.hour * 60 + self.minute) * 60 + self.second) * SECOND + self.nanosecond

    @property
    def offset(self) -> int | None:
        """Offset from UTC in seconds; for a zone's id that of its standard time; None for local time."""
        return _standard_offset(self.zone) if isinstance(self.zone, str) else self.zone

    def __str__(self) -> str:
        fraction = f".{self.nanosecond:09d}".rstrip("0") if self.nanosecond else ""
        clock = f"{_two(self.hour)}:{_two(self.minute)}:{_two(self.second)}"
        return f"{clock}{fraction}{_offset_text(self.zone)}"

    @classmethod
    def from_nanos(cls, nanos: int, zone: Zone = None) -> Time:
        """The time ``nanos`` after midnight; whole days are dropped."""
        seconds, nanosecond = divmod(nanos % DAY, SECOND)
        minutes, second = divmod(seconds, 60)
        return cls(minutes // 60, minutes % 60, second, nanosecond, zone)


@dataclass(frozen=True, slots=True)
class DateTime:
    """A date with a time of day."""

    date: Date
    time: Time

    @property
    def local_nanos(self) -> int:
        """Nanoseconds since 1970-01-01T00:00:00 on the wall clock."""
        return self.date.days * DAY + self.time.nanos

    @property
    def offset(self) -> int | None:
        """Offset from UTC in seconds at this very moment; None for local time."""
        zone = self.time.zone
        if not isinstance(zone, str):
            return zone
        info = zone_info(zone)
        wall = std.datetime(
            _equivalent_year(self.date.year),
            self.date.month,
            self.date.day,
            self.time.hour,
            self.time.minute,
            self.time.second,
        )
        offset = info.utcoffset(wall) if info else None
        return int(offset.total_seconds()) if offset is not None else 0

    @property
    def instant(self) -> int:
        """Nanoseconds since 1970-01-01T00:00:00Z; local time counts as UTC."""
        return self.local_nanos - (self.offset or 0) * SECOND

    def __str__(self) -> str:
        return f"{self.date}T{self.time}"

    @classmethod
    def from_local(cls, nanos: int, zone: Zone = None) -> DateTime:
        """The moment that a wall clock shows ``nanos`` after 1970-01-01T00:00:00."""
        days, rest = divmod(nanos, DAY)
        return cls(Date.from_days(days), Time.from_nanos(rest, zone))

    @classmethod
    def from_instant(cls, nanos: int, zone: Zone = None) -> DateTime:
        """The moment ``nanos`` after 1970-01-01T00:00:00Z, seen from ``zone``."""
        if not isinstance(zone, str):
            return cls.from_local(nanos + (zone or 0) * SECOND, zone)
        info = zone_info(zone)
        utc = cls.from_local(nanos, 0)
        wall = std.datetime(
            _equivalent_year(utc.date.year),
            utc.date.month,
            utc.date.day,
            utc.time.hour,
            utc.time.minute,
            utc.time.second,
            tzinfo=std.UTC,
        )
        offset = wall.astimezone(info).utcoffset() if info else None
        seconds = int(offset.total_seconds()) if offset is not None else 0
        return cls.from_local(nanos + seconds * SECOND, zone)


@dataclass(frozen=True, slots=True, order=True)
class DaysTimeDuration:
    """A length of time in nanoseconds; FEEL's ``days and time duration``."""

    nanos: int

    def __post_init__(self) -> None:
        if abs(self.nanos) > MAX_NANOS:
            raise ValueError("the duration is longer than the whole FEEL calendar")

    def __str__(self) -> str:
        if not self.nanos:
            return "PT0S"
        days, rest = divmod(abs(self.nanos), DAY)
        hours, rest = divmod(rest, HOUR)
        minutes, rest = divmod(rest, MINUTE)
        seconds, fraction = divmod(rest, SECOND)
        clock = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
        if seconds or fraction:
            clock += f"{seconds}" + (f".{fraction:09d}".rstrip("0") if fraction else "") + "S"
        sign = "-" if self.nanos < 0 else ""
        return sign + "P" + (f"{days}D" if days else "") + (f"T{clock}" if clock else "")


@dataclass(frozen=True, slots=True, order=True)
class YearsMonthsDuration:
    """A number of months; FEEL's ``years and months duration``."""

    months: int

    def __post_init__(self) -> None:
        if abs(self.months) > MAX_MONTHS:
            raise ValueError("the duration is longer than the whole FEEL calendar")

    def __str__(self) -> str:
        if not self.months:
            return "P0M"
        years, months = divmod(abs(self.months), 12)
        sign = "-" if self.months < 0 else ""
        return sign + "P" + (f"{years}Y" if years else "") + (f"{months}M" if months else "")


Duration = DaysTimeDuration | YearsMonthsDuration
TEMPORAL_TYPES = frozenset({Date, Time, DateTime, DaysTimeDuration, YearsMonthsDuration})
Temporal = Date | Time | DateTime | DaysTimeDuration | YearsMonthsDuration
