"""Ad-hoc subprocesses that collect outputs: each activity has a scope of its own (BPMN 2.0.2, 13.3.5)."""

from __future__ import annotations

from typing import Any

import pytest

from flowkit.kernel import migrate, step
from flowkit.kernel import protocol as p
from flowkit.kernel.state import Job
from tests.kernel.diagrams import (
    NOW,
    Run,
    boundary,
    compensate,
    compiled,
    done_when,
    error,
    event_sub,
    job,
    log,
    many,
    mapping,
    script,
    start,
    sub,
    throw,
)
from tests.kernel.test_activities import undo


def collecting(ordering: str = "Parallel", completion: str = "", **options: Any) -> Any:
    """Each activity gives ``r``; ``b`` and the script behind it are one of them."""
    ext = '<zeebe:adHoc outputCollection="all" outputElement="=[r, hint]"/>'
    done = done_when(completion) if completion else ""
    result = mapping(outputs={"r": "r"})
    return compiled(
        start(),
        sub("u", job("a", extensions=result), job("b", extensions=result), script("c", "r * 10", "r"), done,
            flows="b > c", tag="adHocSubProcess", ordering=ordering,
            extensions=ext + options.pop("extensions", ""), **options),
        log("z"),
        flows="s > u; u > z",
    )  # fmt: skip


def _ad_hoc_scope(run: Run) -> int:
    return next(s.key for s in run.instance.scopes.values() if (s.node, s.kind) == ("u", "subprocess"))


@pytest.mark.parametrize(("ordering", "order"), [("Parallel", "ba"), ("Sequential", "ab")])
def test_ad_hoc_collects_what_each_activity_gives_when_it_is_over(ordering: str, order: str) -> None:
    run = Run(collecting(ordering), r=0, hint="h")
    for node in order:
        run.complete(node, r=ord(node))
    given = {"a": [ord("a"), "h"], "b": [ord("b") * 10, "h"]}
    assert run.variables["all"] == [given[node] for node in order]
    assert [node for node in run.trail if node != "z"] == [
        "s",
        *(["b", "c", "a"] if order == "ba" else ["a", "b", "c"]),
        "u",
    ]
    assert run.log == ["z"]
    run.check_deterministic()


def test_ad_hoc_activities_that_collect_have_variables_of_their_own() -> None:
    program = collecting(completion="count(all) = 3", extensions="")
    run = Run(program, r=0, hint="h")
    scope = _ad_hoc_scope(run)
    run.do(p.ActivateActivities(scope, ("a",), {"r": 1, "hint": "local"}))
    run.complete("a", r=5)
    run.complete("a", r=6)
    assert run.instance.scopes[scope].variables["all"] == [[5, "h"], [6, "local"]]
    assert run.instance.scopes[1].variables["r"] == 5
    run.complete("b", r=7)
    assert run.variables["all"] == [[5, "h"], [6, "local"], [70, "h"]]


def test_ad_hoc_output_mapping_sees_the_collection_and_keeps_it_inside() -> None:
    run = Run(collecting(extensions=mapping(outputs={"first": "all[1][1]"})), r=0, hint="h")
    run.complete("a", r=4)
    run.complete("b", r=5)
    assert run.variables["first"] == 4
    assert "all" not in run.variables


def test_ad_hoc_that_collects_nothing_gives_an_empty_list() -> None:
    program = compiled(
        start(), sub("u", job("a"), tag="adHocSubProcess",
                     extensions='<zeebe:adHoc activeElementsCollection="=[]" outputCollection="all" outputElement="=1"/>'),
        flows="s > u",
    )  # fmt: skip
    assert Run(program).variables["all"] == []


def test_ad_hoc_completion_cancels_activities_that_are_collected_from() -> None:
    run = Run(collecting(completion="count(all) = 1"), r=0, hint="h")
    run.complete("a", r=1)
    assert run.variables["all"] == [[1, "h"]]
    assert [one.node for one in run.of(p.ElementTerminated)] == ["b"]
    assert run.status == "completed"


