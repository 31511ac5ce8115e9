"""Deadlines in elapsed time or working days, and free slots of a schedule."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field

from flowkit.errors import InvalidPayload
from flowkit.feel.calendar import WorkingCalendar, add_working_days
from flowkit.tasks.books import Books, Page, once
from flowkit.tasks.calendars import china_calendar
from flowkit.tasks.context import TaskContext
from flowkit.tasks.library.numbering import next_number
from flowkit.tasks.outcomes import BpmnError
from flowkit.tasks.registry import Header, task

__all__ = ["DeadlineHandlers", "SlotHandlers", "default_calendars"]

MAX_WORKING_DAYS = 2_000
MAX_DAYS_AHEAD = 366
MIN_YEAR, MAX_YEAR = 1900, 9998

log = logging.getLogger("flowkit.tasks")


@cache
def _complain(text: str) -> None:
    """Say it once."""
    log.warning("%s; Monday to Friday count as working days", text)


def default_calendars() -> Mapping[str, WorkingCalendar]:
    """The calendars that a task header may name; the first is the default.

    Without the extra ``calendar``, 中国 knows no holidays; a warning is logged when it is first used.
    """
    return _Defaults()


class _Defaults(Mapping[str, WorkingCalendar]):
    """A calendar is made when it is first asked for: most programs never do."""

    def __getitem__(self, name: str) -> WorkingCalendar:
        return _DEFAULTS[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(_DEFAULTS)

    def __len__(self) -> int:
        return len(_DEFAULTS)

    def __contains__(self, name: object) -> bool:
        return name in _DEFAULTS


@cache
def _weekdays() -> WorkingCalendar:
    return WorkingCalendar("周一至周五", ZoneInfo("Asia/Shanghai"))


@cache
def _china() -> WorkingCalendar:
    try:
        return china_calendar("中国")
    except ImportError:
        _complain("China's holidays need the extra flowkit[calendar]")
        return replace(_weekdays(), name="中国")


_DEFAULTS = {"中国": _china, "周一至周五": _weekdays}


def _calendar(ctx: TaskContext, calendars: Mapping[str, WorkingCalendar]) -> WorkingCalendar:
    wanted = ctx.headers.get("calendar") or next(iter(calendars))
    found = calendars.get(wanted)
    if found is None:
        text = f"expected one of the calendars {', '.join(calendars)}, found {wanted!r}"
        raise InvalidPayload(f"{ctx.job_type}: {text}", [("/calendar", text)])
    return found


def _check_year(calendar: WorkingCalendar, day: date) -> None:
    """A year's holidays are published late in the year before; until then there are none in the table."""
    if calendar.holidays and day.year > max(calendar.holidays).year:
        _complain(f"the calendar {calendar.name} has no holidays of {day.year}")


class DeadlineHandlers:
    """The job type ``deadline.compute``."""

    def __init__(self, calendars: Mapping[str, WorkingCalendar], zone: tzinfo) -> None:
        self._calendars, self._zone = calendars, zone

    @task("deadline.compute", title="计算时限", headers=[Header("calendar", "工作日历")])
    def compute(
        self,
        ctx: TaskContext,
        start: datetime | None = None,
        duration: timedelta | None = None,
        working_days: Annotated[int | None, Field(ge=-MAX_WORKING_DAYS, le=MAX_WORKING_DAYS)] = None,
        at: time | None = None,
    ) -> dict[str, datetime]:
        """Add an elapsed duration or a number of working days to a start (default: now).

        ``at`` sets the time of day of the result; the header ``calendar`` names the calendar.
        """
        if (duration is None) == (working_days is None):
            text = "expected exactly one of duration and working_days"
            raise InvalidPayload(f"deadline.compute: {text}", [("/duration", text)])
        begin = ctx.now if start is None else start
        if begin.tzinfo is None:
            begin = begin.replace(tzinfo=self._zone)
        try:
            return {"deadline": self._end(ctx, begin.astimezone(self._zone), duration, working_days, at)}
        except OverflowError:
            text = "expected a deadline in the years 1 to 9999"
            raise InvalidPayload(f"deadline.compute: {text}", [("/start", text)]) from None

    def _end(
        self,
        ctx: TaskContext,
        begin: datetime,
        duration: timedelta | None,
        working_days: int | None,
        at: time | None,
    ) -> datetime:
        if duration is not None:
            end = (begin.astimezone(UTC) + duration).astimezone(self._zone)
        else:
            calendar = _calendar(ctx, self._calendars)
            day = add_working_days(calendar, begin.date(), int(working_days or 0))
            _check_year(calendar, day)
            end = datetime.combine(day, begin.timetz())
        if at is not None:
            end = datetime.combine(end.date(), at.replace(tzinfo=self._zone))
        return end


