"""Choreographies, conversations and resource roles that the text of the standard forbids.

They run nothing, but a file that holds a wrong one is refused like any other.
"""

# ruff: noqa: E501  (a model of three elements reads better unbroken)

from __future__ import annotations

import pytest

from flowkit.findings import Severity
from tests.bpmn.snippets import findings
from tests.conformance.models import Row, flows, path

# fmt: off
GOOD = path('<task id="x"/>')
PARTICIPANTS = '<participant id="A" name="A"/><participant id="B" name="B"/><participant id="C" name="C"/>'
MESSAGES = '<messageFlow id="ab" sourceRef="A" targetRef="B"/><messageFlow id="ba" sourceRef="B" targetRef="A"/><messageFlow id="cb" sourceRef="C" targetRef="B"/><messageFlow id="ca" sourceRef="C" targetRef="A"/>'


def asks(name: str = "t", initiator: str = "A", who: str = "A B", messages: str = "ab ba") -> str:
    inside = "".join(f"<participantRef>{one}</participantRef>" for one in who.split())
    inside += "".join(f"<messageFlowRef>{one}</messageFlowRef>" for one in messages.split())
    return f'<choreographyTask id="{name}" initiatingParticipantRef="{initiator}">{inside}</choreographyTask>'


def choreography(inside: str = asks(), line: str = "cs>t t>ce", head: str = "", tail: str = "", messages: str = MESSAGES) -> str:
    return f'<choreography id="ch">{PARTICIPANTS}{messages}{head}<startEvent id="cs"/>{inside}<endEvent id="ce"/>{flows(line)}</choreography>{tail}{GOOD}'


def collaboration(inside: str, tail: str = "") -> str:
    return f'<collaboration id="col"><participant id="P" processRef="p"/><participant id="Q"/><messageFlow id="pq" sourceRef="P" targetRef="Q"/>{inside}</collaboration><collaboration id="other"><participant id="O"/><participant id="O2"/><messageFlow id="oo" sourceRef="O" targetRef="O2"/></collaboration>{tail}{GOOD}'


TALK = '<conversation id="cv"><participantRef>P</participantRef><participantRef>Q</participantRef>{}</conversation>'
LINK = '<conversationLink id="cl" sourceRef="{}" targetRef="{}"/>'
RESOURCES = '<resource id="r" name="R"><resourceParameter id="need" name="need" isRequired="true"/><resourceParameter id="may" name="may"/></resource><resource id="r2" name="R2"><resourceParameter id="foreign" name="foreign"/></resource>'


def role(*bound: str) -> str:
    bindings = "".join(f'<resourceParameterBinding parameterRef="{one}"><formalExpression>1</formalExpression></resourceParameterBinding>' for one in bound)
    return RESOURCES + path(f'<userTask id="x" name="X"><potentialOwner><resourceRef>r</resourceRef>{bindings}</potentialOwner></userTask>')


