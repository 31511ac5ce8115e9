"""FEEL, the expression language of DMN 1.5, compiled to Python functions.

>>> from flowkit.feel import compile_expression
>>> compile_expression('if amount > 1000 then "high" else "low"').evaluate({"amount": 1200})
'high'
"""

from __future__ import annotations

from flowkit.feel.expression import Expression, UnaryTests, compile_expression, compile_unary_tests
from flowkit.feel.kinds import kind_of
from flowkit.feel.syntax import parse_type
from flowkit.feel.text import to_text
from flowkit.feel.values import Diagnostic, Function, HostFunction, Range, Run, normalize, to_json

__all__ = [
    "Diagnostic",
    "Expression",
    "Function",
    "HostFunction",
    "Range",
    "Run",
    "UnaryTests",
    "compile_expression",
    "compile_unary_tests",
    "kind_of",
    "normalize",
    "parse_type",
    "to_json",
    "to_text",
]
