"""Corners: what goes wrong in the middle of things, and how it is put right."""

from __future__ import annotations

import pytest

from flowkit.bpmn import parse
from flowkit.errors import Rejected, WrongState
from flowkit.kernel import check_migration, compile_process, migrate, step
from flowkit.kernel import protocol as p
from flowkit.kernel.state import Job, UserTask
from tests.kernel.diagrams import (
    CANCEL,
    NOW,
    Run,
    both,
    boundary,
    catch,
    compensate,
    compiled,
    condition,
    done_when,
    element,
    end,
    error,
    escalation,
    event_sub,
    expression,
    job,
    link,
    log,
    many,
    mapping,
    message,
    process,
    script,
    signal,
    some,
    start,
    sub,
    throw,
    timer,
    user,
    xor,
)

# ---- incidents in the middle ----------------------------------------------------------------


def test_a_job_that_can_not_be_opened_keeps_its_boundary_events_and_is_tried_again() -> None:
    ext = '<zeebe:taskDefinition type="=kind" retries="3"/>' + mapping({"n": "1"})
    program = compiled(
        start(), element("serviceTask", "a", extensions=ext), boundary("t", "a", timer("Duration", "PT1H")), end(),
        flows="s > a; a > e",
    )  # fmt: skip
    run = Run(program, kind=7)
    assert run.incidents[0].resume == "activate"
    assert len(run.of(p.TimerSet)) == 1
    run.set(kind="pack")
    run.resolve()
    run.complete("a")
    assert run.status == "completed"
    assert len(run.of(p.TimerSet)) == 1


LIMIT = "count(for i in 1..9999999 return for j in 1..9999999 return j)"


def test_an_expression_beyond_its_limits_is_an_incident() -> None:
    run = Run(compiled(start(), script("a", LIMIT, "x"), flows="s > a"))
    assert run.incidents[0].kind == "expression"
    assert "stopped" in run.incidents[0].message
    run = Run(compiled(start(), xor("g"), end(), flows=f"s > g; g > e : {LIMIT} > 3"))
    assert "stopped" in run.incidents[0].message


def test_a_value_that_is_no_json_is_an_incident() -> None:
    run = Run(compiled(start(), script("a", "function(x) x + 1", "f"), flows="s > a"))
    assert "can't be a variable" in run.incidents[0].message


def test_a_condition_that_is_a_function_or_long_is_shown_briefly() -> None:
    run = Run(compiled(start(), xor("g"), end(), flows="s > g; g > e : function(x) x"))
    assert "must be true or false" in run.incidents[0].message
    run = Run(compiled(start(), xor("g"), end(), flows="s > g; g > e : x"), x="y" * 900)
    assert run.incidents[0].message.endswith("….")


def test_a_failed_output_mapping_is_tried_again_without_doing_the_work_twice() -> None:
    program = compiled(
        start(),
        job("a", extensions=mapping(outputs={"f": "if ok then 1 else function(x) x"})),
        end(),
        flows="s > a; a > e",
    )
    run = Run(program, ok=False)
    run.complete("a")
    assert run.incidents[0].resume == "finish"
    run.set(ok=True)
    run.resolve()
    assert run.variables["f"] == 1
    assert len(run.of(p.JobOpened)) == 1


def test_a_failed_output_of_an_event_keeps_what_the_message_brought() -> None:
    output = mapping(outputs={"f": "if ok then came else function(x) x"})
    program = compiled(start(), catch("c", message("M"), extensions=output), end(), flows="s > c; c > e")
    run = Run(program, ok=False)
    run.deliver("c", came=5)
    assert run.incidents[0].resume == "finish"
    run.set(ok=True)
    run.resolve()
    assert run.variables["f"] == 5


def test_an_ad_hoc_condition_that_fails_is_an_incident_of_the_subprocess() -> None:
    program = compiled(
        start(),
        sub("u", user("a"), user("b"), done_when("done"), tag="adHocSubProcess"),
        log("z"), flows="s > u; u > z",
    )  # fmt: skip
    run = Run(program)
    run.complete("a")
    assert run.incidents[0].resume.startswith("scope:")
    run.set(done=True)
    run.resolve()
    assert run.log == ["z"]


