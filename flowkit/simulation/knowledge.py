"""Which variables a simulated case will have, and so which of the model's own rules can be used.

A variable is *provided* when the scenario generates it, or when the model computes it from provided
ones. A condition that reads anything else can't be evaluated: it is left to chance instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from flowkit.bpmn import model as m
from flowkit.errors import FlowkitError
from flowkit.feel import compile_expression
from flowkit.simulation.study import nodes_of

__all__ = ["all_texts", "can_evaluate", "provided_variables", "reads_clock", "reads_of"]


@lru_cache(maxsize=4096)
def reads_of(text: str) -> frozenset[str] | None:
    """The variables that a FEEL text reads; None when it is not FEEL (the kernel will say so)."""
    try:
        return frozenset(compile_expression(text.strip().removeprefix("=")).reads)
    except FlowkitError:
        return None


def can_evaluate(text: str, provided: set[str]) -> bool:
    """Whether every variable that the text reads is provided."""
    reads = reads_of(text)
    return reads is not None and reads <= provided


def provided_variables(
    definitions: Iterable[m.Definitions],
    given: Iterable[str],
    decision_inputs: Callable[[str], frozenset[str] | None],
    results: Mapping[str, Any],
) -> set[str]:
    """The fixed point over all processes: names are not told apart by scope.

    ``decision_inputs`` gives the variables that a decision needs (None: no such decision);
    ``results`` has the ids of the tasks whose result the scenario generates.
    """
    provided = {*given, "loopCounter"}
    nodes = [
        node for definition in definitions for process in definition.processes for node in nodes_of(process)
    ]
    while True:
        before = len(provided)
        for node in nodes:
            _add_provided(node, provided, decision_inputs, results)
        if len(provided) == before:
            return provided


def _add_provided(
    node: m.FlowNode,
    provided: set[str],
    decision_inputs: Callable[[str], frozenset[str] | None],
    results: Mapping[str, Any],
) -> None:
    extensions = node.extensions
    for mapping in (*extensions.inputs, *extensions.outputs):
        if not mapping.source.startswith("=") or can_evaluate(mapping.source, provided):
            provided.add(mapping.target.split(".")[0])
    if extensions.script is not None and can_evaluate(extensions.script.expression, provided):
        provided.add(extensions.script.result_variable)
    decision = extensions.called_decision
    if decision is not None:
        needed = decision_inputs(decision.decision_id)
        if node.id in results or node.name in results or (needed is not None and needed <= provided):
            provided.add(decision.result_variable)
    if isinstance(node, m.Activity) and isinstance(node.loop, m.MultiInstanceLoopCharacteristics):
        loop = node.loop.extensions.loop
        if loop is not None:
            provided.update(name for name in (loop.input_element, loop.output_collection) if name)


_CLOCK = re.compile(r"\b(now|today|working|workday|business|calendar|holiday)", re.IGNORECASE)


def reads_clock(text: str) -> bool:
    """Whether an expression may depend on the time: then its value must not be kept."""
    return bool(_CLOCK.search(text))


def all_texts(definitions: m.Definitions) -> Iterable[str]:
    """Every text of the file that may be evaluated."""
    stack: list[Any] = [definitions.processes, definitions.messages, definitions.correlation_properties]
    while stack:
        thing = stack.pop()
        if isinstance(thing, str):
            yield thing
        elif isinstance(thing, tuple):
            stack.extend(thing)
        elif hasattr(thing, "__dataclass_fields__"):
            stack.extend(
                getattr(thing, name)
                for name in thing.__dataclass_fields__
                if name not in {"documentation", "name", "location"}
            )
