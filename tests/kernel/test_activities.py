"""Activities: variables, loops, calls, subprocesses, compensation (BPMN 2.0.2, 13.3 and 13.5)."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from flowkit.errors import InvalidModel, NotFound, Rejected, WrongState
from flowkit.kernel import protocol as p
from flowkit.kernel.state import Call, Job, Request, UserTask
from tests.kernel.diagrams import (
    CANCEL,
    Run,
    both,
    boundary,
    compensate,
    compiled,
    done_when,
    element,
    end,
    error,
    event_sub,
    expression,
    job,
    log,
    many,
    mapping,
    message,
    script,
    signal,
    start,
    sub,
    throw,
    timer,
    user,
    xor,
)

# ---- variables ------------------------------------------------------------------------------


def test_a_result_without_mapping_goes_to_the_process() -> None:
    run = Run(compiled(start(), job("a"), end(), flows="s > a; a > e"), x=1)
    run.complete("a", x=2, y=3)
    assert {"x": 2, "y": 3}.items() <= run.variables.items()


def test_with_an_output_mapping_only_what_is_mapped_leaves() -> None:
    run = Run(
        compiled(
            start(),
            job("a", extensions=mapping({"n": "x + 1"}, {"total": "result * n"})),
            end(),
            flows="s > a; a > e",
        ),
        x=1,
    )
    assert run.instance.inputs_of(run.waits(Job)[0].key)["n"] == 2
    run.complete("a", result=21)
    assert run.variables == {"log": [], "x": 1, "total": 42}


def test_a_result_goes_to_the_nearest_scope_that_owns_the_variable() -> None:
    program = compiled(
        start(),
        sub("u", start("us"), job("a"), flows="us > a", extensions=mapping({"x": "0"})),
        end(),
        flows="s > u; u > e",
    )
    run = Run(program, x=1)
    run.complete("a", x=5, y=6)
    assert run.variables == {"log": [], "x": 1, "y": 6}


def test_parallel_branches_share_their_scope() -> None:
    run = Run(compiled(start(), both("f"), log("a"), log("b"), log("c"), flows="s > f; f > a; f > b; f > c"))
    assert run.log == ["a", "b", "c"]


def test_a_mapping_into_a_context() -> None:
    run = Run(
        compiled(
            start(),
            script("a", "1", "r", extensions=mapping(outputs={"o.p": "r", "o.q": "2"})),
            flows="s > a",
        )
    )
    assert run.variables["o"] == {"p": 1, "q": 2}


def test_a_failing_input_opens_nothing_and_is_tried_again() -> None:
    program = compiled(
        start(), job("a", extensions=mapping({"n": "x + 1"})),
        boundary("b", "a", timer("Duration", "=wait")), end(), flows="s > a; a > e",
    )  # fmt: skip
    run = Run(program, x=1)
    assert run.incidents[0].kind == "timer"
    assert not run.waits(Job)
    run.set(wait="PT1H")
    run.resolve()
    assert len(run.waits(Job)) == 1
    run.complete("a")
    assert run.status == "completed"
    assert not run.instance.waits


# ---- kinds of work --------------------------------------------------------------------------


def test_plain_and_manual_tasks_pass() -> None:
    run = Run(compiled(start(), element("task", "a"), element("manualTask", "b"), flows="s > a; a > b"))
    assert run.trail == ["s", "a", "b"]


def test_a_service_task_without_a_type_is_refused() -> None:
    with pytest.raises(InvalidModel, match="does not say what it does"):
        compiled(start(), element("serviceTask", "a"), flows="s > a")


def test_job_type_and_retries_can_be_feel() -> None:
    ext = '<zeebe:taskDefinition type="=kind" retries="=n"/><zeebe:taskHeaders><zeebe:header key="k" value="v"/></zeebe:taskHeaders>'
    program = compiled(start(), element("serviceTask", "a", extensions=ext), flows="s > a")
    (opened,) = Run(program, kind="pack", n=5).of(p.JobOpened)
    assert (opened.type, opened.retries, opened.headers) == ("pack", 5, {"k": "v"})
    run = Run(program, kind=None, n=5)
    assert "job type" in run.incidents[0].message
    run.set(kind="pack")
    run.resolve()
    assert run.waits(Job)


def test_a_failed_job_is_open_again_and_ends_as_an_incident() -> None:
    run = Run(compiled(start(), job("a"), end(), flows="s > a; a > e"))
    key = run.waits(Job)[0].key
    run.do(p.FailJob(key, "no route", retries=2, retry_at=run.now))
    assert not run.incidents
    run.do(p.FailJob(key, "no route", retries=0, details="Traceback …"))
    (raised,) = run.of(p.IncidentRaised)
    assert (raised.kind, raised.message, raised.subject, raised.details) == (
        "job",
        "no route",
        key,
        "Traceback …",
    )
    run.resolve()
    assert run.waits(Job)[0].retries == 1
    run.complete("a")
    assert run.status == "completed"


def test_a_user_task_carries_who_when_and_what() -> None:
    ext = (
        '<zeebe:assignmentDefinition assignee="=boss" candidateGroups="a, b" candidateUsers="=people"/>'
        '<zeebe:taskSchedule dueDate="=due" followUpDate="2026-02-01T00:00:00Z"/>'
        '<zeebe:priorityDefinition priority="80"/><zeebe:formDefinition formId="f1"/>'
    )
    program = compiled(start(), user("a", extensions=ext), flows="s > a")
    (opened,) = Run(program, boss="li", people=["x", "y"], due="2026-01-31T09:00:00+08:00").of(
        p.UserTaskOpened
    )
    assert (opened.assignee, opened.candidate_groups, opened.candidate_users) == (
        "li",
        ("a", "b"),
        ("x", "y"),
    )
    assert opened.due.isoformat() == "2026-01-31T09:00:00+08:00"
    assert (opened.priority, opened.form) == (80, "f1")
    for wrong in ({"boss": 3}, {"people": 3}, {"due": "soon"}, {"due": 3}):
        values = {"boss": "li", "people": [], "due": None, **wrong}
        assert Run(program, **values).incidents


def test_a_user_task_belongs_to_its_lane() -> None:
    lanes = '<bpmn:laneSet id="L"><bpmn:lane id="L1" name="服务顾问"><bpmn:flowNodeRef>a</bpmn:flowNodeRef></bpmn:lane></bpmn:laneSet>'
    (opened,) = Run(compiled(lanes, start(), user("a"), flows="s > a")).of(p.UserTaskOpened)
    assert opened.candidate_groups == ("服务顾问",)


def test_a_user_task_can_be_reassigned() -> None:
    run = Run(compiled(start(), user("a"), flows="s > a"))
    key = run.waits(UserTask)[0].key
    run.do(p.UpdateUserTask(key, assignee="wang", user="li"))
    assert run.waits(UserTask)[0].assignee == "wang"
    run.do(p.UpdateUserTask(key, priority=90))
    assert (run.waits(UserTask)[0].assignee, run.waits(UserTask)[0].priority) == ("wang", 90)


def test_a_decision_is_asked_for_and_answered() -> None:
    ext = '<zeebe:calledDecision decisionId="D1" resultVariable="fee"/>'
    program = compiled(start(), element("businessRuleTask", "a", extensions=ext), end(), flows="s > a; a > e")
    run = Run(program)
    request = run.waits(Request)[0].key
    run.do(p.FailDecision(request, "no such decision"))
    assert run.incidents[0].kind == "decision"
    run.resolve()
    run.do(p.CompleteDecision(run.waits(Request)[0].key, 300, {"rules": [1]}))
    assert run.variables["fee"] == 300
    assert run.of(p.DecisionAnswered)[0].evaluation == {"rules": [1]}


def test_a_call_gives_and_takes_variables() -> None:
    program = compiled(
        start(), element("callActivity", "a", calledElement="other"), end(), flows="s > a; a > e"
    )
    run = Run(program, x=1)
    (opened,) = run.of(p.CallOpened)
    assert (opened.process, opened.variables) == ("other", {"log": [], "x": 1})
    run.do(p.CompleteCall(run.called("a").key, {"y": 2}))
    assert run.variables["y"] == 2


def test_a_call_with_mappings_gives_and_takes_only_those() -> None:
    ext = '<zeebe:calledElement processId="other" propagateAllChildVariables="false" propagateAllParentVariables="false"/>'
    program = compiled(
        start(),
        element("callActivity", "a", extensions=ext + mapping({"n": "x"}, {"m": "r"})),
        end(),
        flows="s > a; a > e",
    )
    run = Run(program, x=1)
    assert run.of(p.CallOpened)[0].variables == {"n": 1}
    run.do(p.CompleteCall(run.called("a").key, {"r": 7, "z": 8}))
    assert run.variables == {"log": [], "x": 1, "m": 7}


def test_errors_and_escalations_of_a_call_are_caught_on_it() -> None:
    program = compiled(
        start(), element("callActivity", "a", calledElement="other"), boundary("b", "a", error("E1")),
        boundary("c", "a", "<bpmn:escalationEventDefinition/>", cancel=False), log("x"), log("y"),
        flows="s > a; b > x; c > y",
    )  # fmt: skip
    run = Run(program)
    run.do(p.EscalationFromCall(run.called("a").key, "X1"))
    assert run.log == ["y"]
    run.do(p.ErrorFromCall(run.called("a").key, "E1", "bad"))
    assert run.log == ["y", "x"]
    assert run.status == "completed"


def test_a_call_that_can_not_start_is_an_incident() -> None:
    run = Run(
        compiled(start(), element("callActivity", "a", calledElement="other"), end(), flows="s > a; a > e")
    )
    run.do(p.FailCall(run.called("a").key, "no process 'other'"))
    assert run.incidents[0].kind == "call"
    run.resolve()
    run.do(p.CompleteCall(run.waits(Call)[0].key))
    assert run.status == "completed"


# ---- loops ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "limit", "runs"), [(False, 0, 1), (True, 0, 0), (False, 3, 3), (True, 3, 3)]
)
def test_standard_loop_tests_before_or_after(before: bool, limit: int, runs: int) -> None:
    loop = (
        f'<bpmn:standardLoopCharacteristics testBefore="{str(before).lower()}">'
        f"{expression('loopCondition', 'count(log) < limit')}</bpmn:standardLoopCharacteristics>"
    )
    assert (
        Run(compiled(start(), log("a", loop), end(), flows="s > a; a > e"), limit=limit).log == ["a"] * runs
    )


def test_standard_loop_has_a_maximum() -> None:
    loop = '<bpmn:standardLoopCharacteristics loopMaximum="4"/>'
    assert Run(compiled(start(), log("a", loop), end(), flows="s > a; a > e")).log == ["a"] * 4


@pytest.mark.parametrize("sequential", [True, False])
def test_multi_instance_collects_in_the_order_of_the_collection(sequential: bool) -> None:
    program = compiled(
        start(), job("a", inner=many("items", output=("out", "result"), sequential=sequential)), end(),
        flows="s > a; a > e",
    )  # fmt: skip
    run = Run(program, items=[3, 1, 2])
    assert len(run.waits(Job)) == (1 if sequential else 3)
    while run.waits(Job):
        last = run.waits(Job)[-1].key
        item = run.instance.inputs_of(last)["item"]
        run.do(p.CompleteJob(last, {"result": item * 10}))
    assert run.variables["out"] == [30, 10, 20]
    assert "result" not in run.variables
    run.check_deterministic()


@pytest.mark.parametrize("items", [[], None, 5])
def test_multi_instance_over_nothing_passes_and_over_no_list_is_an_incident(items: Any) -> None:
    program = compiled(
        start(), job("a", inner=many("items", output=("out", "r"))), end(), flows="s > a; a > e"
    )
    run = Run(program, items=items)
    if items == []:
        assert run.variables["out"] == []
        assert run.status == "completed"
    else:
        assert run.incidents[0].kind == "collection"


def test_multi_instance_by_cardinality_with_completion_condition() -> None:
    program = compiled(
        start(), job("a", inner=many(cardinality="n", completion="numberOfCompletedInstances >= 2")), end(),
        flows="s > a; a > e",
    )  # fmt: skip
    run = Run(program, n=5)
    run.complete("a")
    assert len(run.waits(Job)) == 4
    run.complete("a")
    assert run.status == "completed"
    assert not run.instance.waits
    assert Run(program, n=-1).incidents
    assert Run(program, n=10**9).incidents


def test_a_boundary_event_of_a_multi_instance_activity_ends_all_instances() -> None:
    program = compiled(
        start(), user("a", many("items")), boundary("b", "a", message("M")), log("x"), flows="s > a; b > x"
    )
    run = Run(program, items=[1, 2, 3])
    run.complete("a")
    run.deliver("b")
    assert run.log == ["x"]
    assert run.status == "completed"
    assert not run.instance.tokens


def test_an_error_in_one_instance_is_caught_on_the_whole_activity() -> None:
    program = compiled(
        start(), job("a", inner=many("items")), boundary("b", "a", error()), log("x"), flows="s > a; b > x"
    )
    run = Run(program, items=[1, 2])
    run.throw("a", "E1")
    assert run.log == ["x"]
    assert run.status == "completed"


def test_a_multi_instance_subprocess_gives_each_instance_its_variables() -> None:
    program = compiled(
        start(),
        sub(
            "u",
            many("items", output=("out", "twice")),
            start("us"),
            script("a", "item * 2", "twice"),
            flows="us > a",
        ),
        end(),
        flows="s > u; u > e",
    )
    assert Run(program, items=[1, 2, 3]).variables["out"] == [2, 4, 6]


def test_a_failing_completion_condition_is_an_incident_of_the_body() -> None:
    program = compiled(start(), job("a", inner=many("items", completion="done")), end(), flows="s > a; a > e")
    run = Run(program, items=[1, 2])
    run.complete("a")
    assert run.incidents[0].kind == "condition"
    run.set(done=True)
    run.resolve()
    assert run.status == "completed"


@pytest.mark.parametrize(("behavior", "thrown"), [("None", 3), ("One", 1), ("All", 0), ("Complex", 1)])
def test_multi_instance_behavior_throws_its_events(behavior: str, thrown: int) -> None:
    attribute = {"None": ' noneBehaviorEventRef="ev"', "One": ' oneBehaviorEventRef="ev"'}.get(behavior, "")
    inner = expression("loopCardinality", "3")
    if behavior == "Complex":
        inner += (
            '<bpmn:complexBehaviorDefinition id="cb">'
            + expression("condition", "numberOfCompletedInstances = 2")
            + '<bpmn:event id="cbe"><bpmn:signalEventDefinition signalRef="S"/></bpmn:event></bpmn:complexBehaviorDefinition>'
        )
    loop = f'<bpmn:multiInstanceLoopCharacteristics behavior="{behavior}"{attribute}>{inner}</bpmn:multiInstanceLoopCharacteristics>'
    program = compiled(
        start(), job("a", inner=loop), boundary("b", "a", signal("S"), cancel=False), log("x"), end(),
        flows="s > a; a > e; b > x", roots='<bpmn:signalEventDefinition id="ev" signalRef="S"/>',
    )  # fmt: skip
    run = Run(program)
    while run.waits(Job):
        run.complete("a")
    assert len(run.of(p.SignalThrown)) == thrown
    assert run.status == "completed"


# ---- ad-hoc ---------------------------------------------------------------------------------


def ad_hoc(ordering: str = "Parallel", *, completion: str = "", cancel: bool = True, active: str = "") -> Any:
    done = done_when(completion) if completion else ""
    ext = f'<zeebe:adHoc activeElementsCollection="={active}"/>' if active else ""
    return compiled(
        start(),
        sub("u", user("a"), user("b"), log("c"), done, flows="b > c", tag="adHocSubProcess",
            ordering=ordering, cancelRemainingInstances=cancel, extensions=ext),
        log("z"),
        flows="s > u; u > z",
    )  # fmt: skip


def test_ad_hoc_runs_what_nothing_leads_to_in_parallel() -> None:
    run = Run(ad_hoc())
    assert run.at() == ["a", "b", "u"]
    run.complete("b")
    run.complete("a")
    assert run.log == ["c", "z"]


def test_sequential_ad_hoc_runs_one_after_the_other() -> None:
    run = Run(ad_hoc("Sequential"))
    assert run.at() == ["a", "u"]
    run.complete("a")
    assert run.at() == ["b", "u"]
    run.complete("b")
    assert run.log == ["c", "z"]


@pytest.mark.parametrize("cancel", [True, False])
def test_ad_hoc_completion_condition_cancels_the_rest_or_waits_for_it(cancel: bool) -> None:
    run = Run(ad_hoc(completion="done", cancel=cancel), done=False)
    run.set(done=True)
    run.complete("a")
    if not cancel:
        assert run.at() == ["b", "u"]
        run.complete("b")
        assert run.log == ["c", "z"]
    assert run.log[-1] == "z"
    assert run.status == "completed"


def test_ad_hoc_starts_the_active_elements_and_more_on_command() -> None:
    run = Run(ad_hoc(active="chosen", completion="done"), chosen=["b"], done=False)
    assert run.at() == ["b", "u"]
    scope = next(s.key for s in run.instance.scopes.values() if s.node == "u")
    run.do(p.ActivateActivities(scope, ("a",), {"hint": 1}))
    assert run.at() == ["a", "b", "u"]
    with pytest.raises(NotFound):
        run.do(p.ActivateActivities(scope, ("c",)))
    run.do(p.CompleteAdHoc(scope))
    assert run.log == ["z"]


def test_ad_hoc_with_wrong_active_elements_is_an_incident() -> None:
    assert Run(ad_hoc(active="chosen"), chosen=["zzz"]).incidents[0].kind == "ad_hoc"


# ---- compensation ---------------------------------------------------------------------------


def undo(name: str, host: str) -> str:
    """A compensation handler of ``host`` that logs ``name`` and the value of ``n`` that it sees."""
    handler = script(name, f'append(log, "{name}" + string(n))', "log", isForCompensation=True)
    association = f'<bpmn:association id="as_{name}" associationDirection="One" sourceRef="b_{name}" targetRef="{name}"/>'
    return boundary(f"b_{name}", host, "<bpmn:compensateEventDefinition/>") + handler + association


def test_compensation_runs_in_reverse_order_with_the_variables_as_they_were() -> None:
    program = compiled(
        start(), script("a", "n + 1", "n"), undo("ua", "a"), script("b", "n + 1", "n"), undo("ub", "b"),
        throw("t", compensate()), log("z"),
        flows="s > a; a > b; b > t; t > z",
    )  # fmt: skip
    run = Run(program, n=0)
    assert run.log == ["ub2", "ua1", "z"]
    assert run.variables["n"] == 2
    run.check_deterministic()


def test_compensation_of_one_activity_only() -> None:
    program = compiled(
        start(),
        log("a"),
        undo("ua", "a"),
        log("b"),
        undo("ub", "b"),
        end("t", compensate("a")),
        flows="s > a; a > b; b > t",
    )
    assert Run(program, n=0).log == ["a", "b", "ua0"]


def test_what_has_not_completed_is_not_compensated_and_nothing_twice() -> None:
    program = compiled(
        start(), both("f"), user("a"), undo("ua", "a"), log("b"), undo("ub", "b"), throw("t", compensate()),
        throw("t2", compensate()),
        flows="s > f; f > a; f > b; b > t; t > t2",
    )  # fmt: skip
    assert Run(program, n=0).log == ["b", "ub0"]


def test_compensation_reaches_a_finished_subprocess_and_each_instance() -> None:
    program = compiled(
        start(),
        sub("u", start("us"), script("a", "n + 10", "n"), undo("ua", "a"), log("b"), undo("ub", "b"), flows="us > a; a > b"),
        job("m", inner=many("items", "n")), undo("um", "m"),
        end("t", compensate()),
        flows="s > u; u > m; m > t",
    )  # fmt: skip
    run = Run(program, n=0, items=[7, 8])
    run.complete("m")
    run.complete("m")
    assert run.log == ["b", "um8", "um7", "ub10", "ua10"]
    assert run.status == "completed"


def test_a_compensation_event_subprocess_undoes_its_subprocess() -> None:
    program = compiled(
        start(),
        sub("u", start("us"), log("a"), undo("ua", "a"),
            event_sub("h", start("hs", "<bpmn:compensateEventDefinition/>"), throw("ht", compensate()), log("hx"),
                      flows="hs > ht; ht > hx"),
            flows="us > a"),
        end("t", compensate("u")),
        flows="s > u; u > t",
    )  # fmt: skip
    assert Run(program, n=3).log == ["a", "ua3", "hx"]


def test_a_handler_that_waits_holds_the_throwing_event_unless_it_does_not_wait() -> None:
    def build(wait: bool) -> Run:
        association = '<bpmn:association id="as" associationDirection="One" sourceRef="b" targetRef="ua"/>'
        program = compiled(
            start(), log("a"), boundary("b", "a", "<bpmn:compensateEventDefinition/>"),
            job("ua", isForCompensation=True), association, throw("t", compensate(wait=wait)), log("z"),
            flows="s > a; a > t; t > z",
        )  # fmt: skip
        return Run(program)

    waiting = build(True)
    assert waiting.log == ["a"]
    waiting.complete("ua")
    assert waiting.log == ["a", "z"]
    assert waiting.status == "completed"
    going_on = build(False)
    assert going_on.log == ["a", "z"]
    assert going_on.status == "active"
    going_on.complete("ua")
    assert going_on.status == "completed"


def test_cancel_end_compensates_and_leaves_by_the_cancel_boundary() -> None:
    program = compiled(
        start(),
        sub("u", start("us"), log("a"), undo("ua", "a"), both("f"), user("w"), end("ut", CANCEL),
            flows="us > a; a > f; f > w; f > ut", tag="transaction"),
        boundary("c", "u", CANCEL), log("x"), log("y"),
        flows="s > u; u > y; c > x",
    )  # fmt: skip
    run = Run(program, n=0)
    assert run.log == ["a", "ua0", "x"]
    assert run.status == "completed"


def test_an_error_leaves_a_transaction_without_compensation() -> None:
    program = compiled(
        start(),
        sub("u", start("us"), log("a"), undo("ua", "a"), end("ut", error("E1")), flows="us > a; a > ut", tag="transaction"),
        boundary("c", "u", error()), log("x"),
        flows="s > u; c > x",
    )  # fmt: skip
    assert Run(program, n=0).log == ["a", "x"]


def test_a_completed_transaction_can_be_compensated_later() -> None:
    program = compiled(
        start(), sub("u", start("us"), log("a"), undo("ua", "a"), flows="us > a", tag="transaction"),
        end("t", compensate()), flows="s > u; u > t",
    )  # fmt: skip
    assert Run(program, n=1).log == ["a", "ua1"]


# ---- the instance ---------------------------------------------------------------------------


def test_cancel_leaves_nothing_behind() -> None:
    program = compiled(
        start(), both("f"), user("a", many("items")), boundary("b", "a", timer("Duration", "PT1H")),
        sub("u", start("us"), job("w"), event_sub("h", start("hs", message("M")), end("he"), flows="hs > he"), flows="us > w"),
        flows="s > f; f > a; f > u",
    )  # fmt: skip
    run = Run(program, items=[1, 2])
    run.do(p.Cancel("customer left"))
    assert run.status == "cancelled"
    assert not (run.instance.tokens or run.instance.scopes or run.instance.waits)
    assert run.of(p.InstanceEnded)[0].message == "customer left"
    with pytest.raises(WrongState):
        run.do(p.Cancel())


def test_a_suspended_instance_takes_no_progress() -> None:
    run = Run(compiled(start(), user("a"), flows="s > a"))
    run.do(p.Suspend())
    with pytest.raises(Rejected, match="resume"):
        run.complete("a")
    run.set(x=1)
    run.do(p.Resume())
    run.complete("a")
    assert run.status == "completed"


def test_commands_about_nothing_are_rejected() -> None:
    run = Run(compiled(start(), user("a"), flows="s > a"))
    for command in (
        p.CompleteJob(99), p.FailJob(99, "x"), p.ThrowBpmnError(99, "x"), p.CompleteUserTask(99),
        p.ResolveIncident(99), p.SetVariables({}, 99), p.ActivateActivities(99, ()), p.CompleteDecision(99),
        p.UpdateUserTask(99), p.ThrowEscalation(99, "x"),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            run.do(command)
    with pytest.raises(WrongState):
        run.do(p.Resume())
    with pytest.raises(WrongState):
        run.do(p.Start())


def test_an_endless_loop_is_an_incident(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["flowkit.kernel.step"], "MAXIMUM_ACTIONS", 500)
    run = Run(compiled(start(), xor("m"), element("task", "a"), flows="s > m; m > a; a > m"))
    assert run.incidents[0].kind == "endless_loop"


def test_a_token_can_be_moved_ended_and_started_by_hand() -> None:
    program = compiled(
        start(), user("a"), user("b"), sub("u", start("us"), user("w"), flows="us > w"), end(),
        flows="s > a; a > b; b > u; u > e",
    )  # fmt: skip
    run = Run(program)
    token = next(iter(run.instance.tokens))
    run.do(p.Modify((p.MoveToken(token, "b"),)))
    assert run.at() == ["b"]
    run.do(p.Modify((p.StartAt("w", variables={"x": 1}), p.TerminateToken(token))))
    assert run.at() == ["u", "w"]
    for wrong in (p.MoveToken(99, "a"), p.StartAt("zzz"), p.StartAt("a", scope=99), p.MoveToken(token, "w")):
        with pytest.raises(Rejected):
            run.do(p.Modify((wrong,)))
    run.complete("w")
    assert run.status == "completed"