def test_an_ad_hoc_subprocess_whose_condition_is_never_true_is_an_incident() -> None:
    program = compiled(
        start(),
        sub("u", user("a"), done_when("done"), tag="adHocSubProcess"),
        end(),
        flows="s > u; u > e",
    )
    run = Run(program, done=False)
    run.complete("a")
    assert run.incidents[0].kind == "ad_hoc"


def test_an_empty_choice_of_ad_hoc_activities_ends_it() -> None:
    ext = '<zeebe:adHoc activeElementsCollection="=[]"/>'
    program = compiled(
        start(), sub("u", user("a"), tag="adHocSubProcess", extensions=ext), log("z"), flows="s > u; u > z"
    )
    assert Run(program).log == ["z"]


def test_ad_hoc_commands_are_checked() -> None:
    program = compiled(
        start(), both("f"),
        sub("u", user("a"), user("b"), done_when("done"), tag="adHocSubProcess", ordering="Sequential",
            cancelRemainingInstances=False),
        sub("v", start("vs"), user("w"), flows="vs > w"),
        flows="s > f; f > u; f > v",
    )  # fmt: skip
    run = Run(program, done=False)
    scopes = {scope.node: scope.key for scope in run.instance.scopes.values()}
    with pytest.raises(WrongState, match="not ad-hoc"):
        run.do(p.CompleteAdHoc(scopes["v"]))
    with pytest.raises(WrongState, match="sequential"):
        run.do(p.ActivateActivities(scopes["u"], ("a",)))
    with pytest.raises(WrongState, match="complete them first"):
        run.do(p.CompleteAdHoc(scopes["u"]))
    run.set(done=True)
    run.complete("a")
    run.complete("w")
    assert run.status == "completed"


def test_a_complex_gateway_with_a_wrong_condition_is_an_incident_that_can_be_resolved() -> None:
    gateway = element("complexGateway", "j", expression("activationCondition", "needed <= activationCount"))
    program = compiled(
        start(),
        both("f"),
        job("a"),
        job("b"),
        gateway,
        log("z"),
        end(),
        flows="s > f; f > a; f > b; a > j; b > j; j > z; z > e",
    )
    run = Run(program)
    run.complete("a")
    assert run.incidents[0].resume == "settle"
    run.set(needed=1)
    run.resolve()
    assert run.log == ["z"]
    run.complete("b")
    assert run.status == "completed"


@pytest.mark.parametrize("kind", ["inclusiveGateway", "complexGateway"])
def test_a_gateway_without_a_way_out(kind: str) -> None:
    program = compiled(start(), element(kind, "g"), end(), flows="s > g; g > e : x")
    run = Run(program, x=False)
    assert run.incidents[0].kind == "no_flow"
    with_default = compiled(
        start(), element(kind, "g", default="g_b"), end(), log("b"), flows="s > g; g > e : x; g > b"
    )
    assert Run(with_default, x=False).log == ["b"]


def test_conditions_out_of_an_activity_without_a_true_one() -> None:
    run = Run(compiled(start(), log("a"), end(), flows="s > a; a > e : x"), x=False)
    assert run.incidents[0].kind == "no_flow"
    run.set(x=True)
    run.resolve()
    assert run.log == ["a"]


def test_a_correlation_failure_inside_a_subprocess_comes_before_its_start() -> None:
    program = compiled(
        start(),
        sub("u", start("us"), log("a"), event_sub("h", start("hs", message("K")), end("he"), flows="hs > he"), flows="us > a"),
        flows="s > u",
    )  # fmt: skip
    run = Run(program, key=None)
    assert run.log == []
    run.set(key="x")
    run.resolve()
    assert run.log == ["a"]


# ---- withdrawing what is in the middle ------------------------------------------------------


def test_interrupting_a_token_that_compensates_or_waits_at_a_join() -> None:
    association = '<bpmn:association id="as" sourceRef="b" targetRef="ua"/>'
    program = compiled(
        start(),
        sub("u", start("us"), log("a"), boundary("b", "a", "<bpmn:compensateEventDefinition/>"),
            job("ua", isForCompensation=True), association, both("f"), throw("t", compensate()), user("w"), both("j"),
            flows="us > a; a > f; f > t; f > j; f > w; t > j; w > j"),
        boundary("c", "u", message("M")), log("x"),
        flows="s > u; c > x",
    )  # fmt: skip
    run = Run(program)
    run.deliver("c")
    assert run.log == ["a", "x"]
    assert run.status == "completed"


