"""Proleptic Gregorian calendar arithmetic for any year, free of the limits of :mod:`datetime`.

FEEL dates reach from year -999,999,999 to 999,999,999 (DMN 1.5, 10.3.2.3.4); the year before 1 is 0.
"""

from __future__ import annotations

__all__ = ["MAX_YEAR", "civil_from_days", "days_from_civil", "days_in_month", "is_leap", "weekday"]

MAX_YEAR = 999_999_999
_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def is_leap(year: int) -> bool:
    """Whether ``year`` has a 29th of February."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days_in_month(year: int, month: int) -> int:
    """The number of days of ``month`` (1 to 12) in ``year``."""
    return 29 if month == 2 and is_leap(year) else _MONTH_DAYS[month - 1]


def days_from_civil(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 to the given date; the inverse of :func:`civil_from_days`."""
    # Counting years from March puts the leap day last, so that month lengths follow one formula.
    if month <= 2:
        year -= 1
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468


def civil_from_days(days: int) -> tuple[int, int, int]:
    """Year, month and day of the date that lies ``days`` after 1970-01-01."""
    era, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + (3 if shifted < 10 else -9)
    year = era * 400 + year_of_era + (1 if month <= 2 else 0)
    return year, month, day_of_year - (153 * shifted + 2) // 5 + 1


def weekday(days: int) -> int:
    """ISO weekday, 1 (Monday) to 7 (Sunday), of the date ``days`` after 1970-01-01."""
    return (days + 3) % 7 + 1
