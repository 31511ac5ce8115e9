"""The public face: what an expression reads, what a host adds, what comes in and goes out."""

from __future__ import annotations

import datetime as std
import math
from decimal import Decimal
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from flowkit.errors import EvaluationLimit
from flowkit.feel import (
    Diagnostic,
    Function,
    HostFunction,
    Range,
    Run,
    compile_expression,
    compile_unary_tests,
    normalize,
    to_json,
    to_text,
)
from flowkit.feel.temporal import Date, DateTime, DaysTimeDuration, Time
from flowkit.feel.types import BASIC_TYPES, ContextType, ListType, NamedType, coerce
from tests.feel.table import cases, reasons

UNARY = """
    3 | - => true
    null | - => true
    3 | < 5 => true
    3 | > 5 => false
    3 | >= 3, < 0 => true
    3 | 1, 2 => false
    3 | 1, 3 => true
    3 | not(1, 2) => true
    3 | not(3) => false
    3 | not(? > 5) => true
    3 | not(true) and ? = 3 => false
    3 | [1..3) => false
    3 | ]2..4[ => true
    3 | (2..4], 9 => true
    "a" | "a", "b" => true
    "a" | ["a", "b"] => true
    "a" | < 5 => null
    "a" | not(< 5) => null
    "abc" | starts with(?, "a") => true
    3 | ? + 1 => false
    3 | limit => true
    3 | limit + 1 => false
    3 | limit > 2 => true
    3 | allowed => true
    3 | allowed[1] => false
    null | null => true
    null | 3 => false
    null | < 5 => null
    true | true => true
    true | limit > 2 => true
    true | limit > 5 => false
    2.5 | [2..3] => true
    3 | != 3 => false
    3 | = 3 => true
    [1, 2] | = [1, 2] => true
    @"2020-01-02" | >= @"2020-01-01" => true
    3 | if limit > 2 then 3 else 4 => true
    3 | (< 5) => true
    3 | every x in [1, 2] satisfies x < ? => true
"""


@pytest.mark.parametrize(("tests", "value"), cases(UNARY))
def test_unary_tests(tests: str, value: str) -> None:
    """A value passes, or not, or it is unknown."""
    subject, _, text = tests.partition(" | ")
    given = compile_expression(subject).evaluate({})
    scope = {"limit": 3, "allowed": [1, 3]}
    compiled = compile_unary_tests(text)
    assert to_text(compiled.matches(given, scope)) == value
    assert to_text(compiled.run(given, scope, Run(text, None, None))) == value


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("a + b.c", {"a", "b"}),
        ("for x in a return x + y", {"a", "y"}),
        ("{k: a, l: k}", {"a"}),
        ("function(p) p + q", {"q"}),
        ("list[price > limit]", {"list", "price", "limit"}),
        ("abs(a)", {"a"}),
        ("is defined(a)", {"a"}),
        ("unknown(a)", {"unknown", "a"}),
        ("1", set()),
    ],
)
def test_reads(text: str, reads: set[str]) -> None:
    """``reads`` are the variables whose change can change the value."""
    assert compile_expression(text).reads == reads


def test_unary_tests_reads() -> None:
    """The input is not among what tests read."""
    assert compile_unary_tests("< limit, ? + x").reads == {"limit", "x"}


def test_compilation_is_cached() -> None:
    """The same text in the same environment is one object."""
    assert compile_expression("a + 1") is compile_expression("a + 1")
    assert compile_expression("a + 1") is not compile_expression("a + 1", names=["a b"])
    assert compile_unary_tests("< 1") is compile_unary_tests("< 1")


def test_expressions_are_values() -> None:
    """Frozen, equal by text and reads, and their representation is short."""
    expression = compile_expression("a")
    assert repr(expression) == "Expression(text='a', reads=frozenset({'a'}))"
    with pytest.raises(AttributeError):
        expression.text = "b"  # type: ignore[misc]


class _Colour(StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    ("given", "value"),
    [
        (1.5, Decimal("1.5")),
        (math.nan, None),
        (math.inf, None),
        (10**40, Decimal(10**40)),
        ((1, 2.5), [1, Decimal("2.5")]),
        ({"a": (1,)}, {"a": [1]}),
        ({1: "x"}, {"1": "x"}),
        (_Colour.RED, "red"),
        (object(), None),
        (std.date(2020, 1, 2), Date(2020, 1, 2)),
        (std.time(10, 11, 12, 5), Time(10, 11, 12, 5000)),
        (std.timedelta(days=-1, seconds=1), DaysTimeDuration(-86_399 * 10**9)),
        (
            std.datetime(2020, 1, 2, 3, 4, 5, tzinfo=ZoneInfo("Asia/Shanghai")),
            DateTime(Date(2020, 1, 2), Time(3, 4, 5, 0, "Asia/Shanghai")),
        ),
        (
            std.datetime(2020, 1, 2, tzinfo=std.timezone(std.timedelta(hours=8))),
            DateTime(Date(2020, 1, 2), Time(0, 0, 0, 0, 28_800)),
        ),
    ],
)
def test_values_from_python(given: Any, value: Any) -> None:
    """JSON, the standard library's dates and their kin become FEEL values when they are read."""
    assert normalize(given) == value
    assert compile_expression("v").evaluate({"v": given}) == value
    assert compile_expression("o.v").evaluate({"o": {"v": given}}) == value


