"""A model put together: references resolved, types built, every expression compiled, once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from flowkit.dmn.compile import compile_boxed
from flowkit.dmn.functions import result_type
from flowkit.dmn.model import (
    Boxed,
    BusinessKnowledgeModel,
    Context,
    Decision,
    DecisionService,
    DecisionTable,
    Definitions,
    FunctionDefinition,
    InputData,
    Relation,
    Variable,
)
from flowkit.dmn.nodes import Binding, DecisionNode, InputNode, KnowledgeNode, Node, ServiceNode
from flowkit.dmn.runtime import coercion
from flowkit.dmn.texts import Functions, Texts
from flowkit.dmn.types import Types, underlying
from flowkit.dmn.walk import parts_of
from flowkit.feel.types import FeelType, FunctionType
from flowkit.findings import Finding, Location, Severity

__all__ = ["Program"]

NOUN = {
    InputNode: "input data",
    DecisionNode: "decision",
    KnowledgeNode: "business knowledge model",
    ServiceNode: "decision service",
}


class Program:
    """The nodes of one model by id; ``imports`` are the programs of imported ones by namespace."""

    def __init__(
        self, definitions: Definitions, imports: Mapping[str, Program], functions: Functions = None
    ) -> None:
        self.definitions = definitions
        self.functions = functions
        self.imports = dict(imports)
        self.findings: list[Finding] = []
        self.types = Types(definitions, self._imported_types())
        self.findings.extend(self.types.findings)
        self.inputs = {one.id: self._input(one) for one in definitions.inputs}
        self.decisions = {one.id: self._decision(one) for one in definitions.decisions}
        self.knowledge = {one.id: self._knowledge(one) for one in definitions.knowledge_models}
        self.services = {one.id: self._service(one) for one in definitions.services}
        self.members = frozenset(self._members())
        self._visible = frozenset(node.name for node in self.inputs.values())
        self._link()

    def _imported_types(self) -> dict[str, Types]:
        return {
            one.name: self.imports[one.namespace].types
            for one in self.definitions.imports
            if one.namespace in self.imports
        }

    # -- nodes ---------------------------------------------------------------------------------

    def _key(self, identifier: str) -> tuple[str, str]:
        return self.definitions.namespace, identifier

    def _type(self, variable: Variable, owner_id: str, owner_name: str) -> FeelType | None:
        kind = self.types.of(variable.type_ref)
        if kind is None and variable.type_ref:
            self._report(
                "unknown-type",
                variable.location,
                f"The type '{variable.type_ref}' is neither a FEEL type nor an item definition of the model.",
                "Define it, or correct its name.",
                owner_id,
                owner_name,
            )
        return kind

    def _input(self, one: InputData) -> InputNode:
        kind = self._type(one.variable, one.id, one.name)
        name = one.variable.name
        return InputNode(self._key(one.id), name, kind, coercion(kind, f"input '{name}'"))

    def _decision(self, one: Decision) -> DecisionNode:
        kind = self._type(one.variable, one.id, one.name)
        place = coercion(kind, f"decision '{one.name}'")
        variable = one.variable
        return DecisionNode(
            self._key(one.id), one.id, one.name, variable.name, variable.declared, kind, place
        )

    def _knowledge(self, one: BusinessKnowledgeModel) -> KnowledgeNode:
        kind = result_type(self._type(one.variable, one.id, one.name))
        return KnowledgeNode(
            self._key(one.id), one.id, one.variable.name, coercion(kind, f"the result of '{one.name}'")
        )

    def _service(self, one: DecisionService) -> ServiceNode:
        kind = result_type(self._type(one.variable, one.id, one.name))
        place = coercion(kind, f"the result of '{one.name}'")
        return ServiceNode(self._key(one.id), one.id, one.variable.name, place, kind)

    # -- names ---------------------------------------------------------------------------------

    def _members(self) -> Iterator[str]:
        """Names that may follow a dot: components, keys of contexts, elements of imports."""
        yield from self.types.member_names()
        for boxed in self._logics():
            for part in parts_of(boxed):
                if isinstance(part, Context):
                    yield from (entry.variable.name for entry in part.entries if entry.variable)
                elif isinstance(part, Relation):
                    yield from (column.name for column in part.columns)
                elif isinstance(part, DecisionTable):
                    yield from (output.name for output in part.outputs)
        for program in self.imports.values():
            yield from program.members
            yield from program.names()

    def _logics(self) -> Iterator[Boxed]:
        yield from (one.logic for one in self.definitions.decisions if one.logic is not None)
        yield from (one.logic for one in self.definitions.knowledge_models if one.logic is not None)

    def names(self) -> Iterator[str]:
        """The variables of the model's elements."""
        for group in (self.inputs, self.knowledge, self.services):
            yield from (node.name for node in group.values())
        yield from (node.variable for node in self.decisions.values())

    # -- links ---------------------------------------------------------------------------------

    def _link(self) -> None:
        services = self.definitions.services
        given = {href.rpartition("#")[2] for one in services for href in one.input_decisions}
        for one in self.definitions.decisions:
            node = self.decisions[one.id]
            node.bindings = [
                *self._bindings(one, one.required_inputs, InputNode),
                *self._bindings(one, one.required_decisions, DecisionNode),
                *self._bindings(one, one.required_knowledge, KnowledgeNode, ServiceNode),
            ]
            if one.logic is not None:
                bound = self._scope(node.bindings)
                texts = self._texts(one, self._visible - bound)
                node.logic = compile_boxed(one.logic, texts, bound | self._visible, one.name)
            elif one.id not in given:
                self._report(
                    "no-logic",
                    one.location,
                    "The decision has no logic: its value is null.",
                    "Give it a table or an expression, or make it the input decision of a service.",
                    one.id,
                    one.name,
                    Severity.WARNING,
                )
        for model in self.definitions.knowledge_models:
            self._link_knowledge(model)
        for service in self.definitions.services:
            self._link_service(service)

    def _texts(
        self, one: Decision | BusinessKnowledgeModel, unconnected: frozenset[str] = frozenset()
    ) -> Texts:
        strict = bool(self.inputs)
        return Texts(
            self.types,
            self.members,
            self.findings,
            one,
            functions=self.functions,
            unconnected=unconnected,
            strict=strict,
        )

    def _link_knowledge(self, one: BusinessKnowledgeModel) -> None:
        node = self.knowledge[one.id]
        node.bindings = list(self._bindings(one, one.required_knowledge, KnowledgeNode, ServiceNode))
        if one.logic is None:
            self._report(
                "missing-part",
                one.location,
                "The business knowledge model has no logic.",
                "Give it parameters and an expression.",
                one.id,
                one.name,
            )
            return
        names = self._scope(node.bindings) | {node.name}
        logic: FunctionDefinition = one.logic
        declared = underlying(self.types.of(one.variable.type_ref))
        if isinstance(declared, FunctionType) and len(declared.parameters) != len(logic.parameters):
            self._report(
                "function-type",
                one.location,
                f"Its type '{one.variable.type_ref}' has {len(declared.parameters)} parameters, its logic "
                f"{len(logic.parameters)}.",
                "Give both the same parameters.",
                one.id,
                one.name,
            )
        logic = replace(logic, label=logic.label or node.name)
        node.logic = compile_boxed(logic, self._texts(one), frozenset(names), node.name)

    def _link_service(self, one: DecisionService) -> None:
        node = self.services[one.id]
        inputs = [*self._bindings(one, one.input_data, InputNode)]
        inputs += self._bindings(one, one.input_decisions, DecisionNode)
        node.inputs = [b.target for b in inputs if isinstance(b.target, InputNode | DecisionNode)]
        outputs = self._bindings(one, one.output_decisions, DecisionNode)
        node.outputs = [b.target for b in outputs if isinstance(b.target, DecisionNode)]
        list(self._bindings(one, one.encapsulated_decisions, DecisionNode))  # reports those missing

    def _scope(self, bindings: list[Binding]) -> frozenset[str]:
        names: set[str] = set()
        for binding in bindings:
            names.update([binding.alias] if binding.alias else binding.names)
        return frozenset(names)

    def _bindings(
        self,
        owner: Decision | BusinessKnowledgeModel | DecisionService,
        hrefs: tuple[str, ...],
        *wanted: type[Node],
    ) -> Iterator[Binding]:
        for href in hrefs:
            found = self._resolve(href)
            if found is None or not isinstance(found[1], wanted):
                nouns = " or ".join(NOUN[one] for one in wanted)
                self._report(
                    "missing-reference",
                    owner.location,
                    f"It refers to '{href}', which is no {nouns} of this model or of one that it imports.",
                    "Draw the connection again, or import the model that holds it.",
                    owner.id,
                    owner.name,
                )
                continue
            alias, target = found
            if not isinstance(target, DecisionNode):
                names: tuple[str, ...] = (target.name,)
            else:
                names = (target.variable,) if target.declared else (target.variable, target.id)
            yield Binding(alias, tuple(dict.fromkeys(names)), target)

    def _resolve(self, href: str) -> tuple[str, Node] | None:
        """The alias under which, and the node to which, ``#id`` or ``namespace#id`` leads."""
        namespace, _, identifier = href.rpartition("#")
        if namespace in ("", self.definitions.namespace):
            node = self._local(identifier)
            return None if node is None else ("", node)
        for one in self.definitions.imports:
            if namespace in (one.namespace, one.location_uri) and one.namespace in self.imports:
                node = self.imports[one.namespace]._local(identifier)
                return None if node is None else (one.name, node)
        return None

    def _local(self, identifier: str) -> Node | None:
        for group in (self.inputs, self.decisions, self.knowledge, self.services):
            if identifier in group:
                node: Node = group[identifier]
                return node
        return None

    def _report(
        self,
        rule: str,
        location: Location,
        message: str,
        hint: str,
        identifier: str,
        name: str,
        severity: Severity = Severity.ERROR,
    ) -> None:
        self.findings.append(Finding(rule, severity, location, message, hint, identifier, name))
