"""Compiling events: what they catch and what they throw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from flowkit.bpmn import model as m
from flowkit.kernel.compile_formulas import Compiler
from flowkit.kernel.program import Catch, Correlation, Throw, TimerSpec

__all__ = ["Events"]

_ORDER = ("none", "message", "signal", "escalation", "compensation", "link", "error", "cancel", "terminate")


class Events:
    """Compiles event definitions; knows the messages, signals, errors and escalations of the file."""

    def __init__(
        self, definitions: m.Definitions, compiler: Compiler, correlations: Mapping[str, Correlation]
    ) -> None:
        self.compiler = compiler
        self.correlations = correlations
        """By message id."""
        self.messages = {message.id: message for message in definitions.messages}
        self.signals = {signal.id: signal for signal in definitions.signals}
        self.errors = {error.id: error for error in definitions.errors}
        self.escalations = {escalation.id: escalation for escalation in definitions.escalations}
        self.operations = definitions.operations
        self.definitions_by_id = {one.id: one for one in definitions.event_definitions}

    # ---- catching ---------------------------------------------------------------------------

    def catches(self, event: m.CatchEvent) -> tuple[Catch, ...]:
        return tuple(self.catch(event, definition) for definition in event.definitions)

    def catch(self, event: m.FlowNode, definition: m.EventDefinition) -> Catch:
        match definition:
            case m.MessageEventDefinition():
                return self.message_catch(event, definition.message)
            case m.TimerEventDefinition():
                return Catch("timer", timer=self.timer(event, definition))
            case m.SignalEventDefinition():
                return Catch("signal", self._name(event, self.signals, definition.signal, "signal"))
            case m.ErrorEventDefinition():
                error = self.errors.get(definition.error)
                return Catch("error", error.code if error else "")
            case m.EscalationEventDefinition():
                escalation = self.escalations.get(definition.escalation)
                return Catch("escalation", escalation.code if escalation else "")
            case m.ConditionalEventDefinition():
                if definition.condition is None:
                    self.compiler.refuse(
                        event, "condition-missing", "The conditional event has no condition."
                    )
                    return Catch("condition")
                return Catch("condition", condition=self.compiler.standard(event, definition.condition))
            case m.LinkEventDefinition():
                return Catch("link", definition.name or event.name)
            case m.CompensateEventDefinition():
                return Catch("compensation")
            case m.CancelEventDefinition():
                return Catch("cancel")
        self.compiler.refuse(
            event, "event-position", f"An event here can't catch a {type(definition).__name__}."
        )
        return Catch("none")

    def message_catch(self, element: m.FlowNode, message_id: str) -> Catch:
        name = self._name(element, self.messages, message_id, "message")
        message = self.messages.get(message_id)
        key = element.extensions.correlation_key
        key = key or (message.extensions.correlation_key if message else "")
        correlation = None if key else self.correlations.get(message_id)
        return Catch("message", name, self.compiler.optional(element, key), correlation=correlation)

    def timer(self, event: m.FlowNode, definition: m.TimerEventDefinition) -> TimerSpec | None:
        given = [
            (kind, expression)
            for kind, expression in (
                ("date", definition.date),
                ("duration", definition.duration),
                ("cycle", definition.cycle),
            )
            if expression is not None
        ]
        if len(given) != 1:
            self.compiler.refuse(
                event,
                "timer-definition",
                f"A timer has exactly one of date, duration and cycle; this one has {len(given)}.",
            )
            return None
        kind, expression = given[0]
        return TimerSpec(kind, self.compiler.standard(event, expression))

    def _name(self, element: m.Element, named: Mapping[str, m.Element], reference: str, what: str) -> str:
        found = named.get(reference)
        name = (found.name or found.id) if found is not None else ""
        if not name:
            self.compiler.refuse(element, f"{what}-missing", f"The {what} that is meant is not named.")
        elif name.startswith("="):
            self.compiler.refuse(
                element,
                f"{what}-name",
                f"The {what} name '{name}' is an expression.",
                f"Give the {what} a fixed name and tell instances apart by the correlation key.",
            )
        return name

    # ---- throwing ---------------------------------------------------------------------------

    def throws(
        self, event: m.ThrowEvent, links: Mapping[str, str], inputs: Sequence[str] = ()
    ) -> tuple[Throw, ...]:
        """Every result of the event, those that end the scope last; each carries the data input at its
        place (BPMN 2.0.2, 10.5.1)."""
        results = [self.throw(event, definition, links) for definition in event.definitions]
        results[: len(inputs)] = [
            replace(result, carries=name) for result, name in zip(results, inputs, strict=False)
        ]
        return tuple(sorted(results, key=lambda result: _ORDER.index(result.kind)))

    def throw(self, event: m.FlowNode, definition: m.EventDefinition, links: Mapping[str, str]) -> Throw:
        match definition:
            case m.MessageEventDefinition():
                return self.message_throw(event, definition.message)
            case m.SignalEventDefinition():
                return Throw("signal", self._name(event, self.signals, definition.signal, "signal"))
            case m.ErrorEventDefinition():
                return self._coded(event, "error", self.errors, definition.error)
            case m.EscalationEventDefinition():
                return self._coded(event, "escalation", self.escalations, definition.escalation)
            case m.CompensateEventDefinition():
                return Throw(
                    "compensation",
                    activity=definition.activity,
                    wait=definition.wait_for_completion or isinstance(event, m.EndEvent),
                )
            case m.LinkEventDefinition():
                name = definition.name or event.name
                if name not in links:
                    self.compiler.refuse(
                        event, "link-pairs", f"No link event '{name}' catches this one in its scope."
                    )
                return Throw("link", name, target=links.get(name, ""))
            case m.CancelEventDefinition():
                return Throw("cancel")
            case m.TerminateEventDefinition():
                return Throw("terminate")
        self.compiler.refuse(
            event, "event-position", f"An event here can't throw a {type(definition).__name__}."
        )
        return Throw("none")

    def message_throw(self, element: m.FlowNode, message_id: str) -> Throw:
        name = self._name(element, self.messages, message_id, "message")
        message = self.messages.get(message_id)
        own, shared = element.extensions, message.extensions if message else element.extensions
        optional = self.compiler.optional
        key = own.correlation_key or shared.correlation_key
        return Throw(
            "message",
            name,
            key=optional(element, key),
            correlation=None if key else self.correlations.get(message_id),
            message_id=optional(element, own.message_id),
            time_to_live=optional(element, own.time_to_live),
        )

    def _coded(
        self,
        event: m.FlowNode,
        kind: str,
        known: Mapping[str, m.Error] | Mapping[str, m.Escalation],
        ref: str,
    ) -> Throw:
        found = known.get(ref)
        code = found.code if found is not None else ""
        if not code:
            self.compiler.refuse(
                event,
                f"{kind}-code",
                f"The {kind} that is thrown has no code.",
                f"Choose a global {kind} and give it a code.",
            )
        if code.startswith("="):
            return Throw(kind, code=self.compiler.feel(event, code))
        return Throw(kind, code)
