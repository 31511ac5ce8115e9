"""Gateways and sequence flows (BPMN 2.0.2, 13.3.1 and 13.4)."""

from __future__ import annotations

import pytest

from flowkit.kernel import protocol as p
from tests.kernel.diagrams import (
    Run,
    both,
    catch,
    compiled,
    element,
    end,
    expression,
    job,
    log,
    message,
    some,
    start,
    timer,
    user,
    xor,
)


def test_exclusive_takes_the_first_true_flow_in_document_order() -> None:
    program = compiled(
        start(), xor("g"), log("a"), log("b"), end(),
        flows="s > g; g > a : x > 1; g > b : x > 0; a > e; b > e",
    )  # fmt: skip
    assert Run(program, x=5).log == ["a"]
    assert Run(program, x=1).log == ["b"]


def test_exclusive_takes_the_default_flow_last() -> None:
    program = compiled(
        start(), xor("g", default="g_a"), log("a"), log("b"), end(),
        flows="s > g; g > a; g > b : x > 0; a > e; b > e",
    )  # fmt: skip
    assert Run(program, x=1).log == ["b"]
    assert Run(program, x=0).log == ["a"]


def test_exclusive_without_a_way_out_is_an_incident_that_can_be_resolved() -> None:
    run = Run(compiled(start(), xor("g"), end(), flows="s > g; g > e : x > 1"), x=0)
    assert run.status == "active"
    assert [i.kind for i in run.incidents] == ["no_flow"]
    run.set(x=2)
    run.resolve()
    assert run.trail == ["s", "g", "e"]


@pytest.mark.parametrize("value", [None, "yes", 1])
def test_a_condition_that_is_no_boolean_is_an_incident_naming_expression_and_value(value: object) -> None:
    run = Run(compiled(start(), xor("g"), end(), flows="s > g; g > e : x"), x=value)
    assert run.incidents[0].kind == "condition"
    assert "'x'" in run.incidents[0].message
    assert ("null" if value is None else repr(value)) in run.incidents[0].message


def test_parallel_forks_and_joins() -> None:
    program = compiled(
        start(), both("f"), job("a"), job("b"), both("j"), log("c"), end(),
        flows="s > f; f > a; f > b; a > j; b > j; j > c; c > e",
    )  # fmt: skip
    run = Run(program)
    run.complete("a", left=1)
    assert run.log == []
    run.complete("b", right=2)
    assert run.log == ["c"]
    assert run.status == "completed"
    assert {"left": 1, "right": 2}.items() <= run.variables.items()
    run.check_deterministic()


def test_parallel_join_in_a_loop_counts_tokens_a_flow() -> None:
    """Two tokens on one flow do not replace the missing one of the other."""
    program = compiled(
        start(), both("f"), job("a1"), job("a2"), xor("m"), user("b"), both("j"), end(),
        flows="s > f; f > a1; f > a2; f > b; a1 > m; a2 > m; m > j; b > j; j > e",
    )  # fmt: skip
    run = Run(program)
    run.complete("a1")
    run.complete("a2")
    assert "j" not in run.trail
    run.complete("b")
    assert run.trail.count("j") == 1
    assert run.at() == ["j"]


def test_inclusive_takes_every_true_flow() -> None:
    program = compiled(
        start(), some("g", default="g_d"), log("a"), log("b"), log("d"), end(),
        flows="s > g; g > a : x > 0; g > b : x > 1; g > d; a > e; b > e; d > e",
    )  # fmt: skip
    assert Run(program, x=2).log == ["a", "b"]
    assert Run(program, x=1).log == ["a"]
    assert Run(program, x=0).log == ["d"]


INCLUSIVE = (
    start(), some("g"), job("a"), job("b"), job("c"), some("j"), log("z"), end(),
)  # fmt: skip
INCLUSIVE_FLOWS = "s > g; g > a : x > 0; g > b : x > 1; g > c : x > 2; a > j; b > j; c > j; j > z; z > e"


