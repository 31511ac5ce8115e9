"""Text to syntax tree, by recursive descent and operator precedence (DMN 1.5, 10.3.1.2).

Whatever does not follow the grammar raises :class:`~flowkit.errors.InvalidExpression` with the position.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flowkit.feel.limits import MAX_NESTING
from flowkit.feel.syntax.cursor import Cursor
from flowkit.feel.syntax.lexer import Token
from flowkit.feel.syntax.names import KEYWORDS, NameTable
from flowkit.feel.syntax.nodes import (
    Arithmetic,
    Between,
    Call,
    Comparison,
    Filter,
    In,
    InstanceOf,
    Logic,
    Negation,
    Node,
    NotEqual,
    Path,
    RangeLiteral,
    UnaryTestsNode,
)
from flowkit.feel.syntax.primaries import PREFIXED, primary, read_range
from flowkit.feel.syntax.type_parser import parse_type

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
_CONTINUES = frozenset({"+", "-", "*", "/", "**", ".", "[", "("})
# Before these, an opening bracket behind a range's upper end closes the range: [1..5[
_AFTER_OPEN_END = frozenset(
    {"", ")", "]", "}", ",", ".", "=", "!=", "<", "<=", ">", ">=", "+", "*", "/", "**"}
)


class Parser(Cursor):
    """Reads operators and what follows operands; the operands themselves are in ``primaries``."""

    open_ends = 0
    """Ranges whose upper end is being read."""

    def expression(self) -> Node:
        """Any expression."""
        with self.nested():
            token = self.token
            if token.kind == "word" and token.text in PREFIXED and not self.starts_long_name():
                self.advance()
                return PREFIXED[token.text](self, token.position)
            return self.binary(1)

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
            return (self.comparison_test() if self.at_comparison() else self.binary(_ENDPOINT),)
        position = self.advance().position
        with self.nested():
            tests = [self.test()]
            if self.at_operator(".."):  # a range such as (1..5]
                return (self.binary(_ENDPOINT, self._postfix(read_range(self, position, tests[0], False))),)
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
        return self.comparison_test() if self.at_comparison() else self.expression()

    def at_comparison(self) -> bool:
        """Whether an operator such as ``<`` comes next."""
        return self.token.kind == "operator" and self.token.text in _COMPARISONS

    def comparison_test(self) -> Node:
        """A test such as ``< 5``."""
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
        node = self._postfix(primary(self))
        for sign in reversed(signs):
            node = Negation(sign.position, node)
        return node

    def _postfix(self, node: Node) -> Node:
        """Paths, filters and calls behind ``node``."""
        links = 0
        while self.token.kind == "operator":
            if self.at_operator("."):
                self.advance()
                node = Path(self.token.position, node, self.member())
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

    def _closes_range(self) -> bool:
        """Whether this ``[`` ends a range such as ``[1..5[`` rather than begin a filter."""
        after = self.tokens[self.index + 1]
        return bool(self.open_ends) and (after.text in _AFTER_OPEN_END or after.text in KEYWORDS)

    def _call(self, function: Node) -> Node:
        self.advance()
        positional: list[Node] = []
        named: list[tuple[str, Node]] = []
        while not self.at_operator(")"):
            if positional or named:
                self.expect(",")
            start = self.token
            if self.at_argument_name():
                named.append((self.name_before(":"), self.expression()))
            else:
                positional.append(self.expression())
            if positional and named:
                raise self.error("arguments are either all named or all positional", start.position)
        self.advance()
        return Call(function.position, function, tuple(positional), tuple(named))


def parse_expression(text: str, names: Sequence[NameTable] = (), members: Sequence[NameTable] = ()) -> Node:
    """The tree of an expression. ``names`` hold variables and functions, ``members`` entries of contexts,
    that contain spaces or operators. Raises InvalidExpression."""
    parser = Parser(text, names, members)
    node = parser.expression()
    parser.end()
    return node


def parse_unary_tests(
    text: str, names: Sequence[NameTable] = (), members: Sequence[NameTable] = ()
) -> UnaryTestsNode:
    """The tree of unary tests: ``< 5, [7..9]``, ``not("a", "b")`` or ``-``. Raises InvalidExpression."""
    parser = Parser(text, names, members)
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
