"""The requirement graph ready to run: inputs, decisions, knowledge and services (chapter 6).

A node is known by the namespace and id of its element, so that a decision that two imports lead
to is decided once. A decision sees what it requires, under the names of its own model, and the
variables of the evaluation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flowkit.dmn.facts import read_fact
from flowkit.dmn.runtime import Coercion, Run, Step
from flowkit.feel.types import ANY, FeelType
from flowkit.feel.values import Function
from flowkit.feel.values import Run as FeelRun

__all__ = ["Binding", "DecisionNode", "InputNode", "KnowledgeNode", "Node", "ServiceNode", "decide"]

Key = tuple[str, str]


@dataclass(slots=True, eq=False)
class InputNode:
    """Input data: taken from the variables, converted to its type."""

    key: Key
    name: str
    kind: FeelType | None
    coerce: Coercion | None

    def value(self, run: Run, alias: str = "") -> Any:
        """Its value in a run; null, if the variables do not have it."""
        if self.key not in run.values:
            run.values[self.key] = self._read(run.variables, alias, run)
        return run.values[self.key]

    def _read(self, variables: Mapping[str, Any], alias: str, run: Run) -> Any:
        inner = variables.get(alias) if alias else None
        qualified = f"{self.key[0]}#{self.name}"
        if qualified in variables:
            given = variables[qualified]
        elif isinstance(inner, dict) and self.name in inner:
            given = inner[self.name]
        else:
            given = variables.get(self.name)
        return self.convert(given, run)

    def convert(self, given: Any, run: Run) -> Any:
        """``given`` as a value of the input's type."""
        value = read_fact(given, self.kind)
        return value if self.coerce is None else self.coerce(value, run)


@dataclass(slots=True, eq=False)
class Binding:
    """A name in scope: ``alias`` is that of an import, empty for the model's own elements."""

    alias: str
    names: tuple[str, ...]
    target: Node


@dataclass(slots=True, eq=False)
class DecisionNode:
    """A decision: its bindings, the step that decides it, the type of its variable."""

    key: Key
    id: str
    name: str
    variable: str
    declared: bool
    """Whether the file has a variable element; without one, the id is a name of the value too."""
    kind: FeelType | None
    coerce: Coercion | None
    logic: Step | None = None
    bindings: list[Binding] = field(default_factory=list)

    def evaluate(self, run: Run) -> Any:
        """Its value, given that the decisions it requires are decided."""
        if self.logic is None:
            run.note("logic", f"Decision '{self.name}' has no logic, so its value is null.", self.name)
            return None
        outer = run.open_frame()
        run.refresh()
        try:
            scope, given = scope_of(self.bindings, run)
            value = self.logic(scope, run)
            if self.coerce is not None:
                value = self.coerce(value, run)
            run.record("decision", self.id, self.name, given, value)
        finally:
            run.frame = outer
        return value


@dataclass(slots=True, eq=False)
class KnowledgeNode:
    """A business knowledge model: a function, made once a run."""

    key: Key
    id: str
    name: str
    coerce: Coercion | None
    logic: Step | None = None
    bindings: list[Binding] = field(default_factory=list)

    def function(self, run: Run) -> Any:
        """The function value in a run."""
        if self.key not in run.values:
            run.values[self.key] = None  # a model that requires itself finds itself at the call
            run.values[self.key] = self._make(run)
        return run.values[self.key]

    def _make(self, run: Run) -> Any:
        scope: dict[str, Any] = {}
        if self.logic is None:
            return None
        made = self.logic(scope, run)
        if not isinstance(made, Function):
            return made
        own = Function(made.name, made.parameters, self._recorded(made, run), made.types, made.result)
        scope.update(scope_of(self.bindings, run, variables=False)[0])
        scope[self.name] = own
        return own

    def _recorded(self, made: Function, run: Run) -> Any:
        parameters = made.parameters

        def call(feel_run: FeelRun, *arguments: Any) -> Any:
            outer = run.open_frame()
            try:
                value = made.call(feel_run, *arguments)
                if self.coerce is not None:
                    value = self.coerce(value, run)
                given = dict(zip(parameters, arguments, strict=True))
                run.record("businessKnowledgeModel", self.id, self.name, given, value)
            finally:
                run.frame = outer
            return value

        return call


