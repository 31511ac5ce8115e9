"""What a process owner changes in a diagram or a table changes the behaviour; no Python is touched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from flowkit.testing.player import Player, ScriptFailed
from flowkit.testing.script import Script, parse_script

from .conftest import PROCESSES

Play = Callable[..., Player]


def changed(file: str, old: str, new: str) -> dict[str, bytes]:
    """The file with one text replaced, as somebody would in the modeler; the text occurs once."""
    text = (PROCESSES / file).read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times in {file}"
    return {file: text.replace(old, new).encode()}


def scenario(name: str, *, steps: int | None = None, add: Any = (), expect: Any = None) -> Script:
    """A shipped scenario, cut after ``steps`` steps, with steps and expectations of its own."""
    content = yaml.safe_load((PROCESSES / f"{name}.yaml").read_text(encoding="utf-8"))
    if steps is not None:
        content["steps"] = content["steps"][:steps]
    content["steps"] += list(add)
    if expect is not None:
        content["expect"] = expect
    return parse_script(yaml.safe_dump(content, allow_unicode=True).encode())


def passes_only(play: Play, script: Script, change: dict[str, bytes]) -> None:
    """The script holds with the change, and does not without it."""
    play(script, change)
    with pytest.raises(ScriptFailed):
        play(script)


def test_a_dispute_window_of_7_days(play: Play) -> None:
    script = scenario(
        "scenarios/ecommerce_return/window_14d23h59m",
        steps=1,
        expect={"ended": True, "passed": ["逾期不受理"]},
    )
    change = changed("ecommerce_return.bpmn", "get or else(dispute_days, 15)", "get or else(dispute_days, 7)")
    passes_only(play, script, change)


def test_a_second_approver_is_a_row_in_the_table(play: Play) -> None:
    script = scenario(
        "scenarios/compensation/customer_refuses",
        steps=3,
        expect={"open": ["审批赔付"], "not_passed": ["等待客户签署"]},
    )
    change = changed("decisions/compensation_levels.dmn", "<text>1000</text>", "<text>300</text>")
    passes_only(play, script, change)


def test_a_notice_by_another_channel(play: Play) -> None:
    script = scenario(
        "scenarios/ecommerce_return/in_trade_agreed_return",
        steps=1,
        expect={"notices": [{"template": "talk_to_seller", "channel": "企业微信"}]},
    )
    file = "ecommerce_return.bpmn"
    text = (PROCESSES / file).read_text(encoding="utf-8")
    at = text.index('id="Task_ContactSeller"')
    channel = 'key="channel" value="旺旺"'
    change = {file: (text[:at] + text[at:].replace(channel, 'key="channel" value="企业微信"', 1)).encode()}
    passes_only(play, script, change)


def test_large_jobs_delivered_at_half_past_five(play: Play) -> None:
    script = scenario("scenarios/auto_4s/rework_everywhere")
    steps = [step for step in script.steps if getattr(step, "task", "") != "Task_AgreeDelivery"]
    at_peak = next(
        step
        for step in script.steps
        if getattr(step, "task", "") == "Task_AgreeDelivery" and "T17:30" in step.set["delivery_at"]  # type: ignore[union-attr]  # a task step
    )
    place = next(i for i, step in enumerate(steps) if getattr(step, "task", "") == "Task_InspectWithCustomer")
    script = script.model_copy(update={"steps": [*steps[:place], at_peak, *steps[place:]]})
    change = changed(
        "decisions/delivery_slot.dmn",
        ',[time("17:00:00")..time("18:30:00")]',
        ',[time("18:00:00")..time("18:30:00")]',
    )
    passes_only(play, script, change)


def test_the_maker_has_48_hours_to_reply(play: Play) -> None:
    script = scenario("scenarios/auto_4s/maker_silent", steps=7, add=[{"wait": "PT48H"}])
    script = script.model_copy(
        update={
            "expect": script.expect.model_copy(
                update={"ended": None, "passed": [], "open": ["询问客户是否自费"]}
            )
        }
    )
    change = changed(
        "auto_4s.bpmn",
        "get or else(maker_timeout, &quot;PT72H&quot;)",
        "get or else(maker_timeout, &quot;PT48H&quot;)",
    )
    passes_only(play, script, change)


def test_leaving_an_hour_early(play: Play) -> None:
    script = scenario(
        "scenarios/onsite_repair/install_done",
        steps=6,
        add=[{"until": "2025-03-03T13:10:00+08:00"}],
        expect={"passed": ["出发"]},
    )
    change = changed("onsite_repair.bpmn", "get or else(lead_minutes, 30)", "get or else(lead_minutes, 60)")
    passes_only(play, script, change)


def test_unsolved_after_a_single_cycle(play: Play) -> None:
    script = scenario("scenarios/complaint/three_cycles_policy")
    first = next(
        i for i, step in enumerate(script.steps) if getattr(step, "task", "") == "Task_AskSatisfaction"
    )
    script = scenario(
        "scenarios/complaint/three_cycles_policy", steps=first + 1, expect={"open": ["按售后政策处理并解释"]}
    )
    change = changed("complaint.bpmn", "get or else(max_cycles, 3)", "get or else(max_cycles, 1)")
    passes_only(play, script, change)


@pytest.mark.parametrize(
    ("name", "steps", "add", "expect", "file", "old", "new"),
    [
        (
            "vehicle_reception/old_customer", 0, [{"wait": "PT61S"}], {"not_passed": ["提醒服务主管"]},
            "vehicle_reception.bpmn", "get or else(greeting_limit, &quot;PT1M&quot;)",
            "get or else(greeting_limit, &quot;PT2M&quot;)",
        ),
        (
            "extra_work/safety_refused_unreachable", 1, [{"wait": "PT1H"}], {"ended": True},
            "extra_work.bpmn", "get or else(reply_limit, &quot;PT2H&quot;)",
            "get or else(reply_limit, &quot;PT1H&quot;)",
        ),
        (
            "parts_procurement/arrives", 1, [{"until": "2025-03-15T10:00:00+08:00"}],
            {"passed": ["无法采购"]},
            "parts_procurement.bpmn", "get or else(arrival_grace_days, 30)",
            "get or else(arrival_grace_days, 10)",
        ),
        (
            "post_repair_followup/three_days_late", 0, [{"until": "2025-03-05T09:00:00+08:00"}],
            {"passed": ["报告经理"]},
            "post_repair_followup.bpmn", "get or else(contact_limit, &quot;P3D&quot;)",
            "get or else(contact_limit, &quot;P2D&quot;)",
        ),
        (
            "archive_check/complete", 1, [], {"open": ["决定是否先放行"]},
            "decisions/document_requirements.dmn", '["客户","服务顾问","主修人"]',
            '["客户","服务顾问","主修人","质检员"]',
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and "/" in value else "",
)  # fmt: skip
def test_the_called_processes_change_likewise(
    play: Play, name: str, steps: int, add: Any, expect: Any, file: str, old: str, new: str
) -> None:
    script = scenario(f"scenarios/{name}", steps=steps, add=add, expect=expect)
    passes_only(play, script, changed(file, old, new))
