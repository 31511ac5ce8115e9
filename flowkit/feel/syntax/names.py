"""Names with spaces and operators: the longest known name wins (DMN 1.5, 10.3.1.2 and 10.3.1.3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from flowkit.errors import InvalidExpression
from flowkit.feel.syntax.lexer import Token, tokenize

__all__ = ["KEYWORDS", "NameTable", "join_tokens", "merge_words"]

KEYWORDS = frozenset({"and", "or", "in", "between", "then", "else", "return", "satisfies", "instance"})
"""Words that end a name which nobody has declared."""

_END = ""


class NameTable:
    """Known names as a tree of tokens. A space must stand where the name has one, and only there."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._root: dict[str, Any] = {}
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        """Make ``name`` known; what can't be tokens (an open quote) can't be written bare and is left out."""
        try:
            tokens = tokenize(name)[:-1]
        except InvalidExpression:
            return
        if tokens:
            self.add_tokens(tokens, name)

    def add_tokens(self, tokens: Sequence[Token], name: str) -> None:
        """Make known that ``tokens`` write ``name``."""
        branch = self._root
        for index, token in enumerate(tokens):
            branch = branch.setdefault(f" {token.text}" if index and token.spaced else token.text, {})
        branch[_END] = name

    def match(self, tokens: Sequence[Token], start: int) -> tuple[str, int] | None:
        """The longest known name that begins at ``tokens[start]``, and the index after it."""
        branch: dict[str, Any] | None = self._root.get(tokens[start].text)
        index, found = start + 1, None
        while branch is not None:
            if _END in branch:
                found = (branch[_END], index)
            token = tokens[index]
            if token.kind == "end":
                break
            branch = branch.get(f" {token.text}" if token.spaced else token.text)
            index += 1
        return found


def join_tokens(tokens: Sequence[Token]) -> str:
    """The name that ``tokens`` write, every white space as one space."""
    return "".join(
        f" {token.text}" if index and token.spaced else token.text for index, token in enumerate(tokens)
    )


def merge_words(tokens: Sequence[Token], start: int) -> int:
    """The index after an undeclared name at ``start``: as many words and digits as follow one another.

    Two words side by side mean nothing else in FEEL, so a name with spaces needs no declaration.
    """
    index = start + 1
    while (tokens[index].kind == "word" and tokens[index].text not in KEYWORDS) or (
        tokens[index].kind == "number" and tokens[index].text.isdigit()
    ):
        index += 1
    return index
