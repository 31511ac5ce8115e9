"""Sequence flows: conditions and defaults."""

from __future__ import annotations

from collections.abc import Iterator

from flowkit.bpmn.lint.model import Model, Problem, Rule, a, error, kind, warning
from flowkit.bpmn.model import (
    Activity,
    ComplexGateway,
    ExclusiveGateway,
    InclusiveGateway,
)

__all__ = ["RULES"]

_DECIDES = ExclusiveGateway | InclusiveGateway | ComplexGateway


def condition_not_allowed(model: Model) -> Iterator[Problem]:
    for scope in model.scopes:
        for flow in scope.flows.values():
            source = scope.nodes.get(flow.source)
            if flow.condition is None or source is None or isinstance(source, Activity | _DECIDES):
                continue
            yield Problem(
                flow,
                f"the flow has a condition, but leaves {a(source)}, which takes all its flows.",
                "Put an exclusive or inclusive gateway in between, or remove the condition.",
            )


def conditional_flow_alone(model: Model) -> Iterator[Problem]:
    for scope, node in model.activities():
        flows = scope.outgoing(node)
        if len(flows) == 1 and flows[0].condition is not None:
            yield Problem(
                flows[0],
                "the only flow out of the activity has a condition: if it is false, the path ends unseen.",
                "Add a second flow for the other case (13.2.1), such as a default flow.",
            )


def default_flow_source(model: Model) -> Iterator[Problem]:
    for scope in model.scopes:
        for node in scope.nodes.values():
            default = getattr(node, "default", "")
            if default and default not in node.outgoing:
                yield Problem(
                    node,
                    f"the default flow '{default}' does not leave this {kind(node)}.",
                    "Choose one of its own outgoing flows.",
                )


def default_flow_condition(model: Model) -> Iterator[Problem]:
    for scope in model.scopes:
        for node in scope.nodes.values():
            flow = scope.flows.get(getattr(node, "default", ""))
            if flow is not None and flow.condition is not None:
                yield Problem(
                    flow,
                    "the default flow has a condition, which is never looked at.",
                    "Remove the condition: the default is taken when no other condition holds.",
                )


def missing_condition(model: Model) -> Iterator[Problem]:
    for scope in model.executed:
        for node in scope.nodes.values():
            if not isinstance(node, ExclusiveGateway | InclusiveGateway) or len(node.outgoing) < 2:
                continue
            for flow in scope.outgoing(node):
                if flow.condition is None and flow.id != node.default:
                    yield Problem(
                        flow,
                        f"the flow out of the {kind(node)} '{node.name or node.id}' has no condition.",
                        "Write the condition under which it is taken, or make it the default flow.",
                    )


def flow_not_immediate(model: Model) -> Iterator[Problem]:
    for scope in model.executed:
        for flow in scope.flows.values():
            if flow.is_immediate is False:
                yield Problem(
                    flow,
                    "isImmediate is false: something not drawn may happen on the flow; nothing does here.",
                    "Remove isImmediate (8.4.13: an executable process must not set it to false).",
                )


def duplicate_flow(model: Model) -> Iterator[Problem]:
    for scope in model.scopes:
        seen: set[tuple[str, str, str]] = set()
        for flow in scope.flows.values():
            key = (flow.source, flow.target, flow.condition.text if flow.condition else "")
            if key in seen:
                yield Problem(
                    flow,
                    "a second flow connects the same two nodes in the same way: two tokens may take it.",
                    "Remove one of them.",
                )
            seen.add(key)


RULES: tuple[Rule, ...] = (
    error(
        "condition-not-allowed",
        "Only activities and deciding gateways have conditional flows.",
        condition_not_allowed,
    ),
    error(
        "conditional-flow-alone",
        "A conditional flow out of an activity is not alone.",
        conditional_flow_alone,
    ),
    error("default-flow-source", "A default flow leaves the node that names it.", default_flow_source),
    error("default-flow-condition", "A default flow has no condition.", default_flow_condition),
    error(
        "missing-condition",
        "Every flow out of a deciding gateway has a condition or is the default.",
        missing_condition,
    ),
    error("flow-not-immediate", "A sequence flow that is executed is immediate.", flow_not_immediate),
    warning("duplicate-flow", "Two nodes are connected once.", duplicate_flow),
)
