"""Timer texts: ISO-8601 dates, durations and repeating intervals, and cron.

BPMN timers are wider than FEEL: a duration may mix months and days (``P1Y2M3DT4H``), and a cycle
repeats one. Pure: the present moment is an argument.

Cycles do not drift: the *k*-th occurrence is counted from the start, never from the one before, so
that "monthly from 31 January" comes back to the 31st. Calendar units (years, months, weeks, days)
move the wall clock of the moment's zone, hours and smaller ones the time that has passed; so "every
day at nine in Berlin" stays at nine when daylight saving begins.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from flowkit.errors import InvalidExpression

__all__ = ["Cron", "Cycle", "IsoDuration", "parse_cycle", "parse_timer_date", "parse_timer_duration"]

_DURATION = re.compile(
    r"P(?!$)(?:(?P<years>\d{1,9})Y)?(?:(?P<months>\d{1,9})M)?(?:(?P<weeks>\d{1,9})W)?"
    r"(?:(?P<days>\d{1,9})D)?"
    r"(?:T(?!$)(?:(?P<hours>\d{1,12})(?:[.,](?P<hour>\d{1,9})H$|H))?"
    r"(?:(?P<minutes>\d{1,12})(?:[.,](?P<minute>\d{1,9})M$|M))?"
    r"(?:(?P<seconds>\d{1,12}(?:[.,]\d{1,9})?)S)?)?"
)
# Only the smallest unit may have a fraction (ISO 8601, 4.4.3.2); half a day is not always twelve hours.
_FRACTIONS = (("hour", 3600), ("minute", 60))
_ORDINAL = re.compile(r"(\d{4})-?(\d{3})(?=T|$)")
_MIDNIGHT = re.compile(r"T24(:?00(:?00(?:[.,]0+)?)?)?(?=$|[Z+-])")
_ZONE = re.compile(r"(?P<moment>[^\[@]+)(?:\[(?P<in>[\w/+-]+)\]|@(?P<at>[\w/+-]+))$")
_LONGEST = 200


def _wrong(what: str, text: str, expected: str) -> InvalidExpression:
    shown = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    return InvalidExpression(f"'{shown}' is no {what}. Write {expected}.", text=shown)


@dataclass(frozen=True, slots=True)
class IsoDuration:
    """A length of time: ``months`` and ``days`` by the calendar, ``seconds`` by the clock."""

    months: int = 0
    days: int = 0
    seconds: float = 0

    def after(self, moment: datetime, times: int = 1) -> datetime:
        """``moment`` plus ``times`` this duration; the 31st becomes the last day of a short month.

        Raises InvalidExpression beyond the year 9999.
        """
        try:
            wall = _add_months(moment, self.months * times) + timedelta(days=self.days * times)
            if self.seconds:
                zone = wall.tzinfo
                shifted = wall.astimezone(UTC) + timedelta(seconds=self.seconds * times)
                wall = shifted.astimezone(zone)
        except (OverflowError, ValueError):
            raise InvalidExpression("The timer would be due after the year 9999.") from None
        return wall

    def __bool__(self) -> bool:
        return bool(self.months or self.days or self.seconds)

    def __str__(self) -> str:
        date = (f"{self.months}M" if self.months else "") + (f"{self.days}D" if self.days else "")
        return f"P{date}" + (f"T{_seconds(self.seconds)}S" if self.seconds or not date else "")


def _seconds(seconds: float) -> str:
    return str(int(seconds)) if seconds == int(seconds) else f"{seconds:.9f}".rstrip("0")


def _add_months(moment: datetime, months: int) -> datetime:
    if not months:
        return moment
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = min(moment.day, monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def parse_timer_duration(text: str) -> IsoDuration:
    """An ISO-8601 duration, such as ``PT2H``, ``P15D``, ``PT1.5H`` or ``P1Y2M3DT4H``.

    Raises InvalidExpression for anything else, negative durations included.
    """
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise _wrong("duration", text, "an ISO-8601 duration such as PT2H, P15D or P1M")
    part = {name: value or "0" for name, value in found.groupdict().items()}
    seconds = float(part["seconds"].replace(",", "."))
    seconds += int(part["minutes"]) * 60 + int(part["hours"]) * 3600
    seconds += sum(round(float(f"0.{part[name]}") * length, 9) for name, length in _FRACTIONS)
    return IsoDuration(
        int(part["years"]) * 12 + int(part["months"]), int(part["weeks"]) * 7 + int(part["days"]), seconds
    )


def parse_timer_date(text: str, default_tz: tzinfo = UTC) -> datetime:
    """An ISO-8601 date and time, with offset or zone (``…@Asia/Shanghai``, ``…[Asia/Shanghai]``): by the
    calendar, by week (``2026-W05-1``) or by day of the year (``2026-031``), with or without separators.

    Without either it is read in ``default_tz``; a date alone is its midnight.
    """
    moment, zone = text.strip(), default_tz
    named = _ZONE.match(moment)
    expected = "an ISO-8601 date and time such as 2026-01-31T09:00:00+08:00"
    try:
        if named is not None:
            zone = ZoneInfo(named["in"] or named["at"])
            moment = named["moment"]
        parsed = _moment(moment)
    except (ValueError, KeyError, OSError, OverflowError):
        raise _wrong("date and time", text, expected) from None
    if named is not None and parsed.tzinfo is not None:
        return parsed.astimezone(zone)
    return parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=zone)


def _moment(text: str) -> datetime:
    """ISO 8601, also what ``datetime.fromisoformat`` leaves out: days of the year, and 24:00."""
    ordinal = _ORDINAL.match(text)
    if ordinal is not None:
        day = datetime(int(ordinal[1]), 1, 1) + timedelta(days=int(ordinal[2]) - 1)
        if str(day.year) != ordinal[1] or ordinal[2] == "000":
            raise ValueError(text)
        text = f"{day:%Y-%m-%d}{text[ordinal.end() :]}"
        if text[10:]:
            return _moment(text)
    midnight = _MIDNIGHT.search(text)
    if midnight is None:
        return datetime.fromisoformat(text)
    return datetime.fromisoformat(f"{text[: midnight.start()]}T00{text[midnight.start() + 3 :]}") + timedelta(
        days=1
    )


# ---- cycles ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cycle:
    """A repeating timer. ``repetitions`` None means without end; ``cron`` replaces the interval."""

    repetitions: int | None
    interval: IsoDuration = IsoDuration()
    start: datetime | None = None
    end: datetime | None = None
    cron: Cron | None = None

    @property
    def remaining(self) -> int | None:
        """How often it fires after the first time."""
        return None if self.repetitions is None else max(self.repetitions - 1, 0)

    def anchored(self, now: datetime) -> Cycle:
        """The same cycle, counted from a fixed start: its own one, else ``now``."""
        return self if self.start is not None or self.cron is not None else replace(self, start=now)

    def first(self, now: datetime) -> datetime:
        """The first due date at or after ``now``: the start itself, if the text gives one; a start
        in the past counts on to the next occurrence."""
        if self.cron is not None:
            return self.cron.after(now)
        if self.start is None:
            return self.interval.after(now)
        return (
            self.start
            if self.start.astimezone(UTC) >= now.astimezone(UTC)
            else self._after(self.start, now, inclusive=True)
        )

    def next(self, previous: datetime) -> datetime | None:
        """The due date after ``previous``; None when the cycle's end is reached."""
        if self.cron is not None:
            return self.cron.after(previous)
        due = (
            self.interval.after(previous)
            if self.start is None
            else self._after(self.start, previous, inclusive=False)
        )
        beyond = self.end is not None and due.astimezone(UTC) > self.end.astimezone(UTC)
        return None if beyond else due

    def _after(self, start: datetime, moment: datetime, *, inclusive: bool) -> datetime:
        # In UTC: within one zone Python compares wall clocks, which repeat an hour in autumn.
        limit = moment.astimezone(UTC)
        interval = self.interval
        longest = interval.months * 31 * 86400 + interval.days * 90000 + interval.seconds
        elapsed = max((limit - start.astimezone(UTC)).total_seconds(), 0.0)
        count = int(elapsed // longest)
        while True:
            due = interval.after(start, count)
            instant = due.astimezone(UTC)
            if instant > limit or (inclusive and instant == limit):
                return due
            count += 1

    def __str__(self) -> str:
        if self.cron is not None:
            return self.cron.text
        count = "" if self.repetitions is None else str(self.repetitions)
        start = f"/{_shown(self.start)}" if self.start is not None else ""
        end = f"/{_shown(self.end)}" if self.end is not None else ""
        return f"R{count}{start}/{self.interval}{end}"


def _shown(moment: datetime) -> str:
    zone = moment.tzinfo
    if isinstance(zone, ZoneInfo):
        return f"{moment.replace(tzinfo=None).isoformat()}[{zone.key}]"
    return moment.isoformat()


@lru_cache(maxsize=1024)
def parse_cycle(text: str) -> Cycle:
    """A repeating interval, ``R3/PT10H``, ``R/2026-01-01T00:00:00Z/P1D``, ``R5/start/end``, or cron.

    Cron has five fields (minute, hour, day of month, month, day of week) or six (second first), or
    is one of ``@hourly``, ``@daily``, ``@weekly``, ``@monthly`` and ``@yearly``.
    """
    source = text.strip()
    if not source.startswith("R"):
        return Cycle(None, cron=_parse_cron(source))
    # The slash of a zone's name, as in Asia/Shanghai, separates nothing.
    count, *parts = re.split(r"/(?=P[\dT]|\d)", source)
    if not re.fullmatch(r"R\d{0,9}|R-1", count) or not 1 <= len(parts) <= 3:
        raise _wrong("repeating interval", text, "R3/PT10H, R/PT1H or R5/2026-01-01T00:00:00Z/P1D")
    repetitions = int(count[1:]) if count not in ("R", "R-1") else None
    if repetitions == 0:
        raise _wrong("repeating interval", text, "how often it repeats, 1 or more, or R/… for no end")
    start = end = None
    if len(parts) == 1:
        interval = parse_timer_duration(parts[0])
    elif len(parts) == 2 and parts[0].startswith("P"):
        interval, end = parse_timer_duration(parts[0]), parse_timer_date(parts[1])
    else:
        start = parse_timer_date(parts[0])
        if parts[1].startswith("P"):
            interval = parse_timer_duration(parts[1])
            end = parse_timer_date(parts[2]) if len(parts) == 3 else None
        else:
            length = (parse_timer_date(parts[1]) - start).total_seconds()
            if length <= 0:
                raise _wrong("repeating interval", text, "a start before its end")
            interval = IsoDuration(seconds=length)
    if not interval:
        raise _wrong("repeating interval", text, "an interval longer than nothing")
    return Cycle(repetitions, interval, start, end)


def _later(moment: datetime, step: timedelta, *, passing: bool) -> datetime:
    """``moment`` plus ``step`` of passing time, or of the wall clock."""
    if not passing:
        return moment + step
    return (moment.astimezone(UTC) + step).astimezone(moment.tzinfo)


# ---- cron -----------------------------------------------------------------------------------

_NAMED = {
    "@yearly": "0 0 0 1 1 *",
    "@annually": "0 0 0 1 1 *",
    "@monthly": "0 0 0 1 * *",
    "@weekly": "0 0 0 * * 0",
    "@daily": "0 0 0 * * *",
    "@midnight": "0 0 0 * * *",
    "@hourly": "0 0 * * * *",
}
_BOUNDS = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_MONTHS = {
    **{"JAN": 1, "FEB": 2, "MAR": 3, "APR": 4, "MAY": 5, "JUN": 6},
    **{"JUL": 7, "AUG": 8, "SEP": 9, "OCT": 10, "NOV": 11, "DEC": 12},
}
_DAYS = {"SUN": 0, "MON": 1, "TUE": 2, "WED": 3, "THU": 4, "FRI": 5, "SAT": 6}


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron schedule, in the zone of the moment that it is asked about."""

    text: str
    seconds: frozenset[int]
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int] | None
    months: frozenset[int]
    weekdays: frozenset[int] | None

    def after(self, moment: datetime) -> datetime:
        """The first scheduled second after ``moment``, in its zone.

        Where the clock goes back, a schedule for every hour follows the time that passes, one for certain
        hours runs once; where it skips a scheduled time, that runs right after. InvalidExpression when
        there is none within eight years (such as 30 February).
        """
        zone, now = moment.tzinfo or UTC, moment.astimezone(UTC)
        every_hour = len(self.hours) == 24
        here = moment.replace(microsecond=0) + timedelta(seconds=1)
        if every_hour:
            here = (now.replace(microsecond=0) + timedelta(seconds=1)).astimezone(zone)
        last = here.year + 8
        while here.year <= last:
            if here.month not in self.months:
                here = _add_months(here.replace(day=1, hour=0, minute=0, second=0, fold=0), 1)
            elif not self._on_day(here):
                here = here.replace(hour=0, minute=0, second=0, fold=0) + timedelta(days=1)
            elif here.hour not in self.hours:
                here = here.replace(minute=0, second=0, fold=0) + timedelta(hours=1)
            elif here.minute not in self.minutes:
                here = _later(here.replace(second=0), timedelta(minutes=1), passing=every_hour)
            elif here.second not in self.seconds:
                here = _later(here, timedelta(seconds=1), passing=every_hour)
            elif here.astimezone(UTC) > now:
                return here.astimezone(UTC).astimezone(zone)
            else:  # the second time round of an hour that the clock repeats
                here += timedelta(seconds=1)
        raise InvalidExpression(f"The cron schedule '{self.text}' never comes.", text=self.text)

    def _on_day(self, moment: datetime) -> bool:
        """Where both days are restricted, either one is enough (the rule of cron)."""
        by_month = self.days is None or moment.day in self.days
        by_week = self.weekdays is None or moment.isoweekday() % 7 in self.weekdays
        if self.days is not None and self.weekdays is not None:
            return by_month or by_week
        return by_month and by_week


def _parse_cron(text: str) -> Cron:
    fields = _NAMED.get(text.lower(), text).upper().replace("?", "*").split()
    if len(fields) == 5:
        fields = ["0", *fields]
    if len(fields) != 6:
        raise _wrong("cycle", text, "R3/PT10H, R/PT1H or a cron schedule of five or six fields")
    sets = [_cron_field(field, index, text) for index, field in enumerate(fields)]
    seconds, minutes, hours, days, months, weekdays = sets
    return Cron(
        text,
        seconds,
        minutes,
        hours,
        None if fields[3] == "*" else days,
        months,
        None if fields[5] == "*" else frozenset(day % 7 for day in weekdays),
    )


def _cron_field(field: str, index: int, text: str) -> frozenset[int]:
    low, high = _BOUNDS[index]
    names = _MONTHS if index == 4 else _DAYS if index == 5 else {}
    chosen: set[int] = set()
    for part in field.split(","):
        span, _, step_text = part.partition("/")
        first, _, last = span.partition("-")
        try:
            step = int(step_text) if step_text else 1
            if span == "*":
                start, stop = low, high
            else:
                start = names[first] if first in names else int(first)
                stop = (names[last] if last in names else int(last)) if last else start
                if step_text and not last:
                    stop = high
        except ValueError:
            raise _wrong("cron schedule", text, "numbers, names, ranges and steps in its fields") from None
        if not (low <= start <= stop <= high and step > 0):
            raise _wrong("cron schedule", text, f"values from {low} to {high} in field {index + 1}")
        chosen.update(range(start, stop + 1, step))
    return frozenset(chosen)
