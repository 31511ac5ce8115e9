"""A called process is undone with its call: what the child hands over, and what the caller does with it."""

from __future__ import annotations

from flowkit.kernel import Program, migrate
from flowkit.kernel import protocol as p
from flowkit.kernel.state import Call
from tests.kernel.diagrams import (
    NOW,
    Run,
    boundary,
    compensate,
    compiled,
    element,
    end,
    error,
    log,
    start,
    sub,
    throw,
    user,
)

UNDO = "<bpmn:compensateEventDefinition/>"


def child() -> Program:
    """``a`` is undone by the user task ``ca``, ``b`` by the log entry ``cb``."""
    joined = "".join(
        f'<bpmn:association id="as_{name}" sourceRef="b_{name}" targetRef="c{name}"/>' for name in ("a", "b")
    )
    return compiled(
        start(),
        log("a"),
        boundary("b_a", "a", UNDO),
        user("ca", isForCompensation="true"),
        log("b"),
        boundary("b_b", "b", UNDO),
        log("cb", isForCompensation="true"),
        end(),
        joined,
        flows="s > a; a > b; b > e",
    )


def caller() -> Program:
    return compiled(
        start(),
        sub(
            "u",
            start("us"),
            element("callActivity", "c", calledElement="P"),
            throw("t", compensate()),
            end("ue"),
            flows="us > c; c > t; t > ue",
        ),
        boundary("x", "u", error("E1")),
        end(),
        end("e2"),
        flows="s > u; u > e; x > e2",
    )


def handed_over() -> p.Compensable:
    (ended,) = Run(child(), parent=True).of(p.InstanceEnded)
    assert ended.undo is not None
    return ended.undo


def undoing() -> tuple[Run, p.Compensable]:
    """The caller waits for its call to be undone."""
    undo = handed_over()
    run = Run(caller())
    run.do(p.CompleteCall(run.called("c").key, undo=undo))
    return run, undo


def test_a_called_instance_hands_over_what_can_be_undone() -> None:
    program = child()
    undo = handed_over()
    assert (undo.node, undo.program) == ("P", program.digest)
    assert [one.node for one in undo.children] == ["a", "b"]
    assert Run(program).of(p.InstanceEnded)[0].undo is None


def test_the_caller_asks_for_an_instance_that_undoes() -> None:
    run, undo = undoing()
    assert run.of(p.CallOpened)[-1].undo == undo
    run.do(p.CompleteCall(run.called("t").key))
    assert (run.trail, run.status) == (["s", "us", "c", "t", "ue", "u", "e"], "completed")
    run.check_deterministic()


def test_such_an_instance_runs_the_handlers_and_nothing_else() -> None:
    undo = handed_over()
    run = Run(child(), begin=False)
    run.do(p.Start(variables=undo.variables, parent=p.ParentCall("caller", 9), undo=undo))
    assert run.trail == ["cb"]
    run.complete("ca")
    assert (run.trail, run.status) == (["cb", "ca"], "completed")
    assert run.of(p.InstanceEnded)[0].undo is None
    run.check_deterministic()


def test_what_could_not_be_undone_is_tried_again() -> None:
    run, undo = undoing()
    run.do(p.FailCall(run.called("t").key, "no such version"))
    run.resolve()
    assert [one.undo for one in run.of(p.CallOpened)] == [None, undo, undo]
    run.do(p.CompleteCall(run.called("t").key))
    assert run.status == "completed"


def test_an_error_of_the_handlers_is_thrown_where_compensation_was() -> None:
    run, _ = undoing()
    run.do(p.ErrorFromCall(run.called("t").key, "E1", "bad"))
    assert run.trail[-2:] == ["x", "e2"]
    assert run.status == "completed"


def test_undoing_ends_with_what_threw_it() -> None:
    run, _ = undoing()
    key = run.called("t").key
    run.do(p.Cancel())
    assert [one.reason for one in run.of(p.CallClosed) if one.call == key] == ["cancelled"]
    assert not run.waits(Call)


def test_what_was_called_migrates_as_it_is() -> None:
    def waiting(call: str) -> Program:
        return compiled(
            start(),
            element("callActivity", call, calledElement="P"),
            user("h"),
            throw("t", compensate()),
            end(),
            flows=f"s > {call}; {call} > h; h > t; t > e",
        )

    undo, old, new = handed_over(), waiting("c"), waiting("d")
    run = Run(old)
    run.do(p.CompleteCall(run.called("c").key, undo=undo))
    migrate(old, new, run.instance, {"c": "d"}, now=NOW)
    (record,) = run.instance.scopes[1].records.values()
    assert (record.node, record.children) == ("d", (undo,))
