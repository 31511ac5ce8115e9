"""What other engines accept and then run as something else, run here as the standard says.

One test for each cell of a comparison of five engines (Camunda 7 and its forks, Flowable, Zeebe,
SpiffWorkflow, bpmn-elements) that says "silent": the diagram is deployed without a word and something
else is executed. ``row`` names the row of that table and the fault that was seen. No third outcome:
each of these diagrams is executed exactly, or refused by rule.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lxml import etree

from flowkit.bpmn import check_deployable, parse
from flowkit.engine import Engine
from flowkit.kernel import Program, compile_process
from flowkit.kernel import protocol as p
from flowkit.kernel.state import Condition, Subscription, Timer
from tests.kernel.diagrams import (
    CANCEL,
    Run,
    both,
    boundary,
    catch,
    compensate,
    condition,
    element,
    end,
    error,
    escalation,
    event_sub,
    expression,
    link,
    log,
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
)

UNDO = "<bpmn:compensateEventDefinition/>"


def row(text: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Cite the row of the comparison that a test is about."""

    def cite(test: Callable[..., None]) -> Callable[..., None]:
        test.__doc__ = text
        return test

    return cite


def deployed(*nodes: str, flows: str) -> Program:
    """The program of a diagram that passes every check of a deployment."""
    definitions = parse(_ordered(process(*nodes, flows=flows)))
    check_deployable(definitions)
    return compile_process(definitions, "P")


def _ordered(data: bytes) -> bytes:
    """Associations after all nodes and flows, as the schema wants it."""
    root = etree.fromstring(data)
    for association in root.findall(".//{*}association"):
        parent = association.getparent()
        assert parent is not None
        parent.append(association)
    return etree.tostring(root)


def undo(name: str, host: str) -> str:
    """A compensation handler of ``host`` that logs ``name`` and the value of ``n`` that it sees."""
    handler = script(name, f'append(log, "{name}" + string(n))', "log", isForCompensation=True)
    ends = f'sourceRef="b_{name}" targetRef="{name}"'
    association = f'<bpmn:association id="as_{name}" associationDirection="One" {ends}/>'
    return boundary(f"b_{name}", host, UNDO) + handler + association


# ---- 1a. start events and event subprocesses ------------------------------------------------


@pytest.mark.parametrize("trigger", ["M", "S"])
@row("1a Multiple start: only one of the definitions is used")
def test_multiple_start_is_triggered_by_each_definition(trigger: str) -> None:
    program = deployed(start("s", message("M") + signal("S")), log("a"), end(), flows="s > a; a > e")
    assert ("s", trigger) in [(one.node, one.name) for one in program.starts]
    run = Run(program, begin=False)
    run.do(p.Start({"log": []}, start_event="s"))
    assert run.trail == ["s", "a", "e"]


@row("1a Parallel-multiple start: parallelMultiple is ignored, any of the definitions starts")
def test_parallel_multiple_start_needs_every_definition() -> None:
    data = process(
        start("s", message("M") + signal("S"), parallelMultiple=True), user("a"), end(), flows="s > a; a > e"
    )
    with Engine() as engine:
        engine.deploy({"p.bpmn": data})
        assert engine.publish("M") == []
        assert engine.instances() == []
        [case] = engine.broadcast("S")
        assert engine.instance(case).active_elements == ("a",)


def with_event_subprocess(trigger: str, *, interrupting: bool = True) -> Program:
    """A user task ``a`` beside an event subprocess that logs ``h``."""
    return deployed(
        start(), user("a"), end(),
        event_sub("u", start("us", trigger, isInterrupting=interrupting), log("h"), end("ue"),
                  flows="us > h; h > ue"),
        flows="s > a; a > e",
    )  # fmt: skip


@row("1a ESP message: the flag is ignored, or only a message thrown inside is caught; never interrupts")
def test_message_event_subprocess_interrupts_when_the_message_comes_from_outside() -> None:
    run = Run(with_event_subprocess(message("M")))
    run.deliver("us")
    assert run.log == ["h"]
    assert [one.node for one in run.of(p.ElementTerminated)] == ["a"]
    assert run.status == "completed"


@row("1a ESP timer: never armed; never interrupts")
def test_timer_event_subprocess_is_armed_with_its_scope_and_interrupts() -> None:
    run = Run(with_event_subprocess(timer("Duration", "PT1H")))
    assert [wait.node for wait in run.waits(Timer)] == ["us"]
    run.fire("us")
    assert run.log == ["h"]
    assert [one.node for one in run.of(p.ElementTerminated)] == ["a"]
    assert run.status == "completed"


