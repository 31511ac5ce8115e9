"""Ad-hoc subprocesses directed by the worker of a job (BPMN 2.0.2, 13.3.5; the protocol of Camunda 8)."""

from __future__ import annotations

from typing import Any

from flowkit.bpmn import parse
from flowkit.kernel import Program, migrate
from flowkit.kernel import protocol as p
from flowkit.kernel.state import Job
from flowkit.soundness import check_soundness
from tests.kernel.diagrams import (
    NOW,
    Run,
    boundary,
    compiled,
    error,
    job,
    log,
    mapping,
    process,
    script,
    start,
    sub,
    user,
)

DIRECTED = '<zeebe:taskDefinition type="advisor"/>'
COLLECTED = '<zeebe:adHoc outputCollection="all" outputElement="=r"/>'


def inside(extensions: str = DIRECTED, **options: Any) -> str:
    """Two jobs that give ``r``; ``b`` is followed by a script."""
    result = mapping(outputs={"r": "r"})
    return sub(
        "u", job("a", extensions=result), job("b", extensions=result), script("c", "r * 10", "r"),
        flows="b > c", tag="adHocSubProcess", extensions=extensions, **options,
    )  # fmt: skip


def directed(*more: str, extensions: str = DIRECTED, flows: str = "") -> Program:
    return compiled(start(), inside(extensions), log("z"), *more, flows=f"s > u; u > z{flows}")


def answer(run: Run, *chosen: Any, enough: bool = False, cancel: bool = False, **variables: Any) -> None:
    """What the worker says."""
    given = {"activateElements": list(chosen), "isCompletionConditionFulfilled": enough}
    run.complete("u", **given, isCancelRemainingInstances=cancel, **variables)


def test_the_worker_says_what_is_started_and_when_it_is_enough() -> None:
    run = Run(directed(extensions=DIRECTED + COLLECTED), r=0)
    [asked] = run.of(p.JobOpened)
    assert (asked.node, asked.type) == ("u", "advisor")
    assert [one["elementId"] for one in asked.variables["adHocSubProcessElements"]] == ["a", "b"]
    assert run.at() == ["u"]
    answer(run, "b", {"elementId": "a", "variables": {"r": 3}}, note="first")
    assert sorted(wait.node for wait in run.waits(Job)) == ["a", "b"]
    run.complete("b", r=2)
    assert [wait.node for wait in run.waits(Job)] == ["a", "u"]
    assert run.instance.inputs_of(run.wait_at("u", Job).key)["all"] == [20]
    run.complete("a", r=4)
    # The job that knew of one result only is replaced by one that knows of both.
    assert [one.reason for one in run.of(p.JobClosed)] == ["completed", "completed", "completed", "cancelled"]
    assert run.instance.inputs_of(run.wait_at("u", Job).key)["all"] == [20, 4]
    answer(run, enough=True)
    assert (run.log, run.variables["all"], run.status) == (["z"], [20, 4], "completed")
    assert "note" not in run.variables or run.variables["note"] == "first"
    run.check_deterministic()


def test_an_activity_may_be_started_again_and_again() -> None:
    run = Run(directed(), r=0)
    for _ in range(3):
        answer(run, "a")
        run.complete("a", r=1)
    answer(run, enough=True)
    assert run.trail.count("a") == 3
    assert run.status == "completed"


def test_enough_waits_for_what_runs_or_cancels_it() -> None:
    run = Run(directed(), r=0)
    answer(run, "a", "b", enough=True)
    assert run.at() == ["a", "b", "u", "u", "u"]
    run.complete("a", r=1)
    assert run.log == []
    run.complete("b", r=1)
    assert run.log == ["z"]
    run = Run(directed(), r=0)
    answer(run, "a", "b")
    run.complete("a", r=1)
    answer(run, enough=True, cancel=True)
    assert [one.node for one in run.of(p.ElementTerminated)] == ["b"]
    assert (run.log, run.status) == (["z"], "completed")


def test_a_worker_that_answers_nonsense_is_asked_again() -> None:
    for chosen in (["c"], [{"variables": {}}], [{"elementId": "a", "variables": 1}], []):
        run = Run(directed(), r=0)
        answer(run, *chosen)
        [incident] = run.incidents
        assert (incident.node, incident.kind) == ("u", "ad_hoc")
        assert run.at() == ["u"]
        run.resolve()
        answer(run, "a")
        assert run.wait_at("a", Job)
    run = Run(directed(), r=0)
    run.complete("u", activateElements=7)
    assert run.incidents[0].kind == "ad_hoc"


def test_the_workers_errors_and_retries_are_those_of_any_job() -> None:
    made = directed(boundary("bd", "u", error("E1")), log("caught"), flows="; bd > caught")
    run = Run(made, r=0)
    answer(run, "a")
    run.complete("a")
    run.throw("u", "E1")
    assert (run.log, run.status) == (["caught"], "completed")
    run = Run(made, r=0)
    run.do(p.FailJob(run.wait_at("u", Job).key, "down"))
    run.resolve()
    answer(run, enough=True)
    assert run.log == ["z"]


def test_others_may_start_and_end_activities_too() -> None:
    run = Run(directed(), r=0)
    scope = next(s.key for s in run.instance.scopes.values() if s.node == "u")
    run.do(p.ActivateActivities(scope, ("a",)))
    run.complete("a")
    assert len(run.waits(Job)) == 1
    run.do(p.CompleteAdHoc(scope))
    assert (run.log, run.instance.waits) == (["z"], {})


def test_an_incident_of_the_completion_condition_is_at_the_subprocess() -> None:
    """Also where the activity that ended has a scope of its own."""
    program = compiled(
        start(),
        sub("u", user("a"), user("b"), "<!--late--><bpmn:completionCondition>=done</bpmn:completionCondition><!--/late-->",
            tag="adHocSubProcess", extensions=COLLECTED),
        log("z"), flows="s > u; u > z",
    )  # fmt: skip
    run = Run(program, r=1)
    run.complete("a")
    [incident] = run.incidents
    assert incident.node == "u"
    run.set(done=True)
    run.resolve()
    assert run.log == ["z"]


def test_it_migrates_and_is_explored() -> None:
    program = directed()
    run = Run(program, r=0)
    answer(run, "a")
    assert migrate(program, program, run.instance, now=NOW) == []
    data = process(start(), inside(), "<bpmn:endEvent id='e'/>", flows="s > u; u > e")
    assert check_soundness(parse(data), "P").sound
