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


def test_verify_compares_the_trail_of_a_script(runner: CliRunner, tmp_path: Path) -> None:
    path = written(tmp_path, SOUND)
    script = tmp_path / "script.yaml"
    script.write_text(
        "{title: t, now: '2025-03-03T09:00:00+08:00', start: {process: P}, steps: [{task: a}]}", "utf-8"
    )
    result = runner.invoke(app, ["verify", path, "--script", str(script)])
    assert result.exit_code == 0, result.output
    assert "the same trail on SpiffWorkflow, 1 steps" in result.output
    (report,) = json.loads(runner.invoke(app, ["verify", "--json", path, "--script", str(script)]).output)
    assert (report["same"], report["compared"], report["difference"]) == (True, 1, "")


def test_verify_wants_a_script_that_starts_the_process(runner: CliRunner, tmp_path: Path) -> None:
    path = written(tmp_path, SOUND)
    (tmp_path / "other.bpmn").write_bytes(SOUND.replace(b'id="P"', b'id="Q"'))
    script = tmp_path / "script.yaml"
    script.write_text("{title: t, now: '2025-03-03T09:00:00+08:00', start: {process: Q}}", "utf-8")
    result = runner.invoke(app, ["verify", path, "--script", str(script)])
    assert result.exit_code == 2
    assert "to start P" in result.output
