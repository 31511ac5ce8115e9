"""Formulas: the texts of a diagram that are evaluated, compiled.

A formula is FEEL or a literal. Evaluation needs the variables in sight, ``now``, and gives JSON;
what goes wrong becomes a :class:`Trouble`, which the step turns into an incident.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flowkit.errors import EvaluationLimit, FlowkitError
from flowkit.feel import Diagnostic, Expression, to_json
from flowkit.values import unkeyable

__all__ = ["Formula", "Trouble", "findable"]


class Trouble(FlowkitError):
    """The model or its data can't go on: becomes an incident of ``kind`` at the token.

    Internal to the kernel: it never leaves :func:`flowkit.kernel.step.step`.
    """

    def __init__(self, kind: str, message: str, details: str = "") -> None:
        self.kind = kind
        self.details = details
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Formula:
    """``expression`` is None for a literal, whose value is then ``constant``."""

    text: str
    expression: Expression | None = None
    constant: Any = None
    reads: frozenset[str] = frozenset()

    def feel(self, variables: Mapping[str, Any], now: datetime) -> Any:
        """The FEEL value; raises Trouble when a limit stops the evaluation."""
        if self.expression is None:
            return self.constant
        try:
            return self.expression.evaluate(variables, now=now)
        except EvaluationLimit as limit:
            raise Trouble("expression", f"The expression '{self.text}' was stopped: {limit}") from None

    def value(self, variables: Mapping[str, Any], now: datetime) -> Any:
        """The value as JSON."""
        result = self.feel(variables, now)
        if result is None or result is True or result is False or type(result) is str:
            return result
        try:
            return to_json(result)
        except FlowkitError as error:
            raise Trouble("expression", f"The value of '{self.text}' can't be a variable: {error}") from None

    def truth(self, variables: Mapping[str, Any], now: datetime) -> bool:
        """The value of a condition; raises Trouble when it is not a boolean."""
        result = self.feel(variables, now)
        if result is True or result is False:
            return result
        raise Trouble(
            "condition",
            f"The condition '{self.text}' must be true or false, but is {_shown(result)}.",
            self.why(variables, now),
        )

    def why(self, variables: Mapping[str, Any], now: datetime) -> str:
        """What evaluation complained about, one line each; "" when nothing."""
        if self.expression is None:
            return ""
        found: list[Diagnostic] = []
        try:
            self.expression.evaluate(variables, now=now, diagnostics=found)
        except EvaluationLimit as limit:
            return str(limit)
        return "\n".join(diagnostic.message for diagnostic in found)


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    try:
        text = repr(to_json(value))
    except FlowkitError:
        text = type(value).__name__
    return text if len(text) <= 200 else text[:200] + "…"


def findable(value: str, kind: str, what: str, text: str) -> str:
    """``value``, which a formula gave and things are found by; raises Trouble when no index takes it."""
    problem = unkeyable(value)
    if problem:
        raise Trouble(kind, f"The {what} '{text}': {problem}.")
    return value
