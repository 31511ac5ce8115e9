"""Generated scenario skeletons: they take every flow, are scripts, and play where data can be derived."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowkit.bpmn import parse
from flowkit.kernel import compile_process
from flowkit.soundness.explore import explore
from flowkit.soundness.paths import covering_paths
from flowkit.tasks.forms.form import read_form
from flowkit.testing.conditions import MISSING, demands_of, value_for
from flowkit.testing.generate import Generator, Skeleton
from flowkit.testing.script import parse_script
from flowkit.testing.story import example_of
from tests.cli.test_commands import call

SHIPPED = Path(__file__).parent.parent.parent / "processes"
HEAD = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"
  xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  id="d" targetNamespace="http://example.org/t">
  <message id="m" name="货到"><extensionElements><zeebe:subscription correlationKey="=order"/>
  </extensionElements></message>
  <error id="x" name="不收" errorCode="REFUSED"/>"""
REFUND = (
    HEAD
    + """
  <process id="refund" name="退款" isExecutable="true">
    <startEvent id="start"/><sequenceFlow id="f0" sourceRef="start" targetRef="big"/>
    <exclusiveGateway id="big" name="金额大?" default="f2"/>
    <sequenceFlow id="f1" name="是" sourceRef="big" targetRef="approve">
      <conditionExpression xsi:type="tFormalExpression">=amount &gt; 300</conditionExpression></sequenceFlow>
    <sequenceFlow id="f2" name="否" sourceRef="big" targetRef="merge"/>
    <userTask id="approve" name="审批"><extensionElements><zeebe:userTask/>
      <zeebe:formDefinition formId="approve"/></extensionElements></userTask>
    <boundaryEvent id="late" attachedToRef="approve" cancelActivity="false"><timerEventDefinition>
      <timeDuration xsi:type="tFormalExpression">PT4H</timeDuration></timerEventDefinition></boundaryEvent>
    <sequenceFlow id="f3" sourceRef="late" targetRef="chase"/>
    <userTask id="chase" name="催办"><extensionElements><zeebe:userTask/></extensionElements></userTask>
    <sequenceFlow id="f4" sourceRef="chase" targetRef="chased"/><endEvent id="chased" name="已催办"/>
    <boundaryEvent id="refused" attachedToRef="approve"><errorEventDefinition errorRef="x"/></boundaryEvent>
    <sequenceFlow id="f5" sourceRef="refused" targetRef="no"/>
    <sequenceFlow id="f6" sourceRef="approve" targetRef="ok"/>
    <exclusiveGateway id="ok" name="批准?" default="f8"/>
    <sequenceFlow id="f7" name="是" sourceRef="ok" targetRef="merge">
      <conditionExpression xsi:type="tFormalExpression">=decision = "批准"</conditionExpression>
    </sequenceFlow>
    <sequenceFlow id="f8" name="否" sourceRef="ok" targetRef="no"/>
    <endEvent id="no" name="不退"/>
    <exclusiveGateway id="merge"/><sequenceFlow id="f9" sourceRef="merge" targetRef="wait"/>
    <intermediateCatchEvent id="wait" name="等货到"><messageEventDefinition messageRef="m"/>
    </intermediateCatchEvent>
    <sequenceFlow id="f10" sourceRef="wait" targetRef="call"/>
    <callActivity id="call" name="付款"><extensionElements><zeebe:calledElement processId="pay"/>
    </extensionElements></callActivity>
    <sequenceFlow id="f11" sourceRef="call" targetRef="done"/><endEvent id="done" name="已退"/>
  </process>
</definitions>"""
)
PAY = (
    HEAD
    + """
  <process id="pay" name="付款" isExecutable="true"><startEvent id="ps"/>
    <sequenceFlow id="p0" sourceRef="ps" targetRef="transfer"/>
    <userTask id="transfer" name="转账"><extensionElements><zeebe:userTask/></extensionElements></userTask>
    <sequenceFlow id="p1" sourceRef="transfer" targetRef="pe"/><endEvent id="pe" name="已付"/></process>
</definitions>"""
)
FORM = """{"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "approve",
  "x-form-id": "approve",
  "title": "审批", "type": "object", "required": ["decision", "signed"], "properties":
  {"decision": {"title": "决定", "enum": ["退回", "批准"]}, "signed": {"title": "签字", "const": true}}}"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    (folder / "forms").mkdir(parents=True)
    (folder / "refund.bpmn").write_text(REFUND, "utf-8")
    (folder / "pay.bpmn").write_text(PAY, "utf-8")
    (folder / "forms" / "approve.json").write_text(FORM, "utf-8")
    return folder


def test_skeletons_of_a_simple_diagram_play_and_take_every_flow(shop: Path, tmp_path: Path) -> None:
    text = call("test", "--generate", shop).stdout
    assert "to fill in" not in text
    assert "no path" not in text
    files = sorted((shop / "scenarios" / "refund").glob("*.yaml"))
    assert 3 <= len(files) <= 5
    call("test", shop, "--covered", "100")
    whole = "".join(file.read_text("utf-8") for file in files)
    assert "# It plays as it stands." in whole
    assert "variables: {amount: 301, order: K-1}" in whole
    assert "- {error: {task: approve, code: REFUSED}}  # 审批" in whole
    assert "- {wait: PT4H}" in whole
    assert "set: {decision: 批准, signed: true}" in whole
    assert "- {task: transfer}  # 转账 (付款)" in whole


def test_one_file_is_generated_alone_and_nothing_is_written_over(shop: Path, tmp_path: Path) -> None:
    call("test", "--generate", shop / "pay.bpmn", "-o", tmp_path / "drafts")
    assert [path.name for path in (tmp_path / "drafts").iterdir()] == ["pay"]
    result = call("test", "--generate", shop / "pay.bpmn", "-o", tmp_path / "drafts", code=2)
    assert "is there already" in result.stderr


def test_what_cannot_be_derived_is_said(shop: Path) -> None:
    hard = REFUND.replace("=amount &gt; 300", "=count(items) &gt; 2")
    (shop / "refund.bpmn").write_text(hard, "utf-8")
    made = list(Generator(shop, lambda text: "step 1: no such task").skeletons("refund"))
    assert any("# needs: count(items) > 2 is true" in one.text for one in made)
    assert all("# As generated it stops at step 1: no such task" in one.text for one in made)
    assert any("# Read, and set by nothing in the diagram: items, order" in one.text for one in made)


def _made(process: str) -> list[Skeleton]:
    return list(Generator(SHIPPED, lambda text: "not played").skeletons(process))


@pytest.mark.parametrize("process", ["auto_4s", "ecommerce_return", "onsite_repair", "complaint"])
def test_skeletons_of_the_shipped_processes_are_scripts_that_take_every_flow(process: str) -> None:
    skeletons = _made(process)
    (file,) = SHIPPED.glob(f"{process}.bpmn")
    program = compile_process(parse(file.read_bytes()), process)
    assert set().union(*(one.flows for one in skeletons)) == set(program.flows)
    for one in skeletons:
        script = parse_script(one.text.encode())
        assert script.steps or script.expect.ended


@pytest.mark.parametrize("file", sorted(SHIPPED.glob("*.bpmn")), ids=lambda path: path.stem)
def test_few_paths_take_all_flows(file: Path) -> None:
    definitions = parse(file.read_bytes())
    for process in definitions.processes:
        program = compile_process(definitions, process.id)
        cover = covering_paths(explore(program), program.flows)
        assert not cover.missing
        assert len(cover.paths) <= len(program.flows) / 3 + 1


@pytest.mark.parametrize(
    ("text", "answer", "value"),
    [
        ("amount > 300", True, 301),
        ("amount > 300", False, 300),
        ("300 >= amount", True, 300),
        ("amount >= 2.5", False, 1.5),
        ("amount > -1", True, 0),
        ("ok", True, True),
        ("not(ok)", True, False),
        ("ok = true", False, False),
        ('kind = "换货" or kind = "维修"', True, "换货"),
        ('kind != "换货"', False, "换货"),
        ("none = null", True, None),
    ],
)
def test_values_are_derived_from_simple_conditions(text: str, answer: bool, value: object) -> None:
    demands = demands_of(text, answer)
    assert demands is not None
    found = value_for(demands)
    assert found == value
    assert type(found) is type(value)


def test_demands_of_one_variable_are_met_together() -> None:
    low, high = demands_of("a > 3", True), demands_of("a < 5", True)
    assert low is not None
    assert high is not None
    assert value_for([*low, *high]) == 4
    assert value_for([*low, *(demands_of("a < 3", True) or ())]) is MISSING
    assert value_for(demands_of("a != 1", True) or [], choices=[1, 2]) == 2


@pytest.mark.parametrize("text", ["count(a) > 1", "a > b", "some x in a satisfies x", "a >", "a in (1, 2)"])
def test_other_conditions_are_not_guessed(text: str) -> None:
    assert demands_of(text, True) is None


@pytest.mark.parametrize("file", sorted((SHIPPED / "forms").glob("*.json")), ids=lambda path: path.stem)
def test_examples_fit_the_forms(file: Path) -> None:
    form = read_form(file.read_bytes(), file=file.name)
    example = example_of(form.schema, form.schema)
    assert isinstance(example, dict)
    form.validate(example)
