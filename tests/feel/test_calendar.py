"""Business time: hours, holidays and make-up days."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowkit.feel import Diagnostic, compile_expression, to_text
from flowkit.feel.calendar import (
    WorkingCalendar,
    add_working_days,
    add_working_time,
    calendar_functions,
    is_working_day,
    next_working_time,
    working_time_between,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = ((time(9), time(12)), (time(13), time(18)))
SERVICE = WorkingCalendar(
    "service",
    SHANGHAI,
    (DAY,) * 5 + ((), ()),
    holidays=frozenset({date(2026, 10, day) for day in range(1, 8)}),
    workdays=frozenset({date(2026, 10, 10)}),  # a Saturday
)
NIGHT = WorkingCalendar("night", ZoneInfo("Europe/Berlin"), (((time(22), time(6)),),) * 7)


def at(text: str) -> datetime:
    """A moment in Shanghai."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def test_days() -> None:
    """Weekends and holidays are free, make-up days are not."""
    assert is_working_day(SERVICE, date(2026, 9, 30))
    assert not is_working_day(SERVICE, date(2026, 10, 1))
    assert not is_working_day(SERVICE, date(2026, 10, 11))
    assert is_working_day(SERVICE, date(2026, 10, 10))


@pytest.mark.parametrize(
    ("start", "count", "end"),
    [
        ("2026-09-30", 1, "2026-10-08"),
        ("2026-09-30", 3, "2026-10-10"),
        ("2026-09-30", 4, "2026-10-12"),
        ("2026-10-12", -1, "2026-10-10"),
        ("2026-10-08", -1, "2026-09-30"),
        ("2026-10-01", 0, "2026-10-08"),
        ("2026-10-08", 0, "2026-10-08"),
    ],
)
def test_add_working_days(start: str, count: int, end: str) -> None:
    """Counting working days from a day, forwards and backwards."""
    assert add_working_days(SERVICE, date.fromisoformat(start), count) == date.fromisoformat(end)


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-09-30T10:00", 1, "2026-09-30T11:00"),
        ("2026-09-30T11:00", 2, "2026-09-30T14:00"),
        ("2026-09-30T11:00", 1, "2026-09-30T12:00"),
        ("2026-09-30T17:00", 2, "2026-10-08T10:00"),
        ("2026-10-03T12:00", 8, "2026-10-08T18:00"),
        ("2026-10-08T10:00", -2, "2026-09-30T17:00"),
        ("2026-10-10T17:30", 1, "2026-10-12T09:30"),
        ("2026-10-03T12:00", 0, "2026-10-03T12:00"),
    ],
)
def test_add_working_time(start: str, hours: int, end: str) -> None:
    """Pauses, nights and holidays do not count."""
    assert add_working_time(SERVICE, at(start), timedelta(hours=hours)) == at(end)


def test_next_working_time() -> None:
    """Now, if one works now; else when work begins."""
    assert next_working_time(SERVICE, at("2026-09-30T10:00")) == at("2026-09-30T10:00")
    assert next_working_time(SERVICE, at("2026-09-30T12:30")) == at("2026-09-30T13:00")
    assert next_working_time(SERVICE, at("2026-09-30T18:00")) == at("2026-10-08T09:00")


def test_working_time_between() -> None:
    """The same, measured; negative when the second moment is earlier."""
    start, end = at("2026-09-30T11:00"), at("2026-10-08T10:00")
    assert working_time_between(SERVICE, start, end) == timedelta(hours=7)
    assert working_time_between(SERVICE, end, start) == timedelta(hours=-7)


def test_shifts_over_midnight_and_daylight_saving() -> None:
    """A shift belongs to the day it begins on; the night that loses an hour is an hour shorter."""
    berlin = ZoneInfo("Europe/Berlin")
    night = datetime(2026, 3, 28, 20, tzinfo=berlin)
    morning = datetime(2026, 3, 29, 12, tzinfo=berlin)
    assert working_time_between(NIGHT, night, morning) == timedelta(hours=7)
    assert working_time_between(NIGHT, night - timedelta(days=7), morning - timedelta(days=7)) == timedelta(
        hours=8
    )
    assert next_working_time(NIGHT, datetime(2026, 5, 1, 3, tzinfo=berlin)).hour == 3
    gap = WorkingCalendar("gap", berlin, (((time(2), time(2, 30)),),) * 7)
    assert list(gap.spans(date(2026, 3, 29))) != []
    swallowed = WorkingCalendar("swallowed", berlin, (((time(2, 30), time(3)),),) * 7)
    assert next_working_time(swallowed, datetime(2026, 3, 29, 0, tzinfo=berlin)).date() >= date(2026, 3, 29)


