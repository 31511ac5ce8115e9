"""Dates, times and durations: text, arithmetic, zones, and the standard library as a second opinion."""

from __future__ import annotations

import datetime as std
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowkit.feel.temporal import (
    Date,
    DateTime,
    DaysTimeDuration,
    Time,
    YearsMonthsDuration,
    add,
    add_duration,
    from_stdlib,
    months_between,
    nanos_between,
    parse_date,
    parse_date_time,
    parse_duration,
    parse_temporal,
    parse_time,
    to_stdlib,
)
from flowkit.feel.temporal.gregorian import civil_from_days, days_from_civil, weekday
from tests.feel.table import cases, shown

ARITHMETIC = """
    @"2020-01-31" + @"P1M" => @"2020-02-29"
    @"2020-02-29" + @"P1Y" => @"2021-02-28"
    @"2020-03-31" - @"P1M" => @"2020-02-29"
    @"2020-01-01" + @"P1D" => @"2020-01-02"
    @"2020-01-01" + @"PT36H" => @"2020-01-02"
    @"2020-01-01" - @"PT1H" => @"2019-12-31"
    @"P1D" + @"2020-01-01" => @"2020-01-02"
    @"2020-01-01" - @"2019-12-31" => @"P1D"
    @"2020-01-01" - @"2019-12-31T12:00:00Z" => @"PT12H"
    @"2020-01-01" - @"2019-12-31T12:00:00" => null
    @"2020-01-01T00:00:00Z" - @"2020-01-01T00:00:00" => null
    @"2020-01-01T00:00:00Z" - @"2020-01-01T00:00:00@Asia/Shanghai" => @"PT8H"
    @"2020-01-01T00:00:00" + @"P1M" => @"2020-02-01T00:00:00"
    @"2020-01-01T00:00:00.5" + @"PT0.5S" => @"2020-01-01T00:00:01"
    @"2026-03-29T01:30:00@Europe/Paris" + @"PT1H" => @"2026-03-29T03:30:00@Europe/Paris"
    @"2026-10-25T01:30:00@Europe/Paris" + @"PT3H" => @"2026-10-25T03:30:00@Europe/Paris"
    @"2026-03-28T02:30:00@Europe/Paris" + @"P1D" => @"2026-03-29T03:30:00@Europe/Paris"
    @"23:00:00" + @"PT2H" => @"01:00:00"
    @"01:00:00Z" - @"PT2H" => @"23:00:00Z"
    @"10:00:00" + @"P1M" => null
    @"P1M" + @"10:00:00" => null
    @"10:00:00" - @"P1M" => null
    @"10:00:00" - @"09:00:00" => @"PT1H"
    @"10:00:00Z" - @"10:00:00+01:00" => @"PT1H"
    @"10:00:00Z" - @"09:00:00" => null
    @"10:00:00Z" - @"2020-01-01" => null
    @"2020-01-01" + @"2020-01-01" => null
    @"P1D" + @"P1M" => null
    @"P1Y" + @"P2M" => @"P1Y2M"
    @"P1Y" - @"P2M" => @"P10M"
    @"P1D" - @"PT1H" => @"PT23H"
    @"P1D" * 1.5 => @"P1DT12H"
    2 * @"P1M" => @"P2M"
    @"P1D" / 2 => @"PT12H"
    @"P1D" / @"PT1H" => 24
    @"P1Y" / @"P1M" => 12
    @"P1D" / @"P1M" => null
    @"P1D" / 0 => null
    @"P1D" / @"PT0S" => null
    2 / @"P1D" => null
    @"P1D" * @"P1D" => null
    @"P1D" ** 2 => null
    -@"P1D" => @"-P1D"
    -@"P1M" => @"-P1M"
    -@"2020-01-01" => null
    @"999999999-12-31" + @"P1D" => null
    @"999999999-12-31" + @"P1M" => null
    @"-999999999-01-01T00:00:00" - @"PT1S" => null
    @"P999999999Y" + @"P999999999Y" => @"P1999999998Y"
    @"P999999999Y" * 3 => null
    @"2020-01-01" < @"2020-01-02" => true
    @"2020-01-01" < @"2020-01-02T00:00:00Z" => null
    @"10:00:00Z" < @"10:30:00+01:00" => false
    @"10:00:00" < @"10:30:00Z" => null
    @"P1D" > @"PT23H" => true
    @"P1Y" > @"P300D" => null
    @"2020-01-01T00:00:00.1" = @"2020-01-01T00:00:00.2" => true
    @"2020-01-01T00:00:00Z" = @"2020-01-01T08:00:00@Asia/Shanghai" => true
    @"2020-01-01T00:00:00Z" = @"2020-01-01T00:00:00" => false
    @"10:00:00.5" = @"10:00:00" => true
    @"10:00:00" = @"10:00:01" => false
    @"2020-01-01" = @"2020-01-01T00:00:00" => null
"""

