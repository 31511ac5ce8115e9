"""Whatever the text: a value or one of flowkit's own exceptions, within bounded work."""

from __future__ import annotations

import contextlib
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowkit.errors import EvaluationLimit, FlowkitError, InvalidExpression
from flowkit.feel import compile_expression, compile_unary_tests, to_json, to_text
from flowkit.feel.builtins import BUILTINS
from tests.feel.table import SCOPE

RELAXED = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)

ATOMS = st.sampled_from(
    [
        *("0", "1", "-1", "2.5", "1e6143", "1e-6000", "99999999999999999999999999999999999", "true", "null"),
        *('"a"', '""', '"(a+)+$"', '"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"', '"[a-"', "[]", "{}", "[1..5]"),
        *('@"2020-01-01"', '@"999999999-12-31"', '@"10:00:00@Europe/Paris"', '@"-P1Y"', '@"P9DT1S"', '@"x"'),
        *('@"2020-01-01T10:00:00Z"', "(< 3)", "[null..1]", "1..90000", "?", "item", "partial", "n", "items"),
        *("order", "unknown", "abs", "function(a, b) a < b", "function(a) a(a)", "price", "full name"),
    ]
)


def _combine(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operator = st.sampled_from(["+", "-", "*", "/", "**", "=", "!=", "<", "<=", ">", ">=", "and", "or"])
    call = st.builds(
        lambda name, arguments: f"{name}({', '.join(arguments)})",
        st.sampled_from(sorted(set(BUILTINS) - {"@"})),
        st.lists(inner, max_size=4),
    )
    return st.one_of(
        st.builds("({} {} {})".format, inner, operator, inner),
        st.builds("if {} then {} else {}".format, inner, inner, inner),
        st.builds("for x in {} return {}".format, inner, inner),
        st.builds("for x in {}..{}, y in {} return {}".format, inner, inner, inner, inner),
        st.builds("every x in {} satisfies {}".format, inner, inner),
        st.builds("({})[{}]".format, inner, inner),
        st.builds("({}).{}".format, inner, st.sampled_from(["a", "year", "start included", "time offset"])),
        st.builds("({}) in ({}, < {})".format, inner, inner, inner),
        st.builds("({}) between {} and {}".format, inner, inner, inner),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("[{}..{})".format, inner, inner),
        st.builds("{{a: {}, b c: {}}}".format, inner, inner),
        st.builds("(function(p, q: number) {})({}, {})".format, inner, inner, inner),
        st.builds("({}) instance of list<context<a: range<date>>>".format, inner),
        call,
        call,
    )


EXPRESSIONS = st.recursive(ATOMS, _combine, max_leaves=12)
PIECES = """
    ( ) [ ] { } , : . .. if then else for in return and or some satisfies of between function external
    instance < > = != - * ** /* // " ' \\ @ not( list
"""
TOKENS = st.lists(st.one_of(ATOMS, st.sampled_from(PIECES.split()), st.text(max_size=3)), max_size=25).map(
    " ".join
)


def _exercise(text: str) -> None:
    diagnostics: list[Any] = []
    with contextlib.suppress(FlowkitError):
        value = compile_expression(text).evaluate(SCOPE, diagnostics=diagnostics)
        for write in (to_json, to_text):
            with contextlib.suppress(EvaluationLimit):
                write(value)
    for subject in (1, "a", None, [1]):
        with contextlib.suppress(FlowkitError):
            assert compile_unary_tests(text).matches(subject, SCOPE) in (True, False, None)


@RELAXED
@given(EXPRESSIONS)
def test_expressions(text: str) -> None:
    """Well-formed expressions over awkward values."""
    _exercise(text)


@RELAXED
@given(TOKENS)
def test_token_soup(text: str) -> None:
    """Texts that are mostly not FEEL."""
    _exercise(text)


@RELAXED
@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    """Any characters at all."""
    _exercise(text)


@RELAXED
@given(st.text(max_size=60), st.text(max_size=30))
def test_any_pattern(text: str, pattern: str) -> None:
    """Any regular expression over any text."""
    scope = {"t": text, "p": pattern}
    for call in (
        "matches(t, p)",
        "replace(t, p, t)",
        "split(t, p)",
        'matches(t, p, "xsmi")',
        "extract(t, p)",
    ):
        with contextlib.suppress(EvaluationLimit):
            compile_expression(call).evaluate(scope)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@RELAXED
@given(JSON, JSON, st.sampled_from(sorted(set(BUILTINS) - {"@"})))
def test_any_data(left: Any, right: Any, name: str) -> None:
    """Any data through any function and operator."""
    scope = {"l": left, "r": right}
    for text in (
        f"{name}(l)",
        f"{name}(l, r)",
        f"{name}(r, l, l)",
        "l + r",
        "l = r",
        "l < r",
        "l[r]",
        "l.a",
        "l in r",
    ):
        with contextlib.suppress(EvaluationLimit):
            to_text(compile_expression(text).evaluate(scope))


@RELAXED
@given(JSON)
def test_data_survives_a_round_trip(data: Any) -> None:
    """What JSON can say, FEEL gives back."""
    with contextlib.suppress(EvaluationLimit):
        once = to_json(compile_expression("d").evaluate({"d": data}))
        assert to_json(compile_expression("d").evaluate({"d": once})) == once


@RELAXED
@given(EXPRESSIONS)
def test_reads_are_complete(text: str) -> None:
    """A variable that an expression does not declare to read does not matter."""
    with contextlib.suppress(InvalidExpression, EvaluationLimit):
        expression = compile_expression(text)
        known = {name: value for name, value in SCOPE.items() if name in expression.reads}
        assert to_text(expression.evaluate(known)) == to_text(expression.evaluate(SCOPE))
