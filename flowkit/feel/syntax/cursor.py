"""A place in the tokens of one text: looking, taking, and reading names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from flowkit.errors import InvalidExpression
from flowkit.feel.limits import MAX_NESTING
from flowkit.feel.syntax.lexer import Token, tokenize
from flowkit.feel.syntax.names import NameTable, join_tokens, merge_words

__all__ = ["Cursor"]

_NAME_SYMBOLS = frozenset("./-'+*")


class Cursor:
    """One pass over the tokens of one text."""

    def __init__(self, text: str, names: Sequence[NameTable], members: Sequence[NameTable]) -> None:
        self.text = text
        self.tokens = tokenize(text)
        self.index = 0
        self._local = NameTable()  # keys, variables and parameters that the text itself declares
        self._names = (*names, self._local)
        self._members = (*members, self._local)
        self._depth = 0

    # -- tokens

    @property
    def token(self) -> Token:
        """The next token."""
        return self.tokens[self.index]

    def advance(self) -> Token:
        """Take the next token."""
        token = self.tokens[self.index]
        self.index += 1
        return token

    def at_operator(self, text: str) -> bool:
        """Whether the next token is this operator."""
        token = self.tokens[self.index]
        return token.kind == "operator" and token.text == text

    def at_word(self, text: str) -> bool:
        """Whether the next token is this word."""
        token = self.tokens[self.index]
        return token.kind == "word" and token.text == text

    def expect(self, text: str) -> Token:
        """Take the operator or word ``text``. Raises InvalidExpression if something else comes."""
        if self.token.text != text or self.token.kind not in ("operator", "word"):
            raise self.error(f"expected {text!r}, found {self.found()}")
        return self.advance()

    def expect_kind(self, kind: str, what: str) -> Token:
        """Take a token of ``kind``. Raises InvalidExpression if something else comes."""
        if self.token.kind != kind:
            raise self.error(f"expected {what}, found {self.found()}")
        return self.advance()

    def found(self) -> str:
        """The next token, for messages."""
        return repr(self.token.text[:40]) if self.token.kind != "end" else "the end of the text"

    def error(self, message: str, position: int | None = None) -> InvalidExpression:
        """An error at ``position``, or at the next token."""
        where = self.token.position if position is None else position
        return InvalidExpression(
            f"{message} (at {where + 1} of {self.text[:200]!r})", text=self.text, position=where
        )

    @contextmanager
    def nested(self) -> Iterator[None]:
        """Count a level of nesting. Raises InvalidExpression when there are too many."""
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise self.error(
                f"nested more than {MAX_NESTING} deep; name the parts in a context or in variables"
            )
        yield
        self._depth -= 1

    # -- names

    def name_before(self, *ends: str) -> str:
        """The name that stands before one of ``ends``, which is taken too; it becomes known."""
        quoted = self.token.kind in ("string", "quoted")
        name = str(self.advance().value) if quoted else self._new_name("a name", ends)
        if self.token.text not in ends:
            raise self.error(f"expected {' or '.join(map(repr, ends))}, found {self.found()}")
        self.advance()
        return name

    def _new_name(self, what: str, ends: tuple[str, ...] = ()) -> str:
        """Take a name that the text introduces; it becomes known."""
        start = self.index
        if self.token.kind == "word":
            while self._is_name_part(self.token) and self.token.text not in ends:
                self.index += 1
        if self.index == start:
            raise self.error(f"expected {what}, found {self.found()}")
        name = join_tokens(self.tokens[start : self.index])
        if self.index - start > 1:
            self._local.add_tokens(self.tokens[start : self.index], name)
        return name

    @staticmethod
    def _is_name_part(token: Token) -> bool:
        return token.kind in ("word", "number") or (token.kind == "operator" and token.text in _NAME_SYMBOLS)

    def _known_name(self, tables: Sequence[NameTable]) -> tuple[str, int] | None:
        """The longest name of ``tables`` at this place, and the index after it."""
        if self.token.kind not in ("word", "operator"):
            return None
        matches = [match for table in tables if (match := table.match(self.tokens, self.index))]
        return max(matches, key=lambda match: match[1], default=None)

    def variable(self) -> str:
        """Take the name of a variable: the longest known one, or words that follow one another."""
        return self._take_name(self._known_name(self._names))

    def member(self) -> str:
        """Take the name of an entry or property."""
        if self.token.kind == "quoted":
            return str(self.advance().value)
        known = self._known_name(self._members)
        if self.token.kind != "word" and not known:
            raise self.error(f"expected the name of an entry after '.', found {self.found()}")
        return self._take_name(known)

    def _take_name(self, known: tuple[str, int] | None) -> str:
        merged = merge_words(self.tokens, self.index)
        if known and known[1] >= merged:
            name, self.index = known
        else:
            name = join_tokens(self.tokens[self.index : merged])
            self.index = merged
        return name

    def starts_long_name(self) -> bool:
        """Whether a known name such as ``for sale`` begins here, rather than a keyword."""
        known = self._known_name(self._names)
        return known is not None and known[1] > self.index + 1

    def at_argument_name(self) -> bool:
        """Whether a name and a colon come next."""
        index = self.index
        while self._is_name_part(self.tokens[index]):
            index += 1
        return index > self.index and self.tokens[index].text == ":"

    def parameter_name(self) -> str:
        """Take the name of a parameter; it becomes known."""
        return self._new_name("the name of a parameter")

    def end(self) -> None:
        """Raises InvalidExpression unless everything was read."""
        if self.token.kind != "end":
            raise self.error(f"expected the end of the expression, found {self.found()}")
