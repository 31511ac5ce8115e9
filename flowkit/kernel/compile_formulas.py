"""Compiling the texts of a diagram, and collecting what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowkit.bpmn.model import Element, Expression
from flowkit.errors import InvalidExpression
from flowkit.feel import HostFunction, compile_expression
from flowkit.findings import Finding, Location, Severity
from flowkit.kernel.formula import Formula

__all__ = ["Compiler", "constant", "lookup"]


def constant(value: Any) -> Formula:
    """A formula that always has this value."""
    return Formula(str(value), None, value)


class _Lookup:
    """A variable by its exact name, whatever characters that has."""

    __slots__ = ("name", "reads", "text")

    def __init__(self, name: str) -> None:
        self.name = self.text = name
        self.reads = frozenset({name})

    def evaluate(self, scope: Mapping[str, Any], **_: Any) -> Any:
        return scope.get(self.name)


def lookup(name: str) -> Formula:
    """A formula that reads the variable ``name``."""
    expression: Any = _Lookup(name)
    return Formula(name, expression, None, frozenset({name}))


class Compiler:
    """Compiles expressions against one set of host functions; ``findings`` collects what fails."""

    def __init__(self, functions: Mapping[str, HostFunction] | None) -> None:
        self.functions = functions
        self.findings: list[Finding] = []

    def refuse(
        self, element: Element, rule: str, message: str, hint: str = "", where: Location | None = None
    ) -> None:
        """Note an error that forbids deployment."""
        self.findings.append(
            Finding(
                rule,
                Severity.ERROR,
                where or element.location,
                message,
                hint,
                element.id,
                element.name,
            )
        )

    def feel(self, element: Element, text: str, where: Location | None = None) -> Formula:
        """FEEL text, with or without a leading ``=``."""
        source = text.strip().removeprefix("=").strip()
        try:
            expression = compile_expression(source, functions=self.functions)
        except InvalidExpression as error:
            self.refuse(element, "expression-syntax", f"'{source}' is not FEEL: {error}", "", where)
            return constant(None)
        return Formula(source, expression, None, expression.reads)

    def extension(self, element: Element, text: str, where: Location | None = None) -> Formula:
        """An extension attribute: FEEL with a leading ``=``, else the text itself."""
        if text.lstrip().startswith("="):
            return self.feel(element, text, where)
        return constant(text)

    def optional(self, element: Element, text: str) -> Formula | None:
        """Like :meth:`extension`; None for an empty text."""
        return self.extension(element, text) if text.strip() else None

    def standard(self, element: Element, expression: Expression) -> Formula:
        """An expression of the standard: FEEL, or a literal where the reader found one."""
        if expression.literal:
            return constant(expression.text)
        if expression.language:
            self.refuse(
                element,
                "expression-language",
                f"The expression language '{expression.language}' is not executed.",
                "Write the expression in FEEL.",
                expression.location,
            )
            return constant(None)
        return self.feel(element, expression.text, expression.location)
