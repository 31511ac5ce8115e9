"""The grammar of types: ``list<number>``, ``function<string> -> Any``, ``date and time``, ``tLoan``."""

from __future__ import annotations

from collections.abc import Mapping

from flowkit.feel.syntax.cursor import Cursor
from flowkit.feel.syntax.names import join_tokens, merge_words
from flowkit.feel.types import (
    ANY,
    BASIC_TYPES,
    ContextType,
    FeelType,
    FunctionType,
    ListType,
    NamedType,
    RangeType,
    resolve_type,
)

__all__ = ["parse_type", "parse_type_text"]

_LONG_NAMES = tuple(sorted((name.split(" ") for name in BASIC_TYPES if " " in name), key=len, reverse=True))


def parse_type_text(text: str, types: Mapping[str, FeelType] | None = None) -> FeelType:
    """The type that ``text`` names, with the names in ``types`` resolved. Raises InvalidExpression."""
    known = types or {}
    cursor = Cursor(text, (), ())
    kind = parse_type(cursor)
    cursor.end()
    return resolve_type(kind, known)


def parse_type(parser: Cursor) -> FeelType:
    """The type at the parser's place."""
    with parser.nested():
        token = parser.expect_kind("word", "a type such as number or list<string>")
        start = parser.index - 1
        for words in _LONG_NAMES:
            if [piece.text for piece in parser.tokens[start : start + len(words)]] == words:
                parser.index = start + len(words)
                return BASIC_TYPES[" ".join(words)]
        if parser.at_operator("<") and token.text in ("list", "range", "context", "function"):
            parser.advance()
            return _generic(parser, token.text)
        if token.text in BASIC_TYPES:
            return BASIC_TYPES[token.text]
        return NamedType(_qualified_name(parser, start))


def _generic(parser: Cursor, name: str) -> FeelType:
    if name == "context":
        return ContextType(tuple(_entries(parser)))
    if name == "function":
        parameters = tuple(_types(parser))
        if not parser.at_operator("->"):
            return FunctionType(parameters, ANY)
        parser.advance()
        return FunctionType(parameters, parse_type(parser))
    item = parse_type(parser)
    parser.expect(">")
    return ListType(item) if name == "list" else RangeType(item)


def _types(parser: Cursor) -> list[FeelType]:
    found: list[FeelType] = []
    while not parser.at_operator(">"):
        if found:
            parser.expect(",")
        found.append(parse_type(parser))
    parser.advance()
    return found


def _entries(parser: Cursor) -> list[tuple[str, FeelType]]:
    found: list[tuple[str, FeelType]] = []
    while not parser.at_operator(">"):
        if found:
            parser.expect(",")
        name = parser.name_before(":")
        found.append((name, parse_type(parser)))
    parser.advance()
    return found


def _qualified_name(parser: Cursor, start: int) -> str:
    end = merge_words(parser.tokens, start)
    while parser.tokens[end].text == "." and parser.tokens[end + 1].kind == "word":
        end = merge_words(parser.tokens, end + 1)
    parser.index = end
    return join_tokens(parser.tokens[start:end])
