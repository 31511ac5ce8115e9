"""Findings as JSON, SARIF and text."""

from __future__ import annotations

import json

from flowkit.bpmn import lint, parse
from flowkit.bpmn.report import to_json, to_sarif, to_text
from tests.bpmn.snippets import whole_file

FOUND = lint(parse(whole_file('<serviceTask id="s" name="查备件"/>\n<userTask id="u"/>'), file="车.bpmn"))


def test_json_has_every_field() -> None:
    (first, second) = json.loads(to_json(FOUND))
    assert first == {
        "rule": "nothing-to-do",
        "severity": "error",
        "file": "车.bpmn",
        "line": 1,
        "column": first["column"],
        "element": "s",
        "name": "查备件",
        "message": "the service task names no job type: nothing would be done.",
        "hint": "Set zeebe:taskDefinition type.",
    }
    assert second["severity"] == "warning"


def test_sarif_names_rules_places_and_elements() -> None:
    log = json.loads(to_sarif(FOUND, version="1.0"))
    (run,) = log["runs"]
    assert log["version"] == "2.1.0"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["nothing-to-do", "unnamed-user-task"]
    error, warning = run["results"]
    assert (error["level"], warning["level"]) == ("error", "warning")
    assert run["tool"]["driver"]["rules"][error["ruleIndex"]]["id"] == error["ruleId"]
    place = error["locations"][0]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "车.bpmn"
    assert place["physicalLocation"]["region"]["startLine"] == 1
    assert place["logicalLocations"] == [{"name": "查备件", "fullyQualifiedName": "s"}]


def test_text_counts() -> None:
    assert to_text(FOUND).endswith("\n1 error, 1 warning")
    assert to_text([]) == "0 errors, 0 warnings"
