"""How large, deep and long an expression and its evaluation may be.

The figures are far above what business rules need and low enough that a hostile expression ends within
about a tenth of a second with :class:`~flowkit.errors.EvaluationLimit`.
"""

from __future__ import annotations

__all__ = [
    "MAX_CALLS",
    "MAX_DEPTH",
    "MAX_DIAGNOSTICS",
    "MAX_FUNCTIONS",
    "MAX_NESTING",
    "MAX_PARTS",
    "MAX_RESULT",
    "MAX_STEPS",
    "MAX_STRING",
    "MAX_TEXT",
]

MAX_TEXT = 100_000
"""Characters of an expression."""

MAX_NESTING = 40
"""Brackets, branches and function bodies inside one another."""

MAX_PARTS = 5_000
"""Operations of an expression; literals in lists of literals don't count."""

MAX_FUNCTIONS = 500
"""Filters, iterations and function bodies of an expression."""

MAX_STEPS = 100_000
"""Units of work of about a microsecond: iterations, calls, long strings and lists looked at."""

MAX_CALLS = 100
"""Functions of the expression that call one another."""

MAX_DIAGNOSTICS = 1_000
"""Reasons for null that an evaluation notes; later ones are dropped."""

MAX_DEPTH = 200
"""Lists and contexts inside one another, in data and in results."""

MAX_STRING = 200_000
"""Characters of a string that an evaluation builds."""

MAX_RESULT = 100_000
"""Values in a result, nested ones included."""
