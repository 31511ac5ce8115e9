"""Deadlines and slots on a working calendar."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime

import pytest

from flowkit.cli.inputs import open_engine
from flowkit.errors import InvalidPayload
from flowkit.feel import compile_expression
from flowkit.feel.calendar import calendar_functions
from flowkit.tasks import BpmnError, TaskContext
from flowkit.tasks.library import deadlines, standard_tasks
from flowkit.tasks.library.deadlines import default_calendars
from tests.engine.diagrams import row, user

NOW = datetime(2025, 9, 30, 2, 0, tzinfo=UTC)  # Tuesday 10:00 in Shanghai, the day before the holidays


@pytest.fixture
def call():
    registry = standard_tasks().registry
    jobs = iter(range(1000))

    def run(job_type: str, headers: dict[str, str] | None = None, **variables: object):
        context = TaskContext(
            instance_id="1", job_id=f"1:{next(jobs)}", job_type=job_type, headers=headers or {}, now=NOW
        )
        return registry.get(job_type).call(context, variables)

    return run


@pytest.mark.parametrize(
    ("variables", "deadline"),
    [
        ({"duration": "PT2H"}, "2025-09-30T12:00:00+08:00"),
        ({"duration": "P1D", "start": "2025-03-01T09:00:00+08:00"}, "2025-03-02T09:00:00+08:00"),
        ({"duration": "P1D", "start": "2025-03-01T09:00:00"}, "2025-03-02T09:00:00+08:00"),
        ({"working_days": 1}, "2025-10-09T10:00:00+08:00"),
        ({"working_days": 3, "at": "18:00"}, "2025-10-11T18:00:00+08:00"),
        ({"working_days": 0, "at": "18:00"}, "2025-09-30T18:00:00+08:00"),
        ({"working_days": -1, "start": "2025-10-09T09:00:00+08:00"}, "2025-09-30T09:00:00+08:00"),
    ],
)
def test_deadlines_count_chinas_holidays_and_make_up_workdays(call, variables, deadline):
    assert call("deadline.compute", **variables) == {"deadline": deadline}


def test_another_calendar_may_be_named(call):
    found = call("deadline.compute", {"calendar": "周一至周五"}, working_days=1)
    assert found == {"deadline": "2025-10-01T10:00:00+08:00"}
    with pytest.raises(InvalidPayload, match="found '月球'"):
        call("deadline.compute", {"calendar": "月球"}, working_days=1)


@pytest.mark.parametrize("variables", [{}, {"duration": "PT1H", "working_days": 1}, {"working_days": 10_000}])
def test_deadlines_need_exactly_one_length(call, variables):
    with pytest.raises(InvalidPayload):
        call("deadline.compute", **variables)


def test_years_without_a_table_count_weekdays_and_say_so(call, caplog):
    with caplog.at_level(logging.WARNING):
        found = call("deadline.compute", start="2091-01-01T09:00:00", working_days=1)
    assert found == {"deadline": "2091-01-02T09:00:00+08:00"}
    assert "中国 has no holidays of 2091" in caplog.text


def test_free_slots_skip_what_is_booked_past_and_closed(call):
    first = call("slots.query", count=2)["slots"]
    assert first == ["2025-09-30T10:00:00+08:00", "2025-09-30T11:00:00+08:00"]
    assert call("slots.book", slot=first[0]) == {"booking": "YY-20250930-0001"}
    assert call("slots.query", count=1)["slots"] == ["2025-09-30T11:00:00+08:00"]
    assert call("slots.query", {"resource": "技师"}, count=1)["slots"] == [first[0]]
    late = call("slots.query", count=8)["slots"]
    assert late[-1] == "2025-10-09T10:00:00+08:00"
    assert call("slots.query", date="2025-10-10", count=1)["slots"] == ["2025-10-10T09:00:00+08:00"]


def test_a_taken_slot_is_a_bpmn_error(call):
    call("slots.book", slot="2025-09-30T10:00:00+08:00", duration_minutes=90)
    with pytest.raises(BpmnError) as caught:
        call("slots.book", slot="2025-09-30T11:00:00+08:00")
    assert caught.value.code == "SLOT_TAKEN"
    assert call("slots.book", slot="2025-09-30T11:30:00+08:00")["booking"] == "YY-20250930-0002"


def test_holidays_are_missed_once_and_only_where_they_count(caplog, monkeypatch):
    """Without the extra, a program that uses no working calendar of China hears nothing about it."""
    monkeypatch.setitem(sys.modules, "chinese_calendar.constants", None)
    deadlines._complain.cache_clear()
    deadlines._china.cache_clear()
    try:
        with caplog.at_level(logging.WARNING):
            with open_engine("memory:") as engine:
                engine.deploy({"p.bpmn": row("p", user("u"))})
                engine.start("p")
            calendars = default_calendars()
            functions = calendar_functions(calendars)
            for name, worked in (("周一至周五", True), ("月球", None)):
                asked = compile_expression(f'is working day(@"2025-10-01", "{name}")', functions=functions)
                assert asked.evaluate({}) is worked
            assert list(calendars) == ["中国", "周一至周五"]
            assert not caplog.records
            for _ in range(2):
                assert default_calendars()["中国"].holidays == frozenset()
    finally:
        deadlines._china.cache_clear()
    assert [record.message.count("flowkit[calendar]") for record in caplog.records] == [1]
