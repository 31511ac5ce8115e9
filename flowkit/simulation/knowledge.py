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
from flowkit.simulation.study import called_process, nodes_of

__all__ = ["all_texts", "can_evaluate", "provided_variables", "reads_clock", "reads_of"]


_NAME = re.compile(r"[^\W\d]\w*")
_OPTIONAL = re.compile(r"get or else\(\s*([^\W\d]\w*)\s*,|([^\W\d]\w*)\s*!?=\s*null\b")
"""Names that an expression can do without: it says what to do when they are null."""


@lru_cache(maxsize=4096)
def reads_of(text: str) -> frozenset[str] | None:
    """The variables that a FEEL text needs; None when it is not FEEL (the kernel will say so)."""
    try:
        plain = text.strip().removeprefix("=").strip()
        if _NAME.fullmatch(plain) and plain not in {"true", "false", "null"}:
            return frozenset({plain})  # a built-in function's name too: a variable is what is meant
        return frozenset(compile_expression(plain).reads) - frozenset(
            name for pair in _OPTIONAL.findall(plain) for name in pair
        )
    except FlowkitError:
        return None


def can_evaluate(text: str, provided: set[str]) -> bool:
    """Whether every variable that the text reads is provided."""
    reads = reads_of(text)
    return reads is not None and reads <= provided


Provided = dict[str, set[str]]
"""The provided variables by process."""


def provided_variables(
    definitions: Iterable[m.Definitions],
    given: Iterable[str],
    decision_inputs: Callable[[str], frozenset[str] | None],
    results: Mapping[str, Any],
) -> Provided:
    """Per process, the variables that the scenario gives or that the model can work out.

    A variable that the model sets is provided when *every* text that sets it can be evaluated; this is
    the greatest set of names with that property, so a counter that counts itself up belongs to it.
    ``decision_inputs`` gives the variables that a decision needs (None: no such decision); ``results``
    has the tasks whose result the scenario generates.
    """
    given = {*given, "loopCounter"}
    nodes = {
        process.id: list(nodes_of(process)) for definition in definitions for process in definition.processes
    }
    provided = {
        process: given | {name for node in inside for name, _ in _writes(node)}
        for process, inside in nodes.items()
    }
    callers = _callers(nodes)
    while True:
        before = {process: len(names) for process, names in provided.items()}
        for process, inside in nodes.items():
            names = provided[process]
            inherited = {name for caller in callers.get(process, ()) for name in provided[caller]}
            lost = {
                name
                for node in inside
                for name, text in _writes(node)
                if not _can_write(node, text, names | inherited, decision_inputs, results)
            }
            provided[process] = (names - lost) | given
        if all(len(provided[process]) == count for process, count in before.items()):
            break
    return {
        process: names.union(*(provided[caller] for caller in callers.get(process, ())))
        for process, names in provided.items()
    }


def _callers(nodes: Mapping[str, list[m.FlowNode]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for process, inside in nodes.items():
        for node in inside:
            if isinstance(node, m.CallActivity):
                found.setdefault(called_process(node), set()).add(process)
    return found


def _writes(node: m.FlowNode) -> Iterable[tuple[str, str]]:
    """The variables that a node sets, each with the text that gives its value; "?" for a decision."""
    extensions = node.extensions
    for mapping in (*extensions.inputs, *extensions.outputs):
        own = mapping.source.strip() == f"={mapping.target}"
        if not own:
            yield mapping.target.split(".")[0], mapping.source
    if extensions.script is not None:
        yield extensions.script.result_variable, "=" + extensions.script.expression.removeprefix("=")
    if extensions.called_decision is not None:
        yield extensions.called_decision.result_variable, "?"
    if extensions.ad_hoc is not None and extensions.ad_hoc.output_collection:
        yield extensions.ad_hoc.output_collection, extensions.ad_hoc.output_element
    if isinstance(node, m.Activity) and isinstance(node.loop, m.MultiInstanceLoopCharacteristics):
        loop = node.loop.extensions.loop
        if loop is not None and loop.input_element:
            yield loop.input_element, loop.input_collection
        if loop is not None and loop.output_collection:
            yield loop.output_collection, loop.output_element


def _can_write(
    node: m.FlowNode,
    text: str,
    names: set[str],
    decision_inputs: Callable[[str], frozenset[str] | None],
    results: Mapping[str, Any],
) -> bool:
    if text != "?":
        return not text.startswith("=") or can_evaluate(text, names)
    if node.id in results or node.name in results:
        return True
    decision = node.extensions.called_decision
    needed = None if decision is None else decision_inputs(decision.decision_id)
    return needed is not None and needed <= names


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
