"""What the schema says beside its grammar: choices, sets, ids, and facts that a file states twice."""

from __future__ import annotations

from collections.abc import Iterator

from flowkit.bpmn.index import Index, finding, resolve
from flowkit.bpmn.schema import BPMN, ElementType, is_a
from flowkit.bpmn.xml import Node
from flowkit.findings import Finding

__all__ = [
    "check_choice",
    "check_flow_references",
    "check_sets",
    "check_shared_definition",
]


def check_flow_references(root: Node, index: Index) -> Iterator[Finding]:
    """Do ``incoming`` and ``outgoing`` say the same as the sequence flows?

    A file may leave all of them out, as the schema allows; one that writes them must be consistent,
    since it would be read differently by whoever believes the one or the other.
    """
    declared: dict[tuple[str, str], set[str]] = {}
    actual: dict[tuple[str, str], set[str]] = {}
    for identifier, node in index.nodes.items():
        if node.tag == "sequenceFlow":
            for attribute, side in (("sourceRef", "outgoing"), ("targetRef", "incoming")):
                end = resolve(node, node.get(attribute) or "", index) or ""
                actual.setdefault((end, side), set()).add(identifier)
        elif is_a(node.tag, "flowNode"):
            for child in node.children:
                if child.namespace == BPMN and child.tag in ("incoming", "outgoing"):
                    flow = resolve(child, child.text, index) or ""
                    declared.setdefault((identifier, child.tag), set()).add(flow)
    if not declared:
        return
    for identifier, side in sorted(actual.keys() | declared.keys()):
        node = index.nodes.get(identifier, root)
        wanted, given = actual.get((identifier, side), set()), declared.get((identifier, side), set())
        if not is_a(node.tag, "flowNode") or wanted == given:
            continue
        differing = ", ".join(sorted(wanted ^ given))
        yield finding(
            "flow-reference",
            node,
            f"its <{side}> elements and the sequence flows disagree about: {differing}.",
            "Save the file with a modeler, or correct the list.",
        )


_EXCLUSIVE: dict[str, tuple[str, ...]] = {
    "timerEventDefinition": ("timeDate", "timeDuration", "timeCycle"),
    "resourceRole": ("resourceRef", "resourceAssignmentExpression"),
}
# Children of which the schema allows one at most.


def check_choice(node: Node, element: ElementType) -> Iterator[Finding]:
    for base, names in _EXCLUSIVE.items():
        if is_a(element.name, base):
            found = [child.tag for child in node.children if child.namespace == BPMN and child.tag in names]
            if len(found) > 1:
                yield finding(
                    "too-many-children",
                    node,
                    f"<{node.tag}> holds {' and '.join(f'<{name}>' for name in found)}; only one may stand.",
                    "Keep one of them.",
                )
    if is_a(element.name, "resourceRole"):
        tags = {child.tag for child in node.children if child.namespace == BPMN}
        if "resourceParameterBinding" in tags and "resourceRef" not in tags:
            yield finding(
                "missing-child",
                node,
                f"<{node.tag}> binds parameters, but has no <resourceRef>: of which resource?",
                "Add it.",
            )


_SETS: dict[str, tuple[str, tuple[str, str], tuple[str, str]]] = {
    # set: (all, those among all, (what refers to the other kind of set, what refers back))
    "inputSet": (
        "dataInputRefs",
        ("optionalInputRefs", "whileExecutingInputRefs"),
        ("outputSetRefs", "inputSetRefs"),
    ),
    "outputSet": (
        "dataOutputRefs",
        ("optionalOutputRefs", "whileExecutingOutputRefs"),
        ("inputSetRefs", "outputSetRefs"),
    ),
}


def _texts(node: Node, tag: str) -> set[str]:
    return {child.text.strip() for child in node.children if child.namespace == BPMN and child.tag == tag}


def check_sets(node: Node, name: str, index: Index) -> Iterator[Finding]:
    """10.4.1: optional and streaming data are part of their set; paired sets name each other."""
    if name not in _SETS:
        return
    everything, parts, (forth, back) = _SETS[name]
    for part in parts:
        for missing in sorted(_texts(node, part) - _texts(node, everything)):
            yield finding(
                "data-set",
                node,
                f"<{part}> lists '{missing}', but <{everything}> does not.",
                f"List it in <{everything}> too.",
            )
    for other in sorted(_texts(node, forth)):
        paired = index.nodes.get(other)
        if paired is not None and node.get("id") not in _texts(paired, back):
            yield finding(
                "data-set",
                node,
                f"<{forth}> names '{other}', which does not name this set in <{back}>.",
                "Let both sets name each other, or neither.",
            )


def check_shared_definition(node: Node, index: Index) -> Iterator[Finding]:
    """``eventDefinitionRef`` names a definition at the top of the file, never one inside an event."""
    target = index.nodes.get(resolve(node, node.text, index) or "")
    if target is not None and target.parent is not None and target.parent.tag != "definitions":
        yield finding(
            "wrong-reference",
            node,
            f"<eventDefinitionRef> refers to '{target.get('id')}', which belongs to another event.",
            "Put the shared event definition directly into <definitions>.",
        )
