"""What events and tasks refer to: messages, signals, errors, escalations, timers, links."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from flowkit.bpmn.lint.model import Model, Problem, Rule, Scope, error, kind, warning
from flowkit.bpmn.model import (
    BoundaryEvent,
    CancelEventDefinition,
    CompensateEventDefinition,
    Element,
    ErrorEventDefinition,
    EscalationEventDefinition,
    Event,
    EventDefinition,
    IntermediateCatchEvent,
    LinkEventDefinition,
    MessageEventDefinition,
    ReceiveTask,
    SignalEventDefinition,
    StartEvent,
    SubProcess,
    ThrowEvent,
    TimerEventDefinition,
)

__all__ = ["RULES"]


def missing_message(model: Model) -> Iterator[Problem]:
    messages = {message.id for message in model.definitions.messages}
    operations = {operation.id: operation for operation in model.definitions.operations}

    def known(reference: str, operation: str) -> bool:
        found = operations.get(operation)
        return (reference or (found.in_message if found else "")) in messages

    for _, event, definition in model.events(MessageEventDefinition):
        assert isinstance(definition, MessageEventDefinition)
        throws_by_job = isinstance(event, ThrowEvent) and event.extensions.task_definition is not None
        if not throws_by_job and not known(definition.message, definition.operation):
            yield Problem(
                event,
                f"the {kind(event)} names no message: nothing could be correlated.",
                "Choose a message (messageRef).",
            )
    for _, task in model.run(ReceiveTask):
        if not known(task.message, task.operation):
            yield Problem(task, "the receive task names no message.", "Choose a message (messageRef).")


def missing_signal(model: Model) -> Iterator[Problem]:
    signals = {signal.id for signal in model.definitions.signals}
    for _, event, definition in model.events(SignalEventDefinition):
        assert isinstance(definition, SignalEventDefinition)
        if definition.signal not in signals:
            yield Problem(event, f"the {kind(event)} names no signal.", "Choose a signal (signalRef).")


def computed_name(model: Model) -> Iterator[Problem]:
    for element in (*model.definitions.messages, *model.definitions.signals):
        if element.name.startswith("="):
            yield Problem(
                element,
                f"the name of this {kind(element)} is computed ('{element.name[:80]}').",
                "Give it a fixed name, and tell cases apart by the correlation key.",
            )


def missing_error_code(model: Model) -> Iterator[Problem]:
    codes = {found.id: found.code for found in model.definitions.errors}
    for _, event, definition in model.events(ErrorEventDefinition):
        assert isinstance(definition, ErrorEventDefinition)
        if isinstance(event, ThrowEvent) and not codes.get(definition.error):
            yield Problem(
                event,
                "the error end event throws an error without a code.",
                "Choose an error (errorRef) that has an errorCode (10.5.5).",
            )


def missing_escalation_code(model: Model) -> Iterator[Problem]:
    codes = {found.id: found.code for found in model.definitions.escalations}
    for _, event, definition in model.events(EscalationEventDefinition):
        assert isinstance(definition, EscalationEventDefinition)
        if isinstance(event, ThrowEvent) and not codes.get(definition.escalation):
            yield Problem(
                event,
                f"the {kind(event)} throws an escalation without a code.",
                "Choose an escalation (escalationRef) that has an escalationCode (10.5.5).",
            )


def timer_definition(model: Model) -> Iterator[Problem]:
    for _, event, definition in model.events(TimerEventDefinition):
        assert isinstance(definition, TimerEventDefinition)
        count = sum(e is not None for e in (definition.date, definition.duration, definition.cycle))
        if count != 1:
            yield Problem(
                event,
                f"the timer has {count} of timeDate, timeDuration and timeCycle instead of one.",
                "Give a date, a duration or a cycle.",
            )


def duplicate_catch(model: Model) -> Iterator[Problem]:
    errors = {found.id: found.code for found in model.definitions.errors}
    escalations = {found.id: found.code for found in model.definitions.escalations}

    def caught(definition: EventDefinition) -> tuple[str, str] | None:
        if isinstance(definition, ErrorEventDefinition):
            return "error", errors.get(definition.error, "")
        if isinstance(definition, EscalationEventDefinition):
            return "escalation", escalations.get(definition.escalation, "")
        if isinstance(definition, CompensateEventDefinition):
            return "compensation", ""
        return ("cancel", "") if isinstance(definition, CancelEventDefinition) else None

    for scope in model.executed:
        by_host: dict[str, list[Event]] = {}
        for event in scope.of(BoundaryEvent):
            by_host.setdefault(event.attached_to, []).append(event)
        for sub in scope.of(SubProcess):
            if sub.triggered_by_event:
                starts = [n for n in sub.nodes if isinstance(n, StartEvent)]
                by_host.setdefault("", []).extend(starts)
        for events in by_host.values():
            yield from _duplicates(events, caught)


def _duplicates(
    events: list[Event], what_it_catches: Callable[[EventDefinition], tuple[str, str] | None]
) -> Iterator[Problem]:
    seen: set[tuple[str, str]] = set()
    for event in events:
        for definition in event.definitions:
            caught = what_it_catches(definition)
            if caught is None:
                continue
            if caught in seen:
                what = f"{caught[0]} '{caught[1]}'" if caught[1] else f"every {caught[0]}"
                yield Problem(
                    event,
                    f"{what} is already caught by another event at the same place.",
                    "Let one event catch it: which one would is not defined.",
                )
            seen.add(caught)


# ---- links ----------------------------------------------------------------------------------


def _links(scope: Scope) -> tuple[dict[str, list[Event]], dict[str, list[Event]]]:
    """Throwing and catching link events by the link's name."""
    throws: dict[str, list[Event]] = {}
    catches: dict[str, list[Event]] = {}
    for event in scope.of(Event):
        for definition in event.definitions:
            if isinstance(definition, LinkEventDefinition):
                side = catches if isinstance(event, IntermediateCatchEvent) else throws
                side.setdefault(definition.name, []).append(event)
    return throws, catches


