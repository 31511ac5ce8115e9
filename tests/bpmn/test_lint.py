"""What the pages of the rules are too short to show."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from flowkit.bpmn import check_deployable, lint, parse
from flowkit.errors import InvalidModel
from tests.bpmn.snippets import findings, rules, whole_file


def flow(name: str, source: str, target: str, condition: str = "") -> str:
    inner = f"<conditionExpression>{condition}</conditionExpression>" if condition else ""
    return f'<sequenceFlow id="{name}" sourceRef="{source}" targetRef="{target}">{inner}</sequenceFlow>'


def looping(body: str, condition: str = "passed") -> str:
    """A loop start → m → x → g → (end | m) whose body is ``x``."""
    return (
        '<startEvent id="s"/><exclusiveGateway id="m"/>'
        f'{body}<exclusiveGateway id="g" default="f3"/><endEvent id="e"/>'
        + flow("f0", "s", "m")
        + flow("f1", "m", "x")
        + flow("f2", "x", "g")
        + flow("f3", "g", "m")
        + flow("f4", "g", "e", condition)
    )


@pytest.mark.parametrize(
    "body",
    [
        '<userTask id="x" name="X"/>',
        '<intermediateCatchEvent id="x"><timerEventDefinition><timeDuration>PT1H</timeDuration>'
        "</timerEventDefinition></intermediateCatchEvent>",
        '<scriptTask id="x" scriptFormat="feel"><script>n + 1</script></scriptTask>',
        '<task id="x"><extensionElements><zeebe:ioMapping><zeebe:output source="=n + 1" target="n"/>'
        "</zeebe:ioMapping></extensionElements></task>",
        '<serviceTask id="x"><extensionElements><zeebe:taskDefinition type="t"/></extensionElements>'
        "</serviceTask>",
    ],
)
def test_loop_that_waits_or_counts_is_sound(body: str) -> None:
    assert rules(looping(body)) == set()


@pytest.mark.parametrize(
    "body",
    [
        '<task id="x"/>',
        '<manualTask id="x"/>',
        '<intermediateThrowEvent id="x"/>',
        '<parallelGateway id="x"/><task id="y"/>' + flow("f5", "x", "y") + flow("f6", "y", "e"),
    ],
)
def test_loop_in_which_nothing_changes_is_refused(body: str) -> None:
    assert "loop-without-wait" in rules(looping(body))


def test_counting_loop_whose_only_exit_is_a_fork_is_refused() -> None:
    text = (
        '<startEvent id="s"/><exclusiveGateway id="m"/><scriptTask id="x" scriptFormat="feel">'
        '<script>n + 1</script></scriptTask><parallelGateway id="g"/><endEvent id="e"/>'
        + flow("f0", "s", "m")
        + flow("f1", "m", "x")
        + flow("f2", "x", "g")
        + flow("f3", "g", "m")
        + flow("f4", "g", "e")
    )
    assert rules(text) == {"loop-without-wait"}


def test_all_findings_come_at_once_in_the_order_of_the_file() -> None:
    text = (
        '<process id="p" isExecutable="true">\n<serviceTask id="a"/>\n<userTask id="b" nonsense="1"/>\n'
        '<callActivity id="c"/>\n</process>'
    )
    assert [(f.location.line, f.rule) for f in findings(text)] == [
        (2, "nothing-to-do"),
        (3, "unknown-attribute"),
        (3, "unnamed-user-task"),
        (4, "missing-called-element"),
    ]


def test_deployment_raises_every_error_and_no_warning() -> None:
    definitions = parse(whole_file('<serviceTask id="a"/><callActivity id="c"/><userTask id="u"/>'))
    with pytest.raises(InvalidModel) as caught:
        check_deployable(definitions)
    assert [f.rule for f in caught.value.findings] == ["nothing-to-do", "missing-called-element"]
    assert "nothing-to-do" in str(caught.value)


def test_job_types_that_are_computed_are_not_looked_up() -> None:
    task = (
        '<serviceTask id="a"><extensionElements><zeebe:taskDefinition type="{}"/></extensionElements>'
        "</serviceTask>"
    )
    assert rules(task.format("=kind"), job_types=frozenset()) == set()
    assert rules(task.format("check"), job_types=frozenset()) == {"unknown-job-type"}
    assert rules(task.format("check"), job_types=frozenset({"check"})) == set()
    assert rules(task.format("check")) == set()


def test_rules_of_execution_leave_other_processes_alone() -> None:
    text = (
        '<process id="p" isExecutable="true"><userTask id="u" name="U"/></process>'
        '<process id="q"><serviceTask id="s"/><exclusiveGateway id="g"/><task id="t"/>'
        "{}</process>"
    )
    drawn = flow("f1", "s", "g") + flow("f2", "g", "t") + flow("f3", "g", "s")
    assert rules(text.format(drawn)) == set()
    forbidden = '<startEvent id="st"/>' + flow("f4", "t", "st")
    assert "start-event-incoming" in rules(text.format(drawn + forbidden))


def chain(size: int) -> str:
    nodes = "".join(f'<task id="t{n}"/>' for n in range(size))
    return nodes + "".join(flow(f"f{n}", f"t{n}", f"t{n + 1}") for n in range(size - 1))


def calls(size: int) -> str:
    return "".join(f'<callActivity id="c{n}" calledElement="p"/>' for n in range(size))


def compensations(size: int) -> str:
    return "".join(
        f'<task id="t{n}"/><boundaryEvent id="b{n}" attachedToRef="t{n}"><compensateEventDefinition/>'
        f'</boundaryEvent><task id="h{n}" isForCompensation="true"/>'
        for n in range(size // 3)
    ) + "".join(f'<association id="a{n}" sourceRef="b{n}" targetRef="h{n}"/>' for n in range(size // 3))


@pytest.mark.parametrize("shape", [chain, calls, compensations])
def test_large_model_is_checked_in_linear_time(shape: Callable[[int], str]) -> None:
    def cost(size: int) -> float:
        data = whole_file(shape(size))
        begun = time.process_time()
        assert lint(parse(data)) == []
        return time.process_time() - begun

    cost(100)
    assert cost(4_000) < 60 * cost(200)


def test_deep_nesting_is_checked() -> None:
    depth = 50
    text = (
        "".join(f'<subProcess id="s{n}">' for n in range(depth)) + '<task id="t"/>' + "</subProcess>" * depth
    )
    assert rules(text) == set()


def test_white_space_in_names_is_told_in_one_line() -> None:
    (finding,) = findings('<serviceTask id="a" name="查询&#10;备件"/>')
    assert finding.element_name == "查询 备件"
