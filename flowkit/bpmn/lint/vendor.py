"""Vendor extensions: nothing that would run elsewhere is skipped here."""

from __future__ import annotations

import re
from collections.abc import Iterator

from flowkit.bpmn.extensions_model import NO_EXTENSIONS
from flowkit.bpmn.lint.model import Model, Problem, Rule, a, error
from flowkit.bpmn.lint.walk import elements
from flowkit.bpmn.model import (
    Activity,
    AdHocSubProcess,
    BusinessRuleTask,
    CallActivity,
    Element,
    Event,
    FlowNode,
    Message,
    MessageEventDefinition,
    MultiInstanceLoopCharacteristics,
    Process,
    ScriptTask,
    SendTask,
    ServiceTask,
    StartEvent,
    ThrowEvent,
    UserTask,
)

__all__ = ["RULES"]

_PLACES: dict[str, tuple[str, tuple[type[Element], ...]]] = {
    "task_definition": (
        "a job type",
        (ServiceTask, SendTask, ScriptTask, BusinessRuleTask, ThrowEvent, AdHocSubProcess),
    ),
    "headers": ("task headers", (Activity, ThrowEvent)),
    "inputs": ("input mappings", (Activity, Event)),
    "outputs": ("output mappings", (Activity, Event)),
    "assignment": ("an assignment", (UserTask,)),
    "schedule": ("a schedule", (UserTask,)),
    "priority": ("a priority", (UserTask,)),
    "form": ("a form", (UserTask, StartEvent)),
    "called_element": ("a called element", (CallActivity,)),
    "called_decision": ("a called decision", (BusinessRuleTask,)),
    "script": ("a script", (ScriptTask,)),
    "result_variable": ("a result variable", (ScriptTask,)),
    "correlation_key": ("a correlation key", (Message, SendTask, ThrowEvent)),
    "message_id": ("a message id", (SendTask, ThrowEvent)),
    "time_to_live": ("a time to live", (SendTask, ThrowEvent)),
    "loop": ("a loop's collection", (MultiInstanceLoopCharacteristics,)),
    "ad_hoc": ("the activities to start", (AdHocSubProcess,)),
    "version_tag": ("a version tag", (Process,)),
}
"""Field of the extensions → what it is called, and the elements that it means something for."""

_VARIABLE = re.compile(r"[^\W\d][\w '-]*(\.[^\W\d][\w '-]*)*\Z")


def _executed(model: Model) -> Iterator[Element]:
    definitions = model.definitions
    yield from definitions.messages
    for process in definitions.processes:
        if process.is_executable:
            yield from elements(process)


def vendor_extension(model: Model) -> Iterator[Problem]:
    for element in (model.definitions, *_executed(model)):
        for foreign in element.extensions.foreign:
            if foreign.executable:
                name = re.sub(r"\{[^}]*\}", "", foreign.name)
                yield Problem(element, f"the extension '{name}' is not executed.", foreign.reason)


def misplaced_vendor_extension(model: Model) -> Iterator[Problem]:
    for element in _executed(model):
        if element.extensions is NO_EXTENSIONS:
            continue
        for name, (what, places) in _PLACES.items():
            if getattr(element.extensions, name) and not isinstance(element, places):
                yield Problem(
                    element,
                    f"{what} is set on {a(element)}, where it means nothing.",
                    "Remove it, or change the element's type.",
                )


def mapping_target(model: Model) -> Iterator[Problem]:
    for _, node in model.run(FlowNode):
        for mapping in (*node.extensions.inputs, *node.extensions.outputs):
            if not _VARIABLE.match(mapping.target):
                yield Problem(
                    node,
                    f"the mapping writes to '{mapping.target}', which is no variable's name.",
                    "Use letters, digits and '_', with '.' between the parts of a path.",
                )


OWN = "flowkit."
"""Begins the names of flowkit's own extension properties."""
_INDICATOR = re.compile(r"flowkit\.kpi\.(share|mean|sum|target)\..")


def flowkit_property(model: Model) -> Iterator[Problem]:
    for element in _executed(model):
        for name, value in element.extensions.properties:
            check = _OWN.get(name)
            if check is not None:
                yield from check(element, value)
            elif _INDICATOR.match(name):
                yield from _of_process(element, name)
            elif name.startswith(OWN):
                known = ", ".join((*_OWN, "flowkit.kpi.share.NAME", "….mean.…", "….sum.…", "….target.…"))
                yield Problem(element, f"there is no property '{name}'.", f"Remove it; there are {known}.")


def _of_process(element: Element, name: str) -> Iterator[Problem]:
    if not isinstance(element, Process):
        yield Problem(
            element, f"'{name}' is set on {a(element)}, where it means nothing.", "Set it on the process."
        )


def _outbox(element: Element, value: str) -> Iterator[Problem]:
    if isinstance(element, SendTask):
        throws = bool(element.message)
    else:
        throws = isinstance(element, ThrowEvent) and any(
            isinstance(one, MessageEventDefinition) for one in element.definitions
        )
    if not throws or element.extensions.task_definition is not None:
        yield Problem(
            element,
            f"'flowkit.outbox' is set on {a(element)} that throws no message itself, where it means nothing.",
            "Choose a message and leave the job type out, or remove the property.",
        )
    elif not value.strip():
        yield Problem(
            element, "'flowkit.outbox' is empty.", "Give the kind that a deliverer is registered for."
        )


def _searchable(element: Element, value: str) -> Iterator[Problem]:
    yield from _of_process(element, "flowkit.searchable")
    for name in value.split(","):
        if not _VARIABLE.match(name.strip()) or "." in name:
            yield Problem(
                element,
                f"'flowkit.searchable' lists '{name.strip()}', which is no variable's name.",
                "List variables of the process, separated by commas.",
            )


def _priority(element: Element, value: str) -> Iterator[Problem]:
    if not isinstance(element, Process) and not isinstance(element, _PLACES["task_definition"][1]):
        yield Problem(
            element,
            f"'flowkit.priority' is set on {a(element)}, which no worker does.",
            "Set it where a job type is, or on the process for all its jobs; a user task has"
            " zeebe:priorityDefinition.",
        )
    elif not value.lstrip().startswith("=") and not re.fullmatch(r"\s*-?\d+\s*", value):
        yield Problem(
            element,
            f"'flowkit.priority' is '{value}', which is no whole number.",
            "Give one, or '=' and FEEL.",
        )


_OWN = {"flowkit.outbox": _outbox, "flowkit.searchable": _searchable, "flowkit.priority": _priority}


RULES: tuple[Rule, ...] = (
    error(
        "vendor-extension", "An extension that would run something is executed or refused.", vendor_extension
    ),
    error(
        "misplaced-vendor-extension",
        "An extension stands where it means something.",
        misplaced_vendor_extension,
    ),
    error(
        "flowkit-property",
        "A property of flowkit's own is known and stands where it means something.",
        flowkit_property,
    ),
    error("mapping-target", "A mapping writes to a variable.", mapping_target),
)
