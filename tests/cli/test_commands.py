"""The commands as people call them: what they print, and with which exit code they end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from flowkit.cli.app import app
from flowkit.export import read_log

ROOT = Path(__file__).parent.parent.parent
PROCESSES = ROOT / "processes"
PARTS = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"
  xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d" targetNamespace="http://example.org/t">
  <message id="m" name="已签字"><extensionElements><zeebe:subscription correlationKey="=order"/>
  </extensionElements></message>
  <signal id="s" name="打烊"/>
  <process id="parts" name="领料" isExecutable="true">
    <startEvent id="start" name="开始"/>
    <sequenceFlow id="f0" sourceRef="start" targetRef="take"/>
    <serviceTask id="take" name="出库"><extensionElements>
      <zeebe:taskDefinition type="stock.reserve" retries="1"/></extensionElements></serviceTask>
    <sequenceFlow id="f1" sourceRef="take" targetRef="confirm"/>
    <userTask id="confirm" name="确认"><extensionElements><zeebe:userTask/>
      <zeebe:formDefinition formId="confirm"/>
      <zeebe:assignmentDefinition candidateGroups="技师"/></extensionElements></userTask>
    <sequenceFlow id="f2" sourceRef="confirm" targetRef="signed"/>
    <intermediateCatchEvent id="signed" name="等签字"><messageEventDefinition messageRef="m"/>
    </intermediateCatchEvent>
    <sequenceFlow id="f3" sourceRef="signed" targetRef="closing"/>
    <intermediateCatchEvent id="closing" name="等打烊"><signalEventDefinition signalRef="s"/>
    </intermediateCatchEvent>
    <sequenceFlow id="f4" sourceRef="closing" targetRef="end"/>
    <endEvent id="end" name="完成"/>
  </process>
</definitions>"""
FORM = {"title": "确认单", "required": ["ok"], "properties": {"ok": {"title": "已核对", "const": True}}}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLOWKIT_DB", f"sqlite:///{tmp_path / 'service.db'}")
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "parts.bpmn").write_text(PARTS, encoding="utf-8")
    (tmp_path / "shop" / "forms").mkdir()
    (tmp_path / "shop" / "forms" / "confirm.json").write_text(json.dumps(FORM), encoding="utf-8")
    return tmp_path