class SlotHandlers:
    """The job types ``slots.query`` and ``slots.book``: a schedule (排班) of one resource in books.

    A resource serves one booking at a time, in the working hours of the calendar.
    """

    def __init__(self, books: Books, calendars: Mapping[str, WorkingCalendar], zone: tzinfo) -> None:
        self._books, self._calendars, self._zone = books, calendars, zone

    @task(
        "slots.query",
        title="查询排班",
        headers=[Header("resource", "排班资源"), Header("calendar", "工作日历")],
    )
    def query(
        self,
        ctx: TaskContext,
        date: date | None = None,
        count: Annotated[int, Field(ge=1, le=100)] = 3,
        duration_minutes: Annotated[int, Field(ge=5, le=540)] = 60,
    ) -> dict[str, list[datetime]]:
        """Give the next free slots, from now or from the morning of a date; the header ``resource``
        names whose schedule it is."""
        now = ctx.now.astimezone(self._zone)
        begin = now if date is None else max(now, datetime.combine(date, time(0), self._zone))
        calendar = _calendar(ctx, self._calendars)
        length = timedelta(minutes=duration_minutes)
        with self._books.transaction() as page:
            taken = _taken(page, _resource(ctx))
        found: list[datetime] = []
        for days in range(MAX_DAYS_AHEAD):
            day = begin.date() + timedelta(days=days)
            for slot in _grid(calendar, day, length):
                if slot >= begin and all(slot + length <= since or slot >= until for since, until in taken):
                    found.append(slot.astimezone(self._zone))
                    if len(found) == count:
                        return {"slots": found}
        return {"slots": found}

    @task("slots.book", title="预约时段", headers=[Header("resource", "排班资源")])
    def book(
        self, ctx: TaskContext, slot: datetime, duration_minutes: Annotated[int, Field(ge=5, le=540)] = 60
    ) -> dict[str, str]:
        """Book a slot; throws the BPMN error SLOT_TAKEN where it is booked already."""
        begin = slot if slot.tzinfo is not None else slot.replace(tzinfo=self._zone)
        if not MIN_YEAR <= begin.year <= MAX_YEAR:
            text = f"expected a time in the years {MIN_YEAR} to {MAX_YEAR}, found {begin.isoformat()}"
            raise InvalidPayload(f"slots.book: {text}", [("/slot", text)])
        end = begin + timedelta(minutes=duration_minutes)
        resource = _resource(ctx)

        def write(page: Page) -> dict[str, Any]:
            if any(begin < until and since < end for since, until in _taken(page, resource)):
                raise BpmnError("SLOT_TAKEN", f"{resource} {begin:%Y-%m-%d %H:%M} 已被预约")
            number = next_number(page, "YY", ctx.now, self._zone)
            entry = {"from": begin.isoformat(), "to": end.isoformat(), "business_key": ctx.business_key}
            page.put(f"booking:{resource}", number, entry)
            return {"booking": number}

        return once(self._books, ctx, write)


def _grid(calendar: WorkingCalendar, day: date, length: timedelta) -> Iterator[datetime]:
    """The slots of a day, one after the other from the beginning of each span of work."""
    for opens, closes in calendar.spans(day):
        slot = opens
        while slot + length <= closes:
            yield slot
            slot += length


def _resource(ctx: TaskContext) -> str:
    return ctx.headers.get("resource", "工位")


def _taken(page: Page, resource: str) -> list[tuple[datetime, datetime]]:
    entries = [entry for _, entry in page.items(f"booking:{resource}")]
    return [(datetime.fromisoformat(it["from"]), datetime.fromisoformat(it["to"])) for it in entries]
