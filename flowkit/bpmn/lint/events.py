"""Events: which definition stands where, and whether it is complete."""

from __future__ import annotations

from collections.abc import Iterator

from flowkit.bpmn.lint.model import Model, Problem, Rule, a, error
from flowkit.bpmn.model import (
    BoundaryEvent,
    CancelEventDefinition,
    CatchEvent,
    EndEvent,
    ErrorEventDefinition,
    Event,
    Process,
    StartEvent,
    SubProcess,
    TerminateEventDefinition,
    Transaction,
)
from flowkit.bpmn.support import EVENTS, POSITIONS, definition_kind, event_kind, event_position

__all__ = ["RULES"]


def event_position_allowed(model: Model) -> Iterator[Problem]:
    for scope, event in model.all(Event):
        position = event_position(event, scope.container)
        kinds = {event_kind(event), *map(definition_kind, event.definitions)}
        if len(event.definitions) > 1 and "link" in kinds:
            yield Problem(
                event, "a link is one of several event definitions.", "A link event links, nothing else."
            )
            continue
        for name in sorted(kinds):
            if position not in EVENTS[name]:
                allowed = ", ".join(POSITIONS[p] for p in POSITIONS if p in EVENTS[name])
                yield Problem(
                    event,
                    f"'{name}' is not allowed at this position ({POSITIONS[position]}).",
                    f"BPMN 2.0, table 10.93, allows it as: {allowed}.",
                )
                break


def parallel_multiple(model: Model) -> Iterator[Problem]:
    for _, event in model.all(CatchEvent):
        if event.parallel_multiple and len(event.definitions) < 2:
            yield Problem(
                event,
                f"parallelMultiple is true, but the event has {len(event.definitions)} definition(s).",
                "Add the other definitions, or set parallelMultiple to false.",
            )


def non_interrupting_start(model: Model) -> Iterator[Problem]:
    for scope, event in model.all(StartEvent):
        in_event_subprocess = isinstance(scope.container, SubProcess) and scope.container.triggered_by_event
        if not event.is_interrupting and not in_event_subprocess:
            yield Problem(
                event,
                "isInterrupting is false, but there is nothing that this start event could interrupt.",
                "Only start events of event subprocesses interrupt; remove the attribute.",
            )


def subprocess_start(model: Model) -> Iterator[Problem]:
    for scope in model.scopes:
        if isinstance(scope.container, Process) or not isinstance(scope.container, SubProcess):
            continue
        starts = list(scope.of(StartEvent))
        if not scope.container.triggered_by_event and len(starts) > 1:
            yield Problem(
                scope.container,
                f"the subprocess has {len(starts)} start events; it is entered at one place.",
                "Keep one none start event.",
            )


def event_subprocess_start(model: Model) -> Iterator[Problem]:
    for scope in model.scopes:
        container = scope.container
        if not isinstance(container, SubProcess) or not container.triggered_by_event:
            continue
        count = sum(1 for _ in scope.of(StartEvent))
        if count != 1:
            yield Problem(
                container,
                f"the event subprocess has {count} start events instead of one.",
                "Give it exactly one start event, with the trigger.",
            )


def event_subprocess_flow(model: Model) -> Iterator[Problem]:
    for _, node in model.all(SubProcess):
        if not node.triggered_by_event:
            continue
        if node.incoming or node.outgoing:
            yield Problem(
                node,
                "a sequence flow is connected with the event subprocess.",
                "An event subprocess is started by its event only; remove the flow.",
            )
        if type(node) is not SubProcess or node.loop is not None or node.is_for_compensation:
            yield Problem(
                node,
                "the event subprocess is also a loop, a transaction, an ad-hoc subprocess or a "
                "compensation handler.",
                "Put that activity inside the event subprocess.",
            )


def cancel_outside_transaction(model: Model) -> Iterator[Problem]:
    for scope, event in model.all(Event):
        if not any(isinstance(d, CancelEventDefinition) for d in event.definitions):
            continue
        host = scope.nodes.get(event.attached_to) if isinstance(event, BoundaryEvent) else None
        if isinstance(event, EndEvent) and not isinstance(scope.container, Transaction):
            yield Problem(
                event, "a cancel end event lies outside a transaction.", "Use it directly in a transaction."
            )
        elif isinstance(event, BoundaryEvent) and host is not None and not isinstance(host, Transaction):
            yield Problem(
                event,
                f"a cancel event is attached to {a(host)}.",
                "Only a transaction can be cancelled; attach it there.",
            )


_ENDING = ErrorEventDefinition | CancelEventDefinition | TerminateEventDefinition


def several_endings(model: Model) -> Iterator[Problem]:
    for _, event in model.all(EndEvent):
        endings = [definition_kind(d) for d in event.definitions if isinstance(d, _ENDING)]
        if len(endings) > 1:
            yield Problem(
                event,
                f"the end event ends its scope in {len(endings)} ways: {' and '.join(endings)}.",
                "Keep one of them: after an error, a cancel or a terminate nothing is left to end.",
            )


RULES: tuple[Rule, ...] = (
    error(
        "event-position", "Each event definition stands where table 10.93 allows it.", event_position_allowed
    ),
    error("parallel-multiple", "A parallel multiple event has several definitions.", parallel_multiple),
    error(
        "non-interrupting-start",
        "Only event subprocesses start without interrupting.",
        non_interrupting_start,
    ),
    error("subprocess-start", "A subprocess has at most one start event.", subprocess_start),
    error(
        "event-subprocess-start", "An event subprocess has exactly one start event.", event_subprocess_start
    ),
    error(
        "event-subprocess-flow",
        "An event subprocess stands apart and is nothing else.",
        event_subprocess_flow,
    ),
    error("cancel-outside-transaction", "Cancel events belong to transactions.", cancel_outside_transaction),
    error("several-endings", "An end event ends its scope in one way.", several_endings),
)
