"""The pages about FEEL say what is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flowkit.errors import InvalidExpression
from flowkit.feel import compile_expression, limits
from flowkit.feel.builtins import BUILTINS
from flowkit.feel.builtins.reference import reference

PAGES = Path(__file__).parent.parent.parent / "docs" / "feel"
WRITE = """python -c 'from flowkit.feel.builtins.reference import reference as r; print(r(), end="")'"""


def test_the_table_of_functions_is_complete() -> None:
    """The page is what the tables of functions say."""
    page = (PAGES / "builtins.md").read_text(encoding="utf-8")
    assert page == reference(), f"write it again with: {WRITE} > docs/feel/builtins.md"
    for name in set(BUILTINS) - {"@"}:
        assert f"| `{name}(" in page
    assert "|  |" not in page


@pytest.mark.parametrize("page", sorted(path.name for path in PAGES.glob("*.md")))
def test_examples_run(page: str) -> None:
    """Python shown on a page runs as it stands there."""
    text = (PAGES / page).read_text(encoding="utf-8")
    for block in re.findall(r"<!-- run -->\n```python\n(.*?)```", text, re.DOTALL):
        exec(compile(block, page, "exec"), {})


@pytest.mark.parametrize("page", sorted(path.name for path in PAGES.glob("*.md")))
def test_links_lead_somewhere(page: str) -> None:
    """No page points at one that is not there."""
    for target in re.findall(r"\]\(([\w/.-]+\.md)\)", (PAGES / page).read_text(encoding="utf-8")):
        assert (PAGES / target).is_file(), target


def test_the_limits_are_those_of_the_page() -> None:
    """The page quotes the figures of the code."""
    page = (PAGES / "limits.md").read_text(encoding="utf-8")
    for figure in (
        limits.MAX_TEXT,
        limits.MAX_NESTING,
        limits.MAX_PARTS,
        limits.MAX_FUNCTIONS,
        limits.MAX_STEPS,
        limits.MAX_CALLS,
        limits.MAX_STRING,
        limits.MAX_RESULT,
    ):
        assert re.search(rf"\b{figure:,}\b", page), figure


@pytest.mark.parametrize(
    "text",
    [
        'is defined(x)', 'get or else(x, 1)', 'assert(1, true)', 'trim(" a")', 'is blank("")',
        'extract("a", "a")',
        'to base64("a")', 'to json(1)', 'from json("1")', 'is empty([])', 'partition([1], 1)',
        'duplicate values([1, 1])', 'last day of month(@"2026-02-03")', 'sort([2, 1])',
        'string join(["a"], ",", "[", "]")', 'date and time(@"2026-02-28T00:00:00Z", "Asia/Shanghai")',
    ],
)  # fmt: skip
def test_camundas_functions_exist(text: str) -> None:
    """What the page about Camunda promises gives a value."""
    assert compile_expression(text).evaluate({}) is not None


@pytest.mark.parametrize("text", ["uuid()", "random number()"])
def test_impure_functions_do_not(text: str) -> None:
    """Chance is not a function of the inputs."""
    try:
        assert compile_expression(text).evaluate({}) is None
    except InvalidExpression:
        pytest.fail("it parses, and gives null")
