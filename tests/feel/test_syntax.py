"""What is not FEEL is refused with the place and a reason; names need no quotes."""

from __future__ import annotations

import pytest

from flowkit.errors import InvalidExpression
from flowkit.feel import compile_expression, compile_unary_tests, parse_type
from flowkit.feel.limits import MAX_NESTING, MAX_TEXT
from flowkit.feel.syntax.nodes import Node, children
from flowkit.feel.syntax.parser import parse_expression
from flowkit.feel.types import BASIC_TYPES, ListType, NamedType


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("", 0, "found the end of the text"),
        ("1 +", 3, "found the end of the text"),
        ("1 2", 2, "expected the end of the expression, found '2'"),
        ("(1", 2, "expected ')'"),
        ("[1, 2", 5, "expected ','"),
        ("{a 1}", 4, "expected ':'"),
        ("{: 1}", 1, "expected a name"),
        ("if a then b", 11, "expected 'else'"),
        ("for x y return x", 16, "expected 'in'"),
        ("some x in y", 11, "expected 'satisfies'"),
        ("a between 1 or 2", 12, "expected 'and'"),
        ("a instance number", 11, "expected 'of'"),
        ("a instance of 3", 14, "expected a type"),
        ('"abc', 0, "no closing quote"),
        ("1 /* 2", 2, "no closing */"),
        ("f(a: 1, 2)", 8, "either all named or all positional"),
        ("f(1 2)", 4, "expected ','"),
        ("a.5", 1, "expected the end"),
        ("a.(b)", 2, "the name of an entry"),
        ("[1..2", 5, "at the end of the range"),
        ("function(1 +) 2", 9, "the name of a parameter"),
        ("function(,) 2", 9, "the name of a parameter"),
        ("and", 0, "expected an expression, found 'and'"),
        ("1e9999", 0, "too large"),
        ("a $ b", 2, "expected the end"),
        ("&", 0, "expected an expression"),
    ],
)
def test_error(text: str, position: int, message: str) -> None:
    """The exception tells what was expected, what was found, and where."""
    with pytest.raises(InvalidExpression) as caught:
        compile_expression(text)
    assert caught.value.text == text
    assert caught.value.position == position
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["", "1,", "not(1", "not(1) 2", "< ", "-,"])
def test_unary_tests_error(text: str) -> None:
    """Unary tests are refused likewise."""
    with pytest.raises(InvalidExpression):
        compile_unary_tests(text)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 1000 + "1" + ")" * 1000,
        "[" * 1000,
        "-" * 1000 + "1",
        "not(" * 1000,
        "a" + "[1]" * 1000,
        "a" + ".b" * 1000,
        "x in (" * 1000,
        "if " * 1000,
        "for x in " * 1000,
        "function() " * 1000,
        "a instance of " + "list<" * 1000,
        "{a: " * 1000,
        "< " * 1000,
        " = ".join(["1"] * 5000),
    ],
)
def test_deep_nesting_is_refused(text: str) -> None:
    """Whatever nests, nests at most so deep; nothing overflows Python's stack."""
    with pytest.raises(InvalidExpression):
        compile_expression(text)


def test_ordinary_nesting_is_allowed() -> None:
    """Thirty parentheses are no problem."""
    assert compile_expression("(" * 30 + "1" + ")" * 30).evaluate({}) == 1
    assert MAX_NESTING > 30


def test_a_text_may_be_long_but_not_huge() -> None:
    """The limit is on characters."""
    with pytest.raises(InvalidExpression, match="characters"):
        compile_expression("1" * (MAX_TEXT + 1))


def test_an_expression_may_have_many_parts_but_not_any_number() -> None:
    """Long lists of literals are no operations."""
    for text in ("+".join(["a"] * 9000), "+".join(["a[b]"] * 600), "[" + "a.b," * 9000 + "1]"):
        with pytest.raises(InvalidExpression, match="split it"):
            compile_expression(text)
    plates = ", ".join(f'"京A{number:05}"' for number in range(9000))
    assert compile_expression(f"plate in [{plates}]").evaluate({"plate": "京A08999"}) is True
    assert compile_expression(f"count([{plates}])").evaluate({}) == 9000


def test_a_list_of_literals_is_new_each_time() -> None:
    """Whoever changes a result changes no other."""
    expression = compile_expression("[1, 2]")
    expression.evaluate({}).append(3)
    assert expression.evaluate({}) == [1, 2]


def test_the_longest_known_name_wins() -> None:
    """A declared name may contain operators and keywords."""
    scope = {"a": 1, "b": 2, "a-b": 10, "x in y": 4, "a and b": 5, "for sale": 6}
    assert compile_expression("a-b", names=scope).evaluate(scope) == 10
    assert compile_expression("a - b", names=scope).evaluate(scope) == -1
    assert compile_expression("a-b", names=["a", "b"]).evaluate(scope) == -1
    assert compile_expression("x in y", names=scope).evaluate(scope) == 4
    assert compile_expression("a and b", names=scope).evaluate(scope) == 5
    assert compile_expression("for sale + 1", names=scope).evaluate(scope) == 7


def test_names_of_members_count_only_behind_a_dot() -> None:
    """So an entry ``a-b`` does not hide a subtraction."""
    scope = {"a": 3, "b": 2, "c": {"a-b": 10}}
    assert compile_expression("c.a-b + (a-b)", members=["a-b"]).evaluate(scope) == 11


def test_a_name_that_is_no_token_sequence_is_left_out() -> None:
    """An open quote in a variable's name does not disturb the others."""
    scope = {'say "hi': 1, "x y": 2}
    assert compile_expression("x y", names=scope).evaluate(scope) == 2


def test_types_from_text() -> None:
    """Types have a grammar of their own, and print as they are written."""
    for text in (
        "list<number>",
        "context<a: number, b c: list<string>>",
        "function<number, date and time> -> range<date>",
        "days and time duration",
    ):
        assert str(parse_type(text)) == text
    assert parse_type("dateTime") == BASIC_TYPES["date and time"]
    assert parse_type("function<number>") == parse_type("function<number> -> Any")
    assert parse_type("my types.tLoan") == NamedType("my types.tLoan")
    named = {"tLoan": NamedType("tLoan", BASIC_TYPES["number"])}
    assert parse_type("list<tLoan>", named) == ListType(named["tLoan"])
    assert parse_type("context<a: tLoan>", named).entries[0][1] == named["tLoan"]  # type: ignore[union-attr]
    assert parse_type("function<tLoan> -> range<tLoan>", named).result.item == named["tLoan"]  # type: ignore[union-attr]
    for text in ("", "list<", "list<number", "context<a number>", "function<number number>", "number 3 ,"):
        with pytest.raises(InvalidExpression):
            parse_type(text)


def test_nodes_know_their_place() -> None:
    """Each node's position is that of its text, for diagnostics."""
    text = "if a > 1 then [b] else {c: d.e}"
    found: dict[str, int] = {}

    def walk(node: Node) -> None:
        if type(node).__name__ == "Name":
            found[node.name] = node.position  # type: ignore[attr-defined]
        for child in children(node):
            walk(child)

    walk(parse_expression(text))
    assert found == {name: text.index(name, 3) for name in "abd"}
