"""The FEEL texts of a model: compiled once, their faults collected with file and line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowkit.dmn.java import external
from flowkit.dmn.model import BusinessKnowledgeModel, Cell, Decision
from flowkit.dmn.runtime import Run, Step
from flowkit.dmn.types import Types
from flowkit.errors import InvalidExpression
from flowkit.feel import Expression, HostFunction, UnaryTests, compile_expression, compile_unary_tests
from flowkit.feel.builtins import BUILTINS
from flowkit.findings import Finding, Location, Severity

__all__ = ["Functions", "Texts"]

Functions = Mapping[str, HostFunction] | None
"""Functions of the host that expressions may call, by name."""

WORDS = frozenset(
    {"and", "or", "not", "in", "between", "if", "then", "else", "for", "some", "every", "return", "satisfies"}
    | {"instance", "of", "function", "external", "true", "false", "null", "list", "context", "range"}
    | {"partial", "item"}
)
"""Words of FEEL's grammar that a variable may nevertheless be called."""


class Texts:
    """Compiles the texts of its ``owner``; ``members`` are names that may follow a dot.

    ``unconnected`` are names that the element can read although it does not require them; ``strict``
    says that the model declares what it reads, so that an unknown name is worth a warning.
    """

    def __init__(
        self,
        types: Types,
        members: frozenset[str],
        findings: list[Finding],
        owner: Decision | BusinessKnowledgeModel,
        *,
        functions: Functions = None,
        unconnected: frozenset[str] = frozenset(),
        strict: bool = False,
    ) -> None:
        self.types = types
        self.members = members
        self._members = frozenset(filter(needs_telling, members))
        self._names: dict[frozenset[str], frozenset[str]] = {}
        self.findings = findings
        self.owner = owner
        self.functions = functions
        self.unconnected = unconnected
        self.strict = strict

    def report(
        self, rule: str, location: Location, message: str, hint: str, severity: Severity = Severity.ERROR
    ) -> None:
        """Note a problem of the element."""
        self.findings.append(Finding(rule, severity, location, message, hint, self.owner.id, self.owner.name))

    def _environment(self, names: frozenset[str]) -> dict[str, Any]:
        """What FEEL must be told: of names and members only those that it can't read by itself."""
        if names not in self._names:
            self._names[names] = frozenset(filter(needs_telling, names))
        return {
            "names": self._names[names],
            "members": self._members,
            "types": self.types.named,
            "externals": external,
            "functions": self.functions,
        }

    def expression(self, cell: Cell, names: frozenset[str]) -> Expression | None:
        """The compiled expression; ``None``, and a finding, for a text that is no FEEL."""
        try:
            expression = compile_expression(cell.text, **self._environment(names))
        except InvalidExpression as error:
            self._syntax(cell, error)
            return None
        self._reads(cell, expression.reads, names)
        return expression

    def tests(self, cell: Cell, names: frozenset[str], report: bool = True) -> UnaryTests | None:
        """The compiled unary tests; ``None``, and a finding, for a text that is no FEEL."""
        try:
            tests = compile_unary_tests(cell.text, **self._environment(names))
        except InvalidExpression as error:
            if report:
                self._syntax(cell, error)
            return None
        if report:
            self._reads(cell, tests.reads, names)
        return tests

    def step(self, cell: Cell, names: frozenset[str]) -> Step:
        """A step that evaluates the text; one that is no FEEL gives null and says so."""
        expression = self.expression(cell, names)
        text = cell.text
        if expression is None:

            def broken(scope: dict[str, Any], run: Run) -> Any:
                run.note("syntax", "The text is no FEEL expression, so its value is null.", text)
                return None

            return broken
        evaluate = expression.run

        def step(scope: dict[str, Any], run: Run) -> Any:
            return evaluate(scope, run.feel)

        return step

    def _reads(self, cell: Cell, reads: frozenset[str], names: frozenset[str]) -> None:
        """Warn of names that nothing connects with the element, or nobody declares."""
        for name in sorted(reads & self.unconnected):
            self.report(
                "unconnected-name",
                cell.location,
                f"'{shorten(cell.text)}' reads '{name}', which the element does not require.",
                f"Connect '{name}' with it in the diagram.",
                Severity.WARNING,
            )
        known = names | self.members | BUILTINS.keys() | (self.functions or {}).keys()
        for name in sorted(reads - known) if self.strict else ():
            self.report(
                "unknown-name",
                cell.location,
                f"'{shorten(cell.text)}' reads '{name}', which nothing in the model declares.",
                "Correct the name, or declare it as input data and connect it.",
                Severity.WARNING,
            )

    def _syntax(self, cell: Cell, error: InvalidExpression) -> None:
        line = cell.location.line + cell.text.count("\n", 0, error.position) if cell.location.line else 0
        self.report(
            "expression-syntax",
            Location(cell.location.file, line),
            f"'{shorten(cell.text)}' is no FEEL: {error}.",
            "Correct the expression; until then its value is null.",
        )


def needs_telling(name: str) -> bool:
    """Whether FEEL reads ``name`` as something else unless it is declared."""
    return not name.isidentifier() or name in BUILTINS or name in WORDS


def shorten(text: str) -> str:
    """A text that fits into a message."""
    return text if len(text) <= 120 else text[:117] + "..."