def test_data_without_floats_is_not_copied() -> None:
    """A large case file is passed on as it is."""
    data = {"a": [1, "x", {"b": None}]}
    assert normalize(data) is data
    assert compile_expression("data").evaluate({"data": data}) is data


def test_floats_are_decimals_everywhere() -> None:
    """0.1 + 0.2 = 0.3, also deep inside data and by way of filters."""
    scope = {"x": 0.1, "o": {"y": [0.2, {"z": 0.3}]}}
    assert compile_expression("x + o.y[1] = o.y[2].z").evaluate(scope) is True
    assert compile_expression("o.y[item = 0.2][1]").evaluate(scope) == Decimal("0.2")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.0", 1),
        ("1.5", 1.5),
        ("1e300", 1e300),
        ('@"2020-01-01"', "2020-01-01"),
        ('[@"P1D", {a: [1..3]}]', ["P1D", {"a": "[1..3]"}]),
        ("null", None),
        ("true", True),
    ],
)
def test_to_json(text: str, value: Any) -> None:
    """Results leave as JSON; whole numbers as int."""
    result = to_json(compile_expression(text).evaluate({}))
    assert result == value
    assert type(result) is type(value)


def test_what_has_no_json() -> None:
    """Functions, and numbers beyond a float."""
    with pytest.raises(EvaluationLimit, match="function"):
        to_json(compile_expression("abs").evaluate({}))
    with pytest.raises(EvaluationLimit, match="too large"):
        to_json(compile_expression("1e6000").evaluate({}))
    assert to_json((1, 2.5)) == [1, 2.5]


def test_host_functions() -> None:
    """A host's function may have a name with spaces, and its errors become null with a reason."""

    def share(whole: int, parts: int) -> float:
        return whole / parts

    functions = {"fair share": HostFunction("fair share", ("whole", "parts"), share)}
    assert compile_expression("fair share(3, 2)", functions=functions).evaluate({}) == Decimal("1.5")
    named = compile_expression("fair share(parts: 2, whole: 4)", functions=functions)
    assert named.evaluate({}) == 2
    diagnostics: list[Diagnostic] = []
    wrong = compile_expression("1 + fair share(3, 0)", functions=functions)
    assert wrong.evaluate({}, diagnostics=diagnostics) is None
    assert "division by zero" in diagnostics[0].message
    assert diagnostics[0].position == 4
    assert compile_expression("f(3, 2)").evaluate({"f": functions["fair share"]}) == Decimal("1.5")


def test_declared_functions_hide_built_in_ones() -> None:
    """A function in the scope wins if its name is declared; a number of that name does not."""
    double = Function("count", ("x",), lambda _run, x: x * 2)
    assert compile_expression("count(4)", names=["count"]).evaluate({"count": double}) == 8
    assert compile_expression("count([4])", names=["count"]).evaluate({"count": 3}) == 1
    assert compile_expression("count([4])").evaluate({"count": double}) == 1


