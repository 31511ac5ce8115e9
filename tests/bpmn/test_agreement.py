"""Checks and compiler agree: what passes the checks compiles, so nothing is refused twice or late."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flowkit.bpmn import check_deployable, parse
from flowkit.bpmn.support import NOT_EXECUTED
from flowkit.kernel import compile_process
from tests.bpmn.snippets import whole_file
from tests.bpmn.test_support import ALLOWED, diagram

PAGES = Path(__file__).parents[2] / "docs" / "rules"
_RIGHT = re.compile(r"## Right\n\n```xml\n(.*?)\n```", re.DOTALL)
RIGHT = {
    page.stem: found[1]
    for page in sorted(PAGES.glob("*.md"))
    if (found := _RIGHT.search(page.read_text(encoding="utf-8")))
}


def compiles(data: bytes) -> None:
    definitions = parse(data)
    check_deployable(definitions)
    for process in definitions.processes:
        if process.is_executable:
            compile_process(definitions, process.id)


@pytest.mark.parametrize("rule", RIGHT)
def test_right_diagram_of_each_rule_compiles(rule: str) -> None:
    compiles(whole_file(RIGHT[rule]))


EXECUTED = [(kind, place) for kind, place in ALLOWED if f"{kind}@{place}" not in NOT_EXECUTED]


@pytest.mark.parametrize(("kind", "position"), EXECUTED)
def test_allowed_event_compiles(kind: str, position: str) -> None:
    compiles(whole_file(diagram(kind, position)))
