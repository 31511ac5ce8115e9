"""The public model: evaluate a decision, a decision service, a business knowledge model."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from flowkit.dmn.functions import invoke
from flowkit.dmn.model import (
    BusinessKnowledgeModel,
    Decision,
    DecisionService,
    Definitions,
    InputData,
    ItemDefinition,
)
from flowkit.dmn.nodes import DecisionNode, KnowledgeNode, ServiceNode, decide, parameter_name
from flowkit.dmn.program import Program
from flowkit.dmn.result import DecisionResult
from flowkit.dmn.runtime import Run
from flowkit.dmn.texts import Functions
from flowkit.errors import EvaluationLimit, NotFound
from flowkit.feel.values import Function, normalize
from flowkit.findings import Finding

__all__ = ["DecisionModel"]

Target = DecisionNode | KnowledgeNode | ServiceNode


class DecisionModel:
    """A DMN model, compiled: share it between threads, evaluate it as often as you like.

    ``decisions``, ``inputs``, ``knowledge_models`` and ``services`` map ids to elements, ``items``
    maps names to item definitions; ``imports`` maps namespaces to the imported models.
    """

    __slots__ = (
        "_names", "_program", "_warnings", "decisions", "definitions", "id", "imports", "inputs", "items",
        "knowledge_models", "name", "namespace", "services",
    )  # fmt: skip

    _names: dict[str, Target]
    _program: Program
    _warnings: tuple[Finding, ...]
    id: str
    name: str
    namespace: str
    definitions: Definitions
    imports: Mapping[str, DecisionModel]
    decisions: Mapping[str, Decision]
    inputs: Mapping[str, InputData]
    knowledge_models: Mapping[str, BusinessKnowledgeModel]
    services: Mapping[str, DecisionService]
    items: Mapping[str, ItemDefinition]

    def __init__(
        self,
        definitions: Definitions,
        imports: Mapping[str, DecisionModel],
        warnings: tuple[Finding, ...] = (),
        functions: Functions = None,
    ) -> None:
        programs = {namespace: model._program for namespace, model in imports.items()}
        program = Program(definitions, programs, functions)
        values = {
            "id": definitions.id,
            "name": definitions.name,
            "namespace": definitions.namespace,
            "definitions": definitions,
            "imports": MappingProxyType(dict(imports)),
            "decisions": MappingProxyType({one.id: one for one in definitions.decisions}),
            "inputs": MappingProxyType({one.id: one for one in definitions.inputs}),
            "knowledge_models": MappingProxyType({one.id: one for one in definitions.knowledge_models}),
            "services": MappingProxyType({one.id: one for one in definitions.services}),
            "items": MappingProxyType({one.name: one for one in definitions.items}),
            "_program": program,
            "_warnings": warnings,
            "_names": _targets(program, definitions),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a DecisionModel is frozen; {name} can't be set")

    def __repr__(self) -> str:
        return f"DecisionModel({self.name!r}, {len(self.decisions)} decisions)"

    def evaluate(
        self, decision: str, variables: Mapping[str, Any], *, now: datetime | None = None
    ) -> DecisionResult:
        """Evaluate a decision, decision service or business knowledge model, by id or name.

        ``variables`` are JSON or FEEL values by the names of the input data; what the model does
        not declare is visible too, under its own name. ``now`` is what ``now()`` and ``today()``
        give. Raises :class:`~flowkit.errors.NotFound` for an unknown name and
        :class:`~flowkit.errors.EvaluationLimit` where the evaluation is too deep, long or large.
        Trouble with data never raises: the value is null, and the diagnostics say why.
        """
        target = self._names.get(decision)
        if target is None:
            known = ", ".join(sorted(one.name for one in self.definitions.decisions)) or "none"
            raise NotFound(f"Model '{self.name}' has no decision '{decision}'; its decisions are: {known}.")
        run = Run(now, {str(name): normalize(value) for name, value in variables.items()}, {})
        try:
            value = _evaluate(target, run)
        except RecursionError:
            raise EvaluationLimit(
                f"Decision '{decision}' nests too many function calls; end its recursion sooner."
            ) from None
        return DecisionResult(value, tuple(run.tally.record), tuple(run.diagnostics))


def _targets(program: Program, definitions: Definitions) -> dict[str, Target]:
    """What can be evaluated: ids before names, decisions before services before functions."""
    names: dict[str, Target] = {}
    groups: tuple[tuple[tuple[Any, ...], Mapping[str, Target]], ...] = (
        (definitions.decisions, program.decisions),
        (definitions.services, program.services),
        (definitions.knowledge_models, program.knowledge),
    )
    for _, nodes in groups:
        for identifier, node in nodes.items():
            names.setdefault(identifier, node)
    for elements, nodes in groups:
        for element in elements:
            names.setdefault(element.name, nodes[element.id])
    return names


def _evaluate(target: Target, run: Run) -> Any:
    if isinstance(target, DecisionNode):
        decide(target, run)
        return run.values[target.key]
    if isinstance(target, ServiceNode):
        return _serve(target, run)
    function = target.function(run)
    wanted = function.parameters if isinstance(function, Function) else ()
    arguments = {name: run.variables.get(name) for name in wanted}
    return invoke(function, arguments, run, target.name)


def _serve(service: ServiceNode, run: Run) -> Any:
    """A service called from outside: an input decision that is not given is null, not decided."""
    given: dict[str, Any] = {}
    for node in service.inputs:
        name = parameter_name(node)
        if isinstance(node, DecisionNode):
            value = run.variables.get(name)
            run.values[node.key] = value if node.coerce is None else node.coerce(value, run)
            given[name] = run.values[node.key]
        else:
            given[name] = node.value(run)
    return service.evaluate(run, given)
