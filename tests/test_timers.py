"""Timer texts: what they mean, that cycles do not drift, and that clocks that change do no harm."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowkit.errors import InvalidExpression
from flowkit.timers import IsoDuration, parse_cycle, parse_timer_date, parse_timer_duration

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 1, 31, 9, tzinfo=UTC)


def berlin(text: str, fold: int = 0) -> datetime:
    """A wall clock in Berlin."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold)


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("PT2H", "2026-01-31T11:00"),
        ("P1D", "2026-02-01T09:00"),
        ("P1M", "2026-02-28T09:00"),
        ("P1Y2M3DT4H", "2027-04-03T13:00"),
        ("P2W", "2026-02-14T09:00"),
        ("PT0.5S", "2026-01-31T09:00:00.500"),
        ("PT0,5S", "2026-01-31T09:00:00.500"),
        ("PT0S", "2026-01-31T09:00"),
        ("PT1.5H", "2026-01-31T10:30"),
        ("P1DT2,5M", "2026-02-01T09:02:30"),
    ],
)
def test_durations(text: str, after: str) -> None:
    """Durations may mix what FEEL keeps apart."""
    due = parse_timer_duration(text).after(NOW)
    assert due == datetime.fromisoformat(after).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "1D", "-PT1H", "P1H", "PT1D", "P1DT", "PT1.S", "P1.5D", "PT1.5H30M", "x" * 9999]
)
def test_wrong_durations(text: str) -> None:
    """What is no duration is refused with an example of one."""
    with pytest.raises(InvalidExpression, match="PT2H"):
        parse_timer_duration(text)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31T09:00:00Z", NOW),
        ("2026-01-31T17:00:00+08:00", NOW),
        ("2026-01-31T17:00:00@Asia/Shanghai", NOW),
        ("2026-01-31T17:00:00[Asia/Shanghai]", NOW),
        ("2026-01-31T17:00:00+08:00[Asia/Shanghai]", NOW),
        ("2026-01-31T09:00:00", NOW),
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("20260131T090000Z", NOW),
        ("2026-W05-6T09:00Z", NOW),
        ("2026-031T09:00:00Z", NOW),
        ("2026031T09Z", NOW),
        ("2026-01-30T24:00:00Z", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-030T24:00Z", datetime(2026, 1, 31, tzinfo=UTC)),
    ],
)
def test_dates(text: str, moment: datetime) -> None:
    """Dates with offset or zone; without, in the zone that the caller names."""
    assert parse_timer_date(text) == moment


def test_local_dates_take_the_callers_zone() -> None:
    """Nine in the morning is nine where the host is."""
    assert parse_timer_date("2026-07-01T09:00:00", BERLIN).utcoffset() == timedelta(hours=2)


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "2026-02-30", "2026-01-01T00:00:00@Nowhere", "2026-01-01@../x"]
)
def test_wrong_dates(text: str) -> None:
    """What is no date is refused with an example of one."""
    with pytest.raises(InvalidExpression, match="2026-01-31T09:00:00"):
        parse_timer_date(text)


def occurrences(text: str, now: datetime, count: int) -> list[datetime]:
    """The first due dates of a cycle that is set at ``now``."""
    cycle = parse_cycle(str(parse_cycle(text).anchored(now)))
    found = [parse_cycle(text).first(now)]
    while len(found) < count and (due := cycle.next(found[-1])) is not None:
        found.append(due)
    return found


def shown(moments: list[datetime]) -> list[str]:
    """Wall clocks."""
    return [moment.strftime("%m-%dT%H:%M") for moment in moments]


