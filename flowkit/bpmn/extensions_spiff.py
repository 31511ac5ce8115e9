"""The ``spiffworkflow:`` dialect: operators become job types; scripts in Python are refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flowkit.bpmn.extensions_draft import Draft, RefusedElement, ignored_element
from flowkit.bpmn.extensions_model import FormReference, TaskDefinition
from flowkit.bpmn.juel import juel_to_feel
from flowkit.bpmn.xml import Node

__all__ = ["SPIFF_ATTRIBUTES", "SPIFF_ELEMENTS", "SPIFF_NAMESPACES"]

SPIFF_NAMESPACES = ("http://spiffworkflow.org/bpmn/schema/1.0/core",)

_PYTHON = "flowkit runs no Python inside diagrams; write FEEL, or do it in the task's handler."


def _operator(draft: Draft, node: Node) -> None:
    draft.set("task_definition", TaskDefinition(node.get("id") or ""))
    if node.get("resultVariable"):
        draft.refuse(
            f"{{{node.namespace}}}{node.tag}/@resultVariable",
            node.location,
            "name the variables in the handler's result, or map them with zeebe:ioMapping.",
        )
    for holder in node.children:
        for child in holder.children:
            _parameter(draft, child)


def _parameter(draft: Draft, node: Node) -> None:
    # Names, paths, texts and comparisons read the same in Python, in JUEL and in FEEL.
    value = juel_to_feel("${" + (node.get("value") or "") + "}")
    if value is None:
        draft.refuse(f"{{{node.namespace}}}{node.tag}", node.location, _PYTHON)
    else:
        draft.map("inputs", f"={value}", node.get("id") or "", node.location)


def _properties(draft: Draft, node: Node) -> None:
    for child in node.children:
        name, value = child.get("name") or "", child.get("value") or ""
        draft.add("properties", (name, value))
        if name == "formJsonSchemaFilename":
            draft.set("form", FormReference(form_id=value))


SPIFF_ELEMENTS: Mapping[str, Callable[[Draft, Node], None]] = {
    "serviceTaskOperator": _operator,
    "properties": _properties,
    "instructionsForEndUser": ignored_element,
    "unitTests": ignored_element,
    "preScript": RefusedElement(_PYTHON),
    "postScript": RefusedElement(_PYTHON),
    "calledDecisionId": RefusedElement("name the decision and its result with zeebe:calledDecision."),
    "messagePayload": RefusedElement(_PYTHON),
    "messageVariable": RefusedElement("map the message with zeebe:ioMapping."),
    "processVariableCorrelation": RefusedElement("give the key with zeebe:subscription."),
}

SPIFF_ATTRIBUTES: Mapping[str, Callable[[Draft, str], None]] = {}
