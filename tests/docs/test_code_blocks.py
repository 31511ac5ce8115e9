"""No page shows a command, an option or a name that is not there; :mod:`tests.docs.test_examples` runs what
can be run."""

from __future__ import annotations

import ast
import re
import shlex
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from typer.main import get_command

from flowkit.cli.app import app

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
COMMANDS = get_command(app).commands  # type: ignore[attr-defined]  # it is a group


def blocks(*languages: str) -> list[tuple[str, str]]:
    found = [
        (str(page.relative_to(ROOT)), match[2])
        for page in PAGES
        for match in BLOCK.finditer(page.read_text(encoding="utf-8"))
        if match[1] in languages
    ]
    assert found
    return found


def commands(text: str) -> list[list[str]]:
    """The calls of flowkit in a shell block, each as its words."""
    lines = (line.removeprefix("$ ") for line in text.replace("\\\n", " ").splitlines())
    parts = (part for line in lines for part in re.split(r"\s(?:&&|\||;)\s", line.partition("  #")[0]))
    return [shlex.split(part) for part in parts if part.strip().startswith("flowkit ")]


@pytest.mark.parametrize(("page", "text"), blocks("console", "sh", "bash"))
def test_commands_and_options_exist(page: str, text: str) -> None:
    for _, name, *words in commands(text):
        assert name in COMMANDS, f"{page}: flowkit {name}"
        known = {option for parameter in COMMANDS[name].params for option in parameter.opts}
        known |= {option for parameter in COMMANDS[name].params for option in parameter.secondary_opts}
        given = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        assert given <= known | {"--help"}, f"{page}: flowkit {name} {given - known}"


@pytest.mark.parametrize(("page", "text"), blocks("python"))
def test_python_reads_and_its_names_exist(page: str, text: str) -> None:
    code = compile(text.replace("…", "..."), page, "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    for node in ast.walk(code):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "flowkit":
            for one in node.names:
                home = import_module(str(node.module))
                there = hasattr(home, one.name) or find_spec(f"{node.module}.{one.name}")
                assert there, f"{page}: {node.module}.{one.name}"
