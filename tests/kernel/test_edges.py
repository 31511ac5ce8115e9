"""Edges: what arrives too late, what is not there, what is written as text."""

from __future__ import annotations

import pytest

from flowkit.errors import Rejected
from flowkit.kernel import Program
from flowkit.kernel import protocol as p
from flowkit.kernel.state import UserTask
from tests.kernel.diagrams import (
    TERMINATE,
    Run,
    both,
    boundary,
    catch,
    compiled,
    condition,
    done_when,
    element,
    end,
    event_sub,
    log,
    message,
    script,
    start,
    sub,
    user,
    xor,
)

WORK = '<zeebe:taskDefinition type="work"/>'


def test_a_token_on_its_way_goes_down_with_its_scope() -> None:
    """Terminate is reached first; the branch that was taken after it never arrives."""
    program = compiled(
        start(), both("f"), end("stop", TERMINATE), user("a"), end(), flows="s > f; f > stop; f > a; a > e"
    )
    run = Run(program)
    assert run.status == "terminated"
    assert run.of(p.UserTaskOpened) == []
    assert run.trail == ["s", "f", "stop"]


def assigned(**attributes: str) -> Program:
    """A user task with these assignment and schedule texts."""
    parts = {
        "assignee": '<zeebe:assignmentDefinition assignee="{}"/>',
        "groups": '<zeebe:assignmentDefinition candidateGroups="{}"/>',
        "due": '<zeebe:taskSchedule dueDate="{}"/>',
        "priority": '<zeebe:priorityDefinition priority="{}"/>',
    }
    extensions = "<zeebe:userTask/>" + "".join(parts[k].format(v) for k, v in attributes.items())
    return compiled(start(), element("userTask", "a", extensions=extensions), end(), flows="s > a; a > e")


@pytest.mark.parametrize(
    ("attributes", "field", "expected"),
    [
        ({"assignee": "=nobody"}, "assignee", None),
        ({"groups": "=nobody"}, "candidate_groups", ()),
        ({"groups": "=[&quot;a&quot;, &quot;b&quot;]"}, "candidate_groups", ("a", "b")),
        ({"groups": "a, b"}, "candidate_groups", ("a", "b")),
        ({"due": "=nobody"}, "due", None),
        ({"priority": "=&quot;7&quot;"}, "priority", 7),
    ],
)
def test_what_a_user_task_is_given_may_be_text_or_nothing(
    attributes: dict[str, str], field: str, expected: object
) -> None:
    run = Run(assigned(**attributes), nobody=None)
    [opened] = run.of(p.UserTaskOpened)
    assert getattr(opened, field) == expected


@pytest.mark.parametrize("attributes", [{"priority": "=true"}, {"groups": "=7"}, {"due": "=7"}])
def test_what_a_user_task_can_not_be_given_is_an_incident(attributes: dict[str, str]) -> None:
    run = Run(assigned(**attributes))
    assert "must be" in run.incidents[0].message


def ad_hoc(active: str, *inner: str, **attributes: str) -> Program:
    extensions = f'<zeebe:adHoc activeElementsCollection="{active}"/>'
    box = sub("u", user("a"), user("b"), *inner, tag="adHocSubProcess", extensions=extensions, **attributes)
    return compiled(start(), box, log("z"), end(), flows="s > u; u > z; z > e")


def test_an_ad_hoc_subprocess_of_which_nothing_is_chosen_is_over_at_once() -> None:
    run = Run(ad_hoc("=[]"))
    assert run.status == "completed"
    assert run.log == ["z"]


def test_an_ad_hoc_subprocess_with_a_condition_waits_for_somebody_to_choose() -> None:
    run = Run(ad_hoc("=[]", done_when("done")), done=False)
    assert run.status == "active"
    assert run.incidents == []
    assert run.at() == ["u"]


def test_a_sequence_that_is_done_starts_nothing_more_but_keeps_what_runs() -> None:
    """``cancelRemainingInstances`` false: the one that runs goes on; the next one never begins."""
    program = compiled(
        start(),
        sub("u", both("a"), user("b"), user("c"), user("d"), done_when("done"), flows="a > b; a > c",
            tag="adHocSubProcess", ordering="Sequential", cancelRemainingInstances="false"),
        log("z"), end(), flows="s > u; u > z; z > e",
    )  # fmt: skip
    run = Run(program, done=False)
    run.complete("b", done=True)
    assert run.status == "active"
    assert [task.node for task in run.waits(UserTask)] == ["c"]
    run.complete("c")
    assert run.status == "completed"
    assert "d" not in run.trail


def test_an_error_of_a_job_that_the_called_does_not_catch_ends_it_and_tells_the_caller() -> None:
    program = compiled(start(), element("serviceTask", "a", extensions=WORK), end(), flows="s > a; a > e")
    run = Run(program, parent=True)
    run.throw("a", "E9", part="P-1")
    [ended] = run.of(p.InstanceEnded)
    assert (ended.outcome, ended.code) == ("error", "E9")
    assert run.trail == ["s"]


def test_a_condition_that_an_other_has_made_moot_is_not_triggered() -> None:
    """Both come true at once; the first interrupts the scope in which the second waits."""
    program = compiled(
        start(),
        sub("u", start("us"), catch("c", condition("n > 1")), end("ue"), flows="us > c; c > ue"),
        boundary("b", "u", condition("n > 1")),
        end(), end("e2"), flows="s > u; u > e; b > e2",
    )  # fmt: skip
    run = Run(program, n=0)
    run.set(n=2)
    assert run.status == "completed"
    assert ("b" in run.trail) != ("c" in run.trail)


def test_what_an_activity_of_an_endless_loop_did_is_told_where_it_was_stopped() -> None:
    flows = "s > m; m > a; a > g; g > m : true; g > e : false"
    program = compiled(start(), xor("m"), script("a", "n + 1", "n"), xor("g"), end(), flows=flows)
    run = Run(program, n=0)
    assert run.incidents[0].kind == "endless_loop"


def test_an_event_subprocess_can_not_be_entered_by_hand() -> None:
    box = event_sub("h", start("hs", message("M")), end("he"), flows="hs > he")
    run = Run(compiled(start(), user("a"), box, end(), flows="s > a; a > e"))
    with pytest.raises(Rejected, match="h"):
        run.do(p.Modify((p.StartAt("h"),)))