@pytest.mark.parametrize(
    ("text", "expected", "remaining"),
    [
        ("R3/PT10H", ["01-31T19:00", "02-01T05:00", "02-01T15:00"], 2),
        ("R/P1M", ["02-28T09:00", "03-31T09:00", "04-30T09:00"], None),
        ("R-1/P1D", ["02-01T09:00", "02-02T09:00", "02-03T09:00"], None),
        ("R/2026-01-30T12:00:00Z/P1D", ["01-31T12:00", "02-01T12:00", "02-02T12:00"], None),
        ("R2/2026-03-01T00:00:00Z/P1W", ["03-01T00:00", "03-08T00:00", "03-15T00:00"], 1),
        ("R5/2026-02-01T00:00:00Z/2026-02-01T06:00:00Z", ["02-01T00:00", "02-01T06:00", "02-01T12:00"], 4),
        ("R/PT1H/2026-01-31T11:00:00Z", ["01-31T10:00", "01-31T11:00"], None),
        ("R/2026-02-01T00:00:00Z/P1D/2026-02-02T00:00:00Z", ["02-01T00:00", "02-02T00:00"], None),
        ("R/2026-02-01T08:00:00@Asia/Shanghai/P1D", ["02-01T08:00", "02-02T08:00", "02-03T08:00"], None),
        ("R/2026-02-01T08:00:00[Asia/Shanghai]/P1D", ["02-01T08:00", "02-02T08:00", "02-03T08:00"], None),
        ("0 9 * * MON-FRI", ["02-02T09:00", "02-03T09:00", "02-04T09:00"], None),
        ("30 0 12 1 * ?", ["02-01T12:00", "03-01T12:00", "04-01T12:00"], None),
        ("*/20 * * * *", ["01-31T09:20", "01-31T09:40", "01-31T10:00"], None),
        ("0 0 29 FEB *", ["02-29T00:00", "02-29T00:00", "02-29T00:00"], None),
        ("0 0 13 * FRI", ["02-06T00:00", "02-13T00:00", "02-20T00:00"], None),
        ("0 6 * * 7", ["02-01T06:00", "02-08T06:00", "02-15T06:00"], None),
        ("10/25 8 * * *", ["02-01T08:10", "02-01T08:35", "02-02T08:10"], None),
        ("@daily", ["02-01T00:00", "02-02T00:00", "02-03T00:00"], None),
        ("@hourly", ["01-31T10:00", "01-31T11:00", "01-31T12:00"], None),
    ],
)
def test_cycles(text: str, expected: list[str], remaining: int | None) -> None:
    """Repeating intervals and cron."""
    assert shown(occurrences(text, NOW, 3)) == expected
    assert parse_cycle(text).remaining == remaining


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "R",
            "R3",
            "R0/PT1H",
            "R3/",
            "R3/PT0S",
            "Rx/PT1H",
            "R3/1H",
            "R/PT1H/PT2H",
            "R/2026-01-01T00:00:00Z",
        ),
        *(
            "R/2026-01-02T00:00:00Z/2026-01-01T00:00:00Z",
            "R1/2/3/4",
            "* * * *",
            "* * * * * * *",
            "60 * * * *",
        ),
        *(
            "0 24 * * *",
            "0 0 0 * *",
            "x * * * *",
            "5-1 * * * *",
            "*/0 * * * *",
            "0 0 * * MOON",
            "@never",
            "1,,2 * * * *",
        ),
    ],
)
def test_wrong_cycles(text: str) -> None:
    """What is no cycle is refused."""
    with pytest.raises(InvalidExpression):
        parse_cycle(text)


def test_cycles_that_never_come() -> None:
    """Nor is a schedule waited for that has no day."""
    with pytest.raises(InvalidExpression, match="never comes"):
        parse_cycle("0 0 30 2 *").first(NOW)
    with pytest.raises(InvalidExpression, match="9999"):
        parse_timer_duration("P999999Y").after(NOW)


def test_month_ends_come_back() -> None:
    """Monthly from 31 January is the last day of each month, not the 28th for ever."""
    found = occurrences("R/2026-01-31T00:00:00Z/P1M", datetime(2026, 1, 1, tzinfo=UTC), 15)
    assert [due.day for due in found] == [
        min(31, calendar.monthrange(due.year, due.month)[1]) for due in found
    ]


def test_days_keep_the_wall_clock_and_hours_the_time_that_passes() -> None:
    """Over the beginning of daylight saving (29 March 2026)."""
    daily = occurrences("R/2026-03-28T09:00:00[Europe/Berlin]/P1D", berlin("2026-03-28T09:00"), 3)
    assert [due.hour for due in daily] == [9, 9, 9]
    hourly = occurrences("R/2026-03-29T00:00:00[Europe/Berlin]/PT1H", berlin("2026-03-29T00:00"), 4)
    assert [due.hour for due in hourly] == [0, 1, 3, 4]