def test_a_failed_condition_after_compensation_can_be_resolved() -> None:
    program = compiled(
        start(), script("a", "1", "n"), boundary("b", "a", "<bpmn:compensateEventDefinition/>"),
        script("ua", "2", "n", isForCompensation=True), '<bpmn:association id="as" sourceRef="b" targetRef="ua"/>',
        throw("t", compensate(), extensions=mapping({"f": "if ok then 1 else function(x) x"})), log("z"),
        flows="s > a; a > t; t > z",
    )  # fmt: skip
    run = Run(program, ok=False)
    assert run.incidents
    run.set(ok=True)
    run.resolve()
    assert run.log == ["z"]
    assert run.variables["n"] == 2


def test_cancel_of_a_multi_instance_transaction_leaves_it_as_a_whole() -> None:
    program = compiled(
        start(),
        sub("u", many("[1, 2]"), start("us"), user("w"), end("ut", CANCEL), flows="us > w; w > ut", tag="transaction"),
        boundary("c", "u", CANCEL), log("x"), log("y"),
        flows="s > u; u > y; c > x",
    )  # fmt: skip
    run = Run(program)
    run.complete("w")
    assert run.log == ["x"]
    assert run.status == "completed"


def test_cancel_without_a_boundary_event_ends_the_transaction() -> None:
    program = compiled(
        start(),
        sub("u", start("us"), end("ut", CANCEL), flows="us > ut", tag="transaction"),
        log("z"),
        flows="s > u; u > z",
    )
    assert Run(program).status == "completed"


def test_not_waiting_for_nothing_to_compensate_goes_on() -> None:
    run = Run(compiled(start(), throw("t", compensate(wait=False)), log("z"), flows="s > t; t > z"))
    assert run.log == ["z"]
    assert run.status == "completed"


def test_compensation_and_then_an_error_in_one_event() -> None:
    association = '<bpmn:association id="as" sourceRef="b" targetRef="ua"/>'
    inner = (
        log("a"), boundary("b", "a", "<bpmn:compensateEventDefinition/>"), log("ua", isForCompensation=True), association,
    )  # fmt: skip
    program = compiled(
        start(), sub("u", start("us"), *inner, end("ut", error("E1") + compensate() + signal("S")), flows="us > a; a > ut"),
        boundary("c", "u", error("E1")), log("x"),
        flows="s > u; c > x",
    )  # fmt: skip
    run = Run(program)
    assert run.log == ["a", "ua", "x"]
    assert len(run.of(p.SignalThrown)) == 1


def test_links_count_for_what_can_reach_an_inclusive_join() -> None:
    program = compiled(
        start(), both("f"), job("a"), user("b"), throw("lt", link("L")), catch("lc", link("L")), some("j"), log("z"), end(),
        flows="s > f; f > a; f > b; a > j; b > lt; lc > j; j > z; z > e",
    )  # fmt: skip
    run = Run(program)
    run.complete("a")
    assert run.log == []
    run.complete("b")
    assert run.log == ["z"]


def test_an_inclusive_join_is_looked_at_when_a_branch_simply_ends() -> None:
    program = compiled(
        start(), both("f"), job("a"), user("b"), xor("g", default="g_e2"), some("j"), log("z"), end(), end("e2"),
        flows="s > f; f > a; f > b; a > j; b > g; g > j : x; g > e2; j > z; z > e",
    )  # fmt: skip
    run = Run(program, x=False)
    run.complete("b")
    run.complete("a")
    assert run.log == ["z"]


# ---- repairs --------------------------------------------------------------------------------


def test_modify_knows_scopes_that_run_several_times() -> None:
    program = compiled(
        start(),
        sub("u", many("[1, 2]"), start("us"), user("a"), user("b"), flows="us > a; a > b"),
        end(),
        flows="s > u; u > e",
    )
    run = Run(program)
    scopes = [
        scope.key
        for scope in run.instance.scopes.values()
        if scope.node == "u" and scope.kind == "subprocess"
    ]
    with pytest.raises(WrongState, match="2 times"):
        run.do(p.Modify((p.StartAt("b"),)))
    run.do(p.Modify((p.StartAt("b", scope=scopes[1], variables={"hint": 1}),)))
    assert run.at().count("b") == 1


