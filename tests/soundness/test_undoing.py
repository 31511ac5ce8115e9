"""Undoing what a called process did: in its caller, and in the called process itself."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from flowkit.bpmn import parse
from flowkit.cli.app import app
from flowkit.soundness import Soundness, check_soundness
from tests.kernel.diagrams import (
    TERMINATE,
    both,
    boundary,
    compensate,
    element,
    end,
    event_sub,
    job,
    message,
    process,
    start,
    throw,
    user,
    xor,
)

CALL = element("callActivity", "c", '<bpmn:extensionElements><zeebe:calledElement processId="Called"/></bpmn:extensionElements>')  # fmt: skip
UNDO = job("undo", isForCompensation=True)
LINK = '<bpmn:association id="as" associationDirection="One" sourceRef="b" targetRef="undo"/>'
CALLED = process(
    start(),
    job("a"),
    UNDO,
    boundary("b", "a", compensate()),
    LINK,
    end(),
    flows="s > a; a > e",
    name="Called",
)
PLAIN = process(start(), user("a"), end(), flows="s > a; a > e", name="Called")
CALLER = process(
    start(), CALL, both("f"), throw("t", compensate()), end("stop", TERMINATE), user("u"), user("z"), end(),
    flows="s > c; c > f; f > t; f > u; t > stop; u > z; z > e",
)  # fmt: skip
"""Unless undoing takes its time, the process is over before anybody comes to z."""
DEADLOCK = "x > n1; x > n2 : no; n1 > j; n2 > j; j > ue"
STUCK = [xor("x", default="x_n1"), user("n1"), user("n2"), both("j"), end("ue")]


def rules(result: Soundness) -> set[tuple[str, str]]:
    return {(finding.rule, finding.element_id) for finding in result.findings}


def check(*called: bytes) -> Soundness:
    return check_soundness(parse(CALLER), "P", called=[parse(one) for one in called])


def test_a_call_that_left_something_is_undone() -> None:
    result = check(CALLED)
    assert result.findings == ()
    assert result.notes == ()


def test_a_call_that_left_nothing_is_not_undone() -> None:
    result = check(PLAIN)
    assert rules(result) == {("dead-element", "z"), ("dead-element", "e")}
    assert result.notes == ()


def test_what_a_call_leaves_in_turn_is_undone() -> None:
    inner = '<bpmn:extensionElements><zeebe:calledElement processId="Inner"/></bpmn:extensionElements>'
    between = process(
        start(), element("callActivity", "d", inner), end(), flows="s > d; d > e", name="Called"
    )
    assert check(between, CALLED.replace(b'id="Called"', b'id="Inner"')).findings == ()


def test_a_called_process_that_is_not_at_hand_is_named() -> None:
    (note,) = check().notes
    assert "'Called' was not explored" in note


def test_too_many_states_with_undoing_leave_the_rest_decided() -> None:
    names = [f"u{n}" for n in range(7)]
    cancel = event_sub(
        "h", start("hs", message("N")), throw("ht", compensate()), end("he"), flows="hs > ht; ht > he"
    )
    flows = "s > f; f > c; c > j; j > e; " + "; ".join(f"f > {name}; {name} > j" for name in names)
    diagram = process(start(), both("f"), CALL, both("j"), end(), cancel, *map(user, names), flows=flows)
    result = check_soundness(parse(diagram), "P", called=[parse(CALLED)], max_states=300)
    assert result.sound
    (note,) = result.notes
    assert "'c' was not explored: that is more than 300 states" in note


def test_a_fault_in_what_undoes_a_called_process_is_found() -> None:
    undoes = event_sub("h", start("hs", compensate()), *STUCK, flows=f"hs > x; {DEADLOCK}")
    diagram = process(start(), user("a"), end(), undoes, flows="s > a; a > e")
    result = check_soundness(parse(diagram), "P")
    assert rules(result) == {("deadlock", "j"), ("dead-element", "j"), ("dead-element", "ue")}
    finding = result.findings[0]
    assert "start → a → the whole run is undone → n1" in finding.message


def test_the_command_line_looks_for_called_processes_beside_the_file(tmp_path: Path) -> None:
    path = tmp_path / "caller.bpmn"
    path.write_bytes(CALLER)
    assert "'Called' was not explored" in CliRunner().invoke(app, ["check", str(path)]).output
    (tmp_path / "called.bpmn").write_bytes(CALLED)
    output = CliRunner().invoke(app, ["check", str(path)]).output
    assert "not explored" not in output
    assert "sound" in output