@dataclass(slots=True, eq=False)
class ServiceNode:
    """A decision service: a function of its input data and input decisions (section 10.4)."""

    key: Key
    id: str
    name: str
    coerce: Coercion | None
    result: FeelType | None
    inputs: list[InputNode | DecisionNode] = field(default_factory=list)
    outputs: list[DecisionNode] = field(default_factory=list)

    def function(self, run: Run) -> Function:
        """The function value in a run."""
        names = tuple(parameter_name(node) for node in self.inputs)
        types = tuple(node.kind or ANY for node in self.inputs)

        def call(feel_run: FeelRun, *arguments: Any) -> Any:
            run.enter(self.name)
            try:
                values = {node.key: value for node, value in zip(self.inputs, arguments, strict=True)}
                run.gather()
                return self.evaluate(run.inner(values), dict(zip(names, arguments, strict=True)))
            finally:
                run.leave()

        return Function(self.name, names, call, types, self.result)

    def evaluate(self, run: Run, given: Mapping[str, Any]) -> Any:
        """The outputs in a run that holds the inputs: one value, or a context of several."""
        for node in self.outputs:
            decide(node, run)
        values = {node.variable: run.values[node.key] for node in self.outputs}
        value = next(iter(values.values())) if len(values) == 1 else values
        if self.coerce is not None:
            value = self.coerce(value, run)
        run.record("decisionService", self.id, self.name, given, value)
        return value


Node = InputNode | DecisionNode | KnowledgeNode | ServiceNode


def parameter_name(node: InputNode | DecisionNode) -> str:
    """What a decision service calls one of its inputs."""
    return node.name if isinstance(node, InputNode) else node.variable


def scope_of(
    bindings: Sequence[Binding], run: Run, *, variables: bool = True
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The scope of an element, and of that the facts and decisions that it requires.

    A scope is never changed by what is evaluated in it, so one may be shared.
    """
    if not bindings:
        return (run.variables if variables else {}), {}
    scope: dict[str, Any] = dict(run.variables) if variables else {}
    given: dict[str, Any] = {}
    aliases: dict[str, dict[str, Any]] = {}
    for binding in bindings:
        target = binding.target
        if isinstance(target, InputNode):
            value = target.value(run, binding.alias)
        elif isinstance(target, DecisionNode):
            value = run.values.get(target.key)
        else:
            value = target.function(run)
        if not isinstance(target, KnowledgeNode | ServiceNode):
            given[f"{binding.alias}.{binding.names[0]}" if binding.alias else binding.names[0]] = value
        place = aliases.setdefault(binding.alias, {}) if binding.alias else scope
        for name in binding.names:
            place[name] = value
    scope.update(aliases)
    return scope, given


def decide(node: DecisionNode, run: Run) -> None:
    """Decide ``node`` and, first, what it requires; without recursion, however long the chain."""
    if not node.bindings and node.key not in run.values:
        run.values[node.key] = node.evaluate(run)
        return
    stack = [node]
    while stack:
        current = stack[-1]
        if current.key in run.values:
            stack.pop()
            continue
        pending = [
            binding.target
            for binding in current.bindings
            if isinstance(binding.target, DecisionNode) and binding.target.key not in run.values
        ]
        if current.key not in run.deciding and pending:
            run.deciding.add(current.key)
            for required in pending:
                if required.key in run.deciding:
                    run.note(
                        "cycle", f"Decision '{required.name}' requires itself, so it is null.", required.name
                    )
                    run.values[required.key] = None
            stack.extend(reversed(pending))
            continue
        stack.pop()
        run.values[current.key] = current.evaluate(run)