def link_unpaired(model: Model) -> Iterator[Problem]:
    for scope in model.scopes:
        throws, catches = _links(scope)
        for name, events in throws.items():
            if name not in catches:
                for event in events:
                    yield Problem(
                        event,
                        f"no catching link event named '{name}' is in the same process or subprocess.",
                        "Give both links the same name, within one scope.",
                    )
        for name, events in catches.items():
            if name not in throws:
                for event in events:
                    yield Problem(
                        event,
                        f"no throwing link event named '{name}' leads here from the same scope.",
                        "Give both links the same name, or remove this one.",
                    )


def link_duplicate_target(model: Model) -> Iterator[Problem]:
    for scope in model.scopes:
        for name, events in _links(scope)[1].items():
            for event in events[1:]:
                yield Problem(
                    event,
                    f"a second catching link event is named '{name}': where would the token go?",
                    "A link has any number of sources, but one target; rename it.",
                )


def link_flow(model: Model) -> Iterator[Problem]:
    for scope in model.scopes:
        throws, catches = _links(scope)
        for events in throws.values():
            for event in events:
                if event.outgoing:
                    yield Problem(
                        event,
                        "a sequence flow leaves the throwing link event.",
                        "The path goes on at its target.",
                    )
        for events in catches.values():
            for event in events:
                if event.incoming:
                    yield Problem(
                        event,
                        "a sequence flow leads into the catching link event.",
                        "Lead it to the throwing link.",
                    )


def unnamed_link(model: Model) -> Iterator[Problem]:
    for _, event in model.all(Event):
        for definition in event.definitions:
            if isinstance(definition, LinkEventDefinition) and not definition.name.strip():
                yield Problem(
                    event, "the link has no name.", "Name the link definition; its pair has the same name."
                )