def test_modify_refuses_what_makes_no_sense() -> None:
    program = compiled(
        start(), both("f"), user("a"), both("j"), boundary("t", "a", timer("Duration", "PT1H")),
        event_sub("h", start("hs", message("M")), user("w"), flows="hs > w"), end(),
        flows="s > f; f > a; f > j; a > j; j > e; t > e",
    )  # fmt: skip
    run = Run(program)
    waiting = next(token.key for token in run.instance.tokens.values() if token.flow)
    at_a = next(token.key for token in run.instance.tokens.values() if token.node == "a")
    for wrong in (p.StartAt("t"), p.StartAt("h"), p.MoveToken(waiting, "a"), p.MoveToken(at_a, "w")):
        with pytest.raises(Rejected):
            run.do(p.Modify((wrong,)))
    run.do(p.Modify((p.TerminateToken(waiting), p.TerminateToken(at_a))))
    assert run.status == "completed"


def test_an_operator_can_start_inside_a_subprocess_that_does_not_run() -> None:
    program = compiled(
        start(), user("a"),
        sub("u", start("us"), sub("v", start("vs"), user("w"), event_sub("h", start("hs", message("M")), end("he"), flows="hs > he"),
                                  flows="vs > w"), flows="us > v"),
        flows="s > a; a > u",
    )  # fmt: skip
    run = Run(program)
    run.do(p.Modify((p.StartAt("w"), p.TerminateToken(next(iter(run.instance.tokens))))))
    assert run.at() == ["u", "v", "w"]
    run.complete("w")
    assert run.status == "completed"


def test_a_token_can_be_put_on_a_boundary_less_event_and_moved_within_a_loop() -> None:
    program = compiled(start(), user("a", many("[1, 2]")), user("b"), flows="s > a; a > b")
    run = Run(program)
    whole = next(token.key for token in run.instance.tokens.values() if token.scope == 1)
    run.do(p.Modify((p.MoveToken(whole, "b"),)))
    assert run.at() == ["b"]


def test_ending_one_instance_by_hand_lets_the_others_finish() -> None:
    program = compiled(start(), user("a", many("[1, 2]")), user("b"), flows="s > a; a > b")
    run = Run(program)
    instances = [token.key for token in run.instance.tokens.values() if token.scope != 1]
    run.do(p.Modify((p.TerminateToken(instances[0]),)))
    assert run.at() == ["a", "a"]
    run.complete("a")
    assert run.at() == ["b"]


def test_migration_follows_compensation_records_and_renamed_processes() -> None:
    def build(suffix: str, name: str) -> bytes:
        association = f'<bpmn:association id="as" sourceRef="bb" targetRef="undo{suffix}"/>'
        inner = sub(
            f"u{suffix}", start("us"), log(f"a{suffix}"), boundary("bb", f"a{suffix}", "<bpmn:compensateEventDefinition/>"),
            log(f"undo{suffix}", isForCompensation=True), association, flows=f"us > a{suffix}",
        )  # fmt: skip
        return process(
            start(), inner, user("w"), boundary("c", "w", condition("go"), cancel=False), end("t", compensate()),
            flows=f"s > u{suffix}; u{suffix} > w; w > t", name=name,
        )  # fmt: skip

    old = compile_process(parse(build("", "P")), "P")
    new = compile_process(parse(build("2", "Q")), "Q")
    run = Run(old, go=False)
    ids = {"u": "u2", "a": "a2", "undo": "undo2"}
    assert {o.element for o in check_migration(old, new, run.instance)} >= {"u"}
    events = migrate(old, new, run.instance, {**ids, "P": "Q"}, now=NOW)
    run.program, run.events = new, [*run.events, *events]
    task = next(wait.key for wait in run.instance.waits.values() if isinstance(wait, UserTask))
    ended = step(new, run.instance, p.CompleteUserTask(task), now=NOW)
    assert [e.node for e in ended if isinstance(e, p.ElementCompleted)] == ["w", "undo2", "t"]


# ---- the standard's other ways --------------------------------------------------------------


