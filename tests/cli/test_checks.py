"""``flowkit check`` and ``flowkit verify`` as people call them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flowkit.cli.app import app
from tests.kernel.diagrams import both, end, process, start, user, xor

DEADLOCK = process(
    start(), xor("g", default="g_b"), user("a"), user("b"), both("j"), end(),
    flows="s > g; g > a : x > 1; g > b; a > j; b > j; j > e",
)  # fmt: skip
SOUND = process(start(), user("a"), end(), flows="s > a; a > e")
SEVERAL = process(start(), user("a"), user("b"), end(), flows="s > a; a > b; a > e")


@pytest.fixture
def runner() -> CliRunner:
    return CliRunner()


def written(folder: Path, source: bytes) -> str:
    path = folder / "model.bpmn"
    path.write_bytes(source)
    return str(path)


def test_check_tells_the_fault_and_fails(runner: CliRunner, tmp_path: Path) -> None:
    result = runner.invoke(app, ["check", written(tmp_path, DEADLOCK)])
    assert result.exit_code == 1
    assert "deadlock" in result.output
    assert "not sound" in result.output


def test_check_of_a_sound_file_is_quiet(runner: CliRunner, tmp_path: Path) -> None:
    result = runner.invoke(app, ["check", written(tmp_path, SOUND)])
    assert result.exit_code == 0
    assert "sound" in result.output


def test_check_as_json(runner: CliRunner, tmp_path: Path) -> None:
    result = runner.invoke(app, ["check", "--json", written(tmp_path, DEADLOCK)])
    (report,) = json.loads(result.output)
    assert not report["sound"]
    assert "deadlock" in {finding["rule"] for finding in report["findings"]}


def test_verify_walks_both_engines(runner: CliRunner, tmp_path: Path) -> None:
    result = runner.invoke(app, ["verify", "--walks", "3", written(tmp_path, SOUND)])
    assert result.exit_code == 0
    assert "the same on SpiffWorkflow in 3 walks" in result.output


def test_verify_names_what_is_lacking(runner: CliRunner, tmp_path: Path) -> None:
    path = written(tmp_path, SEVERAL)
    result = runner.invoke(app, ["verify", path])
    assert result.exit_code == 1
    assert "spiff-several-flows" in result.output
    (report,) = json.loads(runner.invoke(app, ["verify", "--json", path]).output)
    assert not report["same"]
    assert report["gaps"]