@pytest.mark.parametrize(("x", "order"), [(1, "a"), (2, "ba"), (2, "ab"), (3, "cab"), (3, "bca")])
def test_inclusive_join_waits_for_what_can_still_come(x: int, order: str) -> None:
    run = Run(compiled(*INCLUSIVE, flows=INCLUSIVE_FLOWS), x=x)
    for node in order[:-1]:
        run.complete(node)
        assert run.log == []
    run.complete(order[-1])
    assert run.log == ["z"]
    assert run.status == "completed"


def test_inclusive_join_in_a_loop_is_not_held_back_by_its_own_outcome() -> None:
    program = compiled(
        start(), some("j"), log("z"), xor("g", default="g_e"), end(),
        flows="s > j; j > z; z > g; g > j : count(log) < 3; g > e",
    )  # fmt: skip
    assert Run(program).log == ["z", "z", "z"]


def test_inclusive_join_goes_on_when_the_last_other_token_takes_another_way() -> None:
    program = compiled(
        start(), both("f"), job("a"), job("b"), xor("g", default="g_e2"), some("j"), log("z"), end(), end("e2"),
        flows="s > f; f > a; f > b; a > j; b > g; g > j : back; g > e2; j > z; z > e",
    )  # fmt: skip
    run = Run(program, back=False)
    run.complete("a")
    assert run.log == []
    run.complete("b")
    assert run.log == ["z"]


def test_inclusive_join_waits_for_a_token_that_a_boundary_event_could_send() -> None:
    program = compiled(
        start(), both("f"), job("a"), user("b"),
        element("boundaryEvent", "t", timer("Duration", "PT1H"), attachedToRef="b"),
        some("j"), log("z"), end(), end("e2"),
        flows="s > f; f > a; f > b; a > j; t > j; b > e2; j > z; z > e",
    )  # fmt: skip
    run = Run(program)
    run.complete("a")
    assert run.log == []
    run.complete("b")
    assert run.log == ["z"]


def test_an_activity_takes_all_its_unconditional_flows() -> None:
    program = compiled(start(), log("a"), log("b"), log("c"), flows="s > a; a > b; a > c")
    assert Run(program).log == ["a", "b", "c"]


def test_conditions_on_flows_out_of_an_activity_are_evaluated() -> None:
    program = compiled(
        start(), log("a", default="a_d"), log("b"), log("c"), log("d"),
        flows="s > a; a > b : x > 0; a > c : x > 1; a > d",
    )  # fmt: skip
    assert Run(program, x=2).log == ["a", "b", "c"]
    assert Run(program, x=0).log == ["a", "d"]


def test_a_failed_condition_out_of_an_activity_does_not_repeat_its_work() -> None:
    program = compiled(start(), job("a"), end(), flows="s > a; a > e : ok")
    run = Run(program)
    run.complete("a")
    assert len(run.of(p.JobOpened)) == 1
    run.set(ok=True)
    run.resolve()
    assert run.status == "completed"
    assert len(run.of(p.JobOpened)) == 1


def test_event_based_gateway_takes_the_first_event_and_drops_the_others() -> None:
    program = compiled(
        start(), element("eventBasedGateway", "g"), catch("m", message("M")), catch("t", timer("Duration", "PT1H")),
        log("a"), log("b"),
        flows="s > g; g > m; g > t; m > a; t > b",
    )  # fmt: skip
    by_message = Run(program)
    by_message.deliver("m", answer=42)
    assert by_message.trail == ["s", "g", "m", "a"]
    assert by_message.variables["answer"] == 42
    assert by_message.status == "completed"
    by_time = Run(program)
    by_time.fire("t")
    assert by_time.log == ["b"]
    assert by_time.status == "completed"


def test_event_based_gateway_to_a_receive_task() -> None:
    program = compiled(
        start(), element("eventBasedGateway", "g"), element("receiveTask", "r", messageRef="M"),
        catch("t", timer("Duration", "PT1H")), end(),
        flows="s > g; g > r; g > t; r > e; t > e",
    )  # fmt: skip
    run = Run(program)
    run.deliver("r", x=1)
    assert run.trail == ["s", "g", "r", "e"]


