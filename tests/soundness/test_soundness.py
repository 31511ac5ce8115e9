"""``check_soundness``: what goes wrong whatever the data, with a trail."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from flowkit.bpmn import parse
from flowkit.soundness import Soundness, check_soundness
from flowkit.testing.strategies import CORE, RandomProcess, structured
from tests.kernel.diagrams import (
    both,
    boundary,
    catch,
    element,
    end,
    error,
    event_sub,
    expression,
    many,
    message,
    process,
    some,
    start,
    sub,
    timer,
    user,
    xor,
)


def check(*nodes: str, flows: str, **options: int) -> Soundness:
    return check_soundness(parse(process(*nodes, flows=flows)), "P", **options)


def rules(result: Soundness) -> set[str]:
    return {finding.rule for finding in result.findings}


def test_a_sound_process_is_sound() -> None:
    result = check(
        start(), xor("g", default="g_b"), user("a"), user("b"), xor("j"), both("f"), user("c", many("x")), user("d"),
        boundary("t", "d", timer("Duration", "PT1H"), cancel=False), both("k"), end(), end("e2"),
        flows="s > g; g > a : x > 1; g > b; a > j; b > j; j > f; f > c; f > d; c > k; d > k; k > e; t > e2",
    )  # fmt: skip
    assert result.findings == ()
    assert result.sound
    assert "sound" in result.summary


def test_an_exclusive_split_into_a_parallel_join_deadlocks() -> None:
    result = check(
        start(), xor("g", default="g_b"), user("a"), user("b"), element("parallelGateway", "j").replace('id="j"', 'id="j" name="汇合"'), end(),
        flows="s > g; g > a : x > 1; g > b; a > j; b > j; j > e",
    )  # fmt: skip
    (finding,) = [f for f in result.findings if f.rule == "deadlock"]
    assert finding.element_id == "j"
    assert finding.element_name == "汇合"
    assert "start → " in finding.message
    assert not result.sound


def test_a_parallel_split_in_a_loop_is_unbounded() -> None:
    result = check(
        start(), xor("m"), both("f"), user("a"), user("b"), xor("g", default="g_e"), end(),
        flows="s > m; m > f; f > a; f > b; a > g; g > m : again; g > e; b > m",
        max_states=3000,
    )  # fmt: skip
    assert "unbounded-tokens" in rules(result)


def test_a_loop_without_a_way_out_is_a_livelock() -> None:
    assert "livelock" in rules(check(start(), xor("m"), user("a"), flows="s > m; m > a; a > m"))


def test_a_loop_that_never_waits_is_told() -> None:
    result = check(
        start(),
        xor("m"),
        element("task", "t"),
        xor("g", default="g_m"),
        end(),
        flows="s > m; m > t; t > g; g > e : x; g > m",
    )
    assert "endless-loop" in rules(result)


def test_dead_elements_and_boundary_events_are_told() -> None:
    inner = sub("u", start("us"), user("w"), end("ue"), flows="us > w; w > ue")
    result = check(
        start(),
        inner,
        boundary("b", "u", error("E1")),
        user("x"),
        user("y"),
        end(),
        flows="s > u; u > e; b > x; x > y",
    )
    assert rules(result) == {"dead-boundary-event", "dead-element"}
    assert {f.element_id for f in result.findings} == {"b", "x", "y"}


def test_an_error_that_nothing_catches_is_told() -> None:
    assert "uncaught-error" in rules(check(start(), user("a"), end("t", error("E1")), flows="s > a; a > t"))


@pytest.mark.parametrize("interrupting", [True, False])
def test_event_subprocesses_and_event_gateways_are_explored(interrupting: bool) -> None:
    result = check(
        start(), element("eventBasedGateway", "g"), catch("m", message("M")), catch("t", timer("Duration", "PT1H")), end(),
        event_sub("h", start("hs", message("N"), isInterrupting=interrupting), user("hx"), end("he"), flows="hs > hx; hx > he"),
        flows="s > g; g > m; g > t; m > e; t > e",
    )  # fmt: skip
    assert result.sound


def test_too_many_states_are_not_decided() -> None:
    cancel = event_sub("h", start("hs", message("N")), end("he"), flows="hs > he")
    nodes = [start(), both("f"), both("j"), end(), cancel, *(user(f"u{n}") for n in range(12))]
    flows = "s > f; j > e; " + "; ".join(f"f > u{n}; u{n} > j" for n in range(12))
    result = check(*nodes, flows=flows, max_states=100)
    assert not result.decided
    assert "not decided beyond 100 states" in result.summary


def test_an_inclusive_pair_is_sound() -> None:
    assert check(
        start(), some("g", default="g_c"), user("a"), user("b"), user("c"), some("j"), end(),
        flows="s > g; g > a : x; g > b : y; g > c; a > j; b > j; c > j; j > e",
    ).sound  # fmt: skip


@pytest.mark.parametrize("loop", ['loopMaximum="3"', 'loopMaximum="3" testBefore="true"'])
@pytest.mark.parametrize("condition", ["", "again"])
def test_a_standard_loop_comes_to_its_end(loop: str, condition: str) -> None:
    inner = expression("loopCondition", condition) if condition else ""
    task = user("t", f"<bpmn:standardLoopCharacteristics {loop}>{inner}</bpmn:standardLoopCharacteristics>")
    assert check(start(), task, end(), flows="s > t; t > e").sound


@settings(max_examples=40, deadline=None)
@given(structured(max_depth=2, kinds=CORE))
def test_block_structured_processes_never_deadlock(made: RandomProcess) -> None:
    result = check_soundness(parse(made.bpmn), "Process", max_states=400)
    assert not {"deadlock", "livelock"} & rules(result)