PROPERTIES = """
    @"2026-02-28".year => 2026
    @"2026-02-28".weekday => 6
    @"2026-02-28T10:11:12".month => 2
    @"2026-02-28T10:11:12".day => 28
    @"2026-02-28T10:11:12".hour => 10
    @"10:11:12.5".second => 12
    @"10:11:12".time offset => null
    @"10:11:12+08:00".time offset => @"PT8H"
    @"10:11:12@Europe/Paris".time offset => @"PT1H"
    @"2026-07-01T10:11:12@Europe/Paris".time offset => @"PT2H"
    @"2026-07-01T10:11:12@Europe/Paris".timezone => "Europe/Paris"
    @"10:11:12Z".timezone => null
    @"-P1DT2H3M4S".days => -1
    @"-P1DT2H3M4S".hours => -2
    @"P1DT2H3M4S".minutes => 3
    @"P1DT2H3M4S".seconds => 4
    @"-P1Y2M".years => -1
    @"-P1Y2M".months => -2
    @"P1Y2M".days => null
"""


@pytest.mark.parametrize(("expression", "value"), [*cases(ARITHMETIC), *cases(PROPERTIES)])
def test_value(expression: str, value: str) -> None:
    """Each expression has the value beside it."""
    assert shown(expression) == value


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-28",
        "0001-01-01",
        "-0044-03-15",
        "999999999-12-31",
        "-999999999-01-01",
        "13:45:00",
        "13:45:00.000000001",
        "13:45:00Z",
        "13:45:00-05:30",
        "13:45:00+02:45:55",
        "13:45:00@Asia/Shanghai",
        "2026-02-28T13:45:00.5@Europe/Paris",
        "999999999-12-31T23:59:59.999999999Z",
        "P1D",
        "-P1DT2H3M4.5S",
        "PT0S",
        "PT0.000000001S",
        "P1Y2M",
        "-P1M",
        "P0M",
    ],
)
def test_text_round_trip(text: str) -> None:
    """Canonical text is read and written back."""
    assert str(parse_temporal(text)) == text


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("PT36H", "P1DT12H"),
        ("P14M", "P1Y2M"),
        ("-P0D", "PT0S"),
        ("P0Y", "P0M"),
        ("PT1.S", "PT1S"),
        ("13:45:00+00:00", "13:45:00Z"),
        ("24:00:00", "00:00:00"),
        ("2026-12-31T24:00:00Z", "2027-01-01T00:00:00Z"),
        ("13:45:00.1234567891", "13:45:00.123456789"),
    ],
)
def test_other_spellings(text: str, canonical: str) -> None:
    """Other spellings of the same value become the canonical one."""
    assert str(parse_temporal(text)) == canonical


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "2026-2-28", "2026-02-30", "2026-13-01", "02026-01-01", "+2026-01-01", "9999999999-01-01"),
        *("25:00:00", "24:00:01", "10:60:00", "10:00:60", "10:00", "10:00:00+19:00", "10:00:00+01:60"),
        *("10:00:00@Nowhere/Land", "10:00:00@../../etc/passwd", "10:00:00Z@Europe/Paris", "10:00:00 Z"),
        *("2026-01-01T", "2026-01-01T10:00", "2026-01-01 10:00:00", "2026-01-01T24:00:01"),
        *("P", "PT", "P1", "P1H", "PT1D", "P1Y1D", "P1DT", "--P1D", "P-1D", "P1.5D", "PT1.5M", "p1d"),
        "P999999999999Y",
    ],
)
def test_refused_text(text: str) -> None:
    """What is no date, time or duration is refused with a message that names the text."""
    with pytest.raises(ValueError, match=r"."):
        parse_temporal(text)


def test_each_reader_reads_its_own() -> None:
    """The readers do not take one another's texts."""
    for reader, text in ((parse_date, "10:00:00"), (parse_time, "2026-01-01"), (parse_date_time, "10:00:00")):
        with pytest.raises(ValueError, match="write it as"):
            reader(text)
    assert parse_date_time("2026-01-01") == DateTime(Date(2026, 1, 1), Time(0, 0, 0))
    with pytest.raises(ValueError, match="write it as"):
        parse_duration("1 day")