def test_an_output_that_fails_is_an_incident_and_is_tried_again() -> None:
    ext = '<zeebe:adHoc outputCollection="all" outputElement="=if a then x else y"/>'
    run = Run(compiled(start(), sub("u", job("a"), tag="adHocSubProcess", extensions=ext), flows="s > u"))
    run.complete("a")
    assert run.variables["all"] == [None]
    broken = '<zeebe:adHoc outputCollection="all" outputElement="=function(x) x"/>'
    run = Run(compiled(start(), sub("u", job("a"), tag="adHocSubProcess", extensions=broken), flows="s > u"))
    run.complete("a")
    assert run.incidents[0].node == "u"
    run.resolve()
    assert run.incidents
    run.do(p.Cancel())
    assert not run.instance.waits
    assert not run.instance.tokens


@pytest.mark.parametrize("ordering", ["Parallel", "Sequential"])
def test_errors_inside_an_activity_that_is_collected_from_are_caught_around_it(ordering: str) -> None:
    ext = '<zeebe:adHoc outputCollection="all" outputElement="=1"/>'
    program = compiled(
        start(), sub("u", job("a"), job("b"), tag="adHocSubProcess", ordering=ordering, extensions=ext),
        boundary("bd", "u", error("E1")), log("caught"), log("z"), flows="s > u; u > z; bd > caught",
    )  # fmt: skip
    run = Run(program)
    run.throw("a", "E1")
    assert run.log == ["caught"]
    assert run.status == "completed"
    inside = compiled(
        start(), sub("u", job("a"), event_sub("v", start("vs", error("E1"), isInterrupting=True), log("h"), flows="vs > h"),
                     tag="adHocSubProcess", ordering=ordering, extensions=ext),
        boundary("bd", "u", error("E1")), log("caught"), log("z"), flows="s > u; u > z; bd > caught",
    )  # fmt: skip
    run = Run(inside)
    run.throw("a", "E1")
    assert run.log == ["h", "z"]


@pytest.mark.parametrize("ordering", ["Parallel", "Sequential"])
def test_an_ad_hoc_subprocess_that_collects_is_compensated(ordering: str) -> None:
    ext = '<zeebe:adHoc outputCollection="all" outputElement="=1"/>'
    program = compiled(
        start(), sub("u", job("a"), undo("ua", "a"), tag="adHocSubProcess", ordering=ordering, extensions=ext),
        throw("t", compensate("u")), flows="s > u; u > t",
    )  # fmt: skip
    run = Run(program, n=3)
    run.complete("a")
    assert run.log == ["ua3"]


def test_a_many_times_ad_hoc_subprocess_collects_for_each_instance() -> None:
    ext = '<zeebe:adHoc outputCollection="all" outputElement="=r + item"/>'
    program = compiled(
        start(),
        sub("u", many("[100, 200]", output=("totals", "all")), job("a", extensions=mapping(outputs={"r": "r"})),
            tag="adHocSubProcess", extensions=ext),
        flows="s > u",
    )  # fmt: skip
    run = Run(program, r=0)
    run.complete("a", r=1)
    run.complete("a", r=2)
    assert run.variables["totals"] == [[101], [202]]


def test_modifying_an_ad_hoc_subprocess_starts_and_ends_activities_that_are_collected_from() -> None:
    run = Run(collecting(completion="count(all) = 2"), r=0, hint="h")
    run.do(p.Modify((p.StartAt("a"),)))
    assert run.at().count("a") == 2
    inner = next(t.key for t in run.instance.tokens.values() if t.node == "u" and t.key != 2)
    run.do(p.Modify((p.TerminateToken(inner),)))
    assert run.at().count("a") == 1
    run.complete("a", r=1)
    run.complete("b", r=1)
    assert len(run.variables["all"]) == 2
    assert run.status == "completed"


def test_an_ad_hoc_subprocess_that_collects_migrates_to_itself_and_to_a_new_version() -> None:
    old, new = collecting(), collecting(completion="count(all) = 2")
    run = Run(old, r=0, hint="h")
    assert migrate(old, old, run.instance, now=NOW) == []
    migrate(old, new, run.instance, now=NOW)
    run.program, run.events = new, []
    for node in "ab":
        wait = run.wait_at(node, Job)
        events = step(new, run.instance, p.CompleteJob(wait.key, {"r": 1}), now=NOW)
    assert isinstance(events[-1], p.InstanceEnded)
    assert len(events[-1].variables["all"]) == 2
