"""FEEL's grammar: text → tokens → syntax tree with positions."""

from __future__ import annotations

from flowkit.feel.syntax.names import NameTable
from flowkit.feel.syntax.parser import parse_expression, parse_unary_tests
from flowkit.feel.syntax.type_parser import parse_type_text as parse_type

__all__ = ["NameTable", "parse_expression", "parse_type", "parse_unary_tests"]