def test_function_values_of_the_host() -> None:
    """Types of parameters and result are enforced; defaults may be left out."""
    number = BASIC_TYPES["number"]
    half = Function("half", ("x",), lambda _run, x: x // 2, (number,), number)
    scope = {"half": half, "wrong": Function("wrong", (), lambda _run: "x", (), number)}
    assert compile_expression("half([4])").evaluate(scope) == 2
    assert compile_expression("half(x: 4)").evaluate(scope) == 2
    assert compile_expression('half("a")').evaluate(scope) is None
    assert compile_expression("wrong()").evaluate(scope) is None
    optional = Function("o", ("a", "b"), lambda _run, a, b=5: (a, b), optional=1)
    assert compile_expression("o(1)").evaluate({"o": optional}) == (1, 5)


def test_named_types() -> None:
    """Item definitions: ``instance of`` looks at the base, conversion also at the constraint."""
    small = NamedType("tSmall", BASIC_TYPES["number"], lambda value: value < 10)
    types = {"tSmall": small, "tAll": NamedType("tAll", ListType(small))}
    assert compile_expression("99 instance of tSmall", types=types).evaluate({}) is True
    assert compile_expression("(function(a: tSmall) a)(99)", types=types).evaluate({}) is None
    assert compile_expression("(function(a: tSmall) a)(9)", types=types).evaluate({}) == 9
    assert compile_expression("(function(a: tAll) a)(9)", types=types).evaluate({}) == [9]
    assert compile_expression("[9] instance of list<tSmall>", types=types).evaluate({}) is True
    assert coerce({"a": 1}, ContextType((("a", small),))) == ({"a": 1}, True)
    assert coerce("x", NamedType("unknown")) == (None, False)


def test_external_functions() -> None:
    """The host decides what ``external`` may call."""

    def externals(mapping: Any) -> Function | None:
        if mapping["java"]["class"] != "java.lang.Math":
            return None
        return Function("max", ("a", "b"), lambda _run, a, b: max(a, b))

    text = 'function(x, y) external {java: {class: "java.lang.Math", method signature: "max(int,int)"}}'
    assert compile_expression(f"({text})(1, 3)", externals=externals).evaluate({}) == 3
    other = text.replace("Math", "Runtime")
    assert compile_expression(f"({other})(1, 3)", externals=externals).evaluate({}) is None
    assert compile_expression(f"({text})(1, 3)").evaluate({}) is None


def test_now_is_given() -> None:
    """Without the host's clock there is no now, and the reason says so."""
    shanghai = std.datetime(2026, 1, 1, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert str(compile_expression("now()").evaluate({}, now=shanghai)) == "2026-01-01T00:00:00@Asia/Shanghai"
    diagnostics: list[Diagnostic] = []
    assert compile_expression("today()").evaluate({}, diagnostics=diagnostics) is None
    assert diagnostics[0].code == "now"


def test_a_run_is_shared() -> None:
    """Evaluations inside others share limits and diagnostics, each with its own text."""
    diagnostics: list[Diagnostic] = []
    run = Run("outer", None, diagnostics)
    assert compile_expression("missing thing + 1").run({}, run) is None
    assert diagnostics[0].text == "missing thing + 1"
    assert run.text == "outer"
    assert run.calls == 0


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("unknown", "there is no variable 'unknown'"),
        ("order.unknown", "the context has no entry 'unknown'"),
        ("none.x", "null has no entry 'x'"),
        ("n.x", "a number has no property 'x'"),
        ('1 + "a"', 'number 1 + string "a" is not defined'),
        ("1 / 0", "1 / 0 has no finite result"),
        ("n and true", "3 is not a boolean"),
        ("[1][5]", "there is no item 5 in a list of 1"),
        ("null[1 = 1]", "null can't be filtered"),
        ("n(1)", "3 is not a function"),
        ("n(x: 1)", "3 is not a function"),
        ("abs()", "abs() can't be called with 0 arguments; it is abs(n: number"),
        ('abs("x")', "abs(): 'n' must be number or days and time duration or years and months duration"),
        ("abs(x: 1)", "abs() has no such parameters: x"),
        ('date("2020-02-30")', "there is no day 30 in 2020-02"),
        ('date("x")', "'x' is not a date; write it as 2026-02-28"),
        ('@"25:00:00"', "hour 25 is outside 0..23"),
        ('@"2020-01-01T00:00:00@Mars/Base"', "there is no time zone called 'Mars/Base'"),
        ('matches("a", "[")', "a ']' is missing"),
        ("{a: 1, a: 2}", "the context has two entries 'a'"),
        ('[1..@"P1D"]', "a range can't go from number to days and time duration"),
        ('n in ["a".."b"].start', ""),
        ("for x in null return 1", "null can't be iterated"),
        ('for x in 1.."a" return 1', "can't be iterated"),
        ("(function(a) a)()", "function(a) was called with 0 arguments"),
        ("(function(a) a)(b: 1)", "function(a) has no parameter 'b'"),
        ("(function(a, b) a)(b: 1)", "function(a, b) needs 'a'"),
        ("(function(a: string) a)(1)", "function(a): 'a' must be string, not 1"),
        ('assert(n, n > 5, "too small")', "assert(): too small"),
        ("1 instance of Foo", "there is no type Foo"),
        ('@"2020-01-01" + @"P999999999Y"', "is outside"),
        ('@"P999999999Y" * 9', "longer than the whole FEEL calendar"),
        ('substring("a", 0)', "the start position counts from 1"),
        ("items[a > 1].c", "the context has no entry 'c'"),
        ("1 < null", "number 1 < null is not defined"),
        ("abs(n: 1, n: 1)", "an argument is given twice"),
        ("function() external {}", "external function"),
        ("[!= 1]", "'!=' without a left side"),
    ],
)
def test_diagnostics(expression: str, message: str) -> None:
    """Every null has a reason that its author understands."""
    found = reasons(expression)
    assert any(message in reason for reason in found), found


def test_a_diagnostic_tells_the_place() -> None:
    """Code, text and position; as text, all in one line."""
    diagnostics: list[Diagnostic] = []
    assert compile_expression("1 + unknown").evaluate({}, diagnostics=diagnostics) is None
    first = diagnostics[0]
    assert (first.code, first.position) == ("missing", 4)
    assert str(first) == "there is no variable 'unknown' (at 5 of '1 + unknown')"


def test_looking_for_null_is_no_reason_for_a_note() -> None:
    """Lists of tests, empty filters and guarded branches stay silent."""
    for expression in ('text in [1, "abc"]', "[][x]", "if is defined(zzz) then zzz else 1", "none = null"):
        assert reasons(expression) == []


def test_ranges_as_text() -> None:
    """A range prints as it is written."""
    assert str(Range("a", None, True, True)) == '["a"..null]'
    assert to_text([Function("f", ("x",), lambda _run, x: x)]) == "[function(x)]"