@row("1a ESP signal: never interrupts")
def test_signal_event_subprocess_interrupts() -> None:
    run = Run(with_event_subprocess(signal("S")))
    run.broadcast("S")
    assert [one.node for one in run.of(p.ElementTerminated)] == ["a"]
    assert run.status == "completed"


@pytest.mark.parametrize("trigger", [message("M"), timer("Duration", "PT1H"), signal("S")])
@row("1a ESP message, timer, signal: interrupting or not makes no difference")
def test_non_interrupting_event_subprocess_leaves_the_scope_running(trigger: str) -> None:
    run = Run(with_event_subprocess(trigger, interrupting=False))
    if run.waits(Timer):
        run.fire("us")
    else:
        run.do(
            p.DeliverMessage(run.wait_at("us", Subscription).key)
        ) if "message" in trigger else run.broadcast("S")
    assert run.log == ["h"]
    assert run.at() == ["a"]


def failing_with(definition: str, thrown: str) -> Program:
    """A job-like user task ``a`` leads to an end that throws; an event subprocess catches it."""
    return deployed(
        start(), both("f"), user("a"), user("b"), end("t", thrown), end("e"),
        event_sub("u", start("us", definition), log("h"), end("ue"), flows="us > h; h > ue"),
        flows="s > f; f > a; f > b; a > t; b > e",
    )  # fmt: skip


@row("1a ESP error: starts at once with the instance")
def test_error_event_subprocess_starts_when_the_error_is_thrown_and_not_before() -> None:
    run = Run(failing_with(error("E1"), error("E1")))
    assert run.log == []
    assert run.at() == ["a", "b"]
    run.complete("a")
    assert run.log == ["h"]
    assert [one.node for one in run.of(p.ElementTerminated)] == ["b"]
    assert run.status == "completed"


@row("1a ESP escalation: starts at once with the instance; never interrupts")
def test_escalation_event_subprocess_starts_when_escalated_and_interrupts() -> None:
    run = Run(failing_with(escalation("X1"), escalation("X1")))
    assert run.log == []
    run.complete("a")
    assert run.log == ["h"]
    assert "b" in [one.node for one in run.of(p.ElementTerminated)]
    assert run.status == "completed"


@row("1a ESP compensation: starts at once with the instance; never triggered")
def test_compensation_event_subprocess_runs_when_its_finished_subprocess_is_compensated() -> None:
    program = deployed(
        start(),
        sub("u", start("us"), user("a"), end("ue"),
            event_sub("h", start("hs", UNDO), log("hx"), end("he"), flows="hs > hx; hx > he"),
            flows="us > a; a > ue"),
        user("b"), end("t", compensate("u")),
        flows="s > u; u > b; b > t",
    )  # fmt: skip
    run = Run(program)
    assert run.log == []
    run.complete("a")
    assert run.log == []
    run.complete("b")
    assert run.log == ["hx"]
    assert run.status == "completed"


# ---- 1b. intermediate events ----------------------------------------------------------------


@row("1b Catch / throw link: the token vanishes")
def test_link_passes_its_token_on() -> None:
    program = deployed(
        start(), throw("t", link("L")), catch("c", link("L")), log("a"), end(),
        flows="s > t; c > a; a > e",
    )  # fmt: skip
    run = Run(program)
    assert run.trail == ["s", "t", "c", "a", "e"]
    assert run.status == "completed"


@pytest.mark.parametrize("come", ["M", "S"])
@row("1b Catch multiple: only the first definition is caught")
def test_multiple_catch_takes_whichever_comes(come: str) -> None:
    run = Run(deployed(start(), catch("c", message("M") + signal("S")), end(), flows="s > c; c > e"))
    if come == "M":
        run.deliver("c")
    else:
        run.broadcast("S")
    assert run.status == "completed"
    assert not run.instance.waits


@pytest.mark.parametrize("first", ["M", "S"])
@row("1b Catch parallel-multiple: parallelMultiple is ignored, or only the first definition is caught")
def test_parallel_multiple_catch_needs_all(first: str) -> None:
    event = catch("c", message("M") + signal("S"), parallelMultiple=True)
    run = Run(deployed(start(), event, end(), flows="s > c; c > e"))
    for come in (first, "S" if first == "M" else "M"):
        assert run.at() == ["c"]
        if come == "M":
            run.deliver("c")
        else:
            run.broadcast("S")
    assert run.status == "completed"


@row("1b Catch conditional: polled, or an error when the variable is not set yet")
def test_condition_on_an_unset_variable_waits_for_it() -> None:
    run = Run(deployed(start(), catch("c", condition("paid = true")), end(), flows="s > c; c > e"))
    assert run.waits(Condition)
    assert not run.incidents
    run.set(paid=True)
    assert run.status == "completed"


