"""Runs of the shipped processes go the same way on SpiffWorkflow, up to what it lacks."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from flowkit.adapters.spiff_trail import TrailComparison, compare_trail
from flowkit.bpmn import parse
from flowkit.engine import Engine, VirtualClock
from flowkit.engine.files import collect
from flowkit.errors import NotFound
from flowkit.kernel import protocol as p
from flowkit.tasks.library.standard import standard_tasks
from flowkit.testing.player import Player
from flowkit.testing.script import read_script
from tests.kernel.diagrams import end, process, start, user

PROCESSES = Path(__file__).parents[2] / "processes"

Change = Callable[[list[p.Event]], list[p.Event]]


@cache
def run(script: str, process_id: str) -> tuple[p.Event, ...]:
    """The events of the first instance of the process in the played script."""
    plan = read_script(PROCESSES / f"{script}.yaml")
    ready = standard_tasks(templates=PROCESSES / "templates")
    with Engine(tasks=ready.registry, clock=VirtualClock(plan.now)) as engine:
        engine.deploy(collect((PROCESSES,)))
        Player(engine, plan, handlers=ready).play()
        (found, *_) = [one.id for one in engine.instances() if one.process_id == process_id]
        return tuple(entry.event for entry in engine.history(found))


def compare(
    script: str, process_id: str, change: Change = lambda events: events, old: str = "", new: str = ""
) -> TrailComparison:
    """The run beside the diagram, either of them changed."""
    text = (PROCESSES / f"{process_id}.bpmn").read_text(encoding="utf-8")
    assert not old or text.count(old) == 1
    definitions = parse(text.replace(old, new).encode() if old else text.encode(), file=f"{process_id}.bpmn")
    return compare_trail(definitions, process_id, change(list(run(script, process_id))))


@pytest.mark.parametrize(
    ("name", "steps"), [("auto_4s", 40), ("ecommerce_return", 12), ("onsite_repair", 30), ("complaint", 25)]
)
def test_the_main_line_of_each_process_is_the_same(name: str, steps: int) -> None:
    compared = compare(f"scripts/{name}", name)
    assert compared.same, compared.summary
    assert compared.compared == compared.steps >= steps


@pytest.mark.parametrize(
    "called", ["vehicle_reception", "extra_work", "archive_check", "post_repair_followup"]
)
def test_what_the_main_line_calls_is_the_same(called: str) -> None:
    compared = compare("scripts/auto_4s", called)
    assert compared.same, compared.summary
    assert compared.steps


@pytest.mark.parametrize(
    ("script", "name", "rule", "element"),
    [
        ("auto_4s/missing_parts_waited_cancel", "auto_4s", "spiff-event-subprocess", "Sub_Cancelled"),
        ("compensation/small_paid", "compensation", "spiff-compensation", "Event_Reverse"),
        (
            "appointment/late_answer_long_talk_no_show_moved",
            "appointment",
            "spiff-escalation",
            "Boundary_Complains",
        ),
        ("extra_work/safety_refused_unreachable", "extra_work", "spiff-repeats", "Boundary_Redial"),
    ],
)
def test_a_run_is_compared_up_to_what_is_lacking(script: str, name: str, rule: str, element: str) -> None:
    compared = compare(f"scenarios/{script}", name)
    assert compared.obstacle is not None
    assert (compared.obstacle.rule, compared.obstacle.element_id) == (rule, element)
    assert compared.obstacle.location.line
    assert not compared.difference
    assert 0 < compared.compared < compared.steps


def test_work_that_flowkit_skipped_is_a_difference() -> None:
    def forget(events: list[p.Event]) -> list[p.Event]:
        return [
            it for it in events if not (isinstance(it, p.ElementCompleted) and it.node == "Task_Dispatch")
        ]

    compared = compare("scripts/auto_4s", "auto_4s", forget)
    assert not compared.same
    assert compared.difference.endswith("SpiffWorkflow waits for Task_Dispatch")


def test_work_that_flowkit_did_once_more_is_a_difference() -> None:
    def repeat(events: list[p.Event]) -> list[p.Event]:
        last = next(it for it in events if isinstance(it, p.ElementCompleted) and it.node == "End_FollowedUp")
        return [*events, last]

    compared = compare("scripts/auto_4s", "auto_4s", repeat)
    assert "'车辆交付并完成回访' (End_FollowedUp) is done 2 times in flowkit, 1 times" in compared.difference


def test_a_diagram_that_leads_elsewhere_is_a_difference() -> None:
    old = 'sourceRef="Task_Handover" targetRef="Task_Dispatch"'
    new = 'sourceRef="Task_Handover" targetRef="End_Assigned"'
    compared = compare("scripts/auto_4s", "auto_4s", old=old, new=new)
    assert "flowkit goes on at '派工' (Task_Dispatch)" in compared.difference


def test_a_file_that_spiff_refuses_is_not_led_at_all() -> None:
    definitions = parse(process(start(), user("a"), user("b"), end(), flows="s > a; a > b; a > e; b > e"))
    compared = compare_trail(definitions, "P", ())
    assert compared.obstacle is not None
    assert compared.obstacle.rule == "spiff-several-flows"
    assert compared.compared == 0


def test_an_unknown_process_is_rejected() -> None:
    with pytest.raises(NotFound, match="nope"):
        compare_trail(parse(process(start(), end(), flows="s > e")), "nope", ())


@pytest.mark.nightly
@pytest.mark.parametrize(
    "script",
    sorted((PROCESSES / "scenarios").glob("*/*.yaml")),
    ids=lambda path: f"{path.parent.name}/{path.stem}",
)
def test_every_scenario_is_the_same_up_to_what_is_lacking(script: Path) -> None:
    name = script.parent.name
    if (PROCESSES / f"{name}.bpmn").is_file():
        compared = compare(f"scenarios/{name}/{script.stem}", name)
        assert not compared.difference, compared.summary
