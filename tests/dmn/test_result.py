"""What an evaluation tells afterwards: inputs, matched rules, outputs, reasons for nulls."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from flowkit.dmn import explain
from flowkit.dmn.java import java_function
from flowkit.errors import EvaluationLimit
from tests.dmn.models import decision, input_data, knowledge, literal, model, table


def test_the_record_names_inputs_rules_and_outputs() -> None:
    rules = [["< 5000", '"yes"'], [">= 5000", '"no"']]
    whole = model(
        input_data("amount", "number"),
        decision("approval", table(["amount:number"], ["ok"], rules), ["in_amount"]),
    )
    [record] = whole.evaluate("approval", {"amount": 7000}).to_json()["evaluations"]  # type: ignore[misc]
    assert record == {
        "id": "approval",
        "name": "approval",
        "kind": "decision",
        "inputs": {"amount": 7000},
        "rules": [
            {"index": 2, "ruleId": "r2", "table": "approval", "outputs": {"ok": "no"}, "annotations": {}}
        ],
        "output": "no",
        "notes": [],
    }


def test_annotations_travel_with_the_rule() -> None:
    logic = (
        '<decisionTable hitPolicy="FIRST"><output/><annotation name="why"/><rule id="r">'
        "<description>House rule 7</description><outputEntry><text>1</text></outputEntry>"
        "<annotationEntry><text>too risky</text></annotationEntry></rule></decisionTable>"
    )
    result = model(decision("d", logic)).evaluate("d", {})
    assert result.evaluations[0].rules[0].annotations == (("", "House rule 7"), ("why", "too risky"))
    assert "why: too risky" in explain(result)


def test_an_explanation_reads_from_the_result_down_to_its_causes() -> None:
    whole = model(
        decision("score", table(["age:number"], ["points"], [["< 25", "10"], [">= 25", "60"]])),
        decision(
            "answer", table(["score"], ["x"], [["< 50", '"refused"'], ["-", '"ok"']], "FIRST"), ["score"]
        ),
    )
    text = explain(whole.evaluate("answer", {"age": 20}))
    assert text.splitlines() == [
        'Result: "refused"',
        "",
        'answer = "refused"',
        "  given score = 10",
        '  rule 1 matched: x = "refused"',
        "",
        "score = 10",
        "  given age = 20",
        "  rule 1 matched: points = 10",
    ]


def test_each_evaluation_tells_its_own_troubles() -> None:
    whole = model(
        knowledge("f", {"x": ""}, literal("x + nobody")),
        decision("a", literal("1 + nothing")),
        decision("b", literal("f(a) + nowhere"), ["a", "k_f"]),
    )
    result = whole.evaluate("b", {})
    told = {one.name: [note.message for note in one.notes] for one in result.evaluations}
    assert [any("nothing" in note for note in told["a"]), any("nobody" in note for note in told["f"])] == [
        True
    ] * 2
    assert any("nowhere" in note for note in told["b"])
    assert sum(map(len, told.values())) == len(result.diagnostics)


def test_an_explanation_tells_troubles_where_they_arose() -> None:
    whole = model(decision("price", table(["n"], ["x"], [["> 5", "1"]])))
    assert explain(whole.evaluate("price", {"n": 1})).splitlines() == [
        "Result: null",
        "",
        "price = null",
        "  given n = 1",
        "  note: No rule of table 'price' matches, so the result is null.",
    ]


def test_the_record_is_json_and_bounded() -> None:
    rows = [["-", str(number)] for number in range(1500)]
    result = model(decision("d", table(["n"], ["x"], rows, "COLLECT"))).evaluate("d", {"n": 1})
    assert len(json.dumps(result.to_json())) < 300_000
    assert len(result.evaluations[0].rules) == 1000
    assert len(result.value) == 1500


def test_long_values_are_cut_in_the_record_but_not_in_the_output() -> None:
    whole = model(input_data("all", "Any"), decision("d", literal("all"), ["in_all"]))
    told = whole.evaluate("d", {"all": list(range(5000))}).to_json()
    assert told["output"] == list(range(5000))
    assert told["evaluations"][0]["inputs"]["all"][99:] == [99, "... (5,000 items)"]  # type: ignore[index,call-overload]


def test_the_output_is_json() -> None:
    result = model(decision("d", literal('{a: 1.5, b: date("2024-01-01"), c: 1/4}'))).evaluate("d", {})
    assert result.value["a"] == Decimal("1.5")
    assert result.output == {"a": 1.5, "b": "2024-01-01", "c": 0.25}


def test_a_function_has_no_json() -> None:
    result = model(decision("d", literal("function(x) x"))).evaluate("d", {})
    with pytest.raises(EvaluationLimit):
        _ = result.output
    assert result.to_json()["output"] == "Function"


def test_a_model_is_frozen() -> None:
    whole = model(decision("d", literal("1")))
    with pytest.raises(AttributeError):
        whole.name = "other"
    with pytest.raises(TypeError):
        whole.decisions["x"] = whole.decisions["d"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("owner", "signature", "arguments", "expected"),
    [
        ("Math", "max(double, double)", (1, Decimal("2.5")), Decimal("2.5")),
        ("Math", "max(int,int)", (1, Decimal("2.5")), None),
        ("Math", "round(double)", (Decimal("2.5"),), 3),
        ("Math", "sqrt(double)", (-1,), None),
        ("Math", "exit(int)", (1,), "unknown"),
        ("Byte", "valueOf(byte)", (200,), None),
        ("Integer", "parseInt(java.lang.String)", ("42",), 42),
        ("Integer", "valueOf(java.lang.String)", ("4x",), None),
        ("Float", "valueOf(java.lang.String)", ("1234.56",), Decimal("1234.56")),
        (
            "String",
            "format(java.lang.String, [Ljava.lang.Object;)",
            ("%5.1f|%-4s|%d", 2, "a", 7),
            "  2.0|a   |7",
        ),
        ("String", "format(java.lang.String, [Ljava.lang.Object;)", ("%99999999s", "a"), None),
        ("Runtime", "exec(java.lang.String)", ("ls",), "unknown"),
    ],
)
def test_a_few_pure_functions_of_java_are_known(
    owner: str, signature: str, arguments: tuple[object, ...], expected: object
) -> None:
    function = java_function({"class": f"java.lang.{owner}", "method signature": signature})
    assert (function(*arguments) if function else "unknown") == expected
