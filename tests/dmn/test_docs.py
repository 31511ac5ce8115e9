"""The pages of the rules: each rule has one, its wrong example breaks it, its right one breaks nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flowkit.dmn import check, parse
from flowkit.errors import InvalidModel
from tests.dmn.models import decision, definitions, table

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "dmn" / "rules"
WITH_EXAMPLES = sorted(
    page.stem for page in PAGES.glob("*.md") if "## Wrong" in page.read_text(encoding="utf-8")
)


def example(page: str, heading: str) -> bytes:
    """The file of an example: a fragment of XML, or a table in Markdown."""
    text = (PAGES / f"{page}.md").read_text(encoding="utf-8")
    part = text.partition(f"## {heading}\n")[2].partition("\n## ")[0].strip()
    if part.startswith("```xml"):
        return definitions(part.removeprefix("```xml").removesuffix("```"))
    return definitions(decision("d", from_markdown(part)))


def from_markdown(text: str) -> str:
    """A decision table as the pages write it."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    (policy, *heads), body = rows[0], rows[2:]
    values = next((row[1:] for row in body if row[0] == "values"), [""] * len(heads))
    policy, _, aggregation = policy.partition("+")
    inputs, outputs = [], []
    for head, allowed in zip(heads, values, strict=True):
        name, _, kind = head.removeprefix("→").strip().partition(" (")
        column = f"{name}:{kind.rstrip(')')}" if kind else name
        (outputs if head.startswith("→") else inputs).append(f"{column}|{allowed}" if allowed else column)
    rules = [row[1:] for row in body if row[0] != "values"]
    return table(inputs, outputs, rules, policy, aggregation)


def rules_broken(data: bytes) -> set[str]:
    try:
        return {finding.rule for finding in check(parse(data))}
    except InvalidModel as refused:
        return {finding.rule for finding in refused.findings}


@pytest.mark.parametrize("page", WITH_EXAMPLES)
def test_the_wrong_example_breaks_the_rule(page: str) -> None:
    assert page in rules_broken(example(page, "Wrong"))


@pytest.mark.parametrize("page", WITH_EXAMPLES)
def test_the_right_example_breaks_no_rule(page: str) -> None:
    assert rules_broken(example(page, "Right")) == set()


def test_every_rule_has_a_page_and_every_page_a_rule() -> None:
    reported = set()
    for module in (ROOT / "flowkit" / "dmn").glob("*.py"):
        source = module.read_text(encoding="utf-8")
        reported.update(re.findall(r'(?:Finding|report|_report|refuse)\(\s*"([a-z-]+)"', source))
        reported.update(re.findall(r'yield \(\s*"([a-z-]+)"', source))
    pages = {page.stem for page in PAGES.glob("*.md")} - {"README"}
    assert reported == pages


def test_the_overview_names_every_page() -> None:
    overview = (PAGES / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\]\(([a-z-]+)\.md\)", overview))
    assert named == {page.stem for page in PAGES.glob("*.md")} - {"README"}