def call(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result


def out(*arguments: object, code: int = 0) -> str:
    return call(*arguments, code=code).output


def data(*arguments: object, code: int = 0):
    return json.loads(call(*arguments, "--json", code=code).stdout)


# ---- help -----------------------------------------------------------------------------------


COMMANDS = [it.name or it.callback.__name__ for it in app.registered_commands if it.callback]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(command: str) -> None:
    text = out(command, "--help")
    assert f"Example: flowkit {command}" in " ".join(text.split())


def test_the_page_lists_every_command() -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert [command for command in COMMANDS if f"`{command}`" not in page] == []


def test_without_a_command_it_shows_help_and_with_an_unknown_one_it_fails() -> None:
    assert "flowkit [OPTIONS] COMMAND" in out("--help")
    assert "No such command" in out("nonsense", code=2)
    assert out("--version").startswith("flowkit 0.")


# ---- files ----------------------------------------------------------------------------------


def test_lint_finds_what_deployment_would_refuse(folder: Path) -> None:
    assert "0 errors" in out("lint", "shop")
    bad = folder / "bad.bpmn"
    bad.write_text(PARTS.replace('targetRef="take"', 'targetRef="nowhere"'), encoding="utf-8")
    text = out("lint", bad, code=1)
    assert "bad.bpmn:8" in text
    assert "nowhere" in text
    assert data("lint", bad, code=1)[0]["line"] == 8
    assert json.loads(out("lint", bad, "--sarif", code=1))["version"] == "2.1.0"
    (folder / "bad.json").write_text('{"requird": []}', encoding="utf-8")
    assert "form-keyword" in out("lint", folder / "bad.json", code=1)
    assert "does not exist" in out("lint", "nowhere.bpmn", code=2)


def test_lint_of_a_folder_finds_what_none_of_its_files_has(folder: Path) -> None:
    alone = folder / "alone"
    alone.mkdir()
    (alone / "parts.bpmn").write_text(PARTS, encoding="utf-8")
    assert "0 errors, 0 warnings" in out("lint", alone / "parts.bpmn")
    text = out("lint", alone)
    assert "parts.bpmn:12" in text
    assert "confirm '确认': there is no form 'confirm'." in text


def test_lint_knows_the_handlers(folder: Path) -> None:
    unknown = folder / "unknown.bpmn"
    unknown.write_text(PARTS.replace("stock.reserve", "stock.steal"), encoding="utf-8")
    assert "0 errors" in out("lint", unknown)
    assert "stock.steal" in out("lint", unknown, "--handlers", code=1)
    (folder / "thieves.py").write_text(
        "from flowkit import task\n@task('stock.steal')\ndef steal() -> None: ...\n", encoding="utf-8"
    )
    assert "0 errors" in out("lint", unknown, "--tasks", "thieves")
    assert "no_such_module" in out("lint", unknown, "--tasks", "no_such_module", code=2)
    assert "no 'x'" in out("lint", unknown, "--tasks", "thieves:x", code=2)


def test_the_processes_that_come_along_pass_lint() -> None:
    assert "0 errors" in out("lint", "--handlers", PROCESSES)


def test_draw_and_layout(folder: Path) -> None:
    diagram = folder / "shop" / "parts.bpmn"
    assert "flowkit layout" in out("draw", diagram, code=3)
    out("layout", diagram)
    assert "BPMNDiagram" in diagram.read_text(encoding="utf-8")
    assert out("draw", diagram).strip() == str(diagram.with_suffix(".svg"))
    assert "确认" in diagram.with_suffix(".svg").read_text(encoding="utf-8")
    assert "expected a file .svg or .png" in out("draw", diagram, "-o", "x.gif", code=2)


def test_feel_and_decide() -> None:
    assert out("feel", "a + b", "-v", "a=1", "-v", '{"b": 2}').strip() == "3"
    assert "^" in out("feel", "1 +", code=1)
    assert out("feel", 'add working days(date("2025-09-30"), 1, "中国")').strip() == '"2025-10-09"'
    assert data("feel", "none")["diagnostics"]
    payer = PROCESSES / "decisions" / "payer.dmn"
    given = ["-v", "first_service=false", "-v", "item_warranty=质保维修"]
    assert data("decide", payer, *given)["output"] == "厂家承担"
    assert "given 质保结论" in out("decide", payer, *given)


def test_variables_come_in_three_ways(folder: Path) -> None:
    (folder / "v.yaml").write_text("a: 1\nday: 2025-03-03\n", encoding="utf-8")
    assert json.loads(out("feel", "[a, b, day]", "-v", "@v.yaml", "-v", "b=x")) == [1, "x", "2025-03-03"]
    for wrong in ("x", "{", "@v.txt", "[1]"):
        out("feel", "1", "-v", wrong, code=2)


def test_element_templates_follow_the_signatures() -> None:
    templates = {it["id"]: it for it in json.loads(out("templates"))}
    transfer = templates["flowkit.money.transfer"]
    assert transfer["name"] == "支付"
    fields = {it["label"]: it for it in transfer["properties"] if "label" in it}
    assert fields["payer"]["constraints"] == {"notEmpty": True}
    assert fields["payer"]["type"] == "String"
    headers = {
        it["binding"]["key"]: it.get("constraints")
        for it in templates["flowkit.notify"]["properties"]
        if it["binding"]["type"] == "zeebe:taskHeader"
    }
    assert headers == {"template": {"notEmpty": True}, "channel": None}
    out("templates", "-o", "deep/t.json")
    assert len(json.loads(Path("deep/t.json").read_text(encoding="utf-8"))) == len(templates)


def test_notify_shows_what_would_be_sent() -> None:
    text = out("notify", "extra_work", "--to", "客户", "-v", "fee=300")
    assert "300" in text
    assert "no value for" in text
    assert "there are:" in out("notify", "none", "--to", "客户", code=3)
    assert data("notify", "extra_work", "--to", "客户", "--channel", "电话,短信")[0]["ways"].keys() == {
        "电话",
        "短信",
    }


# ---- an engine ------------------------------------------------------------------------------


def test_a_case_from_deployment_to_its_end() -> None:
    assert data("deploy", "shop")["definitions"][0]["version"] == 1
    assert "parts" in out("deploy", "shop")
    variables = '{"order": "T-1", "parts": [{"part_no": "A", "quantity": 0}]}'
    case = out("start", "parts", "-v", variables, "--key", "T-1").strip()
    assert "done" in out("worker", "--once")
    (todo,) = data("tasks", "--group", "技师")
    assert (todo["name"], todo["business_key"]) == ("确认", "T-1")
    assert "确认" in out("tasks")
    out("claim", todo["id"], "--user", "张三")
    refused = out("complete", todo["id"], "-v", "ok=false", "--user", "张三", code=3)
    assert "/ok: 「已核对」必须勾选" in refused
    assert "assigned to" in out("complete", todo["id"], "-v", "ok=true", "--user", "李四", code=3)
    out("complete", todo["id"], "-v", "ok=true", "--user", "张三")
    assert out("tasks").strip() == "no open tasks"
    assert data("message", "已签字", "--key", "T-1")["instances"] == [case]
    assert out("signal", "打烊").strip() == case
    assert "nobody" in out("signal", "打烊")
    assert "nobody" in out("message", "已签字", "--key", "T-1")
    assert data("instances")[0]["status"] == "completed"
    assert "completed" in out("instances", "parts", "--key", "T-1")
    assert "确认" in out("history", case)
    assert data("history", case)[0]["kind"] == "start"
    assert data("history", case, "--events")[0]["event"]["@"] == "InstanceStarted"
    assert "completed" in out("show", case)


def test_a_data_store_is_filled_and_shown(folder: Path) -> None:
    assert json.loads(out("store", "库存", "--set", '{"P-100": 3}')) == {"P-100": 3}
    assert json.loads(out("store", "别的")) is None
    (folder / "stock.yaml").write_text("[1, 2]\n", encoding="utf-8")
    out("store", "库存", "--set", "@stock.yaml")
    assert json.loads(out("store", "库存")) == [1, 2]
    assert "expected JSON" in out("store", "库存", "--set", "{", code=2)


def test_incidents_are_seen_and_resolved() -> None:
    out("deploy", "shop")
    case = out("start", "parts", "-v", "order=T-1").strip()
    out("worker", "--once")
    (incident,) = data("incidents", code=1)
    assert "parts" in incident["message"]
    assert "incident" in out("show", case)
    out("resolve", incident["id"], "-v", "parts=[]")
    out("worker", "--once")
    assert out("incidents").strip() == "no incidents"
    assert data("show", case)["tokens"][0]["name"] == "确认"
    out("cancel", case, "--reason", "试一试")
    assert data("show", case)["status"] == "cancelled"
    again = data("restart", case, "--at", "confirm", "-v", "order=T-2")["instance"]
    assert data("show", again)["tokens"][0]["name"] == "确认"
    assert "cancel=True" in out("restart", again, "--at", "0", code=3)
    last = out("restart", again, "--cancel").strip()
    assert data("show", again)["status"] == "cancelled"
    assert data("show", last)["variables"] == {"order": "T-1"}


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["show", "x"], 3, "no instance 'x'"),
        (["start", "x"], 3, "'x'"),
        (["complete", "x:1"], 3, "no instance 'x'"),
        (["deploy", "nowhere"], 2, "does not exist"),
        (["instances", "--db", "sqlite:////no/such/folder/x.db"], 4, "no database /no/such/folder/x.db"),
        (["deploy", "shop", "--db", "sqlite:////no/such/folder/x.db"], 4, "no folder /no/such/folder"),
    ],
)
def test_what_is_refused_is_said_without_a_traceback(arguments: list[str], code: int, text: str) -> None:
    out("deploy", "shop")
    said = out(*arguments, code=code)
    assert text in said
    assert "Traceback" not in said


