"""The ``zeebe:`` dialect (Camunda 8): flowkit's own, so it is read in full or refused by name.

Source: the extension elements documented for Camunda 8 and written by its modeler.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flowkit.bpmn.extensions_draft import Draft, RefusedElement, ignored_attribute
from flowkit.bpmn.extensions_model import (
    AdHoc,
    Assignment,
    CalledDecision,
    CalledElement,
    FormReference,
    LoopExtension,
    Schedule,
    Script,
    TaskDefinition,
)
from flowkit.bpmn.xml import Node

__all__ = ["ZEEBE_ATTRIBUTES", "ZEEBE_ELEMENTS", "ZEEBE_NAMESPACES"]

ZEEBE_NAMESPACES = ("http://camunda.org/schema/zeebe/1.0",)


def _get(node: Node, name: str, default: str = "") -> str:
    value = node.get(name)
    return default if value is None else value


def _known(draft: Draft, node: Node, *names: str) -> None:
    """Refuse attributes that the reader of ``node`` does not look at."""
    for namespace, name in node.attributes:
        if not namespace and name not in names:
            draft.refuse(
                f"{{{node.namespace}}}{node.tag}/@{name}",
                node.location,
                f"flowkit does not know the attribute '{name}' of zeebe:{node.tag}.",
            )


def _task_definition(draft: Draft, node: Node) -> None:
    _known(draft, node, "type", "retries")
    draft.set("task_definition", TaskDefinition(_get(node, "type").strip(), _get(node, "retries").strip()))


def _io_mapping(draft: Draft, node: Node) -> None:
    for child in node.children:
        _known(draft, child, "source", "target")
        if child.tag not in ("input", "output"):
            draft.refuse(child.tag, child.location, f"zeebe:ioMapping holds an unknown <{child.tag}>.")
            continue
        # A required property that nobody filled in is written without a source: an empty text.
        draft.map(f"{child.tag}s", _get(child, "source"), _get(child, "target").strip(), child.location)


def _task_headers(draft: Draft, node: Node) -> None:
    for child in node.children:
        _known(draft, child, "key", "value")
        draft.add("headers", (_get(child, "key"), _get(child, "value")))


def _properties(draft: Draft, node: Node) -> None:
    for child in node.children:
        draft.add("properties", (_get(child, "name"), _get(child, "value")))


def _assignment(draft: Draft, node: Node) -> None:
    _known(draft, node, "assignee", "candidateGroups", "candidateUsers")
    assignment = Assignment(
        _get(node, "assignee").strip(),
        _get(node, "candidateGroups").strip(),
        _get(node, "candidateUsers").strip(),
    )
    draft.set("assignment", assignment)


def _schedule(draft: Draft, node: Node) -> None:
    _known(draft, node, "dueDate", "followUpDate")
    draft.set("schedule", Schedule(_get(node, "dueDate").strip(), _get(node, "followUpDate").strip()))


def _form(draft: Draft, node: Node) -> None:
    _known(draft, node, "formId", "formKey", "externalReference", "bindingType", "versionTag")
    form = FormReference(
        form_id=_get(node, "formId").strip(),
        external_reference=(_get(node, "externalReference") or _get(node, "formKey")).strip(),
        binding=_get(node, "bindingType", "latest"),
        version_tag=_get(node, "versionTag"),
    )
    draft.set("form", form)


def _boolean(node: Node, name: str) -> bool:
    return _get(node, name, "true").strip() != "false"


def _called_element(draft: Draft, node: Node) -> None:
    _known(
        draft,
        node,
        *("processId", "bindingType", "versionTag"),
        *("propagateAllChildVariables", "propagateAllParentVariables"),
    )
    called = CalledElement(
        process_id=_get(node, "processId").strip(),
        propagate_all_child_variables=_boolean(node, "propagateAllChildVariables"),
        propagate_all_parent_variables=_boolean(node, "propagateAllParentVariables"),
        binding=_get(node, "bindingType", "latest"),
        version_tag=_get(node, "versionTag"),
    )
    draft.set("called_element", called)


def _called_decision(draft: Draft, node: Node) -> None:
    _known(draft, node, "decisionId", "resultVariable", "bindingType", "versionTag")
    called = CalledDecision(
        decision_id=_get(node, "decisionId").strip(),
        result_variable=_get(node, "resultVariable").strip(),
        binding=_get(node, "bindingType", "latest"),
        version_tag=_get(node, "versionTag"),
    )
    draft.set("called_decision", called)


def _script(draft: Draft, node: Node) -> None:
    _known(draft, node, "expression", "resultVariable")
    draft.set("script", Script(_get(node, "expression").strip(), _get(node, "resultVariable").strip()))


def _loop(draft: Draft, node: Node) -> None:
    _known(draft, node, "inputCollection", "inputElement", "outputCollection", "outputElement")
    loop = LoopExtension(
        _get(node, "inputCollection").strip(),
        _get(node, "inputElement").strip(),
        _get(node, "outputCollection").strip(),
        _get(node, "outputElement").strip(),
    )
    draft.set("loop", loop)


def _ad_hoc(draft: Draft, node: Node) -> None:
    _known(draft, node, "activeElementsCollection", "outputCollection", "outputElement")
    ad_hoc = AdHoc(
        _get(node, "activeElementsCollection").strip(),
        _get(node, "outputCollection").strip(),
        _get(node, "outputElement").strip(),
    )
    draft.set("ad_hoc", ad_hoc)


def _subscription(draft: Draft, node: Node) -> None:
    _known(draft, node, "correlationKey")
    draft.set("correlation_key", _get(node, "correlationKey").strip())


def _publish_message(draft: Draft, node: Node) -> None:
    _known(draft, node, "correlationKey", "messageId", "timeToLive")
    draft.set("correlation_key", _get(node, "correlationKey").strip())
    draft.set("message_id", _get(node, "messageId").strip())
    draft.set("time_to_live", _get(node, "timeToLive").strip())


def _text(field: str, attribute: str) -> Callable[[Draft, Node], None]:
    """A reader for an element that says one thing in one attribute."""

    def read(draft: Draft, node: Node) -> None:
        _known(draft, node, attribute)
        draft.set(field, _get(node, attribute).strip())

    return read


def _marker(draft: Draft, node: Node) -> None:
    """``zeebe:userTask`` says that the engine keeps the task list: flowkit always does."""
    _known(draft, node)


ZEEBE_ELEMENTS: Mapping[str, Callable[[Draft, Node], None]] = {
    "taskDefinition": _task_definition,
    "ioMapping": _io_mapping,
    "taskHeaders": _task_headers,
    "properties": _properties,
    "assignmentDefinition": _assignment,
    "taskSchedule": _schedule,
    "priorityDefinition": _text("priority", "priority"),
    "formDefinition": _form,
    "userTask": _marker,
    "calledElement": _called_element,
    "calledDecision": _called_decision,
    "script": _script,
    "loopCharacteristics": _loop,
    "adHoc": _ad_hoc,
    "subscription": _subscription,
    "publishMessage": _publish_message,
    "versionTag": _text("version_tag", "value"),
    "executionListeners": RefusedElement(
        "flowkit runs no execution listeners; draw a service task where the work is done."
    ),
    "taskListeners": RefusedElement(
        "flowkit runs no task listeners; draw a task or an event where the work is done."
    ),
    "userTaskForm": RefusedElement(
        "forms inside the diagram are not read; save the form as a .form file and name it by formId."
    ),
    "linkedResources": RefusedElement("flowkit links no resources to jobs; name them in a task header."),
    "conditionalFilter": RefusedElement(
        "flowkit looks at a condition whenever a variable that it reads changes; remove the filter."
    ),
}

ZEEBE_ATTRIBUTES: Mapping[str, Callable[[Draft, str], None]] = {
    "modelerTemplate": ignored_attribute,
    "modelerTemplateVersion": ignored_attribute,
    "modelerTemplateIcon": ignored_attribute,
}