@pytest.mark.parametrize("kind", ["throw", "end", "send"])
@row("1b Throw message, 1d Message end, 1f Send task: sends nothing unless a delegate is configured")
def test_thrown_message_is_sent(kind: str) -> None:
    node = {
        "throw": throw("t", message("M")) + end(),
        "end": end("t", message("M")),
        "send": element("sendTask", "t", messageRef="M") + end(),
    }[kind]
    run = Run(deployed(start(), node, flows="s > t" if kind == "end" else "s > t; t > e"))
    assert [one.name for one in run.of(p.MessageThrown)] == ["M"]
    assert run.status == "completed"


@pytest.mark.parametrize("kind", ["throw", "end"])
@row("1b Throw compensation, 1d Compensation end: the definition is not parsed, nothing is undone")
def test_compensation_throw_undoes(kind: str) -> None:
    node = end("t", compensate()) if kind == "end" else throw("t", compensate()) + end()
    flow = "s > a; a > t" if kind == "end" else "s > a; a > t; t > e"
    run = Run(deployed(start(), log("a"), undo("ua", "a"), node, flows=flow), n=0)
    assert run.log == ["a", "ua0"]
    assert run.status == "completed"


@pytest.mark.parametrize("kind", ["throw", "end"])
@row("1b Throw multiple, 1d Multiple end: only one of the definitions is thrown")
def test_multiple_throw_throws_all(kind: str) -> None:
    given = signal("S") + message("M") + escalation("X1")
    node = end("t", given) if kind == "end" else throw("t", given) + end()
    run = Run(deployed(start(), node, flows="s > t" if kind == "end" else "s > t; t > e"))
    assert [one.name for one in run.of(p.MessageThrown)] == ["M"]
    assert [one.name for one in run.of(p.SignalThrown)] == ["S"]
    assert [one.code for one in run.of(p.EscalationThrown)] == ["X1"]
    assert run.status == "completed"


# ---- 1c. boundary events --------------------------------------------------------------------


@pytest.mark.parametrize("come", ["M", "T"])
@row("1c Boundary multiple: only one of the definitions is armed")
def test_multiple_boundary_is_triggered_by_each_definition(come: str) -> None:
    program = deployed(
        start(), user("a"), boundary("b", "a", message("M") + timer("Duration", "PT1H")), log("x"), end(),
        end("e2"), flows="s > a; a > e; b > x; x > e2",
    )  # fmt: skip
    run = Run(program)
    if come == "M":
        run.deliver("b")
    else:
        run.fire("b")
    assert run.log == ["x"]
    assert run.status == "completed"


@row("1c Boundary multiple: parallelMultiple is ignored, or the event occurs once and is deaf after that")
def test_non_interrupting_parallel_multiple_boundary_occurs_each_time_all_have_come() -> None:
    given = message("M") + signal("S")
    program = deployed(
        start(), user("a"), boundary("b", "a", given, cancel=False, parallelMultiple=True), log("x"), end(),
        end("e2"), flows="s > a; a > e; b > x; x > e2",
    )  # fmt: skip
    run = Run(program)
    for count in (1, 2):
        run.deliver("b")
        assert len(run.log) == count - 1
        run.broadcast("S")
        assert len(run.log) == count
    assert run.at() == ["a"]


@row("1c Boundary conditional: needs an explicit call or a signal to be looked at")
def test_conditional_boundary_triggers_by_the_change_of_its_variable() -> None:
    program = deployed(
        start(), both("f"), user("a"), script("w", "true", "late", extensions=""), user("c"),
        boundary("b", "a", condition("late = true")), log("x"), end(), end("e2"), end("e3"),
        flows="s > f; f > a; f > c; c > w; w > e3; a > e; b > x; x > e2",
    )  # fmt: skip
    run = Run(program, late=False)
    run.complete("c")
    assert run.log == ["x"]
    assert run.status == "completed"


@row("1b Catch conditional: polled, so a condition that holds for a moment only is missed")
def test_conditions_that_come_true_together_all_trigger() -> None:
    program = deployed(
        start(), both("f"), catch("c", condition("n > 1")), catch("d", condition("n > 1")),
        script("back", "0", "n"), log("x"), end(),
        flows="s > f; f > c; f > d; c > back; back > e; d > x; x > e",
    )  # fmt: skip
    run = Run(program, n=0)
    run.set(n=5)
    assert run.log == ["x"]
    assert run.status == "completed"