COMPLEX = (
    start(), both("f"), job("a"), job("b"), job("c"),
    element("complexGateway", "j", expression("activationCondition", "activationCount >= 2")),
    log("z"), end(),
)  # fmt: skip


def test_complex_gateway_goes_on_when_its_condition_is_true_and_resets_after_the_rest() -> None:
    run = Run(compiled(*COMPLEX, flows="s > f; f > a; f > b; f > c; a > j; b > j; c > j; j > z; z > e"))
    run.complete("a")
    assert run.log == []
    run.complete("b")
    assert run.log == ["z"]
    assert run.status == "active"
    run.complete("c")
    assert run.log == ["z"]
    assert run.status == "completed"


def test_complex_gateway_takes_conditional_flows_at_reset() -> None:
    program = compiled(
        *COMPLEX, log("late"), end("e2"),
        flows="s > f; f > a; f > b; f > c; a > j; b > j; c > j; j > z : waitingForStart;"
        " j > late : not(waitingForStart); z > e; late > e2",
    )  # fmt: skip
    run = Run(program)
    for node in ("c", "a", "b"):
        run.complete(node)
    assert run.log == ["z", "late"]
    assert run.status == "completed"


def test_complex_gateway_takes_the_default_flow_at_reset_too_when_no_condition_is_true() -> None:
    nodes = list(COMPLEX)
    nodes[5] = element(
        "complexGateway", "j", expression("activationCondition", "activationCount >= 2"), default="j_late"
    )
    program = compiled(
        *nodes, log("late"), end("e2"),
        flows="s > f; f > a; f > b; f > c; a > j; b > j; c > j; j > z : waitingForStart; j > late; z > e; late > e2",
    )  # fmt: skip
    run = Run(program)
    for node in ("a", "b", "c"):
        run.complete(node)
    assert run.log == ["z", "late"]
    assert run.status == "completed"


def test_a_token_that_can_come_again_where_one_was_consumed_does_not_hold_up_the_reset() -> None:
    # What waits at x could come to j by c, but as well by a, where the first phase took a token.
    program = compiled(
        start(), both("f"), user("a"), user("x"), xor("g", default="g_a2"), log("a2"), log("c"), xor("m"),
        element("complexGateway", "j", expression("activationCondition", "activationCount >= 1")),
        log("z"), log("late"), end(), end("e2"),
        flows="s > f; f > a; f > x; a > m; m > j; x > g; g > a2; g > c : again; a2 > m; c > j;"
        " j > z : waitingForStart; j > late : not(waitingForStart); z > e; late > e2",
    )  # fmt: skip
    run = Run(program, again=False)
    run.complete("a")
    assert run.log == ["z", "late"]
    assert run.status == "active"


def test_complex_gateway_reads_the_tokens_of_a_flow_by_its_id() -> None:
    nodes = list(COMPLEX)
    nodes[5] = element("complexGateway", "j", expression("activationCondition", "a_j >= 1 and c_j >= 1"))
    run = Run(compiled(*nodes, flows="s > f; f > a; f > b; f > c; a > j; b > j; c > j; j > z; z > e"))
    run.complete("a")
    run.complete("b")
    assert run.log == []
    run.complete("c")
    assert run.log == ["z"]


def test_complex_gateway_without_activation_condition_is_refused() -> None:
    nodes = list(COMPLEX)
    nodes[5] = element("complexGateway", "j")
    with pytest.raises(Exception, match="activationCondition"):
        compiled(*nodes, flows="s > f; f > a; f > b; f > c; a > j; b > j; c > j; j > z; z > e")


def test_a_scope_without_start_event_starts_at_what_nothing_leads_to() -> None:
    assert sorted(Run(compiled(log("a"), log("b"), log("c"), flows="a > c")).log) == ["a", "b", "c"]


def test_start_and_completion_quantity() -> None:
    program = compiled(
        start(), log("a", completionQuantity=3), log("b", startQuantity=3), end(),
        flows="s > a; a > b; b > e",
    )  # fmt: skip
    run = Run(program)
    assert run.log == ["a", "b"]
    assert run.status == "completed"
