"""Requirement graphs: decisions, knowledge, services, imports, and what they see of one another."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from flowkit.dmn import DecisionModel, parse, parse_files
from flowkit.dmn.model import Import
from flowkit.errors import EvaluationLimit, InvalidModel, NotFound
from flowkit.feel import HostFunction
from tests.dmn.models import decision, definitions, input_data, knowledge, literal, model, table


def service(
    name: str, outputs: list[str], decisions: tuple[str, ...] = (), data: tuple[str, ...] = ()
) -> str:
    parts = [f'<outputDecision href="#{one}"/>' for one in outputs]
    parts += [f'<inputDecision href="#{one}"/>' for one in decisions]
    parts += [f'<inputData href="#{one}"/>' for one in data]
    head = f'<decisionService id="k_{name}" name="{name}"><variable name="{name}"/>'
    return f"{head}{''.join(parts)}</decisionService>"


def test_a_decision_sees_the_decisions_and_data_that_it_requires() -> None:
    whole = model(
        input_data("net", "number"),
        decision("gross", literal("net * 2"), ["in_net"], "number"),
        decision("label", literal('"total " + string(gross)'), ["gross"]),
    )
    assert whole.evaluate("label", {"net": 4}).value == "total 8"


def test_a_decision_required_twice_is_decided_once() -> None:
    whole = model(
        decision("a", literal("1")),
        decision("b", literal("a"), ["a"]),
        decision("c", literal("a + b"), ["a", "b"]),
    )
    result = whole.evaluate("c", {})
    assert [one.name for one in result.evaluations] == ["a", "b", "c"]


def test_a_long_chain_needs_no_deep_stack() -> None:
    chain = [decision("d0", literal("0"))]
    chain += [decision(f"d{n}", literal(f"d{n - 1} + 1"), [f"d{n - 1}"]) for n in range(1, 2000)]
    assert model(*chain).evaluate("d1999", {}).value == 1999


def test_decisions_in_a_circle_are_null_and_say_so() -> None:
    whole = model(decision("a", literal("b"), ["b"]), decision("b", literal("a"), ["a"]))
    result = whole.evaluate("a", {})
    assert result.value is None
    assert any("requires itself" in one.message for one in result.diagnostics)


def test_input_data_is_converted_to_its_type() -> None:
    whole = model(input_data("n", "number"), decision("d", literal("n"), ["in_n"]))
    assert whole.evaluate("d", {"n": [3]}).value == 3
    wrong = whole.evaluate("d", {"n": "3"})
    assert wrong.value is None
    assert "no number" in wrong.diagnostics[0].message


def test_json_texts_become_dates_where_the_type_says_so() -> None:
    item = (
        '<itemDefinition name="tOrder"><itemComponent name="due"><typeRef>date</typeRef></itemComponent>'
        '<itemComponent name="note"><typeRef>string</typeRef></itemComponent></itemDefinition>'
    )
    logic = literal("string(order.due + duration('P1D')) + order.note".replace("'", '"'))
    whole = model(item, input_data("order", "tOrder"), decision("d", logic, ["in_order"]))
    result = whole.evaluate("d", {"order": {"due": "2024-02-28", "note": "2024-02-28"}})
    assert result.value == "2024-02-292024-02-28"


def test_a_column_over_an_undeclared_variable_reads_json_texts_too() -> None:
    logic = table(["day:date"], ["x"], [['< date("2024-01-01")', '"old"'], ["-", '"new"']], "FIRST")
    whole = model(decision("d", logic))
    assert whole.evaluate("d", {"day": "2023-12-31"}).value == "old"
    assert whole.evaluate("d", {"day": "2024-12-31"}).value == "new"


def test_undeclared_variables_are_visible() -> None:
    assert model(decision("d", literal("amount > 3"))).evaluate("d", {"amount": 4.5}).value is True


def test_now_is_an_argument() -> None:
    result = model(decision("d", literal("string(today())"))).evaluate(
        "d", {}, now=datetime(2024, 5, 6, tzinfo=UTC)
    )
    assert result.value == "2024-05-06"


def test_a_decision_is_found_by_id_and_by_name() -> None:
    whole = model('<decision id="x1" name="The price">' + literal("5") + "</decision>")
    assert whole.evaluate("x1", {}).value == whole.evaluate("The price", {}).value == 5
    with pytest.raises(NotFound, match="The price"):
        whole.evaluate("price", {})


def test_a_decision_without_variable_is_known_by_name_and_id() -> None:
    whole = model(
        '<decision id="season" name="Season of year">' + literal('"winter"') + "</decision>",
        decision("a", literal("season"), ["season"]),
        decision("b", literal("Season of year"), ["season"]),
    )
    assert [whole.evaluate(name, {}).value for name in "ab"] == ["winter", "winter"]


def test_a_decision_without_logic_is_null() -> None:
    whole = model('<decision id="d" name="d"/>')
    assert whole.evaluate("d", {}).value is None


# -- business knowledge models


def test_knowledge_is_a_function_that_may_use_other_knowledge() -> None:
    whole = model(
        knowledge("twice", {"x": "number"}, literal("x * 2")),
        knowledge("four times", {"x": ""}, literal("twice(twice(x))"), ["k_twice"]),
        decision("d", literal("four times(n) + 1"), ["k_four times"]),
    )
    assert whole.evaluate("d", {"n": 3}).value == 13
    assert whole.evaluate("four times", {"x": 2}).value == 8


def test_knowledge_sees_its_parameters_only() -> None:
    whole = model(knowledge("f", {}, literal("secret")), decision("d", literal("f()"), ["k_f"]))
    assert whole.evaluate("d", {"secret": 1}).value is None


def test_knowledge_may_call_itself() -> None:
    body = literal("if n <= 1 then 1 else n * factorial(n - 1)")
    whole = model(
        knowledge("factorial", {"n": "number"}, body),
        decision("d", literal("factorial(10)"), ["k_factorial"]),
    )
    assert whole.evaluate("d", {}).value == 3628800


def test_endless_recursion_is_stopped() -> None:
    whole = model(knowledge("f", {"n": ""}, literal("f(n + 1)")), decision("d", literal("f(0)"), ["k_f"]))
    with pytest.raises(EvaluationLimit):
        whole.evaluate("d", {})


def test_knowledge_with_a_table_records_which_rule_matched() -> None:
    rules = [["< 10", '"small"'], [">= 10", '"large"']]
    whole = model(
        knowledge("size", {"n": "number"}, table(["n:number"], ["size"], rules)),
        decision("d", literal("size(12)"), ["k_size"]),
    )
    result = whole.evaluate("d", {})
    called, decided = result.evaluations
    assert (called.kind, called.name, called.output, called.rules[0].index) == (
        "businessKnowledgeModel", "size", "large", 2,
    )  # fmt: skip
    assert (decided.kind, decided.output) == ("decision", "large")


# -- decision services


def shop() -> DecisionModel:
    return model(
        input_data("amount", "number"),
        decision("rate", literal("0.1"), type_ref="number"),
        decision("discount", literal("amount * rate"), ["in_amount", "rate"], "number"),
        decision("label", literal('"-" + string(discount)'), ["discount"]),
        service("pricing", ["discount"], ("rate",), ("in_amount",)),
        service("both", ["discount", "label"], (), ("in_amount",)),
        decision("use", literal("pricing(200, 0.5)"), ["k_pricing"]),
        decision("use named", literal("pricing(rate: 0.5, amount: 200)"), ["k_pricing"]),
        decision("use wrongly", literal('pricing("x", 0.5)'), ["k_pricing"]),
    )


def test_a_service_is_a_function_of_its_data_then_its_decisions() -> None:
    assert shop().evaluate("use", {}).value == 100
    assert shop().evaluate("use named", {}).value == 100
    assert shop().evaluate("use wrongly", {}).value is None


def test_a_service_does_not_decide_what_it_is_given() -> None:
    result = shop().evaluate("use", {"amount": 7})
    assert "rate" not in [one.name for one in result.evaluations]


def test_a_service_is_evaluated_from_outside() -> None:
    assert shop().evaluate("pricing", {"amount": 10, "rate": 1}).value == 10
    assert shop().evaluate("pricing", {"amount": 10}).value is None
    assert shop().evaluate("both", {"amount": 100}).value == {"discount": 10, "label": "-10.0"}


# -- imports


def base_model() -> DecisionModel:
    return model(
        '<itemDefinition name="tAge"><typeRef>number</typeRef>'
        "<allowedValues><text>[0..150]</text></allowedValues></itemDefinition>",
        input_data("age", "tAge"),
        decision("adult", literal("age >= 18"), ["in_age"]),
        knowledge("plus one", {"x": "number"}, literal("x + 1")),
        namespace="base",
    )


IMPORT = (
    '<import name="the base" namespace="base" importType="https://www.omg.org/spec/DMN/20230324/MODEL/"/>'
)


def test_imported_elements_are_reached_by_the_name_of_the_import() -> None:
    whole = model(
        IMPORT,
        input_data("mine", "the base.tAge"),
        decision(
            "d",
            literal("if the base.adult then the base.plus one(mine) else 0"),
            ["base#adult", "base#k_plus one", "in_mine"],
        ),
        imports={"base": base_model()},
    )
    assert whole.evaluate("d", {"age": 20, "mine": 5}).value == 6
    assert whole.evaluate("d", {"age": 20, "mine": 500}).value is None
    assert whole.evaluate("d", {"the base": {"age": 3}, "mine": 5}).value == 0


def test_imports_may_come_from_a_function() -> None:
    asked: list[str] = []

    def find(one: Import) -> DecisionModel:
        asked.append(one.namespace)
        return base_model()

    parse(definitions(IMPORT), imports=find)
    assert asked == ["base"]


def test_files_of_one_deployment_find_their_imports_in_any_order() -> None:
    user = definitions(
        IMPORT, decision("d", literal("the base.plus one(1)"), ["base#k_plus one"]), namespace="user"
    )
    base = definitions(knowledge("plus one", {"x": "number"}, literal("x + 1")), namespace="base")
    found = parse_files({"a user.dmn": user, "base.dmn": base})
    assert list(found) == ["a user.dmn", "base.dmn"]
    assert found["a user.dmn"].evaluate("d", {}).value == 2


def test_files_that_share_a_namespace_are_told_apart_by_location() -> None:
    def numbered(number: int) -> bytes:
        return definitions(knowledge("n", {}, literal(str(number))), namespace="base")

    kind = "https://www.omg.org/spec/DMN/20230324/MODEL/"
    by_place = f'<import name="b" namespace="base" locationURI="./two.dmn" importType="{kind}"/>'
    user = definitions(by_place, decision("d", literal("b.n()"), ["base#k_n"]), namespace="user")
    found = parse_files({"one.dmn": numbered(1), "two.dmn": numbered(2), "user.dmn": user})
    assert found["user.dmn"].evaluate("d", {}).value == 2


def test_the_problems_of_all_files_are_told_at_once() -> None:
    def importing(other: str, namespace: str) -> bytes:
        return definitions(f'<import name="o" namespace="{other}" importType=""/>', namespace=namespace)

    files = {
        "bad.dmn": b"<x/>",
        "c.dmn": importing("two", "one"),
        "o.dmn": importing("one", "two"),
        "m.dmn": importing("nobody", "three"),
    }
    with pytest.raises(InvalidModel) as caught:
        parse_files(files)
    found = {(finding.rule, finding.location.file) for finding in caught.value.findings}
    assert found == {
        ("not-dmn", "bad.dmn"),
        ("missing-import", "m.dmn"),
        ("import-cycle", "c.dmn"),
        ("import-cycle", "o.dmn"),
    }


def test_functions_of_the_host_may_be_called() -> None:
    double = HostFunction("double it", ("x",), lambda x: x * 2)
    data = definitions(
        decision("d", literal("double it(n)")), decision("t", table(["double it(n)"], ["x"], [["6", "1"]]))
    )
    whole = parse(data, functions={"double it": double})
    assert whole.evaluate("d", {"n": 4}).value == 8
    assert whole.evaluate("t", {"n": 3}).value == 1


def test_a_missing_import_is_refused() -> None:
    with pytest.raises(InvalidModel, match="missing-import"):
        model(IMPORT)


def test_an_import_of_another_kind_is_refused_by_name() -> None:
    with pytest.raises(InvalidModel, match="import-type"):
        model('<import name="x" namespace="y" importType="http://www.w3.org/2001/XMLSchema"/>')


def test_hrefs_may_name_the_own_namespace() -> None:
    whole = model(decision("a", literal("1")), decision("b", literal("a"), ["test#a"]))
    assert whole.evaluate("b", {}).value == 1


# -- types


ITEMS = """
<itemDefinition name="tNames" isCollection="true"><typeRef>string</typeRef></itemDefinition>
<itemDefinition name="tGrade"><typeRef>string</typeRef><allowedValues><text>"A", "B"</text></allowedValues>
</itemDefinition>
<itemDefinition name="tGrades" isCollection="true"><typeRef>string</typeRef>
<allowedValues><text>"A", "B"</text></allowedValues></itemDefinition>
<itemDefinition name="tShort"><typeRef>tNames</typeRef>
<typeConstraint><text>count(?) &lt; 3</text></typeConstraint></itemDefinition>
<itemDefinition name="tTree"><itemComponent name="label"><typeRef>string</typeRef></itemComponent>
<itemComponent name="children" isCollection="true"><typeRef>tTree</typeRef></itemComponent></itemDefinition>
<itemDefinition name="tFn"><functionItem outputTypeRef="number"><parameters name="x" typeRef="number"/>
</functionItem></itemDefinition>
"""


@pytest.mark.parametrize(
    ("type_ref", "text", "expected"),
    [
        ("tNames", '"a"', ["a"]),
        ("tNames", '["a", null]', ["a", None]),
        ("tNames", "[1]", None),
        ("tGrade", '"A"', "A"),
        ("tGrade", '"C"', None),
        ("tGrade", "null", None),
        ("tGrades", '["A", "B"]', ["A", "B"]),
        ("tGrades", '["A", "C"]', None),
        ("tShort", '["a", "b"]', ["a", "b"]),
        ("tShort", '["a", "b", "c"]', None),
        ("tTree", '{label: "x", children: [{label: "y", children: []}]}', "same"),
        ("tTree", '{label: "x", children: [{label: 1, children: []}]}', None),
        ("string", '["a"]', "a"),
        ("number", "true", None),
        ("Any", "true", True),
        ("integer", "4", 4),
    ],
)
def test_a_value_is_converted_to_its_type_or_null(type_ref: str, text: str, expected: Any) -> None:
    value = model(ITEMS, decision("d", literal(text), type_ref=type_ref)).evaluate("d", {}).value
    if expected == "same":
        assert value["children"][0]["label"] == "y"
    else:
        assert value == expected


def test_a_date_becomes_a_date_and_time_where_one_is_asked_for() -> None:
    value = (
        model(decision("d", literal('date("2024-01-02")'), type_ref="date and time")).evaluate("d", {}).value
    )
    assert str(value) == "2024-01-02T00:00:00Z"


def test_types_may_carry_prefixes() -> None:
    whole = model(
        ITEMS,
        decision("d", literal('"a"'), type_ref="own:tNames"),
        decision("n", literal('"a"'), type_ref="feel:number"),
        attributes='xmlns:own="test" xmlns:feel="https://www.omg.org/spec/DMN/20230324/FEEL/"',
    )
    assert whole.evaluate("d", {}).value == ["a"]
    assert whole.evaluate("n", {}).value is None


def test_instance_of_knows_the_item_definitions() -> None:
    whole = model(ITEMS, decision("d", literal('["a"] instance of tNames')))
    assert whole.evaluate("d", {}).value is True
