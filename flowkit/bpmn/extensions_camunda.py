"""The ``camunda:`` dialect (Camunda 7 and its relatives): read where it says what flowkit can do.

What needs Java, a script engine or Camunda's own life cycle is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flowkit.bpmn.extensions_draft import (
    Draft,
    RefusedAttribute,
    RefusedElement,
    ignored_attribute,
)
from flowkit.bpmn.extensions_model import (
    Assignment,
    CalledDecision,
    CalledElement,
    FormReference,
    LoopExtension,
    Schedule,
    TaskDefinition,
)
from flowkit.bpmn.juel import is_juel, juel_to_feel
from flowkit.bpmn.xml import Node

__all__ = ["CAMUNDA_ATTRIBUTES", "CAMUNDA_ELEMENTS", "CAMUNDA_NAMESPACES", "finish_camunda"]

CAMUNDA_NAMESPACES = (
    "http://camunda.org/schema/1.0/bpmn",
    "http://operaton.org/schema/1.0/bpmn",
    "http://flowable.org/bpmn",
    "http://activiti.org/bpmn",
)

_MODELER = "http://camunda.org/schema/modeler/1.0"
_JAVA = 'this names Java code; name a job type with camunda:type="external" and camunda:topic.'
_UNCLEAR = (
    "only names, paths, comparisons, and/or carry over from ${…}; write the rest as FEEL with a leading '='."
)


def _value(draft: Draft, name: str, text: str) -> str:
    """A literal or ``=FEEL`` for a text that may be a ``${…}`` expression."""
    if not is_juel(text):
        return text.strip()
    feel = juel_to_feel(text)
    if feel is None:
        draft.refuse(f"@{name}", draft.host.location, f"'{text[:60]}' is not translated: {_UNCLEAR}")
        return ""
    return "=" + feel


def _variable(draft: Draft, name: str, text: str) -> str:
    """``=FEEL`` for a variable's name; ``order-id`` would be a subtraction in FEEL."""
    if text.strip().isidentifier():
        return "=" + text.strip()
    draft.refuse(
        f"@{name}",
        draft.host.location,
        f"'{text[:60]}' is no plain variable name; use letters, digits and '_', or write FEEL.",
    )
    return ""


def _noted(name: str) -> Callable[[Draft, str], None]:
    return lambda draft, value: draft.note(name, _value(draft, name, value))


def _delegate(draft: Draft, value: str) -> None:
    """``delegateExpression="${checkStock}"`` names a bean, which here is a job type."""
    feel = juel_to_feel(value) if is_juel(value) else value.strip()
    if feel is None or not feel.isidentifier():
        draft.refuse("@delegateExpression", draft.host.location, _JAVA)
    else:
        draft.note("topic", feel)


def _type(draft: Draft, value: str) -> None:
    if value != "external":
        draft.refuse("@type", draft.host.location, f'camunda:type="{value[:40]}" is not run here; {_JAVA}')


# ---- elements -------------------------------------------------------------------------------


def _input_output(draft: Draft, node: Node) -> None:
    for child in node.children:
        direction = {"inputParameter": "inputs", "outputParameter": "outputs"}.get(child.tag)
        if direction is None or child.children:
            draft.refuse(
                f"{{{child.namespace}}}{child.tag}",
                child.location,
                "lists, maps and scripts of parameters are not read; write the value as FEEL.",
            )
            continue
        source = _value(draft, child.tag, child.text)
        draft.map(direction, source, child.get("name") or "", child.location)


def _call_mapping(direction: str) -> Callable[[Draft, Node], None]:
    def read(draft: Draft, node: Node) -> None:
        draft.note("call", "mapped")
        if node.get("businessKey") is not None or node.get("local") is not None:
            draft.refuse(
                f"{{{node.namespace}}}{node.tag}",
                node.location,
                "business keys and local variables of call activities are not passed this way.",
            )
        elif node.get("variables") == "all":
            draft.note(f"all {direction}", "true")
        else:
            expression = node.get("sourceExpression")
            if expression:
                source = _value(draft, "sourceExpression", expression)
            else:
                source = _variable(draft, "source", node.get("source") or "")
            draft.map(direction, source, node.get("target") or "", node.location)

    return read


def _properties(draft: Draft, node: Node) -> None:
    for child in node.children:
        draft.add("properties", (child.get("name") or child.get("id") or "", child.get("value") or ""))


_LISTENER = "flowkit runs no listeners; draw a task or an event where the work is done."

CAMUNDA_ELEMENTS: Mapping[str, Callable[[Draft, Node], None]] = {
    "inputOutput": _input_output,
    "in": _call_mapping("inputs"),
    "out": _call_mapping("outputs"),
    "properties": _properties,
    "executionListener": RefusedElement(_LISTENER),
    "taskListener": RefusedElement(_LISTENER),
    "formData": RefusedElement("form fields inside the diagram are not read; deploy a JSON Schema form."),
    "field": RefusedElement("field injection is Java's; use an input mapping."),
    "connector": RefusedElement("connectors are not run; name a job type with camunda:topic."),
    "failedJobRetryTimeCycle": RefusedElement(
        "retries are the handler's: raise Retry(after=…), or give zeebe:taskDefinition retries."
    ),
    "errorEventDefinition": RefusedElement(
        "errors of external tasks are not computed; let the handler raise BpmnError(code)."
    ),
}

