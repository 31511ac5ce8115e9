"""Working calendars from published holidays."""

from __future__ import annotations

import sys
from datetime import date, timedelta

import pytest

from flowkit.feel.calendar import add_working_days, is_working_day
from flowkit.tasks.calendars import china_calendar, country_calendar


def test_chinas_holidays_and_make_up_days() -> None:
    """National Day of 2025 is eight days long, and two weekend days make up for it."""
    calendar = china_calendar(years=[2025])
    assert not any(is_working_day(calendar, date(2025, 10, 1) + timedelta(days=day)) for day in range(8))
    assert is_working_day(calendar, date(2025, 9, 28))  # a Sunday
    assert is_working_day(calendar, date(2025, 10, 11))  # a Saturday
    assert add_working_days(calendar, date(2025, 9, 30), 2) == date(2025, 10, 10)
    assert calendar.zone.key == "Asia/Shanghai"


def test_all_published_years_without_asking() -> None:
    """Without years all that are known are taken."""
    assert {day.year for day in china_calendar().holidays} >= {2024, 2025}


def test_a_year_that_is_not_published_is_refused() -> None:
    """Guessing would be wrong: make-up days are decreed year by year."""
    with pytest.raises(ValueError, match="2999"):
        china_calendar(years=[2025, 2999])


def test_other_countries() -> None:
    """By ISO code, with or without a subdivision."""
    germany = country_calendar("de", "DE", "Europe/Berlin", years=[2026])
    bavaria = country_calendar("by", "DE", "Europe/Berlin", years=[2026], subdivision="BY")
    epiphany = date(2026, 1, 6)
    assert is_working_day(germany, epiphany)
    assert not is_working_day(bavaria, epiphany)
    assert not is_working_day(germany, date(2026, 5, 1))


@pytest.mark.parametrize(("country", "zone"), [("XX", "Europe/Berlin"), ("DE", "Europe/Nowhere")])
def test_unknown_places_are_refused(country: str, zone: str) -> None:
    """With the calendar's name in the message."""
    with pytest.raises(ValueError, match="calendar 'mine'"):
        country_calendar("mine", country, zone, years=[2026])


def test_a_missing_package_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says how to install it."""
    monkeypatch.setitem(sys.modules, "chinese_calendar.constants", None)
    with pytest.raises(ImportError, match=r"flowkit\[calendar\]"):
        china_calendar()
