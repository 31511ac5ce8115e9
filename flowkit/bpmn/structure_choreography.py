"""Choreographies and conversations against the standard's text (9.4, 9.5 and 11).

They run nothing, so they are not part of the model; what is wrong with them is found in the file.
"""

from __future__ import annotations

from collections.abc import Iterator

from flowkit.bpmn.index import Index, finding, resolve
from flowkit.bpmn.schema import BPMN, GROUPS, is_a
from flowkit.bpmn.support import EVENTS, POSITIONS
from flowkit.bpmn.xml import Node
from flowkit.findings import Finding

__all__ = ["check_choreography"]

_CONVERSATIONS = ("conversation", "subConversation", "callConversation")


def check_choreography(node: Node, index: Index) -> Iterator[Finding]:
    """What the text demands of one element of a choreography or conversation, beyond the schema."""
    tag = node.tag
    if tag in ("choreography", "subChoreography"):
        yield from _check_content(node)
    if tag in ("choreography", "globalChoreographyTask", "globalConversation"):
        yield from _check_restricted(node)
    if tag in ("choreography", "globalChoreographyTask"):
        yield from _check_message_flows(node, index)
    if is_a(tag, "choreographyActivity"):
        yield from _check_activity(node, index)
    elif is_a(tag, "conversationNode"):
        yield from _check_conversation(node, index)
    elif tag == "conversationLink":
        yield from _check_link(node, index)


def _children(node: Node, *tags: str) -> list[Node]:
    return [child for child in node.children if child.namespace == BPMN and child.tag in tags]


def _named(node: Node, tag: str, index: Index) -> list[str]:
    return [resolve(child, child.text, index) or "" for child in _children(node, tag)]


def _attribute(node: Node, name: str, index: Index) -> str:
    return resolve(node, node.get(name) or "", index) or ""


def _around(node: Node) -> Node | None:
    """The collaboration or choreography that an element belongs to."""
    at = node.parent
    while at is not None and not is_a(at.tag, "collaboration"):
        at = at.parent
    return at


def _own(node: Node | None, tag: str) -> set[str]:
    return set() if node is None else {child.get("id") or "" for child in _children(node, tag)}


# ---- choreographies (11) --------------------------------------------------------------------


def _check_content(node: Node) -> Iterator[Finding]:
    nodes = {child.get("id"): child for child in node.children if is_a(child.tag, "flowNode")}
    for child in node.children:
        if child.namespace != BPMN:
            continue
        if is_a(child.tag, "activity") or child.tag.startswith("data"):
            yield finding(
                "choreography",
                child,
                f"<{child.tag}> stands in a choreography, which has neither tasks nor data.",
                "Draw it in the process of a participant (8.4.8: flow elements).",
            )
        elif child.tag == "sequenceFlow":
            yield from _check_flow(child, nodes)
        elif child.tag in _POSITIONS:
            yield from _check_event(child)


_POSITIONS = {
    "startEvent": "start",
    "intermediateCatchEvent": "catch",
    "intermediateThrowEvent": "throw",
    "endEvent": "end",
}


def _check_event(event: Node) -> Iterator[Finding]:
    for definition in event.children:
        kind = definition.tag.removesuffix("EventDefinition")
        if definition.tag in GROUPS["eventDefinition"] and _POSITIONS[event.tag] not in EVENTS[kind]:
            yield finding(
                "choreography",
                event,
                f"'{kind}' is not allowed at this position ({POSITIONS[_POSITIONS[event.tag]]}).",
                "BPMN 2.0, table 10.93, says where it is.",
            )


def _check_flow(flow: Node, nodes: dict[str | None, Node]) -> Iterator[Finding]:
    source, target = nodes.get(flow.get("sourceRef")), nodes.get(flow.get("targetRef"))
    wrong = ""
    if source is None or target is None:
        wrong = "leaves its choreography"
    elif source.tag == "endEvent":
        wrong = "leaves an end event"
    elif target.tag == "startEvent":
        wrong = "leads into a start event"
    elif is_a(source.tag, "choreographyActivity") and is_a(target.tag, "choreographyActivity"):
        initiator = target.get("initiatingParticipantRef")
        involved = {child.text.strip() for child in _children(source, "participantRef")}
        if initiator is not None and involved and initiator not in involved:
            wrong = f"leads to an interaction that '{initiator}' begins, who was not part of the one before"
    if wrong:
        yield finding(
            "choreography",
            flow,
            f"a sequence flow of the choreography {wrong}.",
            "Who begins an interaction took part in the one before it (11.5.1); flows stay within.",
        )


