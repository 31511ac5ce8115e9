"""Text to syntax tree, by recursive descent and operator precedence (DMN 1.5, 10.3.1.2).

Whatever does not follow the grammar raises :class:`~flowkit.errors.InvalidExpression` with the position.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from flowkit.errors import InvalidExpression
from flowkit.feel.limits import MAX_NESTING
from flowkit.feel.syntax.lexer import Token, tokenize
from flowkit.feel.syntax.names import KEYWORDS, NameTable, join_tokens, merge_words
from flowkit.feel.syntax.nodes import (
    Arithmetic,
    Between,
    Call,
    Comparison,
    ContextLiteral,
    Filter,
    For,
    FunctionLiteral,
    If,
    In,
    InstanceOf,
    Iteration,
    ListLiteral,
    Literal,
    Logic,
    Name,
    Negation,
    Node,
    NotEqual,
    Path,
    Quantified,
    RangeLiteral,
    UnaryTestsNode,
)
from flowkit.feel.syntax.type_parser import parse_type
from flowkit.feel.temporal import parse_temporal
from flowkit.feel.types import ANY, FeelType

__all__ = ["Parser", "parse_expression", "parse_unary_tests"]

_COMPARISONS = frozenset({"=", "!=", "<", "<=", ">", ">="})
_PRECEDENCE = {
    "or": 1,
    "and": 2,
    **dict.fromkeys(_COMPARISONS, 3),
    "between": 3,
    "in": 3,
    "instance": 3,
    "+": 4,
    "-": 4,
    "*": 5,
    "/": 5,
    "**": 6,
}
_ENDPOINT = 4  # the precedence of what stands after `<` or around `..`
_CONSTANTS = {"true": True, "false": False, "null": None}
_NAME_SYMBOLS = frozenset("./-'+*")
_CONTINUES = frozenset({"+", "-", "*", "/", "**", ".", "[", "("})
# Before these, an opening bracket behind a range's upper end closes the range: [1..5[
_AFTER_OPEN_END = frozenset(
    {"", ")", "]", "}", ",", ".", "=", "!=", "<", "<=", ">", ">=", "+", "*", "/", "**"}
)


class Parser:
    """One pass over the tokens of one text."""

    def __init__(self, text: str, table: NameTable, members: NameTable) -> None:
        self.text = text
        self.tokens = tokenize(text)
        self.index = 0
        self._table = table
        self._members = members
        self._local = NameTable()  # keys, variables and parameters that the text itself declares
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
            raise self.error(f"expected {text!r}, found {self._found()}")
        return self.advance()

    def expect_kind(self, kind: str, what: str) -> Token:
        """Take a token of ``kind``. Raises InvalidExpression if something else comes."""
        if self.token.kind != kind:
            raise self.error(f"expected {what}, found {self._found()}")
        return self.advance()

    def _found(self) -> str:
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
        start = self.index
        if self.token.kind == "string":
            name = str(self.advance().value)
        else:
            while self._is_name_part(self.token) and self.token.text not in ends:
                self.index += 1
            if self.index == start:
                raise self.error(f"expected a name, found {self._found()}")
            name = join_tokens(self.tokens[start : self.index])
            self._declare(start, self.index, name)
        if self.token.text not in ends:
            raise self.error(f"expected {' or '.join(map(repr, ends))}, found {self._found()}")
        self.advance()
        return name

    def _declare(self, start: int, end: int, name: str) -> None:
        if end - start > 1:
            self._local.add_tokens(self.tokens[start:end], name)

    @staticmethod
    def _is_name_part(token: Token) -> bool:
        return token.kind in ("word", "number") or (token.kind == "operator" and token.text in _NAME_SYMBOLS)

    def _known_name(self, *tables: NameTable) -> tuple[str, int] | None:
        """The longest name of ``tables`` at this place, and the index after it."""
        if self.token.kind not in ("word", "operator"):
            return None
        matches = [match for table in tables if (match := table.match(self.tokens, self.index))]
        return max(matches, key=lambda match: match[1], default=None)

    def _name(self) -> Name:
        position = self.token.position
        known = self._known_name(self._table, self._local)
        merged = merge_words(self.tokens, self.index)
        if known and known[1] >= merged:
            name, self.index = known
            return Name(position, name)
        name = join_tokens(self.tokens[self.index : merged])
        self.index = merged
        return Name(position, name)

    # -- expressions

    def expression(self) -> Node:
        """Any expression."""
        with self.nested():
            token = self.token
            if token.kind == "word" and token.text in _PREFIXED and not self._starts_long_name():
                self.advance()
                return _PREFIXED[token.text](self, token.position)
            return self.binary(1)

    def _starts_long_name(self) -> bool:
        """Whether a declared name such as ``for sale`` begins here, rather than a keyword."""
        known = self._known_name(self._table, self._local)
        return known is not None and known[1] > self.index + 1

    def binary(self, lowest: int, first: Node | None = None) -> Node:
        """Operators of precedence ``lowest`` and above, behind ``first`` if that is read already."""
        left = first or self._unary()
        while True:
            token = self.token
            operator = token.text
            precedence = _PRECEDENCE.get(operator, 0) if token.kind in ("operator", "word") else 0
            if precedence < max(lowest, 1):
                return left
            if precedence == 3:
                left = self._comparison(left)
            elif precedence <= 2:
                operands = [left]
                while self.at_word(operator):
                    self.advance()
                    operands.append(self.binary(precedence + 1))
                left = Logic(left.position, operator, tuple(operands))
            else:
                left = self._arithmetic(left, precedence)

    def _arithmetic(self, first: Node, precedence: int) -> Node:
        rest: list[tuple[str, Node, int]] = []
        while self.token.kind == "operator" and _PRECEDENCE.get(self.token.text) == precedence:
            token = self.advance()
            rest.append((token.text, self.binary(precedence + 1), token.position))
        return Arithmetic(first.position, first, tuple(rest))

    def _comparison(self, left: Node) -> Node:
        token = self.advance()
        if token.text == "between":
            low = self.binary(_ENDPOINT)
            self.expect("and")
            return Between(token.position, left, low, self.binary(_ENDPOINT))
        if token.text == "instance":
            self.expect("of")
            return InstanceOf(token.position, left, parse_type(self))
        if token.text == "in":
            return In(token.position, left, self._in_tests())
        return Comparison(token.position, token.text, left, self.binary(_ENDPOINT))

    def _in_tests(self) -> tuple[Node, ...]:
        """What stands after ``in``: one test, or several in parentheses."""
        if not self.at_operator("("):
            return (self._comparison_test() if self._at_comparison() else self.binary(_ENDPOINT),)
        position = self.advance().position
        with self.nested():
            tests = [self.test()]
            if self.at_operator(".."):  # a range such as (1..5]
                return (self.binary(_ENDPOINT, self._postfix(self._range(position, tests[0], False))),)
            tests.extend(self._further_tests())
        self.expect(")")
        if len(tests) == 1 and self.token.kind == "operator" and self.token.text in _CONTINUES:
            return (self.binary(_ENDPOINT, self._postfix(tests[0])),)  # the parenthesis only began an operand
        return tuple(tests)

    def _further_tests(self) -> Iterator[Node]:
        while self.at_operator(","):
            self.advance()
            yield self.test()

    def tests(self) -> tuple[Node, ...]:
        """One or more unary tests, separated by commas."""
        return (self.test(), *self._further_tests())

    def test(self) -> Node:
        """One unary test: a comparison without left side, or an expression."""
        return self._comparison_test() if self._at_comparison() else self.expression()

    def _at_comparison(self) -> bool:
        return self.token.kind == "operator" and self.token.text in _COMPARISONS

    def _comparison_test(self) -> Node:
        token = self.advance()
        operand = self.binary(_ENDPOINT)
        if token.text == "!=":
            return NotEqual(token.position, operand)
        low = operand if token.text in (">", ">=", "=") else None
        high = operand if token.text in ("<", "<=", "=") else None
        return RangeLiteral(token.position, low, high, token.text in (">=", "="), token.text in ("<=", "="))

    def _unary(self) -> Node:
        signs: list[Token] = []
        while self.at_operator("-"):
            signs.append(self.advance())
        if len(signs) > MAX_NESTING:
            raise self.error("too many minus signs", signs[0].position)
        node = self._postfix(self._primary())
        for sign in reversed(signs):
            node = Negation(sign.position, node)
        return node

    def _postfix(self, node: Node) -> Node:
        """Paths, filters and calls behind ``node``."""
        links = 0
        while self.token.kind == "operator":
            if self.at_operator("."):
                self.advance()
                node = self._path(node)
            elif self.at_operator("[") and not self._closes_range():
                position = self.advance().position
                node = Filter(position, node, self.expression())
                self.expect("]")
            elif self.at_operator("("):
                node = self._call(node)
            else:
                break
            links += 1
            if links > MAX_NESTING:
                raise self.error(f"more than {MAX_NESTING} paths, filters and calls in a row")
        return node

    _open_ends = 0

    def _closes_range(self) -> bool:
        """Whether this ``[`` ends a range such as ``[1..5[`` rather than begin a filter."""
        after = self.tokens[self.index + 1]
        return bool(self._open_ends) and (after.text in _AFTER_OPEN_END or after.text in KEYWORDS)

    def _path(self, base: Node) -> Node:
        token = self.token
        known = self._known_name(self._members, self._local)
        if token.kind != "word" and not known:
            raise self.error(f"expected the name of an entry after '.', found {self._found()}")
        merged = merge_words(self.tokens, self.index)
        if known and known[1] >= merged:
            name, self.index = known
        else:
            name = join_tokens(self.tokens[self.index : merged])
            self.index = merged
        return Path(token.position, base, name)

    def _call(self, function: Node) -> Node:
        self.advance()
        positional: list[Node] = []
        named: list[tuple[str, Node]] = []
        while not self.at_operator(")"):
            if positional or named:
                self.expect(",")
            start = self.token
            if self._at_argument_name():
                named.append((self.name_before(":"), self.expression()))
            else:
                positional.append(self.expression())
            if positional and named:
                raise self.error("arguments are either all named or all positional", start.position)
        self.advance()
        return Call(function.position, function, tuple(positional), tuple(named))

    def _at_argument_name(self) -> bool:
        index = self.index
        while self._is_name_part(self.tokens[index]):
            index += 1
        return index > self.index and self.tokens[index].text == ":"

    # -- primaries

    def _primary(self) -> Node:
        token = self.token
        if token.kind == "number":
            self.advance()
            if token.value is None:
                raise self.error("this number is too large for FEEL", token.position)
            return Literal(token.position, token.value)
        if token.kind == "string":
            self.advance()
            return Literal(token.position, token.value)
        if token.kind == "at":
            return self._at_literal()
        if token.kind == "word":
            return self._word()
        if token.kind == "operator":
            return self._bracketed(token)
        raise self.error(f"expected an expression, found {self._found()}")

    def _at_literal(self) -> Node:
        token = self.advance()
        try:
            return Literal(token.position, parse_temporal(token.value))
        except ValueError:
            # The standard makes it null, not an error; the call carries the reason into the diagnostics.
            argument = Literal(token.position, token.value)
            return Call(token.position, Name(token.position, "@"), (argument,), ())

    def _word(self) -> Node:
        token = self.token
        if not self._starts_long_name():
            if token.text in _CONSTANTS:
                self.advance()
                return Literal(token.position, _CONSTANTS[token.text])
            if token.text in _PREFIXED:
                return self.expression()
            if token.text in KEYWORDS:
                raise self.error(f"expected an expression, found {self._found()}")
        return self._name()

    def _bracketed(self, token: Token) -> Node:
        if token.text == "?":
            self.advance()
            return Name(token.position, "?")
        if token.text == "(":
            return self._parenthesis()
        if token.text == "[":
            return self._list()
        if token.text == "]":
            self.advance()
            return self._range(token.position, self.expression(), False)
        if token.text == "{":
            return self._context()
        if self._at_comparison():
            with self.nested():
                return self._comparison_test()
        raise self.error(f"expected an expression, found {self._found()}")

    def _parenthesis(self) -> Node:
        position = self.advance().position
        node = self.test()
        if self.at_operator(".."):
            return self._range(position, node, False)
        self.expect(")")
        return node

    def _list(self) -> Node:
        position = self.advance().position
        items: list[Node] = []
        while not self.at_operator("]"):
            if items:
                self.expect(",")
            items.append(self.test())
            if len(items) == 1 and self.at_operator(".."):
                return self._range(position, items[0], True)
        self.advance()
        return ListLiteral(position, tuple(items))

    def _range(self, position: int, low: Node, low_included: bool) -> Node:
        """What follows the lower end of a range."""
        self.expect("..")
        self._open_ends += 1
        high = self.expression()
        self._open_ends -= 1
        if self.token.kind != "operator" or self.token.text not in (")", "]", "["):
            raise self.error(f"expected ')', ']' or '[' at the end of the range, found {self._found()}")
        return RangeLiteral(position, low, high, low_included, self.advance().text == "]")

    def _context(self) -> Node:
        position = self.advance().position
        entries: list[tuple[str, Node]] = []
        while not self.at_operator("}"):
            if entries:
                self.expect(",")
            name = self.name_before(":")
            entries.append((name, self.expression()))
        self.advance()
        return ContextLiteral(position, tuple(entries))

    # -- expressions that begin with a keyword

    def _if(self, position: int) -> Node:
        branches: list[tuple[Node, Node]] = []
        while True:
            condition = self.expression()
            self.expect("then")
            branches.append((condition, self.expression()))
            self.expect("else")
            if not self.at_word("if"):
                return If(position, tuple(branches), self.expression())
            self.advance()

    def _iterations(self) -> tuple[Iteration, ...]:
        found: list[Iteration] = []
        while not found or self.at_operator(","):
            if found:
                self.advance()
            name = self.name_before("in")
            source = self.expression()
            end = None
            if self.at_operator(".."):
                self.advance()
                end = self.expression()
            found.append(Iteration(source.position, name, source, end))
        return tuple(found)

    def _for(self, position: int) -> Node:
        iterations = self._iterations()
        self.expect("return")
        return For(position, iterations, self.expression())

    def _some(self, position: int) -> Node:
        iterations = self._iterations()
        self.expect("satisfies")
        return Quantified(position, "some", iterations, self.expression())

    def _every(self, position: int) -> Node:
        iterations = self._iterations()
        self.expect("satisfies")
        return Quantified(position, "every", iterations, self.expression())

    def _function(self, position: int) -> Node:
        self.expect("(")
        parameters: list[tuple[str, FeelType]] = []
        while not self.at_operator(")"):
            if parameters:
                self.expect(",")
            parameters.append(self._parameter())
        self.advance()
        external = self.at_word("external")
        if external:
            self.advance()
        return FunctionLiteral(position, tuple(parameters), self.expression(), external)

    def _parameter(self) -> tuple[str, FeelType]:
        start = self.index
        while self._is_name_part(self.token):
            self.index += 1
        if self.index == start:
            raise self.error(f"expected the name of a parameter, found {self._found()}")
        name = join_tokens(self.tokens[start : self.index])
        self._declare(start, self.index, name)
        if not self.at_operator(":"):
            return name, ANY
        self.advance()
        return name, parse_type(self)

    def end(self) -> None:
        """Raises InvalidExpression unless everything was read."""
        if self.token.kind != "end":
            raise self.error(f"expected the end of the expression, found {self._found()}")


_PREFIXED = {
    "if": Parser._if,
    "for": Parser._for,
    "some": Parser._some,
    "every": Parser._every,
    "function": Parser._function,
}


def parse_expression(text: str, names: Iterable[str] = (), members: Iterable[str] = ()) -> Node:
    """The tree of an expression. ``names`` are variables and functions, ``members`` entries of contexts,
    that contain spaces or operators. Raises InvalidExpression."""
    parser = Parser(text, NameTable(names), NameTable(members))
    node = parser.expression()
    parser.end()
    return node


def parse_unary_tests(text: str, names: Iterable[str] = (), members: Iterable[str] = ()) -> UnaryTestsNode:
    """The tree of unary tests: ``< 5, [7..9]``, ``not("a", "b")`` or ``-``. Raises InvalidExpression."""
    parser = Parser(text, NameTable(names), NameTable(members))
    if parser.at_operator("-") and parser.tokens[1].kind == "end":
        return UnaryTestsNode(0, (), False)
    if parser.at_word("not") and parser.tokens[1].text == "(" and _encloses_rest(parser.tokens, 1):
        parser.index = 2
        tests = parser.tests()
        parser.expect(")")
        parser.end()
        return UnaryTestsNode(0, tests, True)
    tests = parser.tests()
    parser.end()
    return UnaryTestsNode(0, tests, False)


def _encloses_rest(tokens: list[Token], start: int) -> bool:
    """Whether the parenthesis that opens at ``start`` closes at the very end."""
    depth = 0
    for token in tokens[start:-2]:
        if token.kind == "operator" and token.text in "()":
            depth += 1 if token.text == "(" else -1
            if depth == 0:
                return False
    return tokens[-2].text == ")"
