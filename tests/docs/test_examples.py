"""What the README and the guides show is run as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flowkit.tasks.notify import read_settings
from flowkit.testing.script import parse_script

ROOT = Path(__file__).parent.parent.parent
BLOCK = re.compile(
    r"(?:<!-- (?P<mark>run|file: (?P<file>\S+)) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)```", re.DOTALL
)


def blocks(page: str) -> list[re.Match[str]]:
    return list(BLOCK.finditer((ROOT / page).read_text(encoding="utf-8")))


def write_files(page: str, folder: Path) -> None:
    for block in blocks(page):
        if block["file"]:
            (folder / block["file"]).write_text(block["text"], encoding="utf-8")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_files("docs/getting-started.md", tmp_path)


def test_the_readmes_quick_start(capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = [block for block in blocks("README.md") if block["language"] == "python"]
    exec(compile(block["text"], "README.md", "exec"), {})
    assert capsys.readouterr().out.strip() == "completed"
    assert Path("service.db").is_file()


@pytest.mark.parametrize("page", ["docs/getting-started.md", "docs/tasks.md", "docs/testing.md"])
def test_the_guides_examples(page: str) -> None:
    examples = [block["text"] for block in blocks(page) if block["mark"] == "run"]
    assert examples
    for example in examples:
        exec(compile(example, page, "exec"), {})


def test_the_settings_file_of_the_guide(tmp_path: Path) -> None:
    text = next(block["text"] for block in blocks("docs/tasks.md") if "default_channel:" in block["text"])
    path = tmp_path / "notify.yaml"
    path.write_text(text, encoding="utf-8")
    names = dict.fromkeys(re.findall(r"env:(\w+)", text), "json://127.0.0.1")
    assert len(read_settings(path, names).channels) == 8


def test_the_script_of_the_guide() -> None:
    text = next(block["text"] for block in blocks("docs/cli.md") if block["language"] == "yaml")
    assert len(parse_script(text.encode()).steps) == 9


@pytest.mark.parametrize(
    "page", ["README.md", *(str(page.relative_to(ROOT)) for page in (ROOT / "docs").glob("*.md"))]
)
def test_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", (ROOT / page).read_text(encoding="utf-8")):
        if "://" not in target:
            assert (ROOT / page).parent.joinpath(target).exists(), f"{page} links to {target}"
