"""No third outcome: each combination of element, position and option is executed or refused by rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowkit.bpmn.lint.execution import DETECT
from flowkit.bpmn.support import EVENTS, FEATURES, NOT_EXECUTED, POSITIONS
from flowkit.bpmn.support_matrix import matrix
from tests.bpmn.snippets import findings, rules

DOCUMENT = Path(__file__).parents[2] / "docs" / "support-matrix.md"

_DEFINITIONS = {
    "message": '<messageEventDefinition messageRef="m"/>',
    "timer": "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>",
    "error": '<errorEventDefinition errorRef="err"/>',
    "escalation": '<escalationEventDefinition escalationRef="esc"/>',
    "cancel": "<cancelEventDefinition/>",
    "compensate": "<compensateEventDefinition/>",
    "conditional": "<conditionalEventDefinition><condition>ok</condition></conditionalEventDefinition>",
    "link": '<linkEventDefinition name="l"/>',
    "signal": '<signalEventDefinition signalRef="sig"/>',
    "terminate": "<terminateEventDefinition/>",
}
_ROOTS = (
    '<message id="m" name="M"/><signal id="sig" name="S"/>'
    '<error id="err" name="E" errorCode="E"/><escalation id="esc" name="X" escalationCode="X"/>'
)


def _definition(kind: str, position: str) -> str:
    if kind == "none":
        return ""
    if "multiple" not in kind:
        return _DEFINITIONS[kind]
    thrown = position in ("throw", "end")
    return _DEFINITIONS["signal"] + _DEFINITIONS["message" if thrown else "timer"]


def _flow(name: str, source: str, target: str) -> str:
    return f'<sequenceFlow id="{name}" sourceRef="{source}" targetRef="{target}"/>'


def diagram(kind: str, position: str) -> str:
    """The smallest file with this definition at this position, right in all else."""
    body = _definition(kind, position)
    if kind == "parallel multiple":
        parallel = ' parallelMultiple="true"' if position not in ("throw", "end") else ""
    else:
        parallel = ""
    task = '<userTask id="t" name="T"/>'
    simple = f'<startEvent id="s"/>{task}<endEvent id="e"/>{_flow("f1", "s", "t")}{_flow("f2", "t", "e")}'
    if position == "start":
        body = f'<startEvent id="x"{parallel}>{body}</startEvent>{task}<endEvent id="e"/>' + (
            _flow("f1", "x", "t") + _flow("f2", "t", "e")
        )
    elif position == "subprocess-start":
        inner = f'<startEvent id="x"{parallel}>{body}</startEvent><endEvent id="ie"/>{_flow("i1", "x", "ie")}'
        body = _in_subprocess(inner)
    elif position.startswith("event-subprocess"):
        interrupting = "false" if position.endswith("non-interrupting") else "true"
        inner = (
            f'<startEvent id="x" isInterrupting="{interrupting}"{parallel}>{body}</startEvent>'
            f'<endEvent id="ie"/>{_flow("i1", "x", "ie")}'
        )
        event_subprocess = f'<subProcess id="esp" triggeredByEvent="true">{inner}</subProcess>'
        body = _in_subprocess(
            f'<startEvent id="is"/><userTask id="it" name="T"/><endEvent id="ie2"/>'
            f"{_flow('j1', 'is', 'it')}{_flow('j2', 'it', 'ie2')}{event_subprocess}"
        )
    elif position.startswith("boundary"):
        body = _boundary(kind, position, body, parallel)
    elif position == "end":
        end = f'<endEvent id="x">{body}</endEvent>'
        if kind == "cancel":
            inner = f'<startEvent id="is"/>{end}{_flow("i1", "is", "x")}'
            body = _in_subprocess(inner).replace("subProcess", "transaction")
        else:
            body = simple.replace('<endEvent id="e"/>', end).replace('"e"', '"x"')
    else:
        tag = "intermediateCatchEvent" if position == "catch" else "intermediateThrowEvent"
        body = _intermediate(kind, position, f'<{tag} id="x"{parallel}>{body}</{tag}>')
    return f'{_ROOTS}<process id="p" isExecutable="true">{body}</process>'


def _in_subprocess(inner: str) -> str:
    return (
        f'<startEvent id="s"/><subProcess id="sub">{inner}</subProcess><endEvent id="e"/>'
        f"{_flow('f1', 's', 'sub')}{_flow('f2', 'sub', 'e')}"
    )


def _boundary(kind: str, position: str, body: str, parallel: str) -> str:
    cancel = "false" if position.endswith("non-interrupting") else "true"
    attributes = f'id="x" attachedToRef="host" cancelActivity="{cancel}"{parallel}'
    event = f"<boundaryEvent {attributes}>{body}</boundaryEvent>"
    inner = f'<startEvent id="is"/><endEvent id="ie"/>{_flow("i1", "is", "ie")}'
    host = (
        f'<transaction id="host">{inner}</transaction>'
        if kind == "cancel"
        else '<userTask id="host" name="T"/>'
    )
    main = f'<startEvent id="s"/>{host}<endEvent id="e"/>{_flow("f1", "s", "host")}{_flow("f2", "host", "e")}'
    if kind == "compensate":
        handler = '<userTask id="h" name="H" isForCompensation="true"/>'
        return f'{main}{event}{handler}<association id="a" sourceRef="x" targetRef="h"/>'
    return f"{main}{event}{_flow('f3', 'x', 'e')}"


def _intermediate(kind: str, position: str, event: str) -> str:
    if kind != "link":
        return f'<startEvent id="s"/>{event}<endEvent id="e"/>{_flow("f1", "s", "x")}{_flow("f2", "x", "e")}'
    link = '<linkEventDefinition name="l"/>'
    if position == "catch":
        other = f'<intermediateThrowEvent id="y">{link}</intermediateThrowEvent>'
        flows = _flow("f1", "s", "y") + _flow("f2", "x", "e")
    else:
        other = f'<intermediateCatchEvent id="y">{link}</intermediateCatchEvent>'
        flows = _flow("f1", "s", "x") + _flow("f2", "y", "e")
    return f'<startEvent id="s"/>{event}{other}<endEvent id="e"/>{flows}'


ALLOWED = [(kind, position) for kind in EVENTS for position in POSITIONS if position in EVENTS[kind]]
# A throwing event has no attribute parallelMultiple, so that cell can't even be written.
FORBIDDEN = [
    (kind, position)
    for kind in EVENTS
    for position in POSITIONS
    if position not in EVENTS[kind]
    and (kind, position) not in {("parallel multiple", p) for p in ("throw", "end")}
]
_UNUSED = {"unused-element"}


@pytest.mark.parametrize(("kind", "position"), ALLOWED)
def test_allowed_event_deploys_unless_the_table_refuses_it(kind: str, position: str) -> None:
    expected = {"not-executed"} if f"{kind}@{position}" in NOT_EXECUTED else set()
    text = diagram(kind, position)
    assert rules(text) - _UNUSED == expected, "\n".join(map(str, findings(text)))


@pytest.mark.parametrize(("kind", "position"), FORBIDDEN)
def test_forbidden_event_is_refused_by_name(kind: str, position: str) -> None:
    assert "event-position" in rules(diagram(kind, position))


@pytest.mark.parametrize("tag", ["endEvent", "intermediateThrowEvent"])
def test_throwing_event_has_no_parallel_multiple(tag: str) -> None:
    assert "unknown-attribute" in rules(f'<{tag} id="x" parallelMultiple="true"/>')


def test_every_feature_is_recognised_and_every_refusal_is_a_feature() -> None:
    keys = {feature.key for feature in FEATURES}
    assert keys == set(DETECT)
    assert {key for key in NOT_EXECUTED if "@" not in key} <= keys


def test_published_matrix_is_the_table() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == "\n".join(matrix()) + "\n"


_TASK = '<startEvent id="s"/>{}<endEvent id="e"/>' + _flow("f1", "s", "x") + _flow("f2", "x", "e")
_INNER = f'<startEvent id="is"/><endEvent id="ie"/>{_flow("i1", "is", "ie")}'
REFUSED = {
    "transaction.method": _TASK.format(
        f'<transaction id="x" method="http://schemas.xmlsoap.org/ws/2004/10/wsat">{_INNER}</transaction>'
    ),
}


@pytest.mark.parametrize("key", sorted(key for key in NOT_EXECUTED if "@" not in key))
def test_what_is_not_executed_is_refused_with_advice(key: str) -> None:
    found = [f for f in findings(REFUSED[key]) if f.rule == "not-executed"]
    assert len(found) == 1
    assert key in found[0].message
    assert found[0].hint == NOT_EXECUTED[key]