def test_impossible_parts() -> None:
    """Values can't be built from parts that no clock shows."""
    for build in (
        lambda: Date(10**9, 1, 1),
        lambda: Date(2026, 0, 1),
        lambda: Time(24, 0, 0),
        lambda: Time(0, 0, 0, 10**9),
        lambda: Time(0, 0, 0, 0, 70_000),
        lambda: DaysTimeDuration(10**40),
        lambda: YearsMonthsDuration(10**12),
    ):
        with pytest.raises(ValueError, match=r"."):
            build()


DATES = st.dates()
MOMENTS = st.datetimes(std.datetime(3, 1, 1), std.datetime(9990, 1, 1), timezones=st.just(std.UTC))
ZONES = st.sampled_from(["Europe/Paris", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe"])


@given(DATES)
def test_days_agree_with_the_standard_library(day: std.date) -> None:
    """The calendar is the proleptic Gregorian one."""
    days = days_from_civil(day.year, day.month, day.day)
    assert days == (day - std.date(1970, 1, 1)).days
    assert civil_from_days(days) == (day.year, day.month, day.day)
    assert weekday(days) == day.isoweekday()


@given(st.integers(-(10**11), 10**11))
def test_days_round_trip(days: int) -> None:
    """For any year at all."""
    assert days_from_civil(*civil_from_days(days)) == days


@given(MOMENTS, ZONES)
def test_zones_agree_with_the_standard_library(moment: std.datetime, zone: str) -> None:
    """An instant seen from a zone shows the same wall clock, and comes back."""
    local = moment.astimezone(ZoneInfo(zone))
    value = DateTime.from_instant(from_stdlib(moment).instant, zone)
    assert value == from_stdlib(local)
    if not local.fold:
        assert to_stdlib(value) == local
        assert value.offset == int(local.utcoffset().total_seconds())  # type: ignore[union-attr]


@given(MOMENTS, st.timedeltas(std.timedelta(days=-900), std.timedelta(days=900)))
def test_days_and_time_move_along_the_time_line(moment: std.datetime, length: std.timedelta) -> None:
    """Addition, subtraction and difference fit together, and agree with the standard library."""
    value, duration = from_stdlib(moment), from_stdlib(length)
    moved = add_duration(value, duration)
    assert nanos_between(moved, value) == duration.nanos
    assert to_stdlib(moved) == moment + length == add(moment, duration)


@given(DATES, st.integers(-600, 600))
def test_months_move_along_the_calendar(day: std.date, months: int) -> None:
    """The day stays, or becomes the last of the month; and the whole months between are those."""
    start = from_stdlib(day)
    moved = add_duration(start, YearsMonthsDuration(months))
    assert (moved.year * 12 + moved.month) - (start.year * 12 + start.month) == months
    assert moved.day == start.day or moved.day < start.day
    if moved.day == start.day:
        assert months_between(start, moved) == months


@settings(max_examples=200)
@given(st.integers(-(10**20), 10**20), st.integers(-(10**9), 10**9))
def test_durations_round_trip(nanos: int, months: int) -> None:
    """The text of a duration is the duration."""
    for duration in (DaysTimeDuration(nanos), YearsMonthsDuration(months)):
        assert parse_duration(str(duration)) == duration


def test_standard_library_conversion() -> None:
    """Local time takes the zone that the host names; years beyond 9999 do not fit."""
    local = parse_date_time("2026-01-01T00:00:00")
    assert to_stdlib(local) == std.datetime(2026, 1, 1, tzinfo=std.UTC)
    assert to_stdlib(local, ZoneInfo("Asia/Shanghai")).utcoffset() == std.timedelta(hours=8)
    assert to_stdlib(parse_date_time("2026-01-01T00:00:00-05:00")).utcoffset() == std.timedelta(hours=-5)
    with pytest.raises(ValueError, match="year"):
        to_stdlib(parse_date_time("12026-01-01T00:00:00"))
    assert from_stdlib(std.datetime(2026, 1, 1)) == local
    shanghai = std.datetime(2026, 1, 31, 9, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert add(shanghai, YearsMonthsDuration(1)).isoformat() == "2026-02-28T09:00:00+08:00"
    with pytest.raises(ValueError, match="outside"):
        add(std.datetime(9999, 12, 31, tzinfo=std.UTC), DaysTimeDuration(10**16))
    with pytest.raises(ValueError, match=r"."):
        add(std.datetime(9999, 12, 31, tzinfo=std.UTC), YearsMonthsDuration(1))
