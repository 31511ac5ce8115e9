"""Static checks: each finds what is wrong, with an example, and leaves good models alone."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowkit.dmn import check
from flowkit.dmn.model import DecisionTable
from flowkit.dmn.regions import regions_of
from flowkit.findings import Finding, Severity
from tests.dmn.models import decision, input_data, knowledge, literal, model, table


def findings(*parts: str) -> list[Finding]:
    return check(model(*parts))


def of_table(
    inputs: Sequence[str],
    outputs: Sequence[str],
    rules: Sequence[Sequence[str]],
    policy: str = "UNIQUE",
    **more: str,
) -> list[tuple[str, str]]:
    found = findings(decision("d", table(inputs, outputs, rules, policy, **more)))
    return [(finding.rule, finding.message) for finding in found]


def test_a_complete_table_without_overlap_has_no_findings() -> None:
    rules = [["< 18", "1"], ["[18..65)", "2"], [">= 65", "3"]]
    assert of_table(["age:number"], ["x"], rules) == []


def test_a_gap_is_reported_with_an_example() -> None:
    rules = [["< 18", "1"], ["> 18", "2"]]
    assert of_table(["age:number"], ["x"], rules) == [("table-gap", "No rule matches age = 18.")]


def test_a_gap_between_whole_numbers_is_found() -> None:
    assert "age = 17.5" in of_table(["age:number"], ["x"], [["<= 17", "1"], [">= 18", "2"]])[0][1]


def test_days_have_no_gap_between_them() -> None:
    rules = [['< date("2024-01-02")', "1"], ['> date("2024-01-01")', "2"]]
    assert of_table(["day:date"], ["x"], rules) == []


def test_gaps_of_several_columns() -> None:
    rules = [["true", '"a"', "1"], ["false", '"a","b"', "2"]]
    [(rule, message)] = of_table(["member:boolean", 'grade:string|"a","b"'], ["x"], rules)
    assert (rule, message) == ("table-gap", 'No rule matches member = true, grade = "b".')


def test_a_text_that_nobody_lists_is_a_gap_unless_the_values_are_stated() -> None:
    rules = [['"a"', "1"], ['"b"', "2"]]
    assert "some other text" in of_table(["g:string"], ["x"], rules)[0][1]
    assert of_table(['g:string|"a","b"'], ["x"], rules) == []


def test_no_gap_where_a_default_or_a_list_takes_care() -> None:
    assert of_table(["n:number"], ["x||0"], [["< 1", "1"]]) == []
    assert of_table(["n:number"], ["x"], [["< 1", "1"]], "COLLECT") == []


def test_cells_that_are_not_literal_are_never_reported_as_gaps() -> None:
    assert of_table(["n:number"], ["x"], [["< limit", "1"]]) == []


def test_the_type_of_the_input_data_counts_where_the_column_has_none() -> None:
    item = (
        '<itemDefinition name="tG"><typeRef>string</typeRef>'
        "<allowedValues><text>&quot;a&quot;</text></allowedValues></itemDefinition>"
    )
    logic = table(["g"], ["x"], [['"a"', "1"]])
    assert findings(item, input_data("g", "tG"), decision("d", logic, ["in_g"])) == []


def test_an_overlap_is_reported_with_an_example() -> None:
    rules = [["<= 18", "1"], [">= 18", "2"]]
    [(rule, message)] = of_table(["age:number"], ["x"], rules)
    assert rule == "table-overlap"
    assert "Rules 1 and 2 both match age = 18" in message


def test_any_may_overlap_where_outputs_agree() -> None:
    assert of_table(["n:number"], ["x"], [["-", "1"], ["> 5", "1"]], "ANY") == []
    assert of_table(["n:number"], ["x"], [["-", "1"], ["> 5", "2"]], "ANY")[0][0] == "table-overlap"


def test_first_may_overlap() -> None:
    assert of_table(["n:number"], ["x"], [["> 5", "1"], ["-", "2"]], "FIRST") == []


def test_a_rule_below_one_that_takes_everything_is_unreachable() -> None:
    found = of_table(["n:number"], ["x"], [["-", "1"], ["> 5", "2"]], "FIRST")
    assert [rule for rule, _ in found] == ["table-unreachable"]
    assert "Rule 2 never decides" in found[0][1]


def test_a_rule_that_several_rules_cover_together_is_unreachable() -> None:
    rules = [["< 5", "1"], [">= 5", "2"], ["[1..9]", "3"]]
    assert [rule for rule, _ in of_table(["n:number"], ["x"], rules, "FIRST")] == ["table-unreachable"]


def test_a_cell_outside_the_allowed_values_is_unreachable() -> None:
    rules = [['"a"', "1"], ['"z"', "2"]]
    assert of_table(['g:string|"a"'], ["x"], rules)[0][0] == "table-unreachable"


@pytest.mark.parametrize("policy", ["PRIORITY", "OUTPUT ORDER"])
def test_priorities_need_output_values(policy: str) -> None:
    assert of_table(["n:number"], ["x"], [["-", "1"]], policy)[0][0] == "table-priority"
    assert of_table(["n:number"], ["x|1,2"], [["-", "1"]], policy) == []


def test_aggregation_needs_collect_and_one_output() -> None:
    assert of_table(["n"], ["x"], [["-", "1"]], "FIRST", aggregation="SUM")[0][0] == "table-aggregation"
    two = of_table(["n"], ["x", "y"], [["-", "1", "2"]], "COLLECT", aggregation="SUM")
    assert two[0][0] == "table-aggregation"


def test_cells_of_the_wrong_type() -> None:
    found = of_table(["n:number"], ["x:string"], [['"five"', '"a"'], ["-", "7"]], "FIRST")
    assert [rule for rule, _ in found] == ["table-type", "table-unreachable", "table-type"]
    assert "The cell '\"five\"' holds a string" in found[0][1]


def test_an_output_that_is_none_of_the_output_values() -> None:
    assert of_table(["n:number"], ['x|"a","b"'], [["-", '"c"']])[0][0] == "table-output-value"


def test_columns_with_the_same_expression_are_one_input() -> None:
    rules = [[">= 0", "< 5", "1"], [">= 5", "-", "2"], ["< 0", "-", "3"]]
    assert of_table(["n:number", "n:number"], ["x"], rules) == []


def test_large_tables_are_checked_in_bounded_time() -> None:
    rules = [[f"[{n}..{n + 1})", f'"{n % 7}"', "1"] for n in range(3000)]
    found = of_table(["a:number", "b:string"], ["x"], rules)
    assert {rule for rule, _ in found} <= {"table-gap", "table-too-large"}


# -- beyond tables


def rules_of(*parts: str) -> list[str]:
    return [finding.rule for finding in findings(*parts)]


def test_an_expression_that_does_not_parse() -> None:
    [finding] = findings(decision("price", literal("1 +")))
    assert (finding.rule, finding.severity) == ("expression-syntax", Severity.ERROR)
    assert finding.location.line > 0
    assert finding.element_name == "price"


def test_every_kind_of_text_is_parsed() -> None:
    broken = table(["1 +"], ["x"], [[")", "(("], ["-", "1"]])
    assert rules_of(decision("d", broken)).count("expression-syntax") == 3


def test_unknown_types() -> None:
    assert rules_of(input_data("n", "tNope"), decision("d", literal("1", "tNo"))) == ["unknown-type"] * 2
    assert rules_of('<itemDefinition name="t"><typeRef>tNope</typeRef></itemDefinition>') == ["unknown-type"]


def test_references_to_what_is_not_there_or_of_another_kind() -> None:
    assert rules_of(decision("d", literal("1"), ["nobody"])) == ["missing-reference"]
    assert rules_of(input_data("n"), decision("d", literal("1"), ["k_f"])) == ["missing-reference"]


def test_circles_of_requirements() -> None:
    circle = [decision("a", literal("b"), ["b"]), decision("b", literal("a"), ["a"])]
    [finding] = findings(*circle)
    assert finding.rule == "requirement-cycle"
    assert "'a', 'b'" in finding.message


def test_knowledge_may_require_itself() -> None:
    assert findings(knowledge("f", {"n": ""}, literal("f(n)"), ["k_f"])) == []


def test_names_that_nothing_declares_or_connects() -> None:
    parts = [input_data("n", "number"), decision("d", literal("n + m"))]
    assert rules_of(*parts) == ["unconnected-name", "unknown-name"]
    assert rules_of(input_data("n"), decision("d", literal("sum(n)"), ["in_n"])) == []


def test_without_input_data_names_are_process_variables() -> None:
    assert rules_of(decision("d", literal("amount > 1"))) == []


def test_functions_of_another_kind_are_refused_by_name() -> None:
    entries = "".join(
        f'<contextEntry><variable name="{name}"/>{literal(text)}</contextEntry>'
        for name, text in (("class", '"com.acme.Pay"'), ("method signature", '"go(int)"'))
    )
    java = f'<functionDefinition kind="Java"><context>{entries}</context></functionDefinition>'
    [finding] = findings(decision("d", java))
    assert finding.rule == "external-function"
    assert "com.acme.Pay.go(int)" in finding.message


def test_a_decision_without_logic() -> None:
    bare = '<decision id="d" name="d"/>'
    assert rules_of(bare) == ["no-logic"]
    parts = '<outputDecision href="#o"/><inputDecision href="#d"/>'
    service = f'<decisionService id="s" name="s">{parts}</decisionService>'
    assert rules_of(bare, decision("o", literal("d"), ["d"]), service) == []
    assert rules_of(decision("d", literal(""))) == ["no-logic"]
    assert rules_of(
        decision("d", "<context><contextEntry><variable name='a'/></contextEntry></context>")
    ) == ["no-logic"]


def test_a_literal_of_the_wrong_type() -> None:
    assert rules_of(decision("d", literal('"x"'), type_ref="number")) == ["type-mismatch"]


# -- the geometry agrees with evaluation

CELLS = st.sampled_from(["-", "< 2", "<= 2", "> 2", "[1..3]", "(1..3)", "2", "1, 3", ">= 4"])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=6))
def test_every_reported_gap_and_overlap_is_real(rows: list[tuple[str, str]]) -> None:
    logic = table(["a:number", "b:number"], ["x"], [[*row, "1"] for row in rows], "COLLECT")
    whole = model(decision("d", logic))
    read = whole.decisions["d"].logic
    assert isinstance(read, DecisionTable)
    regions = regions_of(read, whole._program.types, {})

    def hits(pieces: tuple[int, ...]) -> list[int]:
        keys = [one.pieces[piece].key for one, piece in zip(regions.dimensions, pieces, strict=True)]
        result = whole.evaluate("d", dict(zip("ab", keys, strict=True)))
        return [rule.index - 1 for rule in result.evaluations[0].rules]

    gaps = list(regions.uncovered((1 << len(rows)) - 1))
    overlaps = list(regions.overlaps())
    assert all(hits(gap) == [] for gap in gaps)
    assert all({first, second} <= set(hits(pieces)) for first, second, pieces in overlaps)
    grid = [
        (a, b)
        for a in range(len(regions.dimensions[0].pieces))
        for b in range(len(regions.dimensions[1].pieces))
    ]
    assert bool(gaps) == any(not hits(pieces) for pieces in grid)
    assert bool(overlaps) == any(len(hits(pieces)) > 1 for pieces in grid)
