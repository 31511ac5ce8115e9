"""Reading files: versions, vendors, what is refused by name, and hostile input."""

from __future__ import annotations

from contextlib import suppress
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowkit.dmn import check, explain, parse
from flowkit.dmn.xml import MAX_BYTES
from flowkit.errors import FlowkitError, InvalidModel
from tests.dmn.models import NAMESPACES, decision, definitions, input_data, literal, model, table


@pytest.mark.parametrize("version", NAMESPACES)
def test_every_version_is_read(version: str) -> None:
    whole = model(decision("d", literal("1 + 1")), version=version)
    assert whole.definitions.version == version
    assert whole.evaluate("d", {}).value == 2


def refusal(data: bytes) -> InvalidModel:
    with pytest.raises(InvalidModel) as caught:
        parse(data, file="bad.dmn")
    assert all(finding.location.file == "bad.dmn" for finding in caught.value.findings)
    return caught.value


def rules_of(data: bytes) -> list[str]:
    return [finding.rule for finding in refusal(data).findings]


@pytest.mark.parametrize(
    ("part", "rule"),
    [
        (decision("d", '<literalExpression expressionLanguage="juel"/>'), "expression-language"),
        ("<decison/>", "unknown-element"),
        ('<decision id="d" name="d"><decisionTabel/></decision>', "unknown-element"),
        (decision("d", table(["a"], ["x"], []).replace("<output", "<rules/><output")), "unknown-element"),
        (decision("d", "<context><entry/></context>"), "unknown-element"),
        (decision("d", table(["a"], ["x"], [["1"]])), "ragged-table"),
        (decision("d", table(["a"], [], [["1"]])), "missing-part"),
        (decision("d", table(["a"], ["x"], [], "BEST")), "hit-policy"),
        (decision("d", table(["a"], ["x"], [], "COLLECT", "MEAN")), "hit-policy"),
        (decision("d", table(["a"], ["x", "x"], [])), "unnamed-output"),
        (decision("d", table(["a"], ["x", ""], [])), "unnamed-output"),
        (decision("d", "1") + decision("d", "2"), "duplicate-name"),
        ('<decision id="d" name="d"><for iteratorVariable="x"/></decision>', "missing-part"),
        ('<decisionService id="s" name="s"/>', "missing-part"),
        ("<itemDefinition><typeRef>string</typeRef></itemDefinition>", "unnamed-element"),
    ],
)
def test_what_can_not_be_read_is_refused_by_name(part: str, rule: str) -> None:
    assert rule in rules_of(definitions(part))


def test_a_refusal_names_the_line_the_element_and_the_remedy() -> None:
    [finding] = refusal(definitions(decision("price", table(["a"], ["x"], [["1", "2"], ["1"]])))).findings
    assert finding.location.line > 1
    assert "price" in str(finding)
    assert finding.hint


def test_other_xml_is_refused() -> None:
    assert rules_of(b"<html/>") == ["not-dmn"]
    assert rules_of(b'<definitions xmlns="https://www.omg.org/spec/DMN/20990101/MODEL/"/>') == ["not-dmn"]


def test_vendor_attributes_are_read_or_ignored_knowingly() -> None:
    camunda = (
        'xmlns:camunda="http://camunda.org/schema/1.0/dmn" xmlns:biodi="http://bpmn.io/schema/dmn/biodi/2.0"'
    )
    zeebe = 'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"'
    tag = '<extensionElements><zeebe:versionTag value="v7"/></extensionElements>'
    read = "<inputExpression><text>a</text></inputExpression>"
    cells = f'<input camunda:inputVariable="x" biodi:width="1">{read}</input>'
    logic = f'<decisionTable hitPolicy="FIRST">{cells}<output/></decisionTable>'
    whole = model(
        f'<decision id="one" name="one" camunda:versionTag="1.2">{literal("1")}</decision>',
        f'<decision id="two" name="two">{tag}{logic}</decision>',
        attributes=f"{camunda} {zeebe}",
    )
    assert [one.version_tag for one in whole.decisions.values()] == ["1.2", "v7"]
    assert whole.evaluate("one", {}).value == 1


def test_hit_policies_may_be_written_with_underscores() -> None:
    assert model(decision("d", table(["a"], ["x"], [["-", "1"]], "RULE_ORDER"))).evaluate("d", {}).value == [
        1
    ]


# -- hostile input


def within(seconds: float, data: bytes) -> None:
    start = perf_counter()
    with pytest.raises(FlowkitError):
        parse(data)
    assert perf_counter() - start < seconds


LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(12))
    + b"]><definitions>&m;</definitions>"
)


@pytest.mark.parametrize(
    "data",
    [
        LAUGHS,
        LAUGHS.decode().replace('version="1.0"', 'version="1.0" encoding="UTF-16"').encode("utf-16"),
        b'<!DOCTYPE d SYSTEM "file:///etc/passwd"><d/>',
        b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><definitions>&x;</definitions>',
        b"",
        b"\x00" * 1000,
        b"not xml at all",
        definitions(decision("d", literal("1")))[:-40],
        b"<a>" * 100_000,
        b"<" * 1_000_000,
        b"x" * (MAX_BYTES + 1),
        b'<?xml version="1.0" encoding="no-such-code"?><a/>',
    ],
    ids=[
        "laughs",
        "laughs16",
        "dtd",
        "entity",
        "empty",
        "nul",
        "text",
        "cut",
        "deep",
        "brackets",
        "large",
        "code",
    ],
)
def test_hostile_files_are_refused_quickly(data: bytes) -> None:
    within(2.0, data)


def test_components_nest_only_so_deep() -> None:
    deep = '<itemComponent name="a"><typeRef>string</typeRef></itemComponent>'
    for _ in range(60):
        deep = f'<itemComponent name="a">{deep}</itemComponent>'
    assert "too-deep" in rules_of(definitions(f'<itemDefinition name="t">{deep}</itemDefinition>'))


def test_a_model_holds_only_so_many_elements() -> None:
    many = "".join(f'<inputData id="i{n}" name="i{n}"/>' for n in range(4000))
    within(2.0, definitions(many))


def test_a_long_chain_of_types_is_read_or_refused() -> None:
    items = [f'<itemDefinition name="t{n}"><typeRef>t{n + 1}</typeRef></itemDefinition>' for n in range(2500)]
    last = '<itemDefinition name="t2500"><typeRef>string</typeRef></itemDefinition>'
    with suppress(InvalidModel):
        model(*items, last, decision("d", literal("1"), type_ref="t0")).evaluate("d", {})


def test_boxed_expressions_nest_only_so_deep() -> None:
    deep = literal("1")
    for _ in range(60):
        deep = f"<list>{deep}</list>"
    assert "too-deep" in rules_of(definitions(decision("d", deep)))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(definitions))
def test_any_bytes_give_a_model_or_a_refusal(data: bytes) -> None:
    with suppress(InvalidModel):
        parse(data)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_file_gives_a_model_that_works_or_a_refusal(data: st.DataObject) -> None:
    logic = table(
        ["a:number", "a"], ["x|1,2|3", "y"], [["< 3", "[1..9]", "1", '"b"'], ["-", "not(2)", "2", "a"]]
    )
    whole = bytearray(definitions(decision("d", logic), input_data("a"), decision("e", literal("a + 1"))))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(whole) - 1))
        whole[place : place + data.draw(st.integers(0, 5))] = data.draw(st.binary(max_size=4))
    with suppress(FlowkitError):
        damaged = parse(bytes(whole))
        check(damaged)
        for name in damaged.decisions:
            explain(damaged.evaluate(name, {"a": 1}))
