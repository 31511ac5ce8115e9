"""FEEL's grammar: text → tokens → syntax tree with positions."""

from __future__ import annotations

from flowkit.feel.syntax.parser import parse_expression, parse_unary_tests

__all__ = ["parse_expression", "parse_unary_tests"]