def test_a_repeated_hour_is_counted_twice_by_hours() -> None:
    """Over the end of daylight saving (25 October 2026)."""
    hourly = occurrences("R/2026-10-25T01:00:00[Europe/Berlin]/PT1H", berlin("2026-10-25T01:00"), 4)
    assert [due.hour for due in hourly] == [1, 2, 2, 3]
    every = occurrences("0 * * * *", berlin("2026-10-25T00:30"), 4)
    assert [due.hour for due in every] == [1, 2, 2, 3]


def test_a_cron_for_certain_hours_runs_once_a_day() -> None:
    """Neither twice when the clock goes back, nor never when it skips the hour."""
    autumn = occurrences("30 2 * * *", berlin("2026-10-24T12:00"), 3)
    assert shown(autumn) == ["10-25T02:30", "10-26T02:30", "10-27T02:30"]
    assert [due.fold for due in autumn] == [0, 0, 0]
    within = parse_cycle("30 2 * * *").next(berlin("2026-10-25T02:10", fold=1))
    assert within == berlin("2026-10-26T02:30")
    spring = occurrences("30 2 * * *", berlin("2026-03-28T12:00"), 3)
    assert shown(spring) == ["03-29T03:30", "03-30T02:30", "03-31T02:30"]
    skipped = occurrences("15 * * * *", berlin("2026-03-29T00:30"), 3)
    assert shown(skipped) == ["03-29T01:15", "03-29T03:15", "03-29T04:15"]


ZONES = st.sampled_from([UTC, BERLIN, ZoneInfo("Asia/Shanghai"), ZoneInfo("Australia/Lord_Howe")])
MOMENTS = st.builds(
    lambda moment, zone: moment.replace(tzinfo=UTC).astimezone(zone),
    st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)),
    ZONES,
)
INTERVALS = st.builds(
    lambda months, days, minutes: IsoDuration(months, days, minutes * 60),
    st.integers(0, 30),
    st.integers(0, 90),
    st.integers(1, 3000),
)
CRONS = st.sampled_from(
    ["0 * * * *", "*/7 1-4 * * *", "30 2 * * *", "15 0 2 * * SUN", "0 0 31 * *", "@weekly"]
)


@given(MOMENTS, INTERVALS, st.integers(0, 40))
def test_the_kth_occurrence_is_counted_from_the_start(start: datetime, interval: IsoDuration, k: int) -> None:
    """However long a cycle runs, and whenever it is asked."""
    cycle = parse_cycle(f"R/{start.isoformat()}/{interval}")
    fixed = parse_timer_date(start.isoformat())
    due = interval.after(fixed, k)
    following = cycle.next(due)
    assert following is not None
    assert following == interval.after(fixed, k + 1)
    assert cycle.first(due) == due
    assert cycle.first(due - timedelta(seconds=1)) == due


@given(MOMENTS, INTERVALS)
def test_text_round_trip(start: datetime, interval: IsoDuration) -> None:
    """A cycle that is written down goes on as it was, zone included."""
    cycle = parse_cycle(f"R7/{interval}").anchored(start.replace(fold=0))
    again = parse_cycle(str(cycle))
    assert str(again) == str(cycle)
    assert again.next(start) == cycle.next(start)


@given(MOMENTS, CRONS)
def test_cron_moves_on(moment: datetime, text: str) -> None:
    """Every occurrence is later than the one before, and nothing scheduled lies between."""
    cycle = parse_cycle(text)
    due = cycle.first(moment)
    assert due.astimezone(UTC) > moment.astimezone(UTC)
    following = cycle.next(due)
    assert following is not None
    assert following.astimezone(UTC) > due.astimezone(UTC)
    between = due.astimezone(UTC) + (following.astimezone(UTC) - due.astimezone(UTC)) / 2
    assert cycle.first(between.astimezone(moment.tzinfo)) == following
