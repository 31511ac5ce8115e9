"""How large, deep and long an expression and its evaluation may be.

The figures are far above what business rules need and low enough that a hostile expression ends within
about a tenth of a second with :class:`~flowkit.errors.EvaluationLimit`.
"""

from __future__ import annotations

__all__ = ["MAX_CALLS", "MAX_NESTING", "MAX_RESULT", "MAX_STEPS", "MAX_STRING", "MAX_TEXT"]

MAX_TEXT = 100_000
"""Characters of an expression."""

MAX_NESTING = 40
"""Brackets, branches and function bodies inside one another."""

MAX_STEPS = 250_000
"""Iterations, calls and list elements visited in one evaluation."""

MAX_CALLS = 100
"""Functions of the expression that call one another."""

MAX_STRING = 1_000_000
"""Characters of a string that an evaluation builds."""

MAX_RESULT = 250_000
"""Values in a result, nested ones included."""
