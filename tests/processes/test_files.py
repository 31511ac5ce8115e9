"""The files fit together: diagrams, decisions, forms, templates and handlers."""

from __future__ import annotations

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from lxml import etree

from flowkit.bpmn import lint, parse
from flowkit.bpmn.diagram import check_layout
from flowkit.dmn import check
from flowkit.dmn import parse as parse_decisions
from flowkit.tasks.forms import read_form
from flowkit.tasks.library.standard import standard_tasks

from .conftest import PROCESSES

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
ZEEBE = "{http://camunda.org/schema/zeebe/1.0}"
DIAGRAMS = sorted(PROCESSES.glob("*.bpmn"))
CJK = range(0x4E00, 0xA000)

each_diagram = pytest.mark.parametrize("file", DIAGRAMS, ids=lambda file: file.stem)


def elements(file: Path, tag: str) -> list[etree._Element]:
    return list(etree.parse(file).iter(f"{BPMN}{tag}"))


def attributes(name: str, attribute: str) -> set[str]:
    return {
        str(node.get(attribute)) for file in DIAGRAMS for node in etree.parse(file).iter(f"{ZEEBE}{name}")
    }


@each_diagram
def test_lint_finds_nothing(file: Path) -> None:
    definitions = parse(file.read_bytes(), file=file.name)
    assert lint(definitions, job_types=standard_tasks().registry.types) == []


@each_diagram
def test_the_picture_is_tidy(file: Path) -> None:
    assert check_layout(file.read_bytes(), file=file.name) == []


@each_diagram
def test_labels_follow_the_style(file: Path) -> None:
    """Every activity, split, catching event and end has a Chinese name; a split's name asks."""
    tasks = [
        f"{kind}Task" for kind in ("user", "service", "send", "receive", "script", "manual", "businessRule")
    ]
    events = ["startEvent", "endEvent", "boundaryEvent", "intermediateCatchEvent"]
    for tag in [*tasks, "callActivity", "subProcess", *events]:
        for node in elements(file, tag):
            name = node.get("name", "")
            assert any(ord(letter) in CJK for letter in name), f"{node.get('id')} has no Chinese name"
    for tag in ("exclusiveGateway", "inclusiveGateway"):
        for node in elements(file, tag):
            outgoing = [flow.text for flow in node.iter(f"{BPMN}outgoing")]
            if len(outgoing) > 1:
                assert node.get("name", "").endswith("?"), f"{node.get('id')} asks nothing"
                flows = {flow.get("id"): flow for flow in elements(file, "sequenceFlow")}
                unnamed = [str(key) for key in outgoing if not flows[key].get("name")]
                assert not unnamed, f"answers without a name: {unnamed}"


@each_diagram
def test_every_lane_has_work(file: Path) -> None:
    empty = [lane.get("name") for lane in elements(file, "lane") if lane.find(f"{BPMN}flowNodeRef") is None]
    assert empty == []


@each_diagram
def test_user_tasks_name_a_form(file: Path) -> None:
    for task in elements(file, "userTask"):
        forms = list(task.iter(f"{ZEEBE}formDefinition"))
        assert len(forms) == 1, f"{task.get('id')} has {len(forms)} forms"


def test_forms_and_references_match() -> None:
    files = {path.stem for path in (PROCESSES / "forms").glob("*.json")}
    assert files == attributes("formDefinition", "formId")


@pytest.mark.parametrize("file", sorted((PROCESSES / "forms").glob("*.json")), ids=lambda file: file.stem)
def test_forms_are_json_schemas_with_titles(file: Path) -> None:
    form = read_form(file.read_bytes(), file=file.name)
    assert form.id == file.stem
    Draft202012Validator.check_schema(form.schema)
    for name, field in form.schema["properties"].items():
        title = field.get("title", "")
        assert any(ord(letter) in CJK for letter in title), f"{name} has no Chinese title"


def test_decisions_and_references_match() -> None:
    files = {path.stem for path in (PROCESSES / "decisions").glob("*.dmn")}
    assert files == attributes("calledDecision", "decisionId")


@pytest.mark.parametrize("file", sorted((PROCESSES / "decisions").glob("*.dmn")), ids=lambda file: file.stem)
def test_decision_tables_are_complete_and_without_overlap(file: Path) -> None:
    assert check(parse_decisions(file.read_bytes(), file=file.name)) == []


def test_called_processes_are_there() -> None:
    assert attributes("calledElement", "processId") <= {file.stem for file in DIAGRAMS}


def test_notices_have_templates_and_templates_have_notices() -> None:
    headers = [node for file in DIAGRAMS for node in etree.parse(file).iter(f"{ZEEBE}header")]
    wanted = {node.get("value") for node in headers if node.get("key") == "template"}
    assert wanted == {path.stem for path in (PROCESSES / "templates").glob("*.txt")}


@each_diagram
def test_each_process_has_a_page_with_its_picture(file: Path) -> None:
    docs = PROCESSES.parent / "docs" / "processes"
    page = (docs / f"{file.stem}.md").read_text(encoding="utf-8")
    assert f"pictures/{file.stem}.svg" in page
    assert (docs / "pictures" / f"{file.stem}.svg").is_file()
    for end in elements(file, "process")[0].findall(f"{BPMN}endEvent"):
        assert str(end.get("name")) in page
