"""Coverage: what scripts used of diagrams and decision tables, merged, told, and drawn."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flowkit.errors import InvalidModel
from flowkit.tasks.library import standard_tasks
from flowkit.testing.coverage import Coverage, CoverageMismatch
from flowkit.testing.coverage_page import marks_of, write_pages
from flowkit.testing.suite import Suite
from tests.cli.test_commands import call
from tests.testing.test_player import DAILY

SHIPPING = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"
  xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  id="d" targetNamespace="http://example.org/t">
  <process id="shipping" name="运费" isExecutable="true">
    <startEvent id="start"/>
    <sequenceFlow id="f0" sourceRef="start" targetRef="judge"/>
    <businessRuleTask id="judge" name="判定运费"><extensionElements>
      <zeebe:calledDecision decisionId="freight" resultVariable="payer"/></extensionElements>
    </businessRuleTask>
    <sequenceFlow id="f1" sourceRef="judge" targetRef="who"/>
    <exclusiveGateway id="who" name="谁付?" default="f3"/>
    <sequenceFlow id="f2" name="卖家" sourceRef="who" targetRef="ours">
      <conditionExpression xsi:type="tFormalExpression">=payer = "卖家"</conditionExpression></sequenceFlow>
    <sequenceFlow id="f3" name="买家" sourceRef="who" targetRef="theirs"/>
    <endEvent id="ours" name="卖家付"/>
    <endEvent id="theirs" name="买家付"/>
  </process>
</definitions>"""
FREIGHT = """<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="fd" name="fd"
  namespace="http://example.org/fd"><decision id="freight" name="运费承担方">
  <decisionTable id="t" hitPolicy="FIRST">
  <input id="i"><inputExpression id="ie"><text>weight</text></inputExpression></input>
  <output id="o" name="payer"/>
  <rule id="r1"><inputEntry id="r1i"><text>&lt; 5</text></inputEntry>
    <outputEntry id="r1o"><text>"卖家"</text></outputEntry></rule>
  <rule id="r2"><inputEntry id="r2i"><text>-</text></inputEntry>
    <outputEntry id="r2o"><text>"买家"</text></outputEntry></rule>
  </decisionTable></decision></definitions>"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    (folder / "scripts").mkdir(parents=True)
    (folder / "shipping.bpmn").write_text(SHIPPING, "utf-8")
    (folder / "freight.dmn").write_text(FREIGHT, "utf-8")
    for name, weight in (("light", 2), ("heavy", 9)):
        text = f"start: {{process: shipping, variables: {{weight: {weight}}}}}\nexpect: {{ended: true}}\n"
        (folder / "scripts" / f"{name}.yaml").write_text(text, "utf-8")
    return folder


def covered(folder: Path, *scripts: str) -> Coverage:
    scratch = folder.parent / f"scratch{len(list(folder.parent.iterdir()))}"
    scratch.mkdir()
    suite = Suite(folder, scratch, lambda url: standard_tasks(books=url))
    for played in suite.play([folder / "scripts" / f"{name}.yaml" for name in scripts]):
        assert not played.problem
    return suite.coverage


def test_flows_ends_and_rules_are_counted(folder: Path) -> None:
    coverage = covered(folder, "light", "light")
    process, table = coverage.processes["shipping"], coverage.tables["freight"]
    assert process.counts["f2"] == 2
    assert process.share == 4 / 6
    assert process.missing == ["谁付? → [买家] 买家付", "买家付"]
    assert table.counts == {"r1": 2}
    assert table.missing == ['rule 2: - → "买家"']


def test_runs_are_merged_by_adding_their_counts(folder: Path) -> None:
    first, second = covered(folder, "light"), covered(folder, "heavy")
    first.merge(second)
    assert first.processes["shipping"].share == 1
    assert first.processes["shipping"].counts["f0"] == 2
    assert first.tables["freight"].share == 1
    assert second.processes["shipping"].counts["f0"] == 1


def test_another_version_of_a_file_is_not_merged(folder: Path) -> None:
    first = covered(folder, "light")
    (folder / "shipping.bpmn").write_text(SHIPPING.replace("谁付?", "谁付运费?"), "utf-8")
    with pytest.raises(CoverageMismatch, match=r"shipping was covered in two versions of .*shipping.bpmn"):
        first.merge(covered(folder, "heavy"))


def test_data_can_be_written_and_read(folder: Path, tmp_path: Path) -> None:
    coverage = covered(folder, "light")
    coverage.write(tmp_path / "c.json")
    assert Coverage.read(tmp_path / "c.json") == coverage


@pytest.mark.parametrize("text", ["[]", "{", '{"version": 2}', '{"processes": {"a": {}}}'])
def test_what_is_not_coverage_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.json").write_text(text, "utf-8")
    with pytest.raises(InvalidModel, match="coverage"):
        Coverage.read(tmp_path / "c.json")


def test_pages_show_diagram_and_tables(folder: Path, tmp_path: Path) -> None:
    coverage = covered(folder, "light")
    marks = marks_of(coverage.processes["shipping"])
    assert marks["f2"].badge == "1"
    assert marks["f3"].note == "never: 谁付? → [买家] 买家付"
    assert marks["f2"].stroke != marks["f3"].stroke
    index = write_pages(coverage, tmp_path / "pages").read_text("utf-8")
    assert 'href="process-shipping.html"' in index
    page = (tmp_path / "pages" / "process-shipping.html").read_text("utf-8")
    assert "<svg" in page
    assert "<title>never: 谁付? → [买家] 买家付</title>" in page
    tables = (tmp_path / "pages" / "decisions-freight.html").read_text("utf-8")
    assert '<tr class="hit"><td>1</td><td>&lt; 5</td>' in tables
    assert '<tr class="miss"><td>2</td>' in tables
    assert "http" not in index.replace("https://", "http://").split("<style>")[0]


def test_a_diagram_that_has_changed_is_not_drawn(folder: Path, tmp_path: Path) -> None:
    coverage = covered(folder, "light")
    (folder / "shipping.bpmn").write_text(SHIPPING + " ", "utf-8")
    write_pages(coverage, tmp_path / "pages")
    page = (tmp_path / "pages" / "process-shipping.html").read_text("utf-8")
    assert "has changed since" in page
    assert "<svg" not in page


def test_the_commands_write_merge_and_judge(folder: Path, tmp_path: Path) -> None:
    files = [tmp_path / "a.json", tmp_path / "b.json"]
    for file, script in zip(files, ("light", "heavy"), strict=True):
        text = call("test", folder, folder / "scripts" / f"{script}.yaml", "--data", file).stdout
        assert "freight                   50.0% of 2 rules" in text
    assert call("coverage", files[0], "--covered", "100", code=1)
    assert call("coverage", files[0], "--covered-rules", "100", code=1)
    whole = tmp_path / "all.json"
    options = ["-o", whole, "--covered", "100", "--covered-rules", "100", "--html", tmp_path / "pages"]
    told = json.loads(call("coverage", *files, *options, "--json").stdout)
    assert told["coverage"] == [{"process": "shipping", "percent": 100, "missing": []}]
    assert told["rules"] == [{"decision": "freight", "percent": 100, "missing": []}]
    assert (tmp_path / "pages" / "index.html").is_file()
    assert Coverage.read(whole).processes["shipping"].counts["f0"] == 2


def test_diagrams_are_deployed_when_the_script_begins(folder: Path) -> None:
    """A timer that starts a process counts from there, whatever day it is when the test runs."""
    (folder / "daily.bpmn").write_text(DAILY, "utf-8")
    for year in (2019, 2031):
        text = f"now: {year}-03-03T09:00:00+08:00\nstart: {{timer: daily}}\nsteps: [{{task: 看一看}}]\n"
        text += "expect: {end: [看过]}"
        (folder / "scripts" / f"y{year}.yaml").write_text(text, "utf-8")
    coverage = covered(folder, "y2019", "y2031")
    assert coverage.processes["daily"].counts["done"] == 2