def test_jobs_by_implementation_and_operation() -> None:
    roots = (
        '<bpmn:message id="IN" name="IN"/><bpmn:interface id="I" name="I"><bpmn:operation id="OP" name="book" implementationRef="x">'
        "<bpmn:inMessageRef>IN</bpmn:inMessageRef></bpmn:operation></bpmn:interface>"
    )
    program = compiled(
        start(), element("serviceTask", "a", implementation="pack"), element("serviceTask", "b", operationRef="OP"),
        element("sendTask", "c", operationRef="OP"), element("receiveTask", "d", operationRef="OP"),
        flows="s > a; a > b; b > c; c > d", roots=roots,
    )  # fmt: skip
    assert "pack" in program.job_types
    run = Run(program)
    run.complete("a")
    assert [job.node for job in run.waits(Job)] == ["b"]
    run.complete("b")
    assert [thrown.name for thrown in run.of(p.MessageThrown)] == ["IN"]
    run.deliver("d")
    assert run.status == "completed"


def test_standard_resource_roles_assign_user_tasks() -> None:
    def role(tag: str, text: str) -> str:
        return (
            f'<bpmn:{tag} id="r_{tag}"><bpmn:resourceAssignmentExpression id="x_{tag}">'
            f'<bpmn:formalExpression id="y_{tag}">{text}</bpmn:formalExpression>'
            f"</bpmn:resourceAssignmentExpression></bpmn:{tag}>"
        )

    program = compiled(
        start(), user("a", role("humanPerformer", "boss") + role("potentialOwner", "group")), flows="s > a"
    )
    (opened,) = Run(program, boss="li", group="客服").of(p.UserTaskOpened)
    assert opened.assignee == "li"
    assert opened.candidate_groups == ("客服",)


def test_a_signal_may_end_what_another_subscription_of_it_waits_for() -> None:
    program = compiled(
        start(), user("a"), boundary("b1", "a", signal("S")), boundary("b2", "a", signal("S")), log("x"), log("y"),
        flows="s > a; b1 > x; b2 > y",
    )  # fmt: skip
    run = Run(program)
    run.broadcast("S")
    assert run.log == ["x"]


def test_an_escalation_subprocess_start_without_code_and_several_none_starts() -> None:
    program = compiled(start("s1"), start("s2"), log("a"), log("b"), flows="s1 > a; s2 > b")
    with pytest.raises(WrongState, match="s1, s2"):
        Run(program)
    run = Run(program, begin=False)
    run.do(p.Start({"log": []}, start_event="s2"))
    assert run.log == ["b"]


def test_properties_and_event_data_are_variables() -> None:
    inner = (
        '<bpmn:dataOutput id="o1" name="paid"/>'
        '<bpmn:dataOutputAssociation id="oa"><bpmn:sourceRef>o1</bpmn:sourceRef><bpmn:targetRef>pr</bpmn:targetRef></bpmn:dataOutputAssociation>'
        '<bpmn:outputSet id="os"><bpmn:dataOutputRefs>o1</bpmn:dataOutputRefs></bpmn:outputSet>'
    )
    thrown = (
        '<bpmn:dataInput id="i1" name="sum"/>'
        '<bpmn:dataInputAssociation id="ia"><bpmn:sourceRef>pr</bpmn:sourceRef><bpmn:targetRef>i1</bpmn:targetRef></bpmn:dataInputAssociation>'
        '<bpmn:inputSet id="is"><bpmn:dataInputRefs>i1</bpmn:dataInputRefs></bpmn:inputSet>'
    )
    program = compiled(
        '<bpmn:property id="pr" name="amount"/>', start(), catch("c", inner + message("M")), end("t", thrown + message("N")),
        flows="s > c; c > t",
    )  # fmt: skip
    run = Run(program)
    run.deliver("c", paid=30)
    assert run.variables["amount"] == 30
    assert run.of(p.MessageThrown)[0].variables == {"sum": 30}


def test_escalation_start_of_an_event_subprocess_that_does_not_interrupt() -> None:
    program = compiled(
        start(), throw("t", escalation("X1")), user("a"),
        event_sub("h", start("hs", escalation("X1"), isInterrupting=False), log("hx"), flows="hs > hx"),
        flows="s > t; t > a",
    )  # fmt: skip
    run = Run(program)
    assert run.log == ["hx"]
    assert run.at() == ["a"]
