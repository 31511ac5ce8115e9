"""Tables of cases, written as the specification writes examples: ``expression => value``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from flowkit.feel import Diagnostic, compile_expression, to_text

NOW = datetime(2026, 2, 28, 13, 45, tzinfo=UTC)
SCOPE: dict[str, Any] = {
    "n": 3,
    "price": 19.99,
    "text": "abc",
    "flag": True,
    "none": None,
    "items": [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}, {"a": 3, "b": "x"}],
    "order": {"total": 120.5, "lines": [1, 2], "customer": {"name": "王"}},
    "full name": "Ada L",
    "days in week": 7,
    "net-price": 10,
}
NAMES = tuple(SCOPE)


def cases(table: str) -> list[Any]:
    """A pytest parameter for each line ``expression => value``; lines with # are comments."""
    found = []
    for line in table.strip().splitlines():
        if line.strip() and not line.strip().startswith("#"):
            expression, _, value = line.rpartition("=>")
            found.append(pytest.param(expression.strip(), value.strip(), id=expression.strip()))
    return found


def shown(expression: str, diagnostics: list[Diagnostic] | None = None) -> str:
    """The value of an expression as FEEL text."""
    value = compile_expression(expression, names=NAMES).evaluate(SCOPE, now=NOW, diagnostics=diagnostics)
    return to_text(value, quoted=True)


def reasons(expression: str) -> list[str]:
    """The messages that an evaluation collects."""
    diagnostics: list[Diagnostic] = []
    shown(expression, diagnostics)
    return [diagnostic.message for diagnostic in diagnostics]
