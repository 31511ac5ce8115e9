"""Static checks of a model: what would go wrong, told before anything is deployed."""

from __future__ import annotations

from collections.abc import Iterator

from flowkit.dmn.cells import constant
from flowkit.dmn.check_table import check_table
from flowkit.dmn.decide import DecisionModel
from flowkit.dmn.model import BusinessKnowledgeModel, Decision, DecisionTable, LiteralExpression
from flowkit.dmn.nodes import DecisionNode, KnowledgeNode
from flowkit.dmn.regions import Budget
from flowkit.dmn.types import Types, underlying
from flowkit.dmn.walk import parts_of
from flowkit.feel.types import SimpleType
from flowkit.findings import Finding, Severity

__all__ = ["check"]

Element = Decision | BusinessKnowledgeModel


def check(model: DecisionModel) -> list[Finding]:
    """What is wrong with ``model``, in the order of the file; an ERROR must not be deployed.

    Covers expressions that do not parse, unknown types and references, cycles of requirements,
    functions that flowkit does not execute, and every decision table: gaps and overlaps with an
    example each, unreachable rules, hit policies that can't be kept, cells of the wrong type.
    """
    program = model._program
    found = [*model._warnings, *program.findings, *_cycles(model)]
    variables = [one.variable for one in model.definitions.inputs]
    variables += [one.variable for one in model.definitions.decisions]
    declared = {one.name: one.type_ref for one in variables if one.type_ref}
    budget = Budget()
    elements: list[Element] = [*model.definitions.decisions, *model.definitions.knowledge_models]
    for element in elements:
        found.extend(_logic(element, program.types, declared, budget))
    unique = dict.fromkeys(found)
    return sorted(unique, key=lambda finding: finding.location.line)


def _logic(element: Element, types: Types, declared: dict[str, str], budget: Budget) -> Iterator[Finding]:
    if element.logic is None:
        return
    if isinstance(element, BusinessKnowledgeModel):
        declared = {one.name: one.type_ref for one in element.logic.parameters if one.type_ref}
    for part in parts_of(element.logic):
        if isinstance(part, DecisionTable):
            yield from check_table(part, types, declared, element.id, element.name, budget)
        elif isinstance(part, LiteralExpression):
            yield from _literal(part, part.type_ref, types, element)
    if isinstance(element, Decision) and isinstance(element.logic, LiteralExpression):
        yield from _literal(element.logic, element.variable.type_ref, types, element)


def _literal(
    part: LiteralExpression, type_ref: str | None, types: Types, element: Element
) -> Iterator[Finding]:
    """A literal where another type is asked for."""
    wanted = underlying(types.of(type_ref))
    found = constant(part.text)
    if found is None or found[0] == "null" or not isinstance(wanted, SimpleType):
        return
    if wanted.name not in ("Any", found[0]) and not (
        wanted.name == "duration" and found[0].endswith("duration")
    ):
        yield Finding(
            "type-mismatch",
            Severity.ERROR,
            part.location,
            f"{part.text.strip()} is a {found[0]}, the type is {wanted.name}: it would become null.",
            "Correct the expression or the type.",
            element.id,
            element.name,
        )


def _cycles(model: DecisionModel) -> Iterator[Finding]:
    """Decisions and knowledge that require themselves through others (forbidden by section 6.3)."""
    program = model._program
    graph: dict[tuple[str, str], list[tuple[str, str]]] = {}
    nodes: list[DecisionNode | KnowledgeNode] = [*program.decisions.values(), *program.knowledge.values()]
    for node in nodes:
        graph[node.key] = [
            binding.target.key
            for binding in node.bindings
            if isinstance(binding.target, DecisionNode | KnowledgeNode) and binding.target.key != node.key
        ]
        if isinstance(node, DecisionNode) and any(binding.target is node for binding in node.bindings):
            yield _cycle(model, [node.key])
    for cycle in _strong_components(graph):
        yield _cycle(model, cycle)


def _cycle(model: DecisionModel, keys: list[tuple[str, str]]) -> Finding:
    elements: dict[str, Element] = {**model.decisions, **model.knowledge_models}
    members = [elements[identifier] for _, identifier in keys]
    first = min(members, key=lambda one: one.location.line)
    names = ", ".join(sorted(f"'{one.name}'" for one in members))
    return Finding(
        "requirement-cycle",
        Severity.ERROR,
        first.location,
        f"These elements require one another in a circle, so none can be decided: {names}.",
        "Remove one of the connections.",
        first.id,
        first.name,
    )


def _strong_components(
    graph: dict[tuple[str, str], list[tuple[str, str]]],
) -> Iterator[list[tuple[str, str]]]:
    """Circles of more than one node: Tarjan's algorithm, without recursion."""
    index: dict[tuple[str, str], int] = {}
    low: dict[tuple[str, str], int] = {}
    stack: list[tuple[str, str]] = []
    on_stack: set[tuple[str, str]] = set()
    for root, targets in graph.items():
        if root in index:
            continue
        work = [(root, iter(targets))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, following = work[-1]
            target = next((one for one in following if one in graph), None)
            if target is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    component = []
                    while True:
                        member = stack.pop()
                        on_stack.discard(member)
                        component.append(member)
                        if member == node:
                            break
                    if len(component) > 1:
                        yield component
            elif target not in index:
                index[target] = low[target] = len(index)
                stack.append(target)
                on_stack.add(target)
                work.append((target, iter(graph[target])))
            elif target in on_stack:
                low[node] = min(low[node], index[target])
