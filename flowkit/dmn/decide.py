"""The public model: parse a file, evaluate a decision."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from flowkit.dmn.functions import invoke
from flowkit.dmn.model import (
    BusinessKnowledgeModel,
    Decision,
    DecisionService,
    Definitions,
    Import,
    InputData,
    ItemDefinition,
)
from flowkit.dmn.nodes import DecisionNode, KnowledgeNode, ServiceNode, decide, parameter_name
from flowkit.dmn.program import Program
from flowkit.dmn.read import read_definitions
from flowkit.dmn.result import DecisionResult
from flowkit.dmn.runtime import Run
from flowkit.errors import EvaluationLimit, InvalidModel, NotFound
from flowkit.feel.values import Function, normalize
from flowkit.findings import Finding, Location, Severity

__all__ = ["DecisionModel", "Imports", "parse"]

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
    ) -> None:
        program = Program(definitions, {namespace: model._program for namespace, model in imports.items()})
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


Imports = Mapping[str, DecisionModel] | Callable[[Import], DecisionModel | None]
"""Where imported models come from: by namespace, or a function of the import."""


def parse(data: bytes, *, file: str = "", imports: Imports = MappingProxyType({})) -> DecisionModel:
    """The model in ``data``, a DMN 1.1 to 1.5 file called ``file`` in messages.

    Raises :class:`~flowkit.errors.InvalidModel` for what can't be read at all: malformed or hostile
    XML, unknown elements, missing parts, missing imports. Use :func:`~flowkit.dmn.check` to learn
    whether what was read may be deployed.
    """
    try:
        return _parse(data, file, imports)
    except RecursionError:
        message = "Types or expressions refer to one another in a chain that is too long."
        hint = "Shorten the chain of item definitions."
        raise InvalidModel([Finding("too-deep", Severity.ERROR, Location(file), message, hint)]) from None


def _parse(data: bytes, file: str, imports: Imports) -> DecisionModel:
    definitions, warnings = read_definitions(data, file)
    found: dict[str, DecisionModel] = {}
    problems: list[Finding] = []
    for one in definitions.imports:
        model = _imported(one, imports)
        if model is not None:
            found[one.namespace] = model
        elif "DMN" in one.import_type.upper() or not one.import_type:
            problems.append(
                Finding(
                    "missing-import",
                    Severity.ERROR,
                    one.location,
                    f"The imported model '{one.name}' ({one.namespace}) is not there.",
                    "Deploy it together with this model.",
                )
            )
        else:
            problems.append(
                Finding(
                    "import-type",
                    Severity.ERROR,
                    one.location,
                    f"The import '{one.name}' is of type '{one.import_type}'; flowkit imports only DMN.",
                    "Rewrite what it brings as item definitions or business knowledge models.",
                )
            )
    if problems:
        raise InvalidModel(problems)
    return DecisionModel(definitions, found, warnings)


def _imported(one: Import, imports: Imports) -> DecisionModel | None:
    return imports.get(one.namespace) if isinstance(imports, Mapping) else imports(one)


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
