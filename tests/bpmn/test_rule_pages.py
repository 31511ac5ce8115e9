"""Every rule has a page, and every page's diagrams do what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flowkit.bpmn.lint import RULES
from flowkit.bpmn.lint.reading import READING_RULES
from flowkit.findings import Severity
from tests.bpmn.snippets import findings

PAGES = Path(__file__).parents[2] / "docs" / "rules"
SEVERITY = {
    **dict.fromkeys(READING_RULES, Severity.ERROR),
    **{rule.name: rule.severity for rule in RULES},
}
SUMMARY = {**READING_RULES, **{rule.name: rule.summary for rule in RULES}}
# A file of this size has no place in a page; see test_hostile.py.
WITHOUT_EXAMPLE = {"too-large", "too-deep"}
HANDLERS = {"unknown-job-type": frozenset({"check_stock"})}
_SNIPPET = re.compile(r"## (Wrong|Right)\n\n```xml\n(.*?)\n```", re.DOTALL)


def test_every_rule_has_a_page_and_every_page_a_rule() -> None:
    assert {page.stem for page in PAGES.glob("*.md")} - {"README"} == set(SEVERITY)
    assert len(SEVERITY) == len(RULES) + len(READING_RULES)


@pytest.mark.parametrize("rule", sorted(SEVERITY))
def test_page_states_the_rule_as_the_table_does(rule: str) -> None:
    text = (PAGES / f"{rule}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {rule}\n\n{SUMMARY[rule]}\n\nSeverity: {SEVERITY[rule]}.\n")
    assert f"[{rule}]({rule}.md)" in (PAGES / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("rule", sorted(set(SEVERITY) - WITHOUT_EXAMPLE))
def test_wrong_diagram_breaks_exactly_this_rule_and_right_one_none(rule: str) -> None:
    text = (PAGES / f"{rule}.md").read_text(encoding="utf-8")
    examples = dict(_SNIPPET.findall(text))
    wrong = findings(examples["Wrong"], job_types=HANDLERS.get(rule))
    accompanied = {f.rule for f in wrong if f.severity is not Severity.INFO}
    assert accompanied | {f.rule for f in wrong if f.rule == rule} == {rule}, "\n".join(map(str, wrong))
    assert {f.severity for f in wrong if f.rule == rule} == {SEVERITY[rule]}
    right = findings(examples["Right"], job_types=HANDLERS.get(rule))
    assert all(f.severity is Severity.INFO for f in right), "\n".join(map(str, right))


@pytest.mark.parametrize("rule", sorted(set(SEVERITY) - WITHOUT_EXAMPLE))
def test_finding_says_where_what_and_what_to_do(rule: str) -> None:
    text = (PAGES / f"{rule}.md").read_text(encoding="utf-8")
    wrong = dict(_SNIPPET.findall(text))["Wrong"]
    found = [f for f in findings(wrong, job_types=HANDLERS.get(rule)) if f.rule == rule]
    for finding in found:
        assert finding.location.line > 0
        assert finding.message.endswith((".", "?"))
        assert finding.hint or rule in {"unexpected-text", "unknown-element"}