def link_reference(model: Model) -> Iterator[Problem]:
    """A link that also names its partner by id names the right one."""
    for scope in model.scopes:
        sides = _links(scope)
        throws, catches = (
            {d.id: d.name for events in side.values() for event in events for d in event.definitions}
            for side in sides
        )
        for event, link in _link_events(sides):
            catching = isinstance(event, IntermediateCatchEvent)
            role, partners = ("source", throws) if catching else ("target", catches)
            named = {*link.sources, link.target} - {""}
            # What a throwing link calls its source, or a catching one its target, is never right.
            backwards = {link.target} if catching else set(link.sources)
            wrong = {name for name in named if name in backwards or partners.get(name) != link.name}
            for name in sorted(wrong):
                yield Problem(
                    event,
                    f"the link names '{name}', which is not its {role}.",
                    "A throwing link names its target, a catching one its sources, of the same name and "
                    "scope (10.5.5); or leave both out.",
                )


def _link_events(sides: Iterable[dict[str, list[Event]]]) -> Iterator[tuple[Event, LinkEventDefinition]]:
    for side in sides:
        for event in (event for events in side.values() for event in events):
            yield from ((event, d) for d in event.definitions if isinstance(d, LinkEventDefinition))


# ---- root elements --------------------------------------------------------------------------


def duplicate_message_name(model: Model) -> Iterator[Problem]:
    seen: Counter[str] = Counter()
    for message in model.definitions.messages:
        seen[message.name] += 1
        if message.name and seen[message.name] > 1:
            yield Problem(
                message,
                f"another message is also named '{message.name}': by name they are one.",
                "Use one message element, or give them different names.",
            )


def unused_element(model: Model) -> Iterator[Problem]:
    used = set(_references(model))
    definitions = model.definitions
    roots: tuple[Element, ...] = (
        *definitions.messages,
        *definitions.signals,
        *definitions.errors,
        *definitions.escalations,
    )
    for element in roots:
        if element.id not in used:
            yield Problem(element, f"nothing refers to this {kind(element)}.", "Remove it, or use it.")


def _references(model: Model) -> Iterator[str]:
    definitions = model.definitions
    own = (d for _, event in model.all(Event) for d in event.definitions)
    for definition in (*definitions.event_definitions, *own):
        for name in ("message", "signal", "error", "escalation"):
            yield getattr(definition, name, "")
    for task in model.nodes.values():
        yield getattr(task, "message", "")
    for collaboration in definitions.collaborations:
        yield from (flow.message for flow in collaboration.message_flows)
    for operation in definitions.operations:
        yield from (operation.in_message, operation.out_message, *operation.errors)
    for prop in definitions.correlation_properties:
        yield from (retrieval.message for retrieval in prop.retrievals)


RULES: tuple[Rule, ...] = (
    error("missing-message", "What sends or waits for a message names it.", missing_message),
    error("missing-signal", "A signal event names its signal.", missing_signal),
    error("computed-name", "Messages and signals have fixed names.", computed_name),
    error("missing-error-code", "An error that is thrown has a code.", missing_error_code),
    error("missing-escalation-code", "An escalation that is thrown has a code.", missing_escalation_code),
    error("timer-definition", "A timer has a date, a duration or a cycle.", timer_definition),
    error(
        "duplicate-catch",
        "An error, an escalation, a cancel or compensation is caught once at each place.",
        duplicate_catch,
    ),
    error("link-unpaired", "Throwing and catching links come in pairs, within a scope.", link_unpaired),
    error("link-duplicate-target", "A link has one target.", link_duplicate_target),
    error("link-flow", "Flows lead to a throwing link and leave a catching one.", link_flow),
    error("link-reference", "A link names the right partner.", link_reference),
    error("unnamed-link", "A link has a name.", unnamed_link),
    warning("duplicate-message-name", "Messages have different names.", duplicate_message_name),
    warning("unused-element", "Messages, signals, errors and escalations are used.", unused_element),
)
