"""The index of a table never changes which rules match: it agrees with looking at every cell."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from flowkit.dmn.cells import domain_of, split_tests
from flowkit.dmn.runtime import Run
from flowkit.dmn.table import Table
from flowkit.feel.temporal import Date, DateTime, DaysTimeDuration, Time
from tests.dmn.models import decision, model, table

NUMBERS = st.integers(-3, 6).map(str) | st.sampled_from(["1.5", "2.0", "-0.5"])
TEXTS = st.sampled_from(['"a"', '"b"', '"c"', '""'])
DATES = st.sampled_from(['date("2024-01-01")', 'date("2024-02-01")', '@"2024-03-01"'])
TIMES = st.sampled_from(['duration("P1D")', '@"PT36H"', 'date and time("2024-01-15T00:00:00")'])
OPAQUE = st.sampled_from(
    ["not(1, 2)", 'not("a")', "limit", "? > limit", "[limit..9]", "null", "true", "false"]
)


@st.composite
def comparisons(draw: st.DrawFn) -> str:
    ends = draw(st.sampled_from([NUMBERS, TEXTS, DATES]))
    form = draw(st.sampled_from(["point", "less", "range"]))
    if form == "point":
        return draw(ends)
    if form == "less":
        return draw(st.sampled_from(["<", "<=", ">", ">=", "="])) + " " + draw(ends)
    low, high = draw(ends), draw(ends)
    return f"{draw(st.sampled_from('[(]'))}{low}..{high}{draw(st.sampled_from('])['))}"


CELLS = st.just("-") | st.lists(comparisons() | TIMES, min_size=1, max_size=3).map(", ".join) | OPAQUE
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 6),
    st.sampled_from([Decimal("1.5"), Decimal("2.00"), Decimal("-0.5")]),
    st.sampled_from(["a", "b", "c", "", "d"]),
    st.sampled_from([Date(2024, 1, 1), Date(2024, 1, 15), Date(2024, 3, 1)]),
    st.sampled_from([DaysTimeDuration(86_400 * 10**9), DateTime(Date(2024, 1, 15), Time(0, 0, 0))]),
    st.just(["a", 1]),
    st.just({"a": 1}),
)


def compiled(rows: list[list[str]]) -> Table:
    """The compiled table of a model."""
    rules = [[*row, "1"] for row in rows]
    names = [f"c{number}" for number in range(len(rows[0]))]
    whole = model(decision("d", table(names, ["x"], rules, "COLLECT")))
    logic = whole._program.decisions["d"].logic
    assert isinstance(logic, Table)
    return logic


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=8), VALUES, VALUES)
def test_the_index_agrees_with_a_scan(rows: list[tuple[str, str]], first: Any, second: Any) -> None:
    found = compiled([list(row) for row in rows])
    scope = {"c0": first, "c1": second, "limit": 2}
    run = Run(None, scope, {})
    values = [first, second]
    assert found.matching(values, scope, run, len(rows)) == list(found.scan(values, scope, run))


def test_ten_thousand_rules_find_each_of_them() -> None:
    rows = [[f'"k{number}"', f"[{number}..{number + 2})"] for number in range(10_000)]
    found = compiled(rows)
    run = Run(None, {}, {})
    for number in (0, 1, 4_999, 9_999):
        assert found.matching([f"k{number}", number + 1], {}, run, len(found.rules)) == [number]
        assert found.matching([f"k{number}", number + 2], {}, run, len(found.rules)) == []


def test_ranges_of_one_cell_may_overlap() -> None:
    found = compiled([["[1..5], [3..8], 4"], ["> 7, < 2"]])
    run = Run(None, {}, {})
    matching = {value: found.matching([value], {}, run, len(found.rules)) for value in (0, 1, 4, 8, 9)}
    assert matching == {0: [1], 1: [0, 1], 4: [0], 8: [0, 1], 9: [1]}


def test_cells_that_say_more_than_literals_are_opaque() -> None:
    for text in (
        "not(1)",
        "x",
        "[1..x]",
        "1 + 1",
        '"a" + "b"',
        "[5..1]",
        "date(x)",
        'time("10:00:00Z")',
        "1e3",
    ):
        assert domain_of(text) is None, text


def test_tests_are_split_outside_strings_and_brackets() -> None:
    assert list(split_tests('"a,b", [1..f(2, 3)], "q\\"," ,{a: 1, b: 2}')) == [
        '"a,b"', "[1..f(2, 3)]", '"q\\","', "{a: 1, b: 2}",
    ]  # fmt: skip