# ---- attributes -----------------------------------------------------------------------------

CAMUNDA_ATTRIBUTES: Mapping[str, Callable[[Draft, str], None]] = {
    **dict.fromkeys(
        (
            *("asyncBefore", "asyncAfter", "async", "exclusive", "jobPriority", "taskPriority"),
            *("historyTimeToLive", "isStartableInTasklist", "diagramRelationId"),
            *("modelerTemplate", "modelerTemplateVersion", "modelerTemplateIcon", "formFieldValidation"),
        ),
        # Every step of flowkit is durable and every form checked, so nothing has to be asked for.
        ignored_attribute,
    ),
    **{
        name: _noted(name)
        for name in (
            *("topic", "assignee", "candidateUsers", "candidateGroups", "dueDate", "followUpDate"),
            *("priority", "formKey", "formRef", "formRefBinding", "decisionRef", "decisionRefBinding"),
            *("decisionRefVersionTag", "mapDecisionResult", "resultVariable", "calledElementBinding"),
            *("calledElementVersionTag", "collection", "elementVariable", "versionTag"),
        )
    },
    "type": _type,
    "delegateExpression": _delegate,
    "class": RefusedAttribute("class", _JAVA),
    "expression": RefusedAttribute("expression", _JAVA),
    "resource": RefusedAttribute("resource", "scripts in other files are not run; use a job type."),
    "initiator": RefusedAttribute("initiator", "pass the starting user as a variable of the start."),
    "calledElementVersion": RefusedAttribute("calledElementVersion", "bind by versionTag instead."),
    "decisionRefVersion": RefusedAttribute("decisionRefVersion", "bind by versionTag instead."),
    "formRefVersion": RefusedAttribute("formRefVersion", "bind to latest or to the deployment instead."),
    "caseRef": RefusedAttribute("caseRef", "CMMN cases are not run."),
    "errorMessage": RefusedAttribute("errorMessage", "the message is given by who throws the error."),
}

_BINDINGS = {"": "latest", "latest": "latest", "deployment": "deployment", "versionTag": "versionTag"}


def finish_camunda(draft: Draft) -> None:
    """Make one field of what Camunda 7 says in several attributes."""
    notes = draft.notes
    if draft.host.tag == "callActivity" and _is_camunda_7(draft.host):
        # There, a call passes only what camunda:in and camunda:out say.
        draft.note("call", "mapped")
    if not notes:
        return
    if topic := notes.get("topic"):
        draft.set("task_definition", TaskDefinition(topic))
    _people(draft)
    if "formKey" in notes or "formRef" in notes:
        binding = _binding(draft, notes.get("formRefBinding", ""))
        draft.set("form", FormReference(notes.get("formRef", ""), notes.get("formKey", ""), binding))
    if "versionTag" in notes:
        draft.set("version_tag", notes["versionTag"])
    if "collection" in notes:
        collection = notes["collection"]
        if not collection.startswith("="):
            collection = _variable(draft, "collection", collection)
        draft.set("loop", LoopExtension(collection, notes.get("elementVariable", "")))
    elif "elementVariable" in notes:
        draft.refuse(
            "@elementVariable", draft.host.location, "camunda:elementVariable needs camunda:collection."
        )
    _called(draft)


def _is_camunda_7(host: Node) -> bool:
    root = host
    while root.parent is not None:
        root = root.parent
    return root.get("executionPlatform", _MODELER) == "Camunda Platform"


def _people(draft: Draft) -> None:
    notes = draft.notes
    who = [notes.get(name, "") for name in ("assignee", "candidateGroups", "candidateUsers")]
    if any(who):
        draft.set("assignment", Assignment(*who))
    if "dueDate" in notes or "followUpDate" in notes:
        draft.set("schedule", Schedule(notes.get("dueDate", ""), notes.get("followUpDate", "")))
    if "priority" in notes:
        draft.set("priority", notes["priority"])


def _binding(draft: Draft, binding: str) -> str:
    if binding not in _BINDINGS:
        draft.refuse(
            "@binding", draft.host.location, f"the binding '{binding}' is not known; bind by versionTag."
        )
    return _BINDINGS.get(binding, "latest")


def _called(draft: Draft) -> None:
    notes, host = draft.notes, draft.host
    if "decisionRef" in notes:
        if notes.get("mapDecisionResult") not in ("singleEntry", "singleResult"):
            draft.refuse(
                "@mapDecisionResult",
                host.location,
                "set camunda:mapDecisionResult to singleEntry or singleResult.",
            )
        draft.set(
            "called_decision",
            CalledDecision(
                notes["decisionRef"],
                notes.get("resultVariable", ""),
                _binding(draft, notes.get("decisionRefBinding", "")),
                notes.get("decisionRefVersionTag", ""),
            ),
        )
    elif "resultVariable" in notes and host.tag != "scriptTask":
        draft.refuse("@resultVariable", host.location, "map the job's result with camunda:outputParameter.")
    elif "resultVariable" in notes:
        draft.set("result_variable", notes["resultVariable"])
    if "call" in notes or "calledElementBinding" in notes or "calledElementVersionTag" in notes:
        draft.set(
            "called_element",
            CalledElement(
                host.get("calledElement") or "",
                "all outputs" in notes,
                "all inputs" in notes,
                _binding(draft, notes.get("calledElementBinding", "")),
                notes.get("calledElementVersionTag", ""),
            ),
        )
