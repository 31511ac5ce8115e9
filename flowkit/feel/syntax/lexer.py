"""Text to tokens. The tokens know nothing of names with spaces: the parser joins those (10.3.1.2)."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from flowkit.errors import InvalidExpression
from flowkit.feel.limits import MAX_TEXT
from flowkit.feel.numbers import parse_number

__all__ = ["Token", "tokenize"]


class Token(NamedTuple):
    """A piece of the text. ``kind`` is word, quoted (name in backticks), number, string, at, operator or end.

    ``spaced`` tells whether white space or a comment stands before the token; ``value`` is that of a number,
    string or quoted name.
    """

    kind: str
    text: str
    position: int
    spaced: bool
    value: Any = None


_START = (
    r"A-Z_a-z\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u02FF\u0370-\u037D\u037F-\u1FFF\u200C-\u200D\u2070-\u218F"
    r"\u2C00-\u2FEF\u3001-\uD7FF\uF900-\uFDCF\uFDF0-\uFFFD\U00010000-\U000EFFFF"
)
_WORD = rf"[{_START}][{_START}0-9\u00B7\u0300-\u036F\u203F-\u2040]*"
_TOKEN = re.compile(
    rf"""
      (?P<space>[\s\u180E\u200B\uFEFF]+|//[^\n\r]*|/\*.*?\*/)
    | (?P<number>(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    | (?P<word>{_WORD})
    | (?P<quoted>`[^`]+`)
    | (?P<string>@?"[^"\\]*(?:\\.[^"\\]*)*")
    | (?P<operator>\*\*|\.\.|<=|>=|!=|->|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{6})|(.))", re.DOTALL)
_NOT_CHARACTERS = re.compile("[\0\ud800-\udfff]")
_SIMPLE_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\"}


def _unescape(match: re.Match[str]) -> str:
    short, long, simple = match.groups()
    if simple is not None:
        return _SIMPLE_ESCAPES.get(simple, match[0])
    code = int(short or long, 16)
    return chr(code) if code <= 0x10FFFF else match[0]


def _characters(text: str) -> str:
    """Pairs of escapes such as ``\\ud83d\\udca9`` stand for one character; halves become U+FFFD, as does
    U+0000, which no XML holds and not every database."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")


def _string_value(literal: str) -> str:
    body = literal[1:-1]
    if "\\" not in body:
        return body
    value = _ESCAPE.sub(_unescape, body)
    return _characters(value) if _NOT_CHARACTERS.search(value) else value


def tokenize(text: str) -> list[Token]:
    """The tokens of ``text``, ended by one of kind ``end``. Raises InvalidExpression."""
    if len(text) > MAX_TEXT:
        raise InvalidExpression(
            f"the expression has {len(text)} characters; at most {MAX_TEXT} are allowed. Split it.",
            text=text[:200],
        )
    tokens: list[Token] = []
    spaced = False
    for match in _TOKEN.finditer(text):
        kind, piece, position = str(match.lastgroup), match[0], match.start()
        if kind == "space":
            spaced = True
            continue
        value: Any = None
        if kind == "number":
            value = parse_number(piece)
        elif kind == "quoted":
            value = piece[1:-1]
        elif kind == "string":
            kind = "at" if piece[0] == "@" else "string"
            value = _string_value(piece[1:] if kind == "at" else piece)
        elif piece == '"':
            raise InvalidExpression("this string has no closing quote", text=text, position=position)
        elif piece == "/" and text.startswith("/*", position):
            raise InvalidExpression("this comment has no closing */", text=text, position=position)
        tokens.append(Token(kind, piece, position, spaced, value))
        spaced = False
    tokens.append(Token("end", "", len(text), spaced))
    return tokens
