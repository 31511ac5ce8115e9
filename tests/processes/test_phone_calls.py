"""The channel 电话 of a settings file becomes a user task that a person completes with the outcome."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flowkit.engine import Engine, VirtualClock
from flowkit.tasks.library.standard import standard_tasks

from .conftest import PROCESSES

SETTINGS = """
default_channel: 短信
channels:
  短信: {type: memory}
  站内信: {type: memory}
  电话: {type: calls, role: 服务顾问}
"""


@pytest.mark.parametrize("outcome", ["已接通", "号码有误"])
def test_the_confirmation_by_telephone_is_a_task_of_the_advisor(tmp_path: Path, outcome: str) -> None:
    (tmp_path / "notify.yaml").write_text(SETTINGS, encoding="utf-8")
    ready = standard_tasks(settings=tmp_path / "notify.yaml", templates=PROCESSES / "templates")
    clock = VirtualClock(datetime(2025, 3, 3, 1, tzinfo=UTC))
    with Engine(tasks=ready.registry, clock=clock) as engine:
        engine.deploy(PROCESSES)
        customer = {"name": "王女士", "phone": "13800000000"}
        booked = {
            "appointment_no": "YY-1",
            "plate": "京A1",
            "customer": customer,
            "agreed_at": "2025-03-03T15:00:00+08:00",
        }
        engine.start("appointment_arrival", booked)
        engine.run_until_idle()
        engine.advance(timedelta(hours=5, minutes=30))
        [call] = engine.tasks(process="phone_call", group="服务顾问")
        told = engine.instance(call.instance_id).variables
        assert told["phone"] == "13800000000"
        assert "准时到店" in told["text"]
        engine.complete(call, {"call_outcome": outcome})
        engine.run_until_idle()
        assert engine.tasks(process="phone_call") == []
        with ready.books.transaction() as page:
            [(_, record)] = page.items("record:电话记录")
        assert (record["to"], record["outcome"]) == ("王女士", outcome)
