"""Deadlines in elapsed time or working days, and free slots of a schedule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Annotated, Any

from pydantic import Field

from flowkit.errors import InvalidPayload
from flowkit.tasks.books import Books, Page, once
from flowkit.tasks.context import TaskContext
from flowkit.tasks.library.numbering import next_number
from flowkit.tasks.outcomes import BpmnError
from flowkit.tasks.registry import task

__all__ = ["DeadlineHandlers", "IsWorkingDay", "SlotHandlers", "weekdays"]

IsWorkingDay = Callable[[date], bool]
"""Whether people work on a day."""

MAX_WORKING_DAYS = 2_000
MAX_DAYS_AHEAD = 366
OPENS, CLOSES = time(9), time(18)


def weekdays(day: date) -> bool:
    """Monday to Friday, whatever the holidays."""
    return day.weekday() < 5


def _add_working_days(day: date, count: int, works: IsWorkingDay) -> date:
    """The ``count``-th working day after ``day``; before it for a negative count."""
    step = timedelta(days=1 if count >= 0 else -1)
    left, tried = abs(count), 0
    while left:
        day += step
        left -= works(day)
        tried += 1
        if tried > MAX_WORKING_DAYS * 4:
            raise InvalidPayload("the calendar has no working days", [("/calendar", "no working days")])
    return day


def _calendar(ctx: TaskContext, calendars: Mapping[str, IsWorkingDay], name: str | None) -> IsWorkingDay:
    wanted = name or ctx.headers.get("calendar") or next(iter(calendars))
    found = calendars.get(wanted)
    if found is None:
        text = f"expected one of the calendars {', '.join(calendars)}, found {wanted!r}"
        raise InvalidPayload(f"{ctx.job_type}: {text}", [("/calendar", text)])
    return found


class DeadlineHandlers:
    """The job type ``deadline.compute``."""

    def __init__(self, calendars: Mapping[str, IsWorkingDay], zone: tzinfo) -> None:
        self._calendars, self._zone = calendars, zone

    @task("deadline.compute", title="计算时限")
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
        begin = begin.astimezone(self._zone)
        if duration is not None:
            end = (begin.astimezone(UTC) + duration).astimezone(self._zone)
        else:
            works = _calendar(ctx, self._calendars, None)
            day = _add_working_days(begin.date(), int(working_days or 0), works)
            end = datetime.combine(day, begin.timetz())
        if at is not None:
            end = datetime.combine(end.date(), at.replace(tzinfo=self._zone))
        return {"deadline": end}


class SlotHandlers:
    """The job types ``slots.query`` and ``slots.book``: a schedule (排班) of one resource in books.

    A resource serves one booking at a time, in working hours from 9 to 18 on working days.
    """

    def __init__(self, books: Books, calendars: Mapping[str, IsWorkingDay], zone: tzinfo) -> None:
        self._books, self._calendars, self._zone = books, calendars, zone

    @task("slots.query", title="查询排班")
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
        begin = now if date is None else max(now, datetime.combine(date, OPENS, self._zone))
        works = _calendar(ctx, self._calendars, None)
        length = timedelta(minutes=duration_minutes)
        with self._books.transaction() as page:
            taken = _taken(page, _resource(ctx))
        found: list[datetime] = []
        for days in range(MAX_DAYS_AHEAD):
            day = begin.date() + timedelta(days=days)
            slot = datetime.combine(day, OPENS, self._zone)
            while works(day) and slot + length <= datetime.combine(day, CLOSES, self._zone):
                if slot >= begin and all(slot + length <= start or slot >= end for start, end in taken):
                    found.append(slot)
                    if len(found) == count:
                        return {"slots": found}
                slot += length
        return {"slots": found}

    @task("slots.book", title="预约时段")
    def book(
        self, ctx: TaskContext, slot: datetime, duration_minutes: Annotated[int, Field(ge=5, le=540)] = 60
    ) -> dict[str, str]:
        """Book a slot; throws the BPMN error SLOT_TAKEN where it is booked already."""
        begin = slot if slot.tzinfo is not None else slot.replace(tzinfo=self._zone)
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


def _resource(ctx: TaskContext) -> str:
    return ctx.headers.get("resource", "工位")


def _taken(page: Page, resource: str) -> list[tuple[datetime, datetime]]:
    entries = [entry for _, entry in page.items(f"booking:{resource}")]
    return [(datetime.fromisoformat(it["from"]), datetime.fromisoformat(it["to"])) for it in entries]
