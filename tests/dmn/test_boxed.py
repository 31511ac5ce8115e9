"""Boxed expressions: values, scopes, types, and what happens to bad data."""

from __future__ import annotations

from typing import Any

import pytest

from tests.dmn.models import decision, evaluate, input_data, knowledge, literal, model


def entry(name: str, logic: str, type_ref: str = "") -> str:
    kind = f' typeRef="{type_ref}"' if type_ref else ""
    return f'<contextEntry><variable name="{name}"{kind}/>{logic}</contextEntry>'


def context(*entries: str, result: str = "") -> str:
    last = f"<contextEntry>{result}</contextEntry>" if result else ""
    return f"<context>{''.join(entries)}{last}</context>"


def test_a_context_gives_its_entries() -> None:
    assert evaluate(context(entry("a", literal("1")), entry("b", literal("a + 1")))) == {"a": 1, "b": 2}


def test_a_context_with_a_result_gives_that() -> None:
    assert evaluate(context(entry("total sum", literal("40")), result=literal("total sum + 2"))) == 42


def test_a_context_entry_is_converted_to_its_type() -> None:
    assert evaluate(context(entry("a", literal("[1]"), "number"))) == {"a": 1}
    assert evaluate(context(entry("a", literal('"x"'), "number"))) == {"a": None}


def test_inner_contexts_see_the_outer() -> None:
    inner = context(entry("b", literal("a * 2")))
    assert evaluate(context(entry("a", literal("3")), entry("in", inner))) == {"a": 3, "in": {"b": 6}}


def test_a_list() -> None:
    assert evaluate(f"<list>{literal('1')}{literal('n')}</list>", {"n": "x"}) == [1, "x"]


def test_a_relation_is_a_list_of_contexts() -> None:
    rows = [['"Bo"', "30"], ["null", "n"]]
    cells = "".join(f"<row>{''.join(map(literal, row))}</row>" for row in rows)
    columns = '<column name="name"/><column name="age" typeRef="number"/>'
    relation = f"<relation>{columns}{cells}</relation>"
    assert evaluate(relation, {"n": 7}) == [{"name": "Bo", "age": 30}, {"name": None, "age": 7}]


def test_a_function_definition_closes_over_its_scope() -> None:
    function = (
        '<functionDefinition><formalParameter name="x" typeRef="number"/>'
        f"{literal('x + step')}</functionDefinition>"
    )
    logic = context(entry("step", literal("10")), entry("add", function), result=literal("add(5)"))
    assert evaluate(logic) == 15
    wrong = context(entry("step", literal("10")), entry("add", function), result=literal('add("5")'))
    assert evaluate(wrong) is None


def invocation(function: str, **arguments: str) -> str:
    bindings = "".join(
        f'<binding><parameter name="{name}"/>{literal(text)}</binding>' for name, text in arguments.items()
    )
    return f"<invocation>{literal(function)}{bindings}</invocation>"


def test_an_invocation_passes_arguments_by_name() -> None:
    minus = knowledge("minus", {"a": "number", "b": "number"}, literal("a - b"))
    whole = model(minus, decision("d", invocation("minus", b="1", a="10"), ["k_minus"]))
    assert whole.evaluate("d", {}).value == 9


@pytest.mark.parametrize("arguments", [{"a": "1"}, {"a": "1", "b": "2", "c": "3"}, {"a": '"x"', "b": "2"}])
def test_an_invocation_with_wrong_arguments_is_null_with_a_reason(arguments: dict[str, str]) -> None:
    minus = knowledge("minus", {"a": "number", "b": "number"}, literal("1"))
    result = model(minus, decision("d", invocation("minus", **arguments), ["k_minus"])).evaluate("d", {})
    assert result.value is None
    assert result.diagnostics


def test_an_invocation_of_a_builtin() -> None:
    assert evaluate(invocation("string length", string='"abc"')) == 3


def test_an_invocation_of_what_is_no_function() -> None:
    assert evaluate(invocation("n"), {"n": 1}) is None


def conditional(condition: str) -> str:
    parts = {"if": condition, "then": '"yes"', "else": '"no"'}
    inner = "".join(f"<{tag}>{literal(text)}</{tag}>" for tag, text in parts.items())
    return f"<conditional>{inner}</conditional>"


@pytest.mark.parametrize(
    ("condition", "expected"), [("true", "yes"), ("false", "no"), ("null", "no"), ('"text"', None)]
)
def test_a_conditional(condition: str, expected: Any) -> None:
    assert evaluate(conditional(condition)) == expected


def iteration(kind: str, collection: str, body: str) -> str:
    part = "return" if kind == "for" else "satisfies"
    return (
        f'<{kind} iteratorVariable="each one"><in>{literal(collection)}</in>'
        f"<{part}>{literal(body)}</{part}></{kind}>"
    )


@pytest.mark.parametrize(
    ("kind", "collection", "body", "expected"),
    [
        ("for", "[1, 2, 3]", "each one * n", [2, 4, 6]),
        ("for", "[]", "each one", []),
        ("for", "[1, 2, 3]", "count(partial)", [0, 1, 2]),
        ("for", "5", "each one", None),
        ("some", "[1, 2]", "each one > 1", True),
        ("some", "[1, 2]", "each one > 2", False),
        ("some", "[null, 2]", "each one > 2", None),
        ("some", "[]", "true", False),
        ("every", "[1, 2]", "each one > 0", True),
        ("every", "[1, 2]", "each one > 1", False),
        ("every", "[null, 0]", "each one > 1", False),
        ("every", "[]", "false", True),
        ("every", "[1]", '"no boolean"', None),
    ],
)
def test_iterations(kind: str, collection: str, body: str, expected: Any) -> None:
    assert evaluate(iteration(kind, collection, body), {"n": 2}) == expected


def filtered(collection: str, match: str) -> str:
    return f"<filter><in>{literal(collection)}</in><match>{literal(match)}</match></filter>"


@pytest.mark.parametrize(
    ("collection", "match", "expected"),
    [
        ("[1, 2, 3]", "item > 1", [2, 3]),
        ("[{a: 1}, {a: 2}]", "a = 2", [{"a": 2}]),
        ("[{a: 1}, {a: 2}]", "item.a = 1", [{"a": 1}]),
        ("[1]", "item > 5", []),
        ("[1]", "1", None),
        ("1", "true", None),
    ],
)
def test_filters(collection: str, match: str, expected: Any) -> None:
    assert evaluate(filtered(collection, match)) == expected


def test_names_with_spaces_and_operators_are_those_in_scope() -> None:
    parts = [input_data("monthly income-tax", "number"), input_data("monthly income", "number")]
    logic = literal("monthly income - monthly income-tax")
    needs = ["in_monthly income-tax", "in_monthly income"]
    whole = model(*parts, decision("d", logic, needs))
    assert whole.evaluate("d", {"monthly income-tax": 2, "monthly income": 10}).value == 8


def test_an_expression_that_is_no_feel_is_null_with_a_reason() -> None:
    result = model(decision("d", literal("1 +"))).evaluate("d", {})
    assert result.value is None
    assert "no FEEL" in result.diagnostics[0].message
