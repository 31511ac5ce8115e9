"""Compensation: handlers, their associations, and what may be compensated (10.5.6, 10.6, 13.4)."""

from __future__ import annotations

from collections.abc import Iterator

from flowkit.bpmn.lint.model import Model, Problem, Rule, Scope, error
from flowkit.bpmn.model import (
    Activity,
    BoundaryEvent,
    CallActivity,
    CompensateEventDefinition,
    FlowNode,
    SubProcess,
    ThrowEvent,
)

__all__ = ["RULES"]


def _compensations(scope: Scope) -> Iterator[BoundaryEvent]:
    for event in scope.of(BoundaryEvent):
        if any(isinstance(d, CompensateEventDefinition) for d in event.definitions):
            yield event


class _Associations:
    """Where the associations of the file lead; asked once an event, however many there are."""

    def __init__(self, model: Model) -> None:
        self._leads: dict[str, list[tuple[int, str]]] = {}
        for scope in model.scopes:
            for association in scope.container.associations:
                lead = (id(scope.container), association.target)
                self._leads.setdefault(association.source, []).append(lead)

    def handlers(self, scope: Scope, event: BoundaryEvent) -> list[str]:
        """What a compensation event leads to, artifacts left out.

        Modelers write an association into the scope or into the process around it.
        """
        holders = {id(scope.container), id(scope.process)}
        leads = self._leads.get(event.id, [])
        return [target for holder, target in leads if holder in holders and target in scope.nodes]


def compensation_handler(model: Model) -> Iterator[Problem]:
    associations = _Associations(model)
    for scope in model.scopes:
        for event in _compensations(scope):
            handlers = associations.handlers(scope, event)
            if len(handlers) != 1:
                yield Problem(
                    event,
                    f"the compensation event is associated with {len(handlers)} activities of its scope "
                    "instead of one.",
                    "Draw one association from the event to the activity that undoes the work.",
                )
                continue
            handler = scope.nodes[handlers[0]]
            if not isinstance(handler, Activity) or not handler.is_for_compensation:
                yield Problem(
                    event,
                    f"the handler '{handler.name or handler.id}' is not marked as a compensation activity.",
                    "Set isForCompensation on it.",
                )


def compensation_event_flow(model: Model) -> Iterator[Problem]:
    for scope in model.scopes:
        for event in _compensations(scope):
            if event.outgoing:
                yield Problem(
                    event,
                    "a sequence flow leaves the compensation boundary event.",
                    "Use an association to the handler; compensation is not part of the flow.",
                )


def compensation_activity(model: Model) -> Iterator[Problem]:
    associations = _Associations(model)
    for scope in model.scopes:
        used = {one for event in _compensations(scope) for one in associations.handlers(scope, event)}
        for activity in scope.of(Activity):
            if not activity.is_for_compensation:
                continue
            if activity.incoming or activity.outgoing:
                yield Problem(
                    activity,
                    "a sequence flow is connected with the compensation activity.",
                    "It runs only when compensation is triggered; remove the flow.",
                )
            elif activity.id not in used:
                yield Problem(
                    activity,
                    "no compensation event leads to this compensation activity, so it never runs.",
                    "Associate it with a compensation boundary event.",
                )


def compensate_activity_scope(model: Model) -> Iterator[Problem]:
    for scope, event in model.all(ThrowEvent):
        for definition in event.definitions:
            if not isinstance(definition, CompensateEventDefinition) or not definition.activity:
                continue
            target = model.nodes.get(definition.activity)
            if target is None:
                continue
            if not _visible(scope, definition.activity):
                yield Problem(
                    event,
                    f"'{target.name or target.id}' can't be compensated from here: it lies in another scope.",
                    "Name an activity of the same scope, or of the one around an event subprocess (10.5.6).",
                )
            elif not _has_handler(model.scope_of[target.id], target):
                yield Problem(
                    event,
                    f"'{target.name or target.id}' has no compensation handler: nothing would happen.",
                    "Attach a compensation event with a handler to it.",
                )


def _visible(scope: Scope, activity: str) -> bool:
    if activity in scope.nodes:
        return True
    container = scope.container
    in_event_subprocess = isinstance(container, SubProcess) and container.triggered_by_event
    return in_event_subprocess and scope.parent is not None and activity in scope.parent.nodes


def _has_handler(scope: Scope, target: FlowNode) -> bool:
    """A subprocess or called process is compensated through what is inside."""
    if isinstance(target, SubProcess | CallActivity):
        return True
    return any(
        isinstance(d, CompensateEventDefinition)
        for event in scope.boundary_events(target)
        for d in event.definitions
    )


RULES: tuple[Rule, ...] = (
    error(
        "compensation-handler",
        "A compensation event leads to one compensation activity.",
        compensation_handler,
    ),
    error(
        "compensation-event-flow", "No sequence flow leaves a compensation event.", compensation_event_flow
    ),
    error(
        "compensation-activity",
        "A compensation activity stands apart and has its event.",
        compensation_activity,
    ),
    error(
        "compensate-activity-scope",
        "What is compensated is visible and has a handler.",
        compensate_activity_scope,
    ),
)