def _check_restricted(node: Node) -> Iterator[Finding]:
    """9.4: a choreography refers to no other, and a global conversation is an empty collaboration."""
    forbidden = {"choreographyRef": "it refers to a choreography"}
    if node.tag == "globalConversation":
        forbidden |= dict.fromkeys(_CONVERSATIONS, "it holds conversations")
    for child in _children(node, *forbidden):
        yield finding(
            "choreography" if node.tag != "globalConversation" else "conversation",
            node,
            f"{forbidden[child.tag]}, which only a collaboration does.",
            f"Remove <{child.tag}>.",
        )


def _check_message_flows(node: Node, index: Index) -> Iterator[Finding]:
    own = _own(node, "participant")
    for flow in _children(node, "messageFlow"):
        ends = [_attribute(flow, name, index) for name in ("sourceRef", "targetRef")]
        if ends[0] == ends[1] or not own.issuperset(ends):
            yield finding(
                "choreography",
                flow,
                "the message flow does not connect two participants of its choreography.",
                "Lead it from one of its participants to another (11.4).",
            )


def _check_activity(node: Node, index: Index) -> Iterator[Finding]:
    around = _around(node)
    if around is None:
        return  # it stands in a process, which another rule tells
    own = _own(around, "participant")
    involved = _named(node, "participantRef", index)
    initiator = _attribute(node, "initiatingParticipantRef", index)
    problems = []
    if initiator and initiator not in involved:
        problems.append(f"'{initiator}' begins it, but takes no part in it")
    problems += [
        f"'{one}' is no participant of this choreography"
        for one in involved
        if own and one not in own and one in index.nodes
    ]
    if node.tag == "choreographyTask":
        if len(set(involved)) != 2:
            problems.append(f"a choreography task has two participants, not {len(set(involved))}")
        flows = [index.nodes[one] for one in _named(node, "messageFlowRef", index) if one in index.nodes]
        ends = [[_attribute(flow, end, index) for end in ("sourceRef", "targetRef")] for flow in flows]
        if any(not set(involved).issuperset(pair) for pair in ends):
            problems.append("its message flows are not those of its participants")
        elif ends and initiator not in (source for source, _ in ends):
            problems.append(f"'{initiator}' begins it, but sends no message")
    for problem in problems:
        yield finding(
            "choreography",
            node,
            f"{problem}.",
            "Name the two who deal with each other, the one who begins, and their messages (11.4.1).",
        )


# ---- conversations (9.4, 9.5) ---------------------------------------------------------------


def _check_conversation(node: Node, index: Index) -> Iterator[Finding]:
    around = _around(node)
    for tag, of in (("participantRef", "participant"), ("messageFlowRef", "messageFlow")):
        for one in _named(node, tag, index):
            if one in index.nodes and one not in _own(around, of):
                yield finding(
                    "conversation",
                    node,
                    f"<{tag}> names '{one}', which belongs to another collaboration.",
                    "Name what belongs to the collaboration around the conversation (9.5).",
                )
    called = index.nodes.get(_attribute(node, "calledCollaborationRef", index))
    if called is not None and is_a(called.tag, "choreography"):
        yield finding(
            "conversation",
            node,
            f"it calls '{called.get('id')}', a <{called.tag}>.",
            "A conversation calls a collaboration or a global conversation (9.5.3).",
        )


def _check_link(node: Node, index: Index) -> Iterator[Finding]:
    ends = [index.nodes.get(_attribute(node, name, index)) for name in ("sourceRef", "targetRef")]
    if None not in ends and sum(end is not None and end.tag in _CONVERSATIONS for end in ends) != 1:
        yield finding(
            "conversation",
            node,
            "the conversation link does not connect a conversation with who takes part in it.",
            "One of its ends is a conversation, the other a participant (9.5.4).",
        )