TABLE = [
    Row("11.4.1", "choreography", "C", choreography(asks(initiator="C"))),
    Row("11.4.1", "choreography", "two participants", choreography(asks(who="A B C"))),
    Row("11.4.1", "choreography", "two participants", choreography(asks(who="A A"))),
    Row("11.4.1", "choreography", "message flows", choreography(asks(messages="ab cb"))),
    Row("11.4.1", "choreography", "sends no message", choreography(asks(messages="ba"))),
    Row("11.4.1", "choreography", "O", choreography(asks(who="A O", messages="ab"), tail='<collaboration id="col"><participant id="O"/></collaboration>')),
    Row("XSD", "missing-child+choreography", "2 <participantRef>", choreography(asks(who="A"))),
    Row("XSD", "too-many-children", "2 <messageFlowRef>", choreography(asks(messages="ab ba ab"))),
    Row("11.4", "choreography", "same", choreography(messages=MESSAGES + '<messageFlow id="same" sourceRef="A" targetRef="A"/>')),
    Row("11.5.1", "choreography", "t__t2", choreography(asks() + asks("t2", "C", "C B", "cb"), "cs>t t>t2 t2>ce")),
    Row("8.4.8", "choreography", "task", choreography(asks() + '<task id="w"/>', "cs>t t>w w>ce")),
    Row("8.4.8", "choreography", "dataObject", choreography(asks() + '<dataObject id="d"/>')),
    Row("8.4.13", "choreography", "t__x", choreography(line="cs>t t>ce t>x")),
    Row("10.5.2", "choreography", "start event", choreography(line="cs>t t>ce t>cs")),
    Row("10.5.3", "choreography", "end event", choreography(line="cs>t t>ce ce>t")),
    *(Row("table 10.93", "choreography", kind, choreography(asks() + event, line)) for kind, event, line in (
        ("error", '<intermediateCatchEvent id="w"><errorEventDefinition/></intermediateCatchEvent>', "cs>t t>w w>ce"),
        ("timer", '<endEvent id="w"><timerEventDefinition/></endEvent>', "cs>t t>ce t>w"),
        ("cancel", '<startEvent id="w"><cancelEventDefinition/></startEvent>', "cs>t t>ce w>t"),
    )),
    Row("9.4", "choreography", "ch", choreography(head="<choreographyRef>ch</choreographyRef>")),
    Row("11.6", "wrong-reference", "calledChoreographyRef", choreography('<callChoreography id="t" initiatingParticipantRef="A" calledChoreographyRef="p"><participantRef>A</participantRef><participantRef>B</participantRef></callChoreography>')),
    Row("9.5", "conversation", "O", collaboration('<conversation id="cv"><participantRef>P</participantRef><participantRef>O</participantRef></conversation>')),
    Row("9.5", "conversation", "oo", collaboration(TALK.format("<messageFlowRef>oo</messageFlowRef>"))),
    Row("9.5.4", "conversation", "cl", collaboration(TALK.format("") + LINK.format("P", "Q"))),
    Row("9.5.4", "conversation", "cl", collaboration(TALK.format("") + TALK.format("").replace('"cv"', '"cv2"') + LINK.format("cv", "cv2"))),
    Row("9.5.3", "conversation", "ch", collaboration('<callConversation id="cc" calledCollaborationRef="ch"/>', f'<choreography id="ch">{PARTICIPANTS}</choreography>')),
    Row("9.5.3", "wrong-reference", "calledCollaborationRef", collaboration('<callConversation id="cc" calledCollaborationRef="p"/>')),
    Row("9.5.3", "conversation", "gc", collaboration("", '<globalConversation id="gc"><conversation id="cv"/></globalConversation>')),
    Row("10.3.1", "resource-binding", "foreign", role("need", "foreign")),
    Row("10.3.1", "resource-binding", "2 times", role("need", "need")),
    Row("10.3.1", "resource-binding", "need", role("may")),
    Row("10.3.1", "resource-binding", "need", role()),
]
ACCEPTED = {
    "two interactions, the second begun by who was in the first": choreography(asks() + asks("t2", "B", "A B", "ba"), "cs>t t>t2 t2>ce"),
    "one message is enough": choreography(asks(messages="ab")),
    "a conversation with its messages and links": collaboration(TALK.format("<messageFlowRef>pq</messageFlowRef>") + LINK.format("P", "cv") + LINK.format("cv", "Q").replace('"cl"', '"cl2"')),
    "what a conversation calls": collaboration('<callConversation id="cc" calledCollaborationRef="gc"/>', '<globalConversation id="gc"><participant id="G"/></globalConversation>'),
    "a role with its parameters": role("need", "may"),
    "what is not required may be left out": role("need"),
}
# fmt: on


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.clause}-{row.rule}-{row.says}")
def test_file_is_refused_by_its_rule(row: Row) -> None:
    wanted, *tolerated = row.rule.split("+")
    found = [f for f in findings(row.model) if f.severity is Severity.ERROR]
    report = "\n".join(map(str, found))
    assert any(f.rule == wanted and (row.says in f.message or row.says == f.element_id) for f in found), (
        report
    )
    assert {f.rule for f in found} <= {wanted, *tolerated}, report


@pytest.mark.parametrize("reason", ACCEPTED)
def test_twin_is_taken(reason: str) -> None:
    errors = [f for f in findings(ACCEPTED[reason]) if f.severity is Severity.ERROR]
    assert errors == [], "\n".join(map(str, errors))