def test_the_zone_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWKIT_ZONE", "Moon/Base")
    assert "Moon/Base" in out("instances", code=2)


# ---- reasoning ------------------------------------------------------------------------------


def test_check_tells_whether_a_diagram_is_sound(folder: Path) -> None:
    assert "领料: sound" in out("check", "shop/parts.bpmn")
    assert data("check", "shop/parts.bpmn")[0]["sound"] is True
    stuck = folder / "stuck.bpmn"
    stuck.write_text(
        PARTS.replace('<endEvent id="end" name="完成"/>', '<parallelGateway id="end"/>')
        .replace("</process>", "")
        .replace(
            "</definitions>",
            '<sequenceFlow id="f5" sourceRef="end" targetRef="done"/><endEvent id="done"/>'
            '<sequenceFlow id="f6" sourceRef="or" targetRef="end"/><exclusiveGateway id="or" default="f6"/>'
            '<sequenceFlow id="f7" sourceRef="or" targetRef="done"><conditionExpression>=a'
            '</conditionExpression></sequenceFlow><sequenceFlow id="f8" sourceRef="start" targetRef="or"/>'
            "</process></definitions>",
        ),
        encoding="utf-8",
    )
    assert "deadlock" in out("check", stuck, code=1)


def script_in(folder: Path, text: str) -> None:
    scripts = folder / "shop" / "scripts"
    scripts.mkdir(exist_ok=True)
    (scripts / "one.yaml").write_text(text, encoding="utf-8")


def test_test_plays_scripts_and_counts_what_they_covered(folder: Path) -> None:
    assert "expected scripts" in out("test", "shop", code=2)
    begin = "title: 领料\nstart: {process: parts, variables: {parts: [], order: T-1}}\n"
    script_in(folder, begin + "steps: [{task: 确认, set: {ok: true}}]\n")
    text = out("test", "shop")
    assert "ok     one.yaml  领料" in text
    assert "never: 等签字 → 等打烊" in text
    assert "1 of 1 scripts as expected" in text
    told = data("test", "shop", "--covered", "100", code=1)
    assert told["coverage"][0]["percent"] == 50
    script_in(folder, begin + "expect: {ended: true}")
    assert "FAILED" in out("test", "shop", code=1)


