"""Mistakes at the command line: each is told in words, with what to do, and never as a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flowkit.cli.app import app

ROOT = Path(__file__).parent.parent.parent
ASK = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"
  xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d" targetNamespace="http://example.org/t">
  <process id="ask" name="询问" isExecutable="true">
    <startEvent id="start"/><sequenceFlow id="f" sourceRef="start" targetRef="answer"/>
    <userTask id="answer" name="答复客户"><extensionElements><zeebe:userTask/></extensionElements></userTask>
    <sequenceFlow id="g" sourceRef="answer" targetRef="end"/><endEvent id="end"/>
  </process>{more}
</definitions>"""
SECOND = """<process id="second" isExecutable="true"><startEvent id="s2"/>
  <sequenceFlow id="f2" sourceRef="s2" targetRef="e2"/><endEvent id="e2"/></process>"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("FLOWKIT_DB", "sqlite:///service.db")
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "ask.bpmn").write_text(ASK.replace("{more}", ""), encoding="utf-8")
    return tmp_path


def out(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert isinstance(result.exception, SystemExit | None), result.exception
    assert result.exit_code == code, result.output
    return " ".join(result.output.replace("│", " ").split())


def process(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "flowkit", *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("url", "code", "words"),
    [
        ("service.db", 2, "did you mean sqlite:///service.db?"),
        ("memory:shop", 2, "expected sqlite:///FILE"),
        ("sqlite:", 2, "expected sqlite:///FILE"),
        ("sqlite:///", 2, "expected sqlite:///FILE"),
        ("sqlite:///service.db?mode=ro", 2, "expected sqlite:///FILE"),
        ("mysql://host/name", 2, "expected sqlite:///FILE"),
        ("sqlite:///nowhere/service.db", 4, "there is no folder nowhere"),
        ("sqlite:///shop", 4, "shop is no file"),
        ("sqlite:///shop/ask.bpmn", 4, "file is not a database"),
    ],
)
def test_a_wrong_database(url: str, code: int, words: str) -> None:
    assert words in out("deploy", "shop", "--db", url, code=code)


@pytest.mark.parametrize(
    "command", ["tasks", "instances", "incidents", "outbox", "message 付款", "start ask"]
)
def test_only_deployment_makes_a_database(command: str, folder: Path) -> None:
    text = out(*command.split(), code=4)
    assert "There is no database service.db: `flowkit deploy` makes one" in text
    assert not (folder / "service.db").exists()


def test_what_is_not_there_is_not_an_empty_list() -> None:
    out("deploy", "shop")
    assert out("instances", "ask") == "no instances"
    assert "There is no process 'aks'" in out("instances", "aks", code=3)
    assert "There is no instance 'x'" in out("incidents", "x", code=3)
    assert "There is no instance 'x'" in out("tasks", "x", code=3)
    assert "'done' is not one of 'active'" in out("instances", "--status", "done", code=2)
    for number in ("", "x", "²", "9" * 5000):
        assert "names no user task: expected an id like" in out("complete", f"01ab:{number}", code=3)


def test_a_list_that_was_cut_says_so() -> None:
    out("deploy", "shop")
    for _ in range(3):
        out("start", "ask")
    assert "there may be more" not in out("instances")
    assert "2 are shown, there may be more: --limit 20" in out("instances", "--limit", 2)
    result = CliRunner().invoke(app, ["tasks", "--limit", "2", "--json"])
    assert len(json.loads(result.stdout)) == 2


def test_a_folder_without_models_is_no_clean_bill(folder: Path) -> None:
    (folder / "empty").mkdir()
    assert "there is nothing to check in empty" in out("lint", "empty", code=2)


def test_what_lint_looks_at_is_what_deploys(folder: Path) -> None:
    for name in ("upper.BPMN", "eclipse.bpmn2"):
        (folder / "other").mkdir(exist_ok=True)
        path = folder / "other" / name
        path.write_text(ASK.replace("{more}", "").replace('id="end"', 'id="start"'), encoding="utf-8")
        assert "duplicate-id" in out("lint", "other", code=1)
        assert "duplicate-id" in out("deploy", "other", code=1)
        path.unlink()


def test_the_neighbours_of_a_diagram_are_told_apart_from_it(folder: Path) -> None:
    (folder / "shop" / "broken.form").write_text('{"a":', encoding="utf-8")
    text = out("run", "shop/ask.bpmn", code=1)
    assert "--alone leaves these files out" in text
    assert "broken.form:1:6: error [form-json] this is no JSON: Expecting value. Expected" in text
    assert "waits for 答复客户" in out("run", "shop/ask.bpmn", "--alone")


def test_a_file_of_several_processes_asks_which(folder: Path) -> None:
    (folder / "shop" / "ask.bpmn").write_text(ASK.replace("{more}", SECOND), encoding="utf-8")
    assert "expected --process ask or second, found none" in out("run", "shop/ask.bpmn", code=2)
    assert "expected --process ask or second, found x" in out(
        "run", "shop/ask.bpmn", "--process", "x", code=2
    )
    assert "completed" in out("run", "shop/ask.bpmn", "--process", "second")


def test_a_script_that_is_none() -> None:
    assert "expected a mapping with start and steps, found str" in out(
        "run", "shop/ask.bpmn", "--script", "shop/ask.bpmn", code=1
    )


def test_a_module_of_handlers_that_fails(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(folder)
    for name, text, words in (
        ("torn_handlers", "def (", "SyntaxError: invalid syntax (torn_handlers.py, line 1)"),
        ("raising_handlers", "\n1 / 0", "raising_handlers.py, line 2"),
        ("empty_handlers", "x = 1", "expected handlers (functions marked with @task"),
    ):
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
        assert words in out("run", "shop/ask.bpmn", "--tasks", name, code=2)


# ---- terminals ------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "gbk"])
def test_a_terminal_without_chinese_letters(encoding: str) -> None:
    found = process("run", "shop/ask.bpmn", PYTHONIOENCODING=encoding)
    text = found.stdout.decode(encoding)
    assert found.returncode == 0, found.stderr
    assert ("答复客户" if encoding == "gbk" else r"\u7b54\u590d\u5ba2\u6237") in text


def test_a_package_of_an_extra_that_is_not_installed(folder: Path) -> None:
    (folder / "without").mkdir()
    (folder / "without" / "psycopg.py").write_text("raise ModuleNotFoundError(name='psycopg')", "utf-8")
    path = f"{folder / 'without'}{os.pathsep}{ROOT}"
    found = process("tasks", "--db", "postgresql://127.0.0.1/x", PYTHONPATH=path)
    assert found.returncode == 2
    assert found.stderr.decode().strip().endswith("pip install 'flowkit[postgres]'")
    assert b"Traceback" not in found.stderr


def test_an_argument_that_is_no_text() -> None:
    out("deploy", "shop")
    found = process("cancel", "\udcff")
    assert (found.returncode, b"Traceback" in found.stderr) == (3, False)
    assert b"There is no instance '\\udcff'" in found.stderr


def test_a_full_disk_and_a_closed_stream() -> None:
    out("deploy", "shop")
    command = f"{sys.executable} -m flowkit instances"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    for stream, code in ((">/dev/full", 2), (">&-", 0), ("2>&-", 0)):
        found = subprocess.run(
            f"{command} {stream}", shell=True, env=environment, capture_output=True, timeout=60, check=False
        )
        assert b"Traceback" not in found.stderr
        assert found.returncode == code, found.stderr