# ---- 1d. end events and compensation --------------------------------------------------------


@row("1d Signal end: the signal is never sent")
def test_signal_end_sends_its_signal() -> None:
    program = deployed(
        start(), both("f"), catch("c", signal("S")), user("a"), end("t", signal("S")), log("x"), end(),
        flows="s > f; f > c; f > a; a > t; c > x; x > e",
    )  # fmt: skip
    run = Run(program)
    run.complete("a")
    assert [one.name for one in run.of(p.SignalThrown)] == ["S"]
    assert run.log == ["x"]
    assert run.status == "completed"


@row("1d Cancel end: leaves the transaction without compensation")
def test_cancel_end_compensates_the_transaction() -> None:
    program = deployed(
        start(),
        sub("u", start("us"), log("a"), undo("ua", "a"), end("ue", CANCEL), flows="us > a; a > ue",
            tag="transaction"),
        boundary("c", "u", CANCEL), log("x"), end(), end("e2"),
        flows="s > u; u > e; c > x; x > e2",
    )  # fmt: skip
    assert Run(program, n=1).log == ["a", "ua1", "x"]


@row("1d Handlers run in reverse order: forwards, or all together; variables are those of now")
def test_compensation_runs_backwards_with_the_variables_as_they_were() -> None:
    program = deployed(
        start(), script("a", "n + 1", "n"), undo("ua", "a"), script("b", "n + 1", "n"), undo("ub", "b"),
        script("c", "n + 1", "n"), undo("uc", "c"), end("t", compensate()),
        flows="s > a; a > b; b > c; c > t",
    )  # fmt: skip
    assert Run(program, n=0).log == ["uc3", "ub2", "ua1"]


@row("1d Compensation reaches finished subprocess: what was done inside stays done")
def test_compensation_goes_into_a_finished_subprocess() -> None:
    program = deployed(
        start(),
        sub("u", start("us"), script("a", "n + 1", "n"), undo("ua", "a"), script("b", "n + 1", "n"),
            undo("ub", "b"), end("ue"), flows="us > a; a > b; b > ue"),
        end("t", compensate()),
        flows="s > u; u > t",
    )  # fmt: skip
    assert Run(program, n=0).log == ["ub2", "ua1"]


# ---- 1e. gateways and flows -----------------------------------------------------------------


@pytest.mark.parametrize("turned", [False, True])
@row("1e Parallel split / join: stalls depending on the order in the XML")
def test_parallel_join_does_not_depend_on_the_order_in_the_file(turned: bool) -> None:
    nodes = [start(), both("f"), log("a"), log("b"), both("j"), log("z"), end()]
    flow = "s > f; f > a; f > b; a > j; b > j; j > z; z > e"
    if turned:
        nodes.reverse()
        flow = ";".join(reversed(flow.split(";")))
    run = Run(deployed(*nodes, flows=flow))
    assert run.trail.count("j") == 1
    assert run.log[-1] == "z"
    assert run.status == "completed"


@row("1e Parallel join: the data of a branch is lost at the join")
def test_parallel_join_keeps_the_data_of_every_branch() -> None:
    program = deployed(
        start(), both("f"), user("a"), user("b"), user("c"), both("j"), end(),
        flows="s > f; f > a; f > b; f > c; a > j; b > j; c > j; j > e",
    )  # fmt: skip
    run = Run(program)
    run.complete("c", third=3, shared="c")
    run.complete("a", first=1, shared="a")
    run.complete("b", second=2)
    assert {**run.variables, "log": None} == {
        "first": 1, "second": 2, "third": 3, "shared": "a", "log": None,
    }  # fmt: skip


@row("1e Inclusive join: passes on the first token")
def test_inclusive_join_waits_for_every_token_that_can_come() -> None:
    program = deployed(
        start(), some("g"), user("a"), user("b"), user("c"), some("j"), log("z"), end(),
        flows="s > g; g > a : x > 0; g > b : x > 1; g > c : x > 2; a > j; b > j; c > j; j > z; z > e",
    )  # fmt: skip
    run = Run(program, x=2)
    run.complete("b")
    assert run.log == []
    run.complete("a")
    assert run.log == ["z"]
    assert run.trail.count("j") == 1
    assert run.status == "completed"


@row("1e Inclusive join: one token a flow; here it would fire while an activity before it still runs")
def test_inclusive_join_waits_for_the_activity_whose_reminder_has_arrived() -> None:
    program = deployed(
        start(), some("g"), user("a"), user("b"), boundary("m", "b", message("M"), cancel=False), some("j"),
        log("z"), end(),
        flows="s > g; g > a : x > 0; g > b : x > 0; a > j; b > j; m > j; j > z; z > e",
    )  # fmt: skip
    run = Run(program, x=1)
    run.complete("a")
    run.deliver("m")
    assert run.log == []
    run.complete("b")
    assert run.log == ["z"]
    assert run.trail.count("j") == 1
    assert run.status == "completed"


