"""What flowkit executes, as data: the reader's checks and the published matrix read the same table.

``EVENTS`` is table 10.93 of BPMN 2.0.2: which event definition may stand at which position; a dash in
the published matrix is what the standard forbids. ``FEATURES`` lists the other elements with their
options. ``NOT_EXECUTED`` is the one place that says what the standard allows and flowkit refuses.

:mod:`flowkit.bpmn.support_matrix` prints it (``docs/support-matrix.md``).
"""

from __future__ import annotations

from typing import NamedTuple

from flowkit.bpmn.model import (
    BoundaryEvent,
    CatchEvent,
    EndEvent,
    Event,
    IntermediateCatchEvent,
    Process,
    StartEvent,
    SubProcess,
)

__all__ = [
    "EVENTS",
    "FEATURES",
    "NOT_EXECUTED",
    "POSITIONS",
    "Feature",
    "definition_kind",
    "event_kind",
    "event_position",
]

POSITIONS: dict[str, str] = {
    "start": "start of a process",
    "subprocess-start": "start of a subprocess",
    "event-subprocess": "start of an event subprocess, interrupting",
    "event-subprocess-non-interrupting": "start of an event subprocess, non-interrupting",
    "catch": "intermediate catch",
    "boundary": "boundary, interrupting",
    "boundary-non-interrupting": "boundary, non-interrupting",
    "throw": "intermediate throw",
    "end": "end",
}
"""Where an event can stand, in the words of the matrix."""

_ALL_CATCHING = (
    *("start", "event-subprocess", "event-subprocess-non-interrupting"),
    *("catch", "boundary", "boundary-non-interrupting"),
)

EVENTS: dict[str, frozenset[str]] = {
    "none": frozenset({"start", "subprocess-start", "throw", "end"}),
    "message": frozenset({*_ALL_CATCHING, "throw", "end"}),
    "timer": frozenset(_ALL_CATCHING),
    "error": frozenset({"event-subprocess", "boundary", "end"}),
    "escalation": frozenset(
        {
            *("event-subprocess", "event-subprocess-non-interrupting"),
            *("boundary", "boundary-non-interrupting", "throw", "end"),
        }
    ),
    "cancel": frozenset({"boundary", "end"}),
    "compensate": frozenset({"event-subprocess", "boundary", "throw", "end"}),
    "conditional": frozenset(_ALL_CATCHING),
    "link": frozenset({"catch", "throw"}),
    "signal": frozenset({*_ALL_CATCHING, "throw", "end"}),
    "terminate": frozenset({"end"}),
    "multiple": frozenset({*_ALL_CATCHING, "throw", "end"}),
    "parallel multiple": frozenset(_ALL_CATCHING),
}
"""Event definition → the positions at which the standard allows it (table 10.93)."""


class Feature(NamedTuple):
    """An element with an option; ``key`` is what ``NOT_EXECUTED`` names it by."""

    key: str
    element: str
    option: str


