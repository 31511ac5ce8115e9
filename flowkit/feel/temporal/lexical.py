"""Reading temporal values from text, by the lexical rules of XML Schema and ISO 8601.

All functions raise ValueError with a message for the model's author.
"""

from __future__ import annotations

import re

from flowkit.feel.temporal.values import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    Date,
    DateTime,
    DaysTimeDuration,
    Duration,
    Temporal,
    Time,
    YearsMonthsDuration,
    Zone,
    zone_info,
)

__all__ = ["parse_date", "parse_date_time", "parse_duration", "parse_temporal", "parse_time"]

_DATE = r"(?P<year>-?(?:[1-9]\d{4,8}|\d{4}))-(?P<month>\d\d)-(?P<day>\d\d)"
_TIME = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:\.(?P<fraction>\d{1,30}))?"
_ZONE = r"(?:(?P<utc>Z)|(?P<offset>[+-]\d\d:\d\d(?::\d\d)?)|@(?P<zone>[A-Za-z][\w+\-/]{0,63}))?"

_DATE_TEXT = re.compile(_DATE, re.ASCII)
_TIME_TEXT = re.compile(_TIME + _ZONE, re.ASCII)
_DATE_TIME_TEXT = re.compile(_DATE + "T" + _TIME + _ZONE, re.ASCII)
_YEARS_MONTHS_TEXT = re.compile(r"(?P<sign>-)?P(?:(?P<years>\d{1,12})Y)?(?:(?P<months>\d{1,12})M)?", re.ASCII)
_DAYS_TIME_TEXT = re.compile(
    r"(?P<sign>-)?P(?:(?P<days>\d{1,18})D)?"
    r"(?P<time>T(?:(?P<hours>\d{1,18})H)?(?:(?P<minutes>\d{1,18})M)?"
    r"(?:(?P<seconds>\d{1,18})(?:\.(?P<fraction>\d{0,30}))?S)?)?",
    re.ASCII,
)


def _nanos(fraction: str | None) -> int:
    return int((fraction or "0").ljust(9, "0")[:9])


def _zone(match: re.Match[str]) -> Zone:
    if match["utc"]:
        return 0
    if match["offset"]:
        sign = -1 if match["offset"][0] == "-" else 1
        hours, minutes, *seconds = (int(part) for part in match["offset"][1:].split(":"))
        if minutes > 59 or sum(seconds) > 59:
            raise ValueError(f"{match['offset']!r} is not an offset from UTC")
        return sign * (hours * 3600 + minutes * 60 + sum(seconds))
    if match["zone"] and zone_info(match["zone"]) is None:
        raise ValueError(f"there is no time zone called {match['zone']!r}")
    return match["zone"]


def _date(match: re.Match[str]) -> Date:
    return Date(int(match["year"]), int(match["month"]), int(match["day"]))


def _is_midnight_24(match: re.Match[str]) -> bool:
    """Whether the text is 24:00:00, which XML Schema allows for the end of a day."""
    return (
        match["hour"] == "24" and match["minute"] == match["second"] == "00" and not _nanos(match["fraction"])
    )


def _time(match: re.Match[str]) -> Time:
    hour = 0 if _is_midnight_24(match) else int(match["hour"])
    return Time(hour, int(match["minute"]), int(match["second"]), _nanos(match["fraction"]), _zone(match))


def parse_date(text: str) -> Date:
    """A date such as ``2026-02-28``."""
    match = _DATE_TEXT.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a date; write it as 2026-02-28")
    return _date(match)


def parse_time(text: str) -> Time:
    """A time of day such as ``13:45:00``, ``13:45:00.5+08:00`` or ``13:45:00@Asia/Shanghai``."""
    match = _TIME_TEXT.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a time; write it as 13:45:00, 13:45:00Z or 13:45:00@Asia/Shanghai")
    return _time(match)


def parse_date_time(text: str) -> DateTime:
    """A date and time such as ``2026-02-28T13:45:00@Asia/Shanghai``; a bare date means its midnight."""
    match = _DATE_TIME_TEXT.fullmatch(text)
    if match is None:
        if _DATE_TEXT.fullmatch(text):
            return DateTime(parse_date(text), Time(0, 0, 0))
        raise ValueError(f"{text!r} is not a date and time; write it as 2026-02-28T13:45:00")
    date = _date(match)
    if _is_midnight_24(match):
        date = Date.from_days(date.days + 1)
    return DateTime(date, _time(match))


def parse_duration(text: str) -> Duration:
    """A duration of days and time (``P1DT2H``) or of years and months (``P1Y6M``), never a mixture."""
    match = _YEARS_MONTHS_TEXT.fullmatch(text)
    if match and (match["years"] or match["months"]):
        months = int(match["years"] or 0) * 12 + int(match["months"] or 0)
        return YearsMonthsDuration(-months if match["sign"] else months)
    match = _DAYS_TIME_TEXT.fullmatch(text)
    if match is None or match["time"] == "T" or not (match["days"] or match["time"]):
        raise ValueError(f"{text!r} is not a duration; write it as P1DT2H30M or P1Y6M")
    nanos = int(match["days"] or 0) * DAY + int(match["hours"] or 0) * HOUR
    nanos += (
        int(match["minutes"] or 0) * MINUTE + int(match["seconds"] or 0) * SECOND + _nanos(match["fraction"])
    )
    return DaysTimeDuration(-nanos if match["sign"] else nanos)


def parse_temporal(text: str) -> Temporal:
    """The value of the at-literal ``@"text"``: date, time, date and time or duration by its form."""
    if text[:1] == "P" or text[:2] == "-P":
        return parse_duration(text)
    if "T" in text:
        return parse_date_time(text)
    return parse_time(text) if ":" in text[:3] else parse_date(text)