@row("1e Complex gateway: becomes an exclusive one, or is skipped with a warning")
def test_complex_gateway_counts_what_has_arrived_and_takes_every_true_flow() -> None:
    program = deployed(
        start(), both("f"), user("a"), user("b"), user("c"),
        element("complexGateway", "j", expression("activationCondition", "activationCount >= 2")),
        log("y"), log("z"), end(), end("e2"),
        flows="s > f; f > a; f > b; f > c; a > j; b > j; c > j; j > y : waitingForStart;"
        " j > z : waitingForStart; y > e; z > e2",
    )  # fmt: skip
    run = Run(program)
    run.complete("a")
    assert run.log == []
    run.complete("b")
    assert run.log == ["y", "z"]
    run.complete("c")
    assert run.log == ["y", "z"]
    assert run.status == "completed"


@pytest.mark.parametrize(("x", "taken"), [(2, ["b", "c"]), (1, ["b"]), (0, ["d"])])
@row("1e Conditional flow on an activity: the condition is not evaluated")
def test_conditions_on_flows_out_of_an_activity_decide(x: int, taken: list[str]) -> None:
    program = deployed(
        start(), user("a", default="a_d"), log("b"), log("c"), log("d"), end(),
        flows="s > a; a > b : x > 0; a > c : x > 1; a > d; b > e; c > e; d > e",
    )  # fmt: skip
    run = Run(program, x=x)
    run.complete("a")
    assert run.log == taken
    assert run.status == "completed"


@row("1e Several flows out of an activity: only one of them is taken")
def test_every_flow_out_of_an_activity_is_taken() -> None:
    run = Run(
        deployed(start(), log("a"), log("b"), log("c"), end(), flows="s > a; a > b; a > c; b > e; c > e")
    )
    assert run.log == ["a", "b", "c"]


# ---- 1f and 1g. activities and data ---------------------------------------------------------


@row("1f Ad-hoc subprocess: ignored, or run like an embedded subprocess")
def test_ad_hoc_subprocess_ends_by_its_completion_condition() -> None:
    program = deployed(
        start(),
        sub("u", user("a"), user("b"), expression("completionCondition", "done = true"),
            tag="adHocSubProcess"),
        log("z"), end(),
        flows="s > u; u > z; z > e",
    )  # fmt: skip
    run = Run(program, done=False)
    assert run.at() == ["a", "b", "u"]
    run.complete("b", done=True)
    assert [one.node for one in run.of(p.ElementTerminated)] == ["a"]
    assert run.log == ["z"]


@row("1g Data objects, standard ioSpecification: drawn, never filled")
def test_data_associations_move_data() -> None:
    io = (
        '<bpmn:ioSpecification><bpmn:dataInput id="i" name="given"/><bpmn:dataOutput id="o" name="made"/>'
        "<bpmn:inputSet><bpmn:dataInputRefs>i</bpmn:dataInputRefs></bpmn:inputSet>"
        "<bpmn:outputSet><bpmn:dataOutputRefs>o</bpmn:dataOutputRefs></bpmn:outputSet></bpmn:ioSpecification>"
        '<bpmn:dataInputAssociation id="di"><bpmn:sourceRef>d_in</bpmn:sourceRef>'
        "<bpmn:targetRef>i</bpmn:targetRef></bpmn:dataInputAssociation>"
        '<bpmn:dataOutputAssociation id="do"><bpmn:sourceRef>o</bpmn:sourceRef>'
        "<bpmn:targetRef>d_out</bpmn:targetRef></bpmn:dataOutputAssociation>"
    )
    data = (
        '<bpmn:dataObject id="order" name="order"/><bpmn:dataObject id="invoice" name="invoice"/>'
        '<bpmn:dataObjectReference id="d_in" dataObjectRef="order"/>'
        '<bpmn:dataObjectReference id="d_out" dataObjectRef="invoice"/>'
    )
    run = Run(deployed(start(), data, user("a", io), end(), flows="s > a; a > e"), order={"total": 42})
    (opened,) = run.of(p.UserTaskOpened)
    assert opened.variables["given"] == {"total": 42}
    run.complete("a", made="I-1", other="stays inside")
    assert run.variables["invoice"] == "I-1"
    assert "other" not in run.variables