FEATURES: tuple[Feature, ...] = (
    Feature("task", "task", "passes through"),
    Feature("manualTask", "manual task", "passes through"),
    Feature("serviceTask", "service task", "job type"),
    Feature("sendTask", "send task", "message, or job type"),
    Feature("receiveTask", "receive task", "message"),
    Feature("receiveTask.instantiate", "receive task", "starts the process (instantiate)"),
    Feature(
        "instantiate.after-start", "receive task, event-based gateway", "instantiate, behind a start event"
    ),
    Feature("userTask", "user task", "assignment, schedule, priority, form"),
    Feature("scriptTask", "script task", "FEEL, or job type"),
    Feature("businessRuleTask", "business rule task", "DMN decision, or job type"),
    Feature("callActivity", "call activity", "process, global task or decision"),
    Feature("subProcess", "subprocess", "embedded"),
    Feature("eventSubProcess", "subprocess", "triggered by an event"),
    Feature("transaction", "transaction", "##Compensate, ##Store, ##Image"),
    Feature("transaction.method", "transaction", "a coordination protocol (a URI)"),
    Feature("adHocSubProcess.parallel", "ad-hoc subprocess", "parallel"),
    Feature("adHocSubProcess.sequential", "ad-hoc subprocess", "sequential"),
    Feature("adHocSubProcess.job", "ad-hoc subprocess", "driven by a job type"),
    Feature("adHocSubProcess.output", "ad-hoc subprocess", "output collection"),
    Feature("loop.standard", "any activity", "standard loop"),
    Feature("loop.parallel", "any activity", "multi-instance, parallel"),
    Feature("loop.sequential", "any activity", "multi-instance, sequential"),
    Feature("loop.behavior", "any activity", "multi-instance behavior None, One, Complex"),
    Feature("activity.startQuantity", "any activity", "startQuantity above 1"),
    Feature("activity.completionQuantity", "any activity", "completionQuantity above 1"),
    Feature("activity.flows", "any activity", "several, conditional and default flows"),
    Feature("activity.compensation", "any activity", "compensation handler"),
    Feature("activity.io", "any activity", "ioSpecification and data associations"),
    Feature("data.streaming", "any activity", "inputs and outputs while executing: at its start and end"),
    Feature("data.transformation", "data association", "transformation, assignment"),
    Feature("process.io", "process", "ioSpecification"),
    Feature("dataObject", "data object", "variable of its scope"),
    Feature("dataStore", "data store", "state outside the instance"),
    Feature("dataStore.data", "data store", "read or written by a data association"),
    Feature("exclusiveGateway", "exclusive gateway", ""),
    Feature("inclusiveGateway", "inclusive gateway", ""),
    Feature("parallelGateway", "parallel gateway", ""),
    Feature("complexGateway", "complex gateway", "activationCondition"),
    Feature("eventBasedGateway", "event-based gateway", "exclusive"),
    Feature("eventBasedGateway.instantiate", "event-based gateway", "starts the process"),
    Feature("eventBasedGateway.parallel", "event-based gateway", "starts the process, parallel"),
    Feature("event.reference", "any event", "eventDefinitionRef"),
    Feature("event.process-compensation", "event subprocess", "compensation, directly in a process"),
    Feature("messageFlow", "message flow", "between pools of one file"),
    Feature("lane", "lane", "default candidate group of its user tasks"),
    Feature("correlation", "correlation key, subscription", "correlation by the standard's properties"),
    Feature("resource", "resource role", "assignee or candidate group of a user task"),
    Feature("resource.parameters", "resource role", "parameter bindings: headers of the user task"),
)
"""What a diagram can hold besides events."""

NOT_EXECUTED: dict[str, str] = {
    "transaction.method": (
        "the standard only names the protocol and flowkit has no coordinator that speaks it; remove the "
        "method and undo the work by compensation."
    ),
}
"""What the standard allows and flowkit refuses, with the advice that its refusal gives.

Keys are those of ``FEATURES``, or ``event definition@position`` for a cell of ``EVENTS``.
"""


def event_position(event: Event, container: object) -> str:
    """The key in ``POSITIONS`` of an event that lies in ``container``."""
    if isinstance(event, StartEvent):
        if isinstance(container, SubProcess) and container.triggered_by_event:
            return "event-subprocess" if event.is_interrupting else "event-subprocess-non-interrupting"
        return "start" if isinstance(container, Process) else "subprocess-start"
    if isinstance(event, BoundaryEvent):
        return "boundary" if event.cancel_activity else "boundary-non-interrupting"
    if isinstance(event, IntermediateCatchEvent):
        return "catch"
    return "end" if isinstance(event, EndEvent) else "throw"


def event_kind(event: Event) -> str:
    """The key in ``EVENTS`` of what an event waits for or does."""
    if not event.definitions:
        return "none"
    if len(event.definitions) > 1:
        return (
            "parallel multiple" if isinstance(event, CatchEvent) and event.parallel_multiple else "multiple"
        )
    return definition_kind(event.definitions[0])


def definition_kind(definition: object) -> str:
    """``message`` for a MessageEventDefinition, and so on."""
    return type(definition).__name__.removesuffix("EventDefinition").lower()
