"""Every hit policy of chapter 8, with one and several outputs, with defaults and without a match."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from flowkit.dmn import DecisionResult
from tests.dmn.models import decision, model, table

OVERLAPPING = [["> 10", '"low"'], ["> 100", '"high"'], ["> 1000", '"low"']]
RANKED = 'level|"high","medium","low"'


def run(logic: str, **variables: Any) -> DecisionResult:
    return model(decision("d", logic)).evaluate("d", variables)


def by_policy(policy: str, amount: int, output: str = "level", aggregation: str = "") -> DecisionResult:
    return run(table(["amount:number"], [output], OVERLAPPING, policy, aggregation), amount=amount)


def test_unique_gives_the_one_rule_that_matches() -> None:
    assert by_policy("UNIQUE", 50).value == "low"


def test_unique_gives_null_and_names_the_rules_when_two_match() -> None:
    result = by_policy("UNIQUE", 500)
    assert result.value is None
    assert "rules 1 and 2" in result.diagnostics[0].message


def test_any_gives_the_output_on_which_all_agree() -> None:
    rules = [["> 10", "1"], ["> 100", "1.0"]]
    assert run(table(["amount"], ["n"], rules, "ANY"), amount=500).value == 1


def test_any_gives_null_when_outputs_differ() -> None:
    result = by_policy("ANY", 500)
    assert result.value is None
    assert "ANY forbids" in result.diagnostics[0].message


def test_first_stops_at_the_first_row() -> None:
    assert by_policy("FIRST", 5000).value == "low"
    assert [rule.index for rule in by_policy("FIRST", 5000).evaluations[0].rules] == [1]


def test_priority_gives_the_output_that_stands_first_among_the_output_values() -> None:
    assert by_policy("PRIORITY", 5000, RANKED).value == "high"


def test_priority_takes_the_allowed_values_of_the_output_type() -> None:
    item = (
        '<itemDefinition name="tLevel"><typeRef>string</typeRef>'
        '<allowedValues><text>"high","low"</text></allowedValues></itemDefinition>'
    )
    logic = table(["amount"], ["level:tLevel"], OVERLAPPING, "PRIORITY")
    assert model(item, decision("d", logic)).evaluate("d", {"amount": 5000}).value == "high"


def test_priority_compares_output_columns_from_the_left() -> None:
    outputs = ['a|"x","y"', 'b|"p","q"']
    rules = [["-", '"y"', '"p"'], ["-", '"x"', '"q"'], ["-", '"x"', '"p"']]
    assert run(table(["n"], outputs, rules, "PRIORITY"), n=1).value == {"a": "x", "b": "p"}


def test_output_order_sorts_all_outputs() -> None:
    assert by_policy("OUTPUT ORDER", 5000, RANKED).value == ["high", "low", "low"]


def test_rule_order_and_collect_give_all_outputs_in_the_order_of_the_rows() -> None:
    assert by_policy("RULE ORDER", 5000).value == ["low", "high", "low"]
    assert by_policy("COLLECT", 5000).value == ["low", "high", "low"]


@pytest.mark.parametrize(
    ("aggregation", "expected"), [("SUM", Decimal("6.5")), ("MIN", 1), ("MAX", Decimal("3.5")), ("COUNT", 3)]
)
def test_collect_folds_numbers(aggregation: str, expected: Any) -> None:
    rules = [["-", "2"], ["-", "1"], ["-", "3.5"], ["< 0", "100"]]
    assert run(table(["n"], ["x"], rules, "COLLECT", aggregation), n=1).value == expected


def test_count_counts_equal_outputs_too() -> None:
    assert run(table(["n"], ["x"], [["-", "1"], ["-", "1"]], "COLLECT", "COUNT"), n=1).value == 2


def test_collect_folds_durations_and_dates() -> None:
    durations = [["-", 'duration("P1D")'], ["-", 'duration("PT12H")']]
    dates = [["-", 'date("2024-05-01")'], ["-", 'date("2023-05-01")']]
    assert str(run(table(["n"], ["x"], durations, "COLLECT", "SUM"), n=1).value) == "P1DT12H"
    assert str(run(table(["n"], ["x"], dates, "COLLECT", "MIN"), n=1).value) == "2023-05-01"


def test_a_sum_of_texts_is_null_with_a_reason() -> None:
    result = run(table(["n"], ["x"], [["-", '"a"']], "COLLECT", "SUM"), n=1)
    assert result.value is None
    assert "can't be summed" in result.diagnostics[0].message


def test_several_outputs_make_a_context() -> None:
    rules = [["< 10", '"small"', "1"], [">= 10", '"large"', "2"]]
    logic = table(["n:number"], ["size", "code:number"], rules)
    assert run(logic, n=3).value == {"size": "small", "code": 1}


@pytest.mark.parametrize(
    ("policy", "aggregation", "expected"),
    [
        ("UNIQUE", "", None),
        ("ANY", "", None),
        ("FIRST", "", None),
        ("RULE ORDER", "", None),
        ("COLLECT", "", []),
        ("COLLECT", "SUM", None),
        ("COLLECT", "COUNT", 0),
    ],
)
def test_no_match_without_default(policy: str, aggregation: str, expected: Any) -> None:
    assert by_policy(policy, 1, aggregation=aggregation).value == expected


def test_the_default_output_stands_in_when_nothing_matches() -> None:
    assert by_policy("UNIQUE", 1, 'level||"none"').value == "none"
    assert by_policy("RULE ORDER", 1, 'level||"none"').value == ["none"]
    assert run(table(["n"], ["x||7"], [["> 1", "1"]], "COLLECT", "MAX"), n=0).value == 7


def test_a_default_may_be_an_expression_over_the_scope() -> None:
    assert run(table(["n"], ["x||n * 2"], [["> 100", "1"]]), n=4).value == 8


def test_no_match_says_so() -> None:
    assert "No rule" in by_policy("UNIQUE", 1).diagnostics[0].message


def test_a_value_outside_the_input_values_gives_null_and_says_which_are_allowed() -> None:
    logic = table(['grade:string|"A","B"'], ["x"], [["-", "1"]])
    assert run(logic, grade="A").value == 1
    result = run(logic, grade="C")
    assert result.value is None
    assert '"A","B"' in result.diagnostics[0].message


def test_an_output_is_converted_to_its_type_or_null() -> None:
    assert run(table(["n"], ["x:number"], [["-", "[5]"]]), n=1).value == 5
    assert run(table(["n"], ["x:number"], [["-", '"five"']]), n=1).value is None


def test_empty_cells_match_anything_and_give_null() -> None:
    assert run(table(["n"], ["x"], [["", ""]]), n=1).value is None
    assert run(table(["n"], ["x"], [["-", "n + 1"]])).value is None


def test_a_table_without_inputs_matches_always() -> None:
    assert run(table([], ["x"], [["42"]])).value == 42


@pytest.mark.parametrize(
    ("cell", "value", "matches"),
    [
        ('"a","b"', "b", True),
        ("not(1, 2)", 3, True),
        ("not(1, 2)", 2, False),
        ("[1..5)", 5, False),
        ("]1..5]", 1, False),
        ("? > limit", 8, True),
        ("limit", 7, True),
        ("null", None, True),
        ("< 5", None, False),
        ("true", True, True),
        ("1", True, False),
        ("1", Decimal("1.00"), True),
        ('"1"', 1, False),
        ('date("2024-02-29")', None, False),
        ("list contains(allowed, ?)", "x", True),
        ("allowed", "x", True),
    ],
)
def test_cells(cell: str, value: Any, matches: bool) -> None:
    logic = table(["v"], ["x"], [[cell, '"hit"']])
    result = run(logic, v=value, limit=7, allowed=["x", "y"])
    assert result.value == ("hit" if matches else None)