def test_impossible_calendars() -> None:
    """A calendar must make sense."""
    with pytest.raises(ValueError, match="7 days"):
        WorkingCalendar("short", SHANGHAI, (DAY,))
    with pytest.raises(ValueError, match="some day"):
        WorkingCalendar("empty", SHANGHAI, ((),) * 7)
    with pytest.raises(ValueError, match="ascending"):
        WorkingCalendar("mixed", SHANGHAI, (((time(9), time(12)), (time(11), time(13))),) * 7)


def test_a_century_is_the_end() -> None:
    """Nobody waits longer."""
    with pytest.raises(ValueError, match="century"):
        add_working_time(SERVICE, at("2026-01-01T09:00"), timedelta(days=365 * 50))
    with pytest.raises(ValueError, match="century"):
        add_working_days(SERVICE, date(9999, 12, 1), 30)
    with pytest.raises(ValueError, match="century"):
        add_working_days(SERVICE, date(2026, 1, 1), 10**9)


MOMENTS = st.datetimes(datetime(2026, 9, 1), datetime(2026, 11, 1), timezones=st.just(UTC))
LENGTHS = st.timedeltas(timedelta(0), timedelta(days=20))


@given(MOMENTS, LENGTHS)
def test_adding_and_measuring_agree(moment: datetime, length: timedelta) -> None:
    """What was added lies between, whichever way one goes."""
    for calendar in (SERVICE, NIGHT):
        later = add_working_time(calendar, moment, length)
        assert working_time_between(calendar, moment, later) == length
        earlier = add_working_time(calendar, moment, -length)
        assert working_time_between(calendar, earlier, moment) == length


@given(MOMENTS, LENGTHS, LENGTHS)
def test_adding_in_parts(moment: datetime, first: timedelta, second: timedelta) -> None:
    """Twice a part is the whole."""
    parts = add_working_time(SERVICE, add_working_time(SERVICE, moment, first), second)
    assert working_time_between(SERVICE, moment, parts) == first + second


FUNCTIONS = calendar_functions({"service": SERVICE})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('add working days(@"2026-09-30", 3, "service")', '@"2026-10-10"'),
        (
            'add working days(@"2026-09-30T10:00:00@Asia/Shanghai", 1, "service")',
            '@"2026-10-08T10:00:00@Asia/Shanghai"',
        ),
        (
            'add working time(@"2026-09-30T17:00:00", @"PT2H", "service")',
            '@"2026-10-08T10:00:00@Asia/Shanghai"',
        ),
        ('add working time(@"2026-10-01", @"PT1H", "service")', '@"2026-10-08T10:00:00@Asia/Shanghai"'),
        ('is working day(@"2026-10-10", "service")', "true"),
        ('is working day(date: @"2026-10-01T10:00:00Z", calendar: "service")', "false"),
        ('working time between(@"2026-09-30", @"2026-10-01", "service")', '@"PT8H"'),
        ('next working time(@"2026-10-01", "service")', '@"2026-10-08T09:00:00@Asia/Shanghai"'),
    ],
)
def test_in_feel(text: str, value: str) -> None:
    """The functions of models; local time is the calendar's."""
    assert to_text(compile_expression(text, functions=FUNCTIONS).evaluate({}), quoted=True) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('is working day(@"2026-10-10", "other")', 'there is no calendar "other"; known: service'),
        ('is working day("2026-10-10", "service")', "is not a date and time"),
        ('add working days(@"2026-10-10", 1.5, "service")', "a whole number"),
        ('add working days(@"2026-10-10", true, "service")', "a whole number"),
        ('add working time(@"2026-10-10", @"P1M", "service")', "not a days and time duration"),
        ('is working day(@"99999-10-10", "service")', "year"),
        ('add working time(@"9999-12-31", @"PT900H", "service")', "add working time"),
    ],
)
def test_wrong_use_in_feel(text: str, reason: str) -> None:
    """Null, and the reason."""
    diagnostics: list[Diagnostic] = []
    assert compile_expression(text, functions=FUNCTIONS).evaluate({}, diagnostics=diagnostics) is None
    assert reason in diagnostics[0].message
