"""Edges: what arrives too late, what is not there, what is written as text."""

from __future__ import annotations

import pytest

from flowkit.kernel import Program
from flowkit.kernel import protocol as p
from flowkit.kernel.state import UserTask
from tests.kernel.diagrams import (
    TERMINATE,
    Run,
    both,
    compiled,
    done_when,
    element,
    end,
    log,
    start,
    sub,
    user,
)


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
