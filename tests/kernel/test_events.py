"""Events in every position (BPMN 2.0.2, table 10.93)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from flowkit.errors import NotFound, WrongState
from flowkit.kernel import migrate, new_instance, step
from flowkit.kernel import protocol as p
from flowkit.kernel.state import Condition, Subscription, Timer
from tests.kernel.diagrams import (
    NOW,
    TERMINATE,
    Run,
    both,
    boundary,
    catch,
    compiled,
    condition,
    element,
    end,
    error,
    escalation,
    event_sub,
    job,
    link,
    log,
    mapping,
    message,
    signal,
    start,
    sub,
    throw,
    timer,
    user,
    xor,
)

TRIGGERS = {
    "message": message("M"),
    "signal": signal("S"),
    "timer": timer("Duration", "PT1H"),
    "condition": condition("go = true"),
}


def occur(run: Run, kind: str, node: str) -> None:
    """Let the event at ``node`` occur."""
    if kind == "message":
        run.deliver(node, came="message")
    elif kind == "signal":
        run.broadcast("S", came="signal")
    elif kind == "timer":
        run.fire(node)
    else:
        run.set(go=True)


# ---- intermediate ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", TRIGGERS)
def test_intermediate_catch_waits_for_its_event(kind: str) -> None:
    run = Run(compiled(start(), catch("c", TRIGGERS[kind]), log("a"), flows="s > c; c > a"), go=False)
    assert run.at() == ["c"]
    occur(run, kind, "c")
    assert run.log == ["a"]
    assert run.status == "completed"
    run.check_deterministic()


def test_a_message_is_mapped_by_the_events_outputs() -> None:
    run = Run(
        compiled(
            start(),
            catch("c", message("M"), extensions=mapping(outputs={"answer": "came + 1"})),
            end(),
            flows="s > c; c > e",
        )
    )
    run.deliver("c", came=41)
    assert run.variables["answer"] == 42
    assert "came" not in run.variables


def test_a_subscription_carries_the_correlation_key() -> None:
    program = compiled(start(), catch("c", message("K")), flows="s > c")
    assert [e.key for e in Run(program, key="A-1").of(p.SubscriptionOpened)] == ["A-1"]
    assert [e.key for e in Run(program, key=17).of(p.SubscriptionOpened)] == ["17"]


def test_a_correlation_key_that_is_null_is_an_incident() -> None:
    run = Run(compiled(start(), catch("c", message("K")), end(), flows="s > c; c > e"), key=None)
    assert run.incidents[0].kind == "correlation"
    run.set(key="A")
    run.resolve()
    run.deliver("c")
    assert run.status == "completed"


@pytest.mark.parametrize(
    ("kind", "text", "after"),
    [
        ("Duration", "PT90M", timedelta(minutes=90)),
        ("Duration", '=duration("P1D")', timedelta(days=1)),
        ("Duration", "=wait", timedelta(hours=2)),
        ("Date", "2026-01-06T08:00:00Z", timedelta(days=1)),
        ("Date", '=date and time("2026-01-05T16:30:00+08:00")', timedelta(minutes=30)),
        ("Cycle", "R3/PT10M", timedelta(minutes=10)),
    ],
)
def test_timers_are_due_when_they_say(kind: str, text: str, after: timedelta) -> None:
    run = Run(compiled(start(), catch("c", timer(kind, text)), flows="s > c"), wait="PT2H")
    assert run.wait_at("c", Timer).due == NOW + after


@pytest.mark.parametrize("text", ["=wait", "=nothing", '="soon"'])
def test_a_timer_that_is_no_time_is_an_incident(text: str) -> None:
    run = Run(compiled(start(), catch("c", timer("Duration", text)), end(), flows="s > c; c > e"), wait=5)
    assert run.incidents[0].kind == "timer"


def test_links_lead_to_their_catching_event() -> None:
    program = compiled(start(), throw("t", link("L")), catch("c", link("L")), log("a"), flows="s > t; c > a")
    run = Run(program)
    assert run.trail == ["s", "t", "c", "a"]


def test_throw_none_passes() -> None:
    assert Run(compiled(start(), throw("t"), log("a"), flows="s > t; t > a")).log == ["a"]


@pytest.mark.parametrize("tag", ["throw", "end", "send"])
def test_messages_are_thrown_with_payload_and_key(tag: str) -> None:
    options = {"extensions": mapping({"total": "price * 2"})}
    node = {
        "throw": throw("t", message("K"), **options),
        "end": end("t", message("K"), **options),
        "send": element("sendTask", "t", messageRef="K", **options),
    }[tag]
    run = Run(compiled(start(), node, flows="s > t"), key="A-1", price=21)
    (thrown,) = run.of(p.MessageThrown)
    assert (thrown.name, thrown.key, thrown.variables) == ("K", "A-1", {"total": 42})
    assert run.status == "completed"


def test_two_throws_have_different_message_ids() -> None:
    program = compiled(
        start(), throw("t", message("M")), log("a"), xor("g", default="g_e"), end(),
        flows="s > t; t > a; a > g; g > t : count(log) < 3; g > e",
    )  # fmt: skip
    ids = [thrown.message_id for thrown in Run(program).of(p.MessageThrown)]
    assert len(set(ids)) == 3


def test_a_signal_reaches_every_subscription_of_the_instance_itself() -> None:
    program = compiled(
        start(), both("f"), catch("c", signal("S")), catch("d", signal("S")), job("w"), end("t", signal("S")),
        log("a"), log("b"),
        flows="s > f; f > c; f > d; f > w; w > t; c > a; d > b",
    )  # fmt: skip
    run = Run(program)
    run.complete("w")
    assert run.log == ["a", "b"]
    assert [e.name for e in run.of(p.SignalThrown)] == ["S"]
    assert run.status == "completed"


def test_multiple_catch_takes_the_first_and_parallel_multiple_waits_for_all() -> None:
    any_of = compiled(start(), catch("c", message("M") + signal("S")), end(), flows="s > c; c > e")
    run = Run(any_of)
    run.broadcast("S")
    assert run.status == "completed"
    all_of = compiled(
        start(), catch("c", message("M") + signal("S"), parallelMultiple=True), end(), flows="s > c; c > e"
    )
    run = Run(all_of)
    run.broadcast("S")
    assert run.status == "active"
    run.broadcast("S")
    assert run.status == "active"
    run.deliver("c")
    assert run.status == "completed"


@pytest.mark.parametrize("cancel", [True, False])
def test_parallel_multiple_merges_what_all_of_its_parts_brought(cancel: bool) -> None:
    program = compiled(
        start(), user("a"), boundary("b", "a", message("M") + signal("S"), cancel=cancel, parallelMultiple=True),
        log("h"), flows="s > a; b > h",
    )  # fmt: skip
    run = Run(program)
    run.deliver("b", amount=80, by="M")
    run.broadcast("S", who="王芳", by="S")
    assert run.log == ["h"]
    assert {"amount": 80, "who": "王芳", "by": "S"}.items() <= run.variables.items()
    if not cancel:
        run.deliver("b", amount=1)
        run.broadcast("S")
        assert (run.log, run.variables["amount"]) == (["h", "h"], 1)


def test_what_a_parallel_multiple_event_has_seen_counts_for_this_visit_only() -> None:
    program = compiled(
        start(), user("a"), boundary("b", "a", message("M") + signal("S"), parallelMultiple=True), end(),
        flows="s > a; a > a; b > e",
    )  # fmt: skip
    run = Run(program)
    run.deliver("b")
    run.complete("a")
    run.broadcast("S")
    assert run.at() == ["a"]
    run.deliver("b")
    assert run.status == "completed"


def test_what_a_parallel_multiple_event_has_seen_migrates_with_it() -> None:
    old, new = (
        compiled(start(), catch(name, message("M") + signal("S"), parallelMultiple=True), flows=f"s > {name}")
        for name in ("c", "d")
    )
    run = Run(old)
    run.deliver("c", n=1)
    migrate(old, new, run.instance, {"c": "d", "s_c": "s_d"}, now=NOW)
    events = step(new, run.instance, p.BroadcastSignal("S"), now=NOW)
    assert isinstance(events[-1], p.InstanceEnded)
    assert events[-1].variables["n"] == 1


def test_multiple_throw_throws_everything() -> None:
    run = Run(compiled(start(), end("t", signal("S") + message("M") + signal("T")), flows="s > t"))
    assert {e.name for e in run.of(p.SignalThrown)} == {"S", "T"}
    assert [e.name for e in run.of(p.MessageThrown)] == ["M"]


def test_a_multiple_throw_that_fails_throws_nothing() -> None:
    run = Run(compiled(start(), end("t", signal("S") + message("K")), flows="s > t"), key=None)
    assert run.incidents
    assert not run.of(p.SignalThrown)
    run.set(key="x")
    run.resolve()
    assert len(run.of(p.SignalThrown)) == 1


def test_terminate_ends_its_own_scope_only() -> None:
    program = compiled(
        start(),
        sub("u", start("us"), both("uf"), user("ua"), end("ut", TERMINATE), flows="us > uf; uf > ua; uf > ut"),
        log("a"),
        flows="s > u; u > a",
    )  # fmt: skip
    run = Run(program)
    assert run.log == ["a"]
    assert run.status == "completed"
    assert [e.node for e in run.of(p.ElementTerminated)] == ["ua"]


def test_terminate_of_the_process_ends_the_instance() -> None:
    run = Run(compiled(start(), both("f"), user("a"), end("t", TERMINATE), flows="s > f; f > a; f > t"))
    assert run.status == "terminated"
    assert not run.instance.waits
    assert not run.instance.tokens


# ---- boundary -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", TRIGGERS)
def test_interrupting_boundary_ends_the_activity(kind: str) -> None:
    program = compiled(
        start(), user("a"), boundary("b", "a", TRIGGERS[kind]), log("x"), end(), flows="s > a; b > x; a > e"
    )
    run = Run(program, go=False)
    occur(run, kind, "b")
    assert run.log == ["x"]
    assert run.status == "completed"
    assert [e.reason for e in run.of(p.UserTaskClosed)] == ["cancelled"]
    run.check_deterministic()


@pytest.mark.parametrize("kind", TRIGGERS)
def test_non_interrupting_boundary_lets_the_activity_go_on(kind: str) -> None:
    program = compiled(
        start(), user("a"), boundary("b", "a", TRIGGERS[kind], cancel=False), log("x"), log("y"),
        flows="s > a; b > x; a > y",
    )  # fmt: skip
    run = Run(program, go=False)
    occur(run, kind, "b")
    assert run.log == ["x"]
    assert run.at() == ["a"]
    run.complete("a")
    assert run.log == ["x", "y"]
    assert run.status == "completed"
    assert not run.instance.waits


@pytest.mark.parametrize("kind", TRIGGERS)
def test_a_boundary_event_is_disarmed_when_the_activity_completes(kind: str) -> None:
    program = compiled(
        start(),
        user("a"),
        boundary("b", "a", TRIGGERS[kind]),
        user("c"),
        log("x"),
        flows="s > a; b > x; a > c",
    )
    run = Run(program, go=False)
    run.complete("a")
    assert [wait.node for wait in run.instance.waits.values()] == ["c"]


def test_a_non_interrupting_message_can_come_again() -> None:
    program = compiled(
        start(), user("a"), boundary("b", "a", message("M"), cancel=False), log("x"), flows="s > a; b > x"
    )
    run = Run(program)
    run.deliver("b")
    run.deliver("b")
    assert run.log == ["x", "x"]


def test_a_cycle_repeats_without_drift() -> None:
    program = compiled(
        start(),
        user("a"),
        boundary("b", "a", timer("Cycle", "R3/PT1H"), cancel=False),
        log("x"),
        flows="s > a; b > x",
    )
    run = Run(program)
    for _ in range(3):
        run.now = run.wait_at("b", Timer).due + timedelta(minutes=7)
        run.do(p.FireTimer(run.wait_at("b", Timer).key))
    assert [e.due - NOW for e in run.of(p.TimerSet)] == [timedelta(hours=h) for h in (1, 2, 3)]
    assert run.log == ["x", "x", "x"]
    assert not run.waits(Timer)


def test_a_condition_triggers_when_it_turns_true_and_again_only_after_it_was_false() -> None:
    program = compiled(
        start(),
        user("a"),
        boundary("b", "a", condition("n > 2"), cancel=False),
        log("x"),
        flows="s > a; b > x",
    )
    run = Run(program, n=1)
    for n, seen in ((3, 1), (4, 1), (2, 1), (5, 2)):
        run.set(n=n)
        assert len(run.log) == seen


def test_a_condition_that_holds_already_triggers_at_once() -> None:
    program = compiled(start(), catch("c", condition("n > 2")), log("x"), flows="s > c; c > x")
    assert Run(program, n=3).log == ["x"]


def test_a_condition_is_not_looked_at_for_other_variables() -> None:
    run = Run(compiled(start(), catch("c", condition("n > 2")), flows="s > c"), n=1)
    assert run.waits(Condition)
    assert not [e for e in run.do(p.SetVariables({"other": 1})) if isinstance(e, p.ConditionChanged)]
    run.do(p.EvaluateConditions())
    assert run.status == "active"


# ---- errors and escalations -----------------------------------------------------------------


def failing(*events: str, **options: object) -> Run:
    program = compiled(
        start(),
        sub("u", start("us"), end("ut", error("E1")), flows="us > ut", **options),
        *events, log("one"), log("all"), log("never"),
        flows="s > u; u > never; b1 > one" if len(events) == 1 else "s > u; u > never; b1 > one; b2 > all",
    )  # fmt: skip
    return Run(program)


def test_an_error_is_caught_by_its_code_before_catch_all() -> None:
    run = failing(boundary("b2", "u", error()), boundary("b1", "u", error("E1")))
    assert run.log == ["one"]
    assert run.status == "completed"


def test_an_error_without_code_catches_every_error() -> None:
    assert failing(boundary("b1", "u", error())).log == ["one"]


def test_an_error_that_nothing_catches_is_an_incident() -> None:
    run = failing(boundary("b1", "u", error("E2")))
    assert run.incidents[0].kind == "error_uncaught"
    assert "E1" in run.incidents[0].message
    assert run.status == "active"


def test_an_uncaught_error_ends_a_called_instance() -> None:
    run = Run(compiled(start(), end("t", error("E1")), flows="s > t"), parent=True, x=1)
    (ended,) = run.of(p.InstanceEnded)
    assert (ended.outcome, ended.code) == ("error", "E1")
    assert run.status == "error"


def test_a_worker_throws_an_error_that_the_boundary_catches_with_variables() -> None:
    program = compiled(
        start(), job("a"), boundary("b", "a", error("E1")), log("x"), end(), flows="s > a; b > x; a > e"
    )
    run = Run(program)
    run.throw("a", "E1", why="broken")
    assert run.log == ["x"]
    assert run.variables["why"] == "broken"


def test_an_uncaught_error_of_a_worker_opens_the_job_again_when_resolved() -> None:
    run = Run(compiled(start(), job("a"), end(), flows="s > a; a > e"))
    run.throw("a", "E9")
    assert run.incidents[0].kind == "error_uncaught"
    run.resolve()
    run.complete("a")
    assert run.status == "completed"


def test_a_person_can_end_a_user_task_with_an_error() -> None:
    program = compiled(start(), user("a"), boundary("b", "a", error("E1")), log("x"), flows="s > a; b > x")
    run = Run(program)
    run.throw("a", "E1")
    assert run.log == ["x"]


@pytest.mark.parametrize("interrupting", [True, False])
@pytest.mark.parametrize("throwing", ["end", "throw"])
def test_escalations_are_caught_on_the_subprocess(throwing: str, interrupting: bool) -> None:
    inner = end("ut", escalation("X1")) if throwing == "end" else throw("ut", escalation("X1"))
    program = compiled(
        start(),
        sub("u", start("us"), inner, user("ua"), flows="us > ut; ut > ua" if throwing == "throw" else "us > ut"),
        boundary("b", "u", escalation("X1"), cancel=interrupting), log("x"), log("y"),
        flows="s > u; b > x; u > y",
    )  # fmt: skip
    run = Run(program)
    if interrupting:
        assert run.log == ["x"]
        assert run.status == "completed"
    elif throwing == "throw":
        assert run.log == ["x"]
        run.complete("ua")
        assert run.log == ["x", "y"]
    else:
        assert sorted(run.log) == ["x", "y"]


def test_an_escalation_that_nothing_catches_is_told_and_forgotten() -> None:
    run = Run(compiled(start(), throw("t", escalation("X1")), log("a"), flows="s > t; t > a"))
    assert run.log == ["a"]
    assert [e.caught_by for e in run.of(p.EscalationThrown)] == [""]


def test_a_worker_can_escalate_and_go_on() -> None:
    program = compiled(
        start(),
        job("a"),
        boundary("b", "a", escalation(), cancel=False),
        log("x"),
        log("y"),
        flows="s > a; b > x; a > y",
    )
    run = Run(program)
    run.do(p.ThrowEscalation(run.wait_at("a", object).key, "X1", {"news": 1}))
    assert run.log == ["x"]
    run.complete("a")
    assert run.log == ["x", "y"]


# ---- event subprocesses ---------------------------------------------------------------------


def with_event_sub(trigger: str, interrupting: bool) -> Run:
    program = compiled(
        start(), user("a"), log("y"),
        event_sub(
            "h", start("hs", trigger, isInterrupting=interrupting), log("hx"), flows="hs > hx"
        ),
        flows="s > a; a > y",
    )  # fmt: skip
    return Run(program, go=False)


@pytest.mark.parametrize("kind", TRIGGERS)
def test_interrupting_event_subprocess_ends_the_other_work(kind: str) -> None:
    run = with_event_sub(TRIGGERS[kind], True)
    occur(run, kind, "hs")
    assert run.log == ["hx"]
    assert run.status == "completed"
    assert [e.node for e in run.of(p.ElementTerminated)] == ["a"]
    run.check_deterministic()


@pytest.mark.parametrize("kind", TRIGGERS)
def test_non_interrupting_event_subprocess_runs_beside(kind: str) -> None:
    run = with_event_sub(TRIGGERS[kind], False)
    occur(run, kind, "hs")
    assert run.log == ["hx"]
    assert run.at() == ["a"]
    run.complete("a")
    assert run.log == ["hx", "y"]
    assert run.status == "completed"


@pytest.mark.parametrize("definition", [error("E1"), escalation("X1"), error(), escalation()])
def test_error_and_escalation_event_subprocesses_do_not_start_with_the_instance(definition: str) -> None:
    run = with_event_sub(definition, True)
    assert run.at() == ["a"]
    assert run.log == []


@pytest.mark.parametrize(("thrown", "caught"), [(error("E1"), error("E1")), (escalation("X1"), escalation())])
def test_error_and_escalation_are_caught_by_the_event_subprocess_of_the_scope(
    thrown: str, caught: str
) -> None:
    program = compiled(
        start(), both("f"), user("a"), end("t", thrown),
        event_sub("h", start("hs", caught), log("hx"), flows="hs > hx"),
        flows="s > f; f > a; f > t",
    )  # fmt: skip
    run = Run(program)
    assert run.log == ["hx"]
    assert run.status == "completed"


def test_an_error_inside_its_own_handler_goes_outwards() -> None:
    program = compiled(
        start(),
        sub("u", start("us"), end("ut", error("E1")),
            event_sub("h", start("hs", error()), end("ht", error("E2")), flows="hs > ht"), flows="us > ut"),
        boundary("b", "u", error("E2")), log("x"), log("y"),
        flows="s > u; b > x; u > y",
    )  # fmt: skip
    assert Run(program).log == ["x"]


def test_an_event_subprocess_of_a_subprocess_is_armed_only_while_that_runs() -> None:
    program = compiled(
        start(),
        sub("u", start("us"), user("ua"), event_sub("h", start("hs", message("M")), log("hx"), flows="hs > hx"),
            flows="us > ua"),
        user("z"),
        flows="s > u; u > z",
    )  # fmt: skip
    run = Run(program)
    assert [w.node for w in run.waits(Subscription)] == ["hs"]
    run.complete("ua")
    assert not run.waits(Subscription)
    assert run.at() == ["z"]


def test_arming_that_fails_is_an_incident_of_the_scope() -> None:
    program = compiled(
        start(),
        user("a"),
        event_sub("h", start("hs", message("K")), log("hx"), flows="hs > hx"),
        flows="s > a",
    )
    run = Run(program, key=None)
    assert run.incidents[0].kind == "correlation"
    run.set(key="A")
    run.resolve()
    run.deliver("hs")
    assert run.log == ["hx"]


# ---- starting -------------------------------------------------------------------------------


def test_each_start_event_can_start_the_process() -> None:
    program = compiled(
        start("s1"), start("s2", message("M")), start("s3", timer("Cycle", "R/PT1H")), start("s4", signal("S")),
        log("a"), log("b"), flows="s1 > a; s2 > b; s3 > b; s4 > b",
    )  # fmt: skip
    assert [(t.node, t.kind, t.name) for t in program.starts] == [
        ("s1", "none", ""), ("s2", "message", "M"), ("s3", "timer", ""), ("s4", "signal", "S"),
    ]  # fmt: skip
    assert Run(program).log == ["a"]
    run = Run(program, begin=False)
    run.do(p.Start({"log": []}, start_event="s2"))
    assert run.log == ["b"]


def test_a_wrong_start_event_is_rejected_with_the_right_ones() -> None:
    program = compiled(start("s2", message("M")), log("b"), flows="s2 > b")
    with pytest.raises(NotFound, match="s2"):
        step(program, new_instance(program, "i"), p.Start(start_event="nope"), now=NOW)
    with pytest.raises(WrongState, match="s2"):
        step(program, new_instance(program, "i"), p.Start(), now=NOW)


def test_an_instantiating_receive_task_starts_the_process() -> None:
    program = compiled(element("receiveTask", "r", messageRef="M", instantiate=True), log("a"), flows="r > a")
    run = Run(program, begin=False)
    run.do(p.Start({"log": [], "x": 1}, start_event="r"))
    assert run.trail == ["r", "a"]


@pytest.mark.parametrize("kind", ["Exclusive", "Parallel"])
def test_an_instantiating_event_based_gateway(kind: str) -> None:
    program = compiled(
        element("eventBasedGateway", "g", instantiate=True, eventGatewayType=kind),
        catch("m", message("M")), catch("n", message("N")), log("a"), log("b"),
        flows="g > m; g > n; m > a; n > b",
    )  # fmt: skip
    run = Run(program, begin=False)
    run.do(p.Start({"log": []}, start_event="n"))
    assert run.log == ["b"]
    if kind == "Exclusive":
        assert run.status == "completed"
    else:
        run.deliver("m")
        assert run.log == ["b", "a"]
        assert run.status == "completed"


def test_events_about_what_is_over_are_ignored() -> None:
    run = Run(compiled(start(), catch("c", timer("Duration", "PT1H")), user("a"), flows="s > c; c > a"))
    key = run.wait_at("c", Timer).key
    run.fire("c")
    assert run.do(p.FireTimer(key)) == []
    assert run.do(p.DeliverMessage(key)) == []
    for command in (
        p.CompleteCall(key),
        p.FailCall(key, "x"),
        p.ErrorFromCall(key, "x"),
        p.EscalationFromCall(key, "x"),
    ):
        assert run.do(command) == []


def test_an_instantiating_receive_task_may_stand_behind_a_start_event() -> None:
    """BPMN 2.0.2, 10.3.3: its only flow may come from a start event."""
    receive = element("receiveTask", "r", messageRef="M", instantiate=True)
    program = compiled(start(), receive, log("a"), flows="s > r; r > a")
    run = Run(program, begin=False)
    run.do(p.Start({"log": [], "n": 1}, start_event="r"))
    assert (run.trail, run.log, run.status) == (["s", "r", "a"], ["a"], "completed")
    assert [flow.flow for flow in run.of(p.FlowTaken)] == ["s_r", "r_a"]
    run.check_deterministic()
    by_hand = Run(program)
    assert by_hand.at() == ["r"]
    by_hand.deliver("r")
    assert by_hand.trail == ["s", "r", "a"]


@pytest.mark.parametrize("parallel", [False, True])
def test_an_instantiating_gateway_may_stand_behind_a_start_event(parallel: bool) -> None:
    kind = "Parallel" if parallel else "Exclusive"
    program = compiled(
        start(), element("eventBasedGateway", "g", instantiate=True, eventGatewayType=kind),
        catch("c", message("M")), catch("d", message("N")), log("a"), log("b"),
        flows="s > g; g > c; g > d; c > a; d > b",
    )  # fmt: skip
    run = Run(program, begin=False)
    run.do(p.Start({"log": []}, start_event="d"))
    assert run.trail[:3] == ["s", "g", "d"]
    assert run.log == ["b"]
    if parallel:
        run.deliver("c")
        assert run.log == ["b", "a"]
    assert run.status == "completed"