def test_simulate_and_compare(folder: Path) -> None:
    options = ["--cases", "5", "--replications", "2", "--seed", "1"]
    first = data("simulate", "shop/parts.bpmn", *options)
    assert first["replications"] == 2
    assert first == data("simulate", "shop/parts.bpmn", *options)
    assert "cycle_time.mean" in out("simulate", "shop/parts.bpmn", *options, "-o", "r.csv")
    assert Path("r.csv").read_text(encoding="utf-8").startswith("measure,")
    assert "known ending" in out("simulate", "shop/parts.bpmn", *options, "-o", "r.doc", code=2)
    out("simulate", "shop/parts.bpmn", *options, "--log", "log.csv")
    assert len({case.name for case in read_log("log.csv")}) == 5
    out("fit", "log.csv", "shop/parts.bpmn", "-o", "fitted.yaml")
    assert data("simulate", "fitted.yaml", *options)["measures"]["cases.completed"]["mean"] == 5
    assert "can't be read as a log" in out("fit", "shop/parts.bpmn", code=2)
    assert "ending of a log" in out("simulate", "shop/parts.bpmn", "--log", "log.doc", code=2)
    assert "address of a cluster" in out("simulate", "shop/parts.bpmn", "--cluster", "moon", code=2)
    assert "differences" in data("compare", "shop/parts.bpmn", "shop/parts.bpmn", *options)


def test_export_writes_an_event_log() -> None:
    out("deploy", "shop")
    out("start", "parts", "-v", '{"order": "T-1", "parts": []}')
    out("worker", "--once")
    assert "1 cases" in out("export", "log.xes")
    assert "出库" in Path("log.xes").read_text(encoding="utf-8")
    assert "expected a file" in out("export", "log.pdf", code=2)


# ---- run and demo ---------------------------------------------------------------------------


def test_run_without_a_script_stops_where_somebody_is_waited_for() -> None:
    text = out("run", "shop/parts.bpmn", "-v", "parts=[]", "-v", "order=T-1")
    assert "waits for 确认 (技师)" in text
    told = data("run", "shop/parts.bpmn", "-v", "parts=[]", "-v", "order=T-1")
    assert told["open"][0]["element"] == "confirm"


def test_run_tells_incidents_and_fails() -> None:
    assert "incident at take" in out("run", "shop/parts.bpmn", code=1)


def test_run_with_a_script(folder: Path) -> None:
    script = folder / "s.yaml"
    script.write_text(
        "start: {process: parts, variables: {parts: [], order: T-1}}\n"
        "steps: [{task: 确认, set: {ok: true}}, {message: 已签字, key: T-1}, {signal: 打烊}]\n"
        "expect: {end: [完成]}\n",
        encoding="utf-8",
    )
    text = out("run", "shop/parts.bpmn", "--script", script)
    assert "☑ 确认 ok=是" in text
    assert "到达 完成" in text
    script.write_text("start: {process: parts}\nsteps: [{tusk: a}]\n", encoding="utf-8")
    assert "steps → 1" in out("run", "shop/parts.bpmn", "--script", script, code=1)
    script.write_text(
        "start: {process: parts, variables: {parts: []}}\nsteps: [{task: a}]\n", encoding="utf-8"
    )
    assert "step 1: expected the task 'a' open" in out("run", "shop/parts.bpmn", "--script", script, code=1)


SCRIPTS = sorted(path.stem for path in (PROCESSES / "scripts").glob("*.yaml"))


@pytest.mark.parametrize("process", SCRIPTS)
def test_demo_plays_every_script_that_comes_along(process: str) -> None:
    assert "completed" in out("demo", process)


def test_demo_names_what_there_is() -> None:
    assert "auto_4s" in out("demo", "nothing", code=2)


def test_a_worker_works_until_it_is_told_to_end(folder: Path) -> None:
    out("deploy", "shop")
    case = out("start", "parts", "-v", '{"order": "T-1", "parts": []}').strip()
    command = [sys.executable, "-m", "flowkit", "worker"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        assert "job types; Ctrl-C ends" in process.stderr.readline()
        deadline = time.monotonic() + 60
        while data("show", case)["tokens"][0]["element"] != "confirm":
            assert time.monotonic() < deadline
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("command", ["instances", "run processes/auto_4s.bpmn", "demo"])
def test_a_file_name_is_no_url_of_a_database(command: str) -> None:
    result = CliRunner().invoke(app, [*command.split(), "--db", "service.db"])
    assert result.exit_code == 2
    assert "sqlite:///service.db" in result.output
