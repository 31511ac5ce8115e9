"""The reductions find what the whole state space shows, with far fewer states."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings

from flowkit.bpmn import parse
from flowkit.kernel import compile_process
from flowkit.soundness import Soundness, check_soundness
from flowkit.soundness.beside import branches_beside
from flowkit.testing.strategies import RandomProcess, processes
from tests.kernel.diagrams import (
    TERMINATE,
    both,
    boundary,
    compensate,
    condition,
    element,
    end,
    error,
    escalation,
    event_sub,
    job,
    message,
    process,
    script,
    some,
    start,
    sub,
    throw,
    timer,
    user,
    xor,
)

NIGHTLY = bool(os.environ.get("FLOWKIT_NIGHTLY"))
ROOT = Path(__file__).parent.parent.parent
SHIPPED = ROOT / "processes"
ELEMENTS = sorted((ROOT / "docs" / "elements" / "diagrams").glob("*.bpmn"))


def check(diagram: bytes, **options: object) -> Soundness:
    return check_soundness(parse(diagram), "P", **options)  # type: ignore[arg-type]  # two kinds of options


def found(result: Soundness) -> set[tuple[str, str]]:
    return {(finding.rule, finding.element_id) for finding in result.findings}


def same(diagram: bytes) -> Soundness:
    """What is found without reduction is found with it; gives the reduced result."""
    whole, reduced = check(diagram, reduce=False), check(diagram)
    assert whole.decided
    assert reduced.decided
    assert found(whole) == found(reduced)
    return reduced


@settings(max_examples=5_000 if NIGHTLY else 100, deadline=None)
@given(processes())
def test_random_processes_get_the_same_verdict(made: RandomProcess) -> None:
    definitions = parse(made.bpmn)
    bound = 500 if NIGHTLY else 120
    whole = check_soundness(definitions, "Process", max_states=bound, reduce=False)
    if whole.decided:
        reduced = check_soundness(definitions, "Process", max_states=bound)
        assert reduced.decided
        if whole.notes != reduced.notes:
            return  # one of them had no room for what undoing a call adds
        if "unbounded-tokens" in {rule for rule, _ in found(whole)}:
            # both stop counting somewhere; which of the crowded places they see first may differ
            assert "unbounded-tokens" in {rule for rule, _ in found(reduced)}
        else:
            assert found(whole) == found(reduced)


@pytest.mark.parametrize("file", sorted(SHIPPED.glob("*.bpmn")), ids=lambda path: path.stem)
def test_the_shipped_processes_are_decided_and_sound(file: Path) -> None:
    definitions = parse(file.read_bytes(), file=str(file))
    for one in definitions.processes:
        result = check_soundness(definitions, one.id, max_states=2_000)
        assert result.decided
        assert result.sound, [str(finding) for finding in result.findings]
        assert {finding.rule for finding in result.findings} <= {"uncaught-error"}


@pytest.mark.parametrize("file", ELEMENTS, ids=lambda path: path.stem)
def test_every_element_of_the_guide_is_sound(file: Path) -> None:
    definitions = parse(file.read_bytes())
    for one in definitions.processes:
        whole = check_soundness(definitions, one.id, reduce=False)
        assert whole.sound, [str(finding) for finding in whole.findings]
        assert found(whole) == found(check_soundness(definitions, one.id))


# ---- one order for many -------------------------------------------------------------------------


def tasks_in_parallel(count: int, *more: str) -> bytes:
    nodes = [start(), both("f"), both("j"), end(), *(user(f"u{n}") for n in range(count)), *more]
    flows = "s > f; j > e; " + "; ".join(f"f > u{n}; u{n} > j" for n in range(count))
    return process(*nodes, flows=flows)


def test_independent_tasks_need_one_order() -> None:
    result = check(tasks_in_parallel(30))
    assert result.sound
    assert result.states == 31


def test_a_cancellation_from_outside_keeps_every_order() -> None:
    cancel = event_sub("h", start("hs", message("N")), end("he"), flows="hs > he")
    assert (
        same(tasks_in_parallel(5, cancel)).states == check(tasks_in_parallel(5, cancel), reduce=False).states
    )


def test_a_terminate_end_beside_a_task_keeps_every_order() -> None:
    stop = end("stop", TERMINATE)
    result = same(
        process(start(), both("f"), user("a"), user("b"), user("c"), stop, end(),
                flows="s > f; f > a; f > b; a > c; c > e; b > stop")
    )  # fmt: skip
    assert result.findings == ()


def test_an_inclusive_join_keeps_every_order() -> None:
    same(
        process(start(), both("f"), user("a"), user("b"), xor("x", default="x_j"), user("c"), some("j"), user("d"), end(),
                flows="s > f; f > a; f > b; a > j; b > x; x > c : again; x > j; c > j; j > d; d > e")
    )  # fmt: skip


def test_nobody_is_forgotten_while_one_token_goes_round() -> None:
    """The left token goes round for ever; what the right one comes to is told all the same."""
    result = same(
        process(start(), both("f"), xor("m"), user("a"), user("b"), user("c"), end(),
                flows="s > f; f > m; m > a; a > m; f > b; b > c; c > e")
    )  # fmt: skip
    assert {rule for rule, _ in found(result)} == {"livelock"}


def test_nobody_is_forgotten_when_one_token_comes_to_an_endless_loop() -> None:
    result = same(
        process(start(), both("f"), user("a"), user("b"), user("c"), xor("m"), element("task", "t"), xor("g", default="g_m"),
                xor("k"), end(),
                flows="s > f; f > a; f > b; a > m; m > t; t > g; g > m; g > k : x; k > m; b > c; c > e")
    )  # fmt: skip
    assert "endless-loop" in {rule for rule, _ in found(result)}
    assert ("dead-element", "c") not in found(result)


def test_nobody_is_forgotten_where_one_token_becomes_too_many() -> None:
    result = same(
        process(start(), both("f"), user("a", completionQuantity=20), user("b"), user("c"), user("d"), end(),
                flows="s > f; f > a; f > b; a > d; d > e; b > c; c > e")
    )  # fmt: skip
    assert found(result) == {("unbounded-tokens", "d")}


# ---- branches beside the flow -------------------------------------------------------------------


def reminded(*more: str, flows: str) -> bytes:
    return process(
        start(), user("a"), end(), boundary("t", "a", timer("Cycle", "R/PT1H"), cancel=False), *more,
        flows=f"s > a; a > e; {flows}",
    )  # fmt: skip


def test_a_reminder_is_explored_alone() -> None:
    diagram = reminded(user("r"), user("r2"), end("re"), flows="t > r; r > r2; r2 > re")
    assert [it.event for it in branches_beside(compile_process(parse(diagram), "P"), set())] == ["t"]
    assert same(diagram).findings == ()


def test_a_fault_in_a_reminder_has_its_trail() -> None:
    inner = sub("q", start("qs"), xor("x", default="x_b"), user("b"), user("c"), both("j"), end("qe"),
                flows="qs > x; x > b; x > c : no; b > j; c > j; j > qe")  # fmt: skip
    result = same(reminded(inner, end("re"), flows="t > q; q > re"))
    (finding,) = [it for it in result.findings if it.rule == "deadlock"]
    assert finding.element_id == "j"
    assert "after: start → t → b." in finding.message


def test_several_events_may_start_the_same_branch() -> None:
    diagram = reminded(
        boundary("m", "a", message("N"), cancel=False), xor("x"), user("r"), end("re"),
        flows="t > x; m > x; x > r; r > re",
    )  # fmt: skip
    assert {it.event for it in branches_beside(compile_process(parse(diagram), "P"), set())} == {"t", "m"}
    assert same(diagram).findings == ()


@pytest.mark.parametrize(
    ("nodes", "flows"),
    [
        ([user("r")], "t > r; r > e"),
        ([user("r"), end("stop", TERMINATE)], "t > r; r > stop"),
        ([user("r"), end("bad", error("E1"))], "t > r; r > bad"),
        ([both("f"), user("r"), user("q"), both("j"), end("re")], "t > f; f > r; f > q; r > j; q > j; j > re"),
        ([user("r"), end("re"), user("b"), end("be"), both("x")], "t > r; r > re; x > b; b > be"),
    ],
    ids=["merges", "terminates", "throws", "joins", "other"],
)  # fmt: skip
def test_what_is_not_beside_the_flow_is_explored_with_it(nodes: list[str], flows: str) -> None:
    diagram = reminded(*nodes, flows=flows)
    branches = branches_beside(compile_process(parse(diagram), "P"), set())
    assert [it.event for it in branches] == (["t"] if "t > r; r > re" in flows else [])
    same(diagram)


def test_a_reminder_with_a_boundary_event_of_its_own_is_one_branch() -> None:
    diagram = reminded(
        user("r"), boundary("b", "r", message("N")), user("c"), xor("x"), end("re"),
        flows="t > r; r > x; b > c; c > x; x > re",
    )  # fmt: skip
    assert same(diagram).findings == ()


def test_an_event_subprocess_beside_the_flow_is_explored_alone() -> None:
    beside = event_sub("h", start("hs", message("N"), isInterrupting=False), both("f"), user("x"), user("y"), both("j"), end("he"),
                       flows="hs > f; f > x; f > y; x > j; y > j; j > he")  # fmt: skip
    diagram = process(start(), user("a"), user("b"), end(), beside, flows="s > a; a > b; b > e")
    assert [it.event for it in branches_beside(compile_process(parse(diagram), "P"), set())] == ["hs"]
    assert same(diagram).findings == ()


def test_a_branch_that_the_same_step_ends_is_not_alive() -> None:
    """The escalation starts a branch, and the terminate end right behind it ends it before it can move."""
    more = escalation("X1")
    inner = sub("u", start("us"), throw("x", more), end("ue"), flows="us > x; x > ue")
    stop = end("stop", TERMINATE)
    result = same(
        process(start(), inner, boundary("b", "u", more, cancel=False), user("r"), user("r2"), end("re"), stop,
                flows="s > u; u > stop; b > r; r > r2; r2 > re")
    )  # fmt: skip
    assert ("dead-element", "r2") in found(result)


def test_a_branch_that_never_ends_may_be_ended_by_the_flow() -> None:
    round_and_round = [xor("x"), user("r")]
    diagram = process(
        start(), user("a"), end("stop", TERMINATE), boundary("t", "a", timer("Cycle", "R/PT1H"), cancel=False),
        *round_and_round, flows="s > a; a > stop; t > x; x > r; r > x",
    )  # fmt: skip
    assert same(diagram).findings == ()
    inner = sub("u", start("us"), user("a"), end("ue"), boundary("t", "a", timer("Cycle", "R/PT1H"), cancel=False),
                *round_and_round, flows="us > a; a > ue; t > x; x > r; r > x")  # fmt: skip
    diagram = process(
        start(), inner, boundary("b", "u", timer("Duration", "PT1H")), end(), flows="s > u; u > e; b > e"
    )
    assert same(diagram).findings == ()


def test_a_branch_that_never_ends_keeps_the_flow_from_standing_still() -> None:
    more = escalation("X1")
    inner = sub("u", start("us"), throw("x", more), end("ue"), flows="us > x; x > ue")
    result = same(
        process(start(), inner, boundary("b", "u", more, cancel=False), xor("m"), user("r"),
                xor("g", default="g_p"), user("p"), user("q"), both("j"), end(),
                flows="s > u; u > g; g > p; g > q : no; p > j; q > j; j > e; b > m; m > r; r > m")
    )  # fmt: skip
    assert "livelock" in {rule for rule, _ in found(result)}


@pytest.mark.parametrize("by", ["event subprocess", "boundary event"])
def test_a_branch_holds_open_the_scope_whose_last_step_began_it(by: str) -> None:
    """So the timer around may still fire, though the flow never waits."""
    more = escalation("X1")
    inner = [start("us"), throw("x", more), end("ue")]
    branch = [user("r"), end("re")]
    if by == "event subprocess":
        begins = start("hs", more, isInterrupting=False)
        outer = sub(
            "w", *inner, event_sub("h", begins, *branch, flows="hs > r; r > re"), flows="us > x; x > ue"
        )
    else:
        outer = sub("w", start("ws"), sub("u", *inner, flows="us > x; x > ue"), boundary("c", "u", more, cancel=False),
                    *branch, end("we"), flows="ws > u; u > we; c > r; r > re")  # fmt: skip
    late = boundary("b", "w", timer("Duration", "PT1H"))
    diagram = process(start(), outer, late, user("z"), end("ze"), end(), flows="s > w; w > e; b > z; z > ze")
    assert same(diagram).findings == ()


def test_a_branch_holds_open_the_scope_that_escalated_at_its_end() -> None:
    """So the escalation and the timer on it may both be seen, and the join behind them goes on."""
    more = escalation("X1")
    inner = sub("u", start("us"), user("a"), boundary("t", "a", timer("Cycle", "R/PT1H"), cancel=False), user("r"),
                end("re"), end("ue", more), flows="us > a; a > ue; t > r; r > re")  # fmt: skip
    result = same(
        process(start(), inner, boundary("b", "u", timer("Duration", "PT1H")), boundary("y", "u", more, cancel=False),
                both("j"), user("z"), end("ze"), end(), flows="s > u; u > e; b > j; y > j; j > z; z > ze")
    )  # fmt: skip
    assert found(result) == {("deadlock", "j")}


def test_a_branch_holds_open_the_scope_whose_last_work_is_undone() -> None:
    """The cancellation comes while only the reminder is left: what was done last is undone, too."""
    undo = sub("undo", start("ns"), xor("nx", default="nx_n1"), user("n1"), user("n2"), both("nj"), end("ne"),
               flows="ns > nx; nx > n1; nx > n2 : no; n1 > nj; n2 > nj; nj > ne", isForCompensation=True)  # fmt: skip
    cancel = event_sub(
        "h", start("hs", message("N")), throw("ht", compensate()), end("he"), flows="hs > ht; ht > he"
    )
    result = same(
        reminded(user("r"), end("re"), undo, boundary("c", "a", compensate()), cancel,
                 '<bpmn:association id="as" associationDirection="One" sourceRef="c" targetRef="undo"/>',
                 flows="t > r; r > re")
    )  # fmt: skip
    assert found(result) == {("deadlock", "nj")}


def test_an_event_subprocess_in_an_ad_hoc_subprocess_is_explored_with_it() -> None:
    beside = event_sub(
        "h", start("hs", message("N"), isInterrupting=False), user("r"), end("he"), flows="hs > r; r > he"
    )
    diagram = process(
        start(), sub("u", user("a"), user("b"), beside, tag="adHocSubProcess"), end(), flows="s > u; u > e"
    )
    assert branches_beside(compile_process(parse(diagram), "P"), set()) == []
    assert same(diagram).findings == ()


def test_an_event_that_comes_again_when_others_have_dealt_with_it_is_waited_for() -> None:
    """While its activity waits, each reminder adds a token behind the join with the flow."""
    result = same(
        reminded(user("r"), xor("x"), user("c"), end("ce"), flows="t > r; r > x; x > c; c > ce").replace(
            b'sourceRef="a" targetRef="e"', b'sourceRef="a" targetRef="x"'
        )
    )
    assert {rule for rule, _ in found(result)} == {"unbounded-tokens", "dead-element"}


# ---- what keeps the space finite ----------------------------------------------------------------


def test_what_a_loop_compensates_stays_finite() -> None:
    undo = job("undo", isForCompensation=True)
    diagram = process(
        start(), xor("m"), job("a"), undo, boundary("c", "a", "<bpmn:compensateEventDefinition/>"), user("b"), xor("g", default="g_e"), end(),
        '<bpmn:association id="as" associationDirection="One" sourceRef="c" targetRef="undo"/>',
        flows="s > m; m > a; a > b; b > g; g > m : again; g > e",
    )  # fmt: skip
    assert same(diagram).sound


@pytest.mark.parametrize(
    "parts", [condition("late"), condition("late") + message("N")], ids=["one", "multiple"]
)
@pytest.mark.parametrize("where", ["boundary event", "event subprocess"])
def test_a_condition_comes_again_only_when_it_has_been_dealt_with(parts: str, where: str) -> None:
    branch, flows = [user("r"), end("re")], "r > re"
    more = (
        [boundary("t", "a", parts, cancel=False), *branch]
        if where == "boundary event"
        else [event_sub("h", start("t", parts, isInterrupting=False), *branch, flows=f"t > r; {flows}")]
    )
    onward = f"; t > r; {flows}" if where == "boundary event" else ""
    assert same(process(start(), user("a"), end(), *more, flows=f"s > a; a > e{onward}")).findings == ()


def test_an_error_that_a_called_process_throws_reaches_what_catches_it_around() -> None:
    inner = sub(
        "u",
        start("us"),
        element("callActivity", "c", calledElement="other"),
        end("ue"),
        flows="us > c; c > ue",
    )
    diagram = process(
        start(), inner, boundary("b", "u", error("E1")), user("x"), end(), end("e2"),
        flows="s > u; u > e; b > x; x > e2",
    )  # fmt: skip
    assert same(diagram).findings == ()


def test_a_deadlock_is_told_although_a_cancellation_would_end_it() -> None:
    cancel = event_sub(
        "h", start("hs", message("N")), script("z", "1", "v"), end("he"), flows="hs > z; z > he"
    )
    diagram = process(
        start(), xor("x", default="x_b"), user("b"), user("c"), both("j"), end(), cancel,
        flows="s > x; x > b; x > c : no; b > j; c > j; j > e",
    )  # fmt: skip
    assert ("deadlock", "j") in found(same(diagram))


def test_of_joins_behind_each_other_only_the_first_is_told() -> None:
    diagram = process(
        start(), both("f"), xor("x", default="x_b"), user("b"), user("c"), both("j"), user("d"), both("k"), end(),
        flows="s > f; f > x; x > b; x > c : no; b > j; c > j; f > d; j > k; d > k; k > e",
    )  # fmt: skip
    assert {it for it in found(same(diagram)) if it[0] == "deadlock"} == {("deadlock", "j")}
