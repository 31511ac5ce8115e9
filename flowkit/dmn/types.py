"""DMN's type system: item definitions as FEEL types (sections 7.3.3 and 10.3.2.9).

A typeRef names a basic type, an item definition of the model, or ``alias.name`` of an imported
one. Conformance and conversion are FEEL's; here the definitions are put together, recursive ones
and those declared in any order included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from flowkit.dmn.model import Cell, Definitions, ItemDefinition
from flowkit.errors import InvalidExpression
from flowkit.feel import compile_unary_tests
from flowkit.feel.types import (
    ANY,
    BASIC_TYPES,
    ContextType,
    FeelType,
    FunctionType,
    ListType,
    NamedType,
    conforms,
)
from flowkit.findings import Finding, Severity

__all__ = ["Types", "underlying"]

VENDOR_TYPES = {
    **dict.fromkeys(("integer", "long", "int", "short", "double", "float", "decimal"), "number"),
    **dict.fromkeys(("<Undefined>", "undefined", "object"), "Any"),
    "datetime": "date and time",
    "years and months": "years and months duration",
    "days and time": "days and time duration",
}
"""Spellings that modelers write although the standard has others."""


def underlying(kind: FeelType | None) -> FeelType | None:
    """``kind`` without the names of item definitions around it."""
    while isinstance(kind, NamedType) and kind.base is not None:
        kind = kind.base
    return kind


class Types:
    """The types that one model can name; ``imported`` holds those of its imports by alias."""

    def __init__(self, definitions: Definitions, imported: Mapping[str, Types]) -> None:
        self.findings: list[Finding] = []
        self.items: dict[str, ItemDefinition] = {item.name: item for item in definitions.items}
        self.imported = dict(imported)
        self.named: dict[str, FeelType] = {}
        for alias, types in imported.items():
            for name, kind in types.named.items():
                self.named[f"{alias}.{name}" if alias else name] = kind
        self._building: set[str] = set()
        for item in definitions.items:
            self._define(item)

    def of(self, type_ref: str | None) -> FeelType | None:
        """The type called ``type_ref``; ``None`` if absent or unknown."""
        if not type_ref:
            return None
        if type_ref in self.named:
            return self.named[type_ref]
        return BASIC_TYPES.get(VENDOR_TYPES.get(type_ref, type_ref))

    def item(self, type_ref: str | None) -> ItemDefinition | None:
        """The item definition called ``type_ref``, also of an imported model."""
        if not type_ref:
            return None
        if type_ref in self.items:
            return self.items[type_ref]
        for alias, types in self.imported.items():
            prefix = f"{alias}." if alias else ""
            if type_ref.startswith(prefix):
                found = types.item(type_ref[len(prefix) :])
                if found is not None:
                    return found
        return None

    def allowed(self, type_ref: str | None, component: str = "") -> Cell | None:
        """The allowed values that a type, or a component of it, states or inherits."""
        seen: set[str] = set()
        item = self.item(type_ref)
        while item is not None and item.name not in seen:
            seen.add(item.name)
            if component:
                part = next((part for part in item.components if part.name == component), None)
                if part is not None:
                    return part.allowed_values or self.allowed(part.type_ref)
            elif item.allowed_values is not None:
                return item.allowed_values
            item = self.item(item.type_ref)
        return None

    def member_names(self) -> Iterator[str]:
        """The names of all components, for paths such as ``applicant.monthly income``."""
        pending = list(self.items.values())
        while pending:
            item = pending.pop()
            for part in item.components:
                yield part.name
                pending.append(part)
        for types in self.imported.values():
            yield from types.member_names()

    def _define(self, item: ItemDefinition) -> FeelType:
        if item.name in self.named:
            return self.named[item.name]
        self._building.add(item.name)
        kind = self._build(item)
        self._building.discard(item.name)
        self.named[item.name] = kind
        return kind

    def _build(self, item: ItemDefinition) -> FeelType:
        base = self._base(item)
        if item.allowed_values is not None:
            base = NamedType(item.name, base, self._tests(item, item.allowed_values))
        if item.is_collection:
            base = ListType(base)
        if item.type_constraint is not None:
            return NamedType(item.name, base, self._tests(item, item.type_constraint))
        return base if isinstance(base, NamedType) and base.name == item.name else NamedType(item.name, base)

    def _base(self, item: ItemDefinition) -> FeelType:
        if item.components:
            return ContextType(tuple((part.name, self._build(part)) for part in item.components))
        if item.function is not None:
            parameters = tuple(self._reference(p.type_ref, item) for p in item.function.parameters)
            return FunctionType(parameters, self._reference(item.function.output_type_ref, item))
        return self._reference(item.type_ref, item)

    def _reference(self, type_ref: str | None, item: ItemDefinition) -> FeelType:
        if not type_ref:
            return ANY
        if type_ref in self._building:
            return NamedType(type_ref, ANY, lambda value: conforms(value, self.named[type_ref]))
        if type_ref in self.items:
            return self._define(self.items[type_ref])
        found = self.of(type_ref)
        if found is None:
            self.findings.append(
                Finding(
                    "unknown-type",
                    Severity.ERROR,
                    item.location,
                    f"The type '{type_ref}' is neither a FEEL type nor an item definition of the model.",
                    "Define it, or correct its name.",
                    item.id,
                    item.name,
                )
            )
        return found or ANY

    def _tests(self, item: ItemDefinition, cell: Cell) -> Callable[[Any], bool] | None:
        try:
            tests = compile_unary_tests(cell.text)
        except InvalidExpression as error:
            self.findings.append(
                Finding(
                    "expression-syntax",
                    Severity.ERROR,
                    cell.location,
                    f"The allowed values '{cell.text[:200]}' are no FEEL unary tests: {error}.",
                    "Write values, ranges or comparisons, separated by commas.",
                    item.id,
                    item.name,
                )
            )
            return None

        def allows(value: Any) -> bool:
            return tests.matches(value, {}) is True

        return allows
