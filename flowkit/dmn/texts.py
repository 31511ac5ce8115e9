"""The FEEL texts of a model: compiled once, their faults collected with file and line."""

from __future__ import annotations

from typing import Any

from flowkit.dmn.model import Cell
from flowkit.dmn.runtime import Run, Step
from flowkit.dmn.types import Types
from flowkit.errors import InvalidExpression
from flowkit.feel import Expression, UnaryTests, compile_expression, compile_unary_tests
from flowkit.findings import Finding, Location, Severity

__all__ = ["Texts"]


class Texts:
    """Compiles the texts of one element; ``members`` are names that may follow a dot."""

    def __init__(
        self,
        types: Types,
        members: frozenset[str],
        findings: list[Finding],
        element_id: str,
        element_name: str,
    ) -> None:
        self.types = types
        self.members = members
        self.findings = findings
        self.element_id = element_id
        self.element_name = element_name

    def report(self, rule: str, location: Location, message: str, hint: str) -> None:
        """Note an error of the element."""
        self.findings.append(
            Finding(rule, Severity.ERROR, location, message, hint, self.element_id, self.element_name)
        )

    def expression(self, cell: Cell, names: frozenset[str]) -> Expression | None:
        """The compiled expression; ``None``, and a finding, for a text that is no FEEL."""
        try:
            return compile_expression(cell.text, names=names, members=self.members, types=self.types.named)
        except InvalidExpression as error:
            self._syntax(cell, error)
            return None

    def tests(self, cell: Cell, names: frozenset[str], report: bool = True) -> UnaryTests | None:
        """The compiled unary tests; ``None``, and a finding, for a text that is no FEEL."""
        try:
            return compile_unary_tests(cell.text, names=names, members=self.members, types=self.types.named)
        except InvalidExpression as error:
            if report:
                self._syntax(cell, error)
            return None

    def step(self, cell: Cell, names: frozenset[str]) -> Step:
        """A step that evaluates the text; one that is no FEEL gives null and says so."""
        expression = self.expression(cell, names)
        text = cell.text
        if expression is None:

            def broken(scope: dict[str, Any], run: Run) -> Any:
                run.note("syntax", "The text is no FEEL expression, so its value is null.", text)
                return None

            return broken
        evaluate = expression.evaluate

        def step(scope: dict[str, Any], run: Run) -> Any:
            return evaluate(scope, now=run.now, diagnostics=run.diagnostics)

        return step

    def _syntax(self, cell: Cell, error: InvalidExpression) -> None:
        line = cell.location.line + cell.text.count("\n", 0, error.position) if cell.location.line else 0
        shown = cell.text if len(cell.text) <= 120 else cell.text[:117] + "..."
        self.report(
            "expression-syntax",
            Location(cell.location.file, line),
            f"'{shown}' is no FEEL: {error}.",
            "Correct the expression; until then its value is null.",
        )
