"""Which days are working days in China: from the well-kept table of ``chinesecalendar``."""

from __future__ import annotations

import logging
from datetime import date
from functools import cache

from flowkit.tasks.library.deadlines import IsWorkingDay, weekdays

__all__ = ["china", "default_calendars"]

log = logging.getLogger("flowkit.tasks")


@cache
def _complain(reason: str) -> None:
    """Say it once."""
    log.warning("%s; counting Monday to Friday as working days", reason)


def china(day: date) -> bool:
    """Whether ``day`` is a working day in China: holidays and make-up workdays counted.

    Outside the years that the table has, and without the extra ``calendar``, Monday to Friday are,
    and a warning is logged.
    """
    try:
        import chinese_calendar  # noqa: PLC0415 extra "calendar"
    except ImportError:
        _complain("China's holidays need the extra flowkit[calendar]")
        return weekdays(day)
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        _complain(f"chinesecalendar has no holidays of {day.year}")
        return weekdays(day)


def default_calendars() -> dict[str, IsWorkingDay]:
    """The calendars that a task header may name; the first is the default."""
    return {"中国": china, "周一至周五": weekdays}
