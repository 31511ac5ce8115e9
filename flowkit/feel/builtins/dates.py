"""Date functions (DMN 1.5, 10.3.4.8 and 10.3.4.6)."""

from __future__ import annotations

from flowkit.feel.builtins.registry import Table
from flowkit.feel.temporal import Date, DateTime, from_stdlib
from flowkit.feel.temporal.gregorian import days_from_civil, days_in_month
from flowkit.feel.values import Null, Run

__all__ = ["TABLE"]

TABLE = Table("Date and time")

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_ANY_DATE = "date: date|date and time"


def _date(value: Date | DateTime) -> Date:
    return value.date if isinstance(value, DateTime) else value


@TABLE.define("now")
def now(run: Run) -> DateTime:
    """The moment of the evaluation, which the host gives."""
    if run.now is None:
        raise Null("now() and today() need the host's clock, and none was given", "now")
    return from_stdlib(run.now)


@TABLE.define("today")
def today(run: Run) -> Date:
    """The day of the evaluation, in the zone of the host's clock."""
    moment: DateTime = now(run)
    return moment.date


@TABLE.define("day of year", _ANY_DATE)
def day_of_year(_run: Run, value: Date | DateTime) -> int:
    """1 for the first of January."""
    day = _date(value)
    return day.days - days_from_civil(day.year, 1, 1) + 1


@TABLE.define("day of week", _ANY_DATE)
def day_of_week(_run: Run, value: Date | DateTime) -> str:
    """The English name of the weekday."""
    return _DAYS[_date(value).weekday - 1]


@TABLE.define("month of year", _ANY_DATE)
def month_of_year(_run: Run, value: Date | DateTime) -> str:
    """The English name of the month."""
    return _MONTHS[_date(value).month - 1]


@TABLE.define("week of year", _ANY_DATE)
def week_of_year(_run: Run, value: Date | DateTime) -> int:
    """The number of the week by ISO 8601."""
    day = _date(value)
    thursday = Date.from_days(day.days - day.weekday + 4) if abs(day.year) < 999_999_999 else day
    return (thursday.days - days_from_civil(thursday.year, 1, 1)) // 7 + 1


@TABLE.define("last day of month", _ANY_DATE)
def last_day_of_month(_run: Run, value: Date | DateTime) -> Date:
    """The last date of the month."""
    day = _date(value)
    return Date(day.year, day.month, days_in_month(day.year, day.month))
