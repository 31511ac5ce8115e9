"""Operands: literals, names, brackets, and expressions that begin with a keyword."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from flowkit.feel.syntax.lexer import Token
from flowkit.feel.syntax.names import KEYWORDS
from flowkit.feel.syntax.nodes import (
    Call,
    ContextLiteral,
    For,
    FunctionLiteral,
    If,
    Iteration,
    ListLiteral,
    Literal,
    Name,
    Node,
    Quantified,
    RangeLiteral,
)
from flowkit.feel.syntax.type_parser import parse_type
from flowkit.feel.temporal import parse_temporal
from flowkit.feel.types import ANY, FeelType

if TYPE_CHECKING:
    from flowkit.feel.syntax.parser import Parser

__all__ = ["PREFIXED", "primary", "read_range"]

_CONSTANTS = {"true": True, "false": False, "null": None}


def primary(parser: Parser) -> Node:
    """One operand, without what may follow it."""
    token = parser.token
    if token.kind == "number":
        parser.advance()
        if token.value is None:
            raise parser.error("this number is too large for FEEL", token.position)
        return Literal(token.position, token.value)
    if token.kind == "string":
        parser.advance()
        return Literal(token.position, token.value)
    if token.kind == "quoted":
        parser.advance()
        return Name(token.position, token.value)
    if token.kind == "at":
        return _at_literal(parser)
    if token.kind == "word":
        return _word(parser)
    if token.kind == "operator":
        return _bracketed(parser, token)
    raise parser.error(f"expected an expression, found {parser.found()}")


def _at_literal(parser: Parser) -> Node:
    token = parser.advance()
    try:
        return Literal(token.position, parse_temporal(token.value))
    except ValueError:
        # The standard makes it null, not an error; the call carries the reason into the diagnostics.
        argument = Literal(token.position, token.value)
        return Call(token.position, Name(token.position, "@"), (argument,), ())


def _word(parser: Parser) -> Node:
    token = parser.token
    if not parser.starts_long_name():
        if token.text in _CONSTANTS:
            parser.advance()
            return Literal(token.position, _CONSTANTS[token.text])
        if token.text in PREFIXED:
            return parser.expression()
        if token.text in KEYWORDS:
            raise parser.error(f"expected an expression, found {parser.found()}")
    return Name(parser.token.position, parser.variable())


def _bracketed(parser: Parser, token: Token) -> Node:
    if token.text == "?":
        parser.advance()
        return Name(token.position, "?")
    if token.text == "(":
        return _parenthesis(parser)
    if token.text == "[":
        return _list(parser)
    if token.text == "]":
        parser.advance()
        return read_range(parser, token.position, parser.expression(), False)
    if token.text == "{":
        return _context(parser)
    if parser.at_comparison():
        with parser.nested():
            return parser.comparison_test()
    raise parser.error(f"expected an expression, found {parser.found()}")


def _parenthesis(parser: Parser) -> Node:
    position = parser.advance().position
    node = parser.test()
    if parser.at_operator(".."):
        return read_range(parser, position, node, False)
    parser.expect(")")
    return node


def _list(parser: Parser) -> Node:
    position = parser.advance().position
    items: list[Node] = []
    while not parser.at_operator("]"):
        if items:
            parser.expect(",")
        items.append(parser.test())
        if len(items) == 1 and parser.at_operator(".."):
            return read_range(parser, position, items[0], True)
    parser.advance()
    return ListLiteral(position, tuple(items))


def read_range(parser: Parser, position: int, low: Node, low_included: bool) -> Node:
    """What follows the lower end of a range."""
    parser.expect("..")
    parser.open_ends += 1
    high = parser.expression()
    parser.open_ends -= 1
    if parser.token.kind != "operator" or parser.token.text not in (")", "]", "["):
        raise parser.error(f"expected ')', ']' or '[' at the end of the range, found {parser.found()}")
    return RangeLiteral(position, low, high, low_included, parser.advance().text == "]")


def _context(parser: Parser) -> Node:
    position = parser.advance().position
    entries: list[tuple[str, Node]] = []
    while not parser.at_operator("}"):
        if entries:
            parser.expect(",")
        name = parser.name_before(":")
        entries.append((name, parser.expression()))
    parser.advance()
    return ContextLiteral(position, tuple(entries))


# -- expressions that begin with a keyword


def _if(parser: Parser, position: int) -> Node:
    branches: list[tuple[Node, Node]] = []
    while True:
        condition = parser.expression()
        parser.expect("then")
        branches.append((condition, parser.expression()))
        parser.expect("else")
        if not parser.at_word("if"):
            return If(position, tuple(branches), parser.expression())
        parser.advance()


def _iterations(parser: Parser) -> tuple[Iteration, ...]:
    found: list[Iteration] = []
    while not found or parser.at_operator(","):
        if found:
            parser.advance()
        name = parser.name_before("in")
        source = parser.expression()
        end = None
        if parser.at_operator(".."):
            parser.advance()
            end = parser.expression()
        found.append(Iteration(source.position, name, source, end))
    return tuple(found)


def _for(parser: Parser, position: int) -> Node:
    iterations = _iterations(parser)
    parser.expect("return")
    return For(position, iterations, parser.expression())


def _some(parser: Parser, position: int) -> Node:
    iterations = _iterations(parser)
    parser.expect("satisfies")
    return Quantified(position, "some", iterations, parser.expression())


def _every(parser: Parser, position: int) -> Node:
    iterations = _iterations(parser)
    parser.expect("satisfies")
    return Quantified(position, "every", iterations, parser.expression())


def _function(parser: Parser, position: int) -> Node:
    parser.expect("(")
    parameters: list[tuple[str, FeelType]] = []
    while not parser.at_operator(")"):
        if parameters:
            parser.expect(",")
        parameters.append(_parameter(parser))
    parser.advance()
    external = parser.at_word("external")
    if external:
        parser.advance()
    return FunctionLiteral(position, tuple(parameters), parser.expression(), external)


def _parameter(parser: Parser) -> tuple[str, FeelType]:
    name = parser.parameter_name()
    if not parser.at_operator(":"):
        return name, ANY
    parser.advance()
    return name, parse_type(parser)


PREFIXED: dict[str, Callable[[Parser, int], Node]] = {
    "if": _if,
    "for": _for,
    "some": _some,
    "every": _every,
    "function": _function,
}
"""What reads on behind each keyword that begins an expression."""
