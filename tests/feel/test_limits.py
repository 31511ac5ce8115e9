"""Hostile expressions end soon, with an exception of flowkit's own."""

from __future__ import annotations

import pytest

from flowkit.errors import EvaluationLimit
from flowkit.feel import compile_expression, to_json, to_text
from flowkit.feel.limits import MAX_DIAGNOSTICS, MAX_STEPS
from flowkit.feel.values import normalize


@pytest.mark.parametrize(
    "text",
    [
        "for x in 1..1000000000 return x",
        "for x in 1..1000, y in 1..1000, z in 1..1000 return x",
        "for x in 1..1000000000, y in [] return x",
        "some x in 1..1000000000 satisfies false",
        "for x in 1..100000 return partial",
        'for x in @"0001-01-01"..@"9999-12-31" return x',
        "{f: function(n) f(n)}.f(1)",
        "{f: function(n) f(n + 1) + f(n + 2)}.f(1)",
        "(function(f) f(f))(function(f) f(f))",
        '{a: "' + "x" * 10_000 + '", b: a+a+a+a+a+a+a+a, c: b+b+b+b+b}',
        'string join(for x in 1..50000 return "0123456789")',
        'replace(string join(for x in 1..10000 return "aa"), "a", "' + "b" * 100 + '")',
        "{a: [1,1,1,1,1,1,1,1], b: [a,a,a,a,a,a,a,a], c: [b,b,b,b,b,b,b,b], d: [c,c,c,c,c,c,c,c],"
        " e: [d,d,d,d,d,d,d,d], f: [e,e,e,e,e,e,e,e], g: count(flatten(f))}",
        "{a: [1,1,1,1,1,1,1,1], b: [a,a,a,a,a,a,a,a], c: [b,b,b,b,b,b,b,b], d: [c,c,c,c,c,c,c,c],"
        " e: [d,d,d,d,d,d,d,d], f: [e,e,e,e,e,e,e,e], g: f = [f[1],e,e,e,e,e,e,e], h: g = f,"
        " i: distinct values(f), j: string(f)}",
        'matches(string join(for x in 1..40 return "a") + "!", "(a|a)+$")',
        'for x in 1..100 return matches("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", "(x*)*y\\1")',
        'for x in 1..5000 return matches("a", "(a*)*")',
        'from json(string join(for x in 1..9000 return "["))',
        "for x in 1..5000 return 1.0001 ** 2.5",
        "for x in 1..5000 return modulo(1e6000, 7)",
        "for x in 1..5000 return decimal(1e-6000 + 1e6000, 100) + decimal(1e-6000, 5000)",
        "sort(for x in 1..100000 return x, function(a, b) a < b)",
    ],
)
def test_evaluation_is_stopped(text: str) -> None:
    """Time, depth, strings and lists are bounded."""
    expression = compile_expression(text)
    with pytest.raises(EvaluationLimit):
        expression.evaluate({})


def test_shared_parts_do_not_unfold_into_huge_results() -> None:
    """A result of a few objects may write millions of values."""
    text = "{a: [1,1,1,1,1,1,1,1,1,1], b: [a,a,a,a,a,a,a,a,a,a], c: [b,b,b,b,b,b,b,b,b,b],"
    text += " d: [c,c,c,c,c,c,c,c,c,c], e: [d,d,d,d,d,d,d,d,d,d], f: [e,e,e,e,e,e,e,e,e,e]}.f"
    value = compile_expression(text).evaluate({})
    with pytest.raises(EvaluationLimit):
        to_json(value)
    with pytest.raises(EvaluationLimit):
        to_text(value)


def test_deep_data_is_refused() -> None:
    """Data may not be nested without end; a cycle is such data."""
    cycle: list[object] = []
    cycle.append(cycle)
    with pytest.raises(EvaluationLimit, match="nested"):
        normalize(cycle)
    with pytest.raises(EvaluationLimit):
        compile_expression("x").evaluate({"x": cycle})
    deep: object = 1
    for _ in range(150):
        deep = [deep]
    assert to_json(deep) == deep


def test_large_data_is_refused() -> None:
    """What one evaluation looks at is bounded too."""
    with pytest.raises(EvaluationLimit):
        compile_expression("count(x)").evaluate({"x": list(range(MAX_STEPS * 10))})


def test_ordinary_work_is_far_from_the_limits() -> None:
    """Ten thousand positions, filtered and summed up."""
    lines = [{"price": number / 4, "kind": "part" if number % 2 else "labour"} for number in range(10_000)]
    value = compile_expression('sum(lines[kind = "part" and price > 100].price)').evaluate({"lines": lines})
    assert value == sum(number / 4 for number in range(401, 10_000) if number % 2)


def test_diagnostics_are_bounded() -> None:
    """A thousand reasons are enough."""
    notes: list[object] = []
    compile_expression("for x in 1..3000 return x.y").evaluate({}, diagnostics=notes)  # type: ignore[arg-type]
    assert len(notes) == MAX_DIAGNOSTICS


def test_results_that_are_deep_are_refused() -> None:
    """Text and JSON of nested values end."""
    deep: object = 1
    for _ in range(300):
        deep = {"a": [deep]}
    for write in (to_json, to_text):
        with pytest.raises(EvaluationLimit):
            write(deep)


def test_python_is_out_of_reach() -> None:
    """Generated source holds no text of the expression, and its namespace no way out."""
    text = '{"__import__": 1, x: "a\\"); import os; (\\"", __class__: __builtins__, y: ().__class__}'
    with pytest.raises(Exception, match="expected an expression"):
        compile_expression(text)
    probe = compile_expression('"); import os #" + __import__("os") + a.__class__')
    assert probe.evaluate({"a": 1}) is None
    assert "import" not in probe.source
    assert "__class__" not in probe.source


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'"a\u0000b"', "a\ufffdb"),
        (r'"\ud83d"', "\ufffd"),
        (r'from json("\"a\\u0000\"")', None),
        (r'from json("[{\"\\ud83d\": 1}]")', None),
        (r'from json("\"\\u9898\\ud83d\\ude00\"")', "题😀"),
    ],
)
def test_no_text_is_made_that_a_database_can_not_hold(text: str, value: str | None) -> None:
    assert compile_expression(text).evaluate({}) == value
