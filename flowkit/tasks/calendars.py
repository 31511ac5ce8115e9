"""Working calendars from published holidays: China's with make-up days, and other countries'.

The data come from the packages ``chinesecalendar`` and ``holidays`` (extra ``calendar``). Loading is for the
host's start-up; the calendar itself is plain data, so that processes stay deterministic.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from importlib import import_module
from types import ModuleType
from zoneinfo import ZoneInfo

from flowkit.feel.calendar import OFFICE, Hours, WorkingCalendar

__all__ = ["china_calendar", "country_calendar"]

WEEK: tuple[Hours, ...] = (OFFICE,) * 5 + ((), ())


def _package(module: str, package: str) -> ModuleType:
    try:
        return import_module(module)
    except ImportError as missing:
        raise ImportError(
            f"working calendars need the package {package!r}; pip install 'flowkit[calendar]'"
        ) from missing


def china_calendar(
    name: str = "china", *, years: Iterable[int] | None = None, weekly: tuple[Hours, ...] = WEEK
) -> WorkingCalendar:
    """China's public holidays and make-up working days (调休), in the zone Asia/Shanghai.

    ``years`` is what the process needs; without it all years are taken that have been published. Raises
    ValueError for a year whose arrangement is not published, ImportError without the extra ``calendar``.
    """
    data = _package("chinese_calendar.constants", "chinesecalendar")
    holidays: dict[date, str] = data.holidays
    known = {day.year for day in holidays}
    wanted = known if years is None else set(years)
    if not wanted <= known:
        unknown = ", ".join(str(year) for year in sorted(wanted - known))
        raise ValueError(
            f"no arrangement of holidays is known for {unknown}; known: {min(known)} to {max(known)}. "
            "A year's arrangement is published late in the year before: update 'chinesecalendar'."
        )
    return WorkingCalendar(
        name,
        ZoneInfo("Asia/Shanghai"),
        weekly,
        frozenset(day for day in holidays if day.year in wanted),
        frozenset(day for day in data.workdays if day.year in wanted),
    )


def country_calendar(
    name: str,
    country: str,
    zone: str,
    *,
    years: Iterable[int],
    subdivision: str | None = None,
    weekly: tuple[Hours, ...] = WEEK,
) -> WorkingCalendar:
    """The public holidays of a country by its ISO 3166 code, without make-up days.

    ``subdivision`` is a state or province. Raises ValueError for an unknown country or zone, ImportError
    without the extra ``calendar``.
    """
    package = _package("holidays", "holidays")
    try:
        days = package.country_holidays(country, subdiv=subdivision, years=sorted(years))
        return WorkingCalendar(name, ZoneInfo(zone), weekly, frozenset(days))
    except (NotImplementedError, KeyError) as unknown:
        raise ValueError(f"calendar {name!r}: {unknown}") from None
