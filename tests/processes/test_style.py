"""What a process owner finds in every diagram: levels that fit the eye, and the source of each step."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from lxml import etree

from .conftest import PROCESSES

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
DI = "{http://www.omg.org/spec/BPMN/20100524/DI}"
DIAGRAMS = sorted(PROCESSES.glob("*.bpmn"))
ACTIVITIES = {f"{BPMN}{kind}Task" for kind in ("user", "service", "send", "receive", "script", "manual")} | {
    f"{BPMN}businessRuleTask",
    f"{BPMN}callActivity",
    f"{BPMN}subProcess",
}
CROWDED = 13
QUOTE = re.compile(r"「[^」]+」.*\[00[0-4]\]", re.DOTALL)
OWN_ADDITION = "来源未述"

each_diagram = pytest.mark.parametrize("file", DIAGRAMS, ids=lambda file: file.stem)


def _documented(node: etree._Element) -> bool:
    text = node.findtext(f"{BPMN}documentation", "")
    return bool(QUOTE.search(text)) or OWN_ADDITION in text


@each_diagram
def test_activities_and_timers_quote_their_source(file: Path) -> None:
    """Each names the source's words, or says that the source says nothing."""
    nodes = [
        node
        for node in etree.parse(file).iter()
        if node.tag in ACTIVITIES or node.find(f"{BPMN}timerEventDefinition") is not None
    ]
    assert nodes
    missing = [str(node.get("id")) for node in nodes if not _documented(node)]
    assert missing == []


@each_diagram
def test_no_level_is_crowded(file: Path) -> None:
    """At most 13 activities stand on a plane, not counting event subprocesses and what only undoes."""
    tree = etree.parse(file)
    planes = {plane.get("bpmnElement") for plane in tree.iter(f"{DI}BPMNPlane")}
    crowded = {}
    for level in tree.iter(f"{BPMN}process", f"{BPMN}subProcess"):
        seen = [
            node
            for node in level
            if node.tag in ACTIVITIES
            and node.get("isForCompensation") != "true"
            and node.get("triggeredByEvent") != "true"
        ]
        if len(seen) > CROWDED:
            crowded[level.get("id")] = len(seen)
        if level.tag == f"{BPMN}subProcess":
            assert level.get("id") in planes, f"{level.get('id')} has no plane to drill into"
    assert crowded == {}


def test_bpmnlint_recommends_nothing_else(tmp_path: Path) -> None:
    """The field's linter, by its recommended rules. It is a Node program: ``npm install -g bpmnlint``."""
    linter = shutil.which("bpmnlint")
    if linter is None:
        pytest.skip("bpmnlint is not on the PATH")
    (tmp_path / ".bpmnlintrc").write_text('{"extends": "bpmnlint:recommended"}', encoding="utf-8")
    command = [linter, "--config", str(tmp_path / ".bpmnlintrc"), "--max-warnings", "0", *map(str, DIAGRAMS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
