"""What operators do from the command line: look for trouble, repair, clean up, run workers."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.test_commands import data, out
from tests.engine.diagrams import element, file, process, row, service, user

LONG = 30.0


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLOWKIT_DB", f"sqlite:///{tmp_path / 'service.db'}")
    (tmp_path / "handlers.py").write_text(HANDLERS, encoding="utf-8")
    (tmp_path / "p.bpmn").write_bytes(BILLING)
    return tmp_path


HANDLERS = """
import threading
from flowkit import task

@task("bill")
def bill(amount: int) -> dict[str, str]:
    if amount < 0:
        raise OSError("no paper")
    return {"invoice": f"R-{amount}"}

@task("hang")
def hang() -> None:
    threading.Event().wait()
"""
ERROR = '<bpmn:error id="no_paper" name="no_paper" errorCode="NO_PAPER"/>'
CAUGHT = (
    '<bpmn:boundaryEvent id="caught" attachedToRef="bill">'
    '<bpmn:errorEventDefinition errorRef="no_paper"/></bpmn:boundaryEvent>'
)
BILLING = file(
    ERROR,
    process(
        "p",
        element("startEvent", "start"), service("bill", "bill", retries=1), CAUGHT, user("check"),
        user("by_hand"),
        element("exclusiveGateway", "which"), element("endEvent", "end"), element("endEvent", "end2"),
        flows=[
            ("start", "bill"), ("bill", "check"), ("caught", "by_hand"), ("by_hand", "end2"),
            ("check", "which"),
            ("which", "end", "amount &gt; 10"), ("which", "bill", "amount &lt; 0"),
        ],
    ),
)  # fmt: skip


def failed() -> tuple[str, str]:
    """An instance with an incident, and that."""
    out("deploy", "p.bpmn")
    case = out("start", "p", "-v", "amount=-1", "--key", "WO-1").strip()
    out("worker", "--once", "--tasks", "handlers")
    [incident] = data("incidents", case, code=1)
    return case, incident["id"]


def test_a_failed_job_is_seen_and_skipped_with_given_output() -> None:
    case, incident = failed()
    [job] = data("jobs", "--state", "failed", "--type", "bill", "--element", "bill")
    assert (job["instance_id"], job["attempt"], job["retries"]) == (case, 1, 0)
    assert "bill" in out("jobs")
    assert "no open jobs" in out("jobs", "--state", "leased")
    out("skip", incident, "-v", "invoice=by hand")
    assert data("show", case)["variables"] == {"amount": -1, "invoice": "by hand"}
    assert [it["element_id"] for it in data("tasks")] == ["check"]
    assert "no open incident" in out("skip", incident, code=3)


def test_a_failed_job_becomes_a_bpmn_error() -> None:
    case, incident = failed()
    out("throw", incident, "NO_PAPER", "--message", "the tray is empty", "-v", "tray=2")
    assert [it["element_id"] for it in data("tasks")] == ["by_hand"]
    assert data("instances", "--element", "by_hand")[0]["id"] == case


def test_an_incident_that_is_no_jobs_is_skipped_to_where_it_is_to_go_on() -> None:
    case, incident = failed()
    out("set", case, "-v", "amount=5")
    out("skip", incident)
    [todo] = data("tasks")
    out("complete", todo["id"])
    [stuck] = data("incidents", code=1)
    assert stuck["element_id"] == "which"
    assert "could be end, bill" in out("skip", stuck["id"], code=3)
    assert "no failed job's" in out("throw", stuck["id"], "NO_PAPER", code=3)
    out("skip", stuck["id"], "--to", "by_hand", "-v", "why=odd")
    assert data("show", case)["variables"]["why"] == "odd"
    assert [it["element_id"] for it in data("tasks")] == ["by_hand"]


def test_tokens_are_moved_started_and_ended_by_hand() -> None:
    case, _ = failed()
    assert "expected --move, --start or --end" in out("modify", case, code=2)
    assert "no token stands at 'check'" in out("modify", case, "--move", "check=by_hand", code=2)
    assert "expected FROM=TO" in out("modify", case, "--move", "bill", code=2)
    out("modify", case, "--move", "bill=check", "--start", "by_hand")
    assert {it["element_id"] for it in data("tasks")} == {"check", "by_hand"}
    out("modify", case, "--end", "check")
    assert {it["element_id"] for it in data("tasks")} == {"by_hand"}
    assert "expected variables" in out("set", case, code=2)


def test_a_task_is_given_to_somebody_and_back() -> None:
    case, incident = failed()
    out("skip", incident)
    [todo] = data("tasks", case)
    out("assign", todo["id"], "--to", "李四")
    assert data("tasks")[0]["assignee"] == "李四"
    out("assign", todo["id"])
    assert data("tasks")[0]["assignee"] is None


def test_a_restart_tells_where_it_comes_from() -> None:
    case, _ = failed()
    again = data("restart", case, "--cancel", "-v", "amount=20")["instance"]
    assert data("show", again)["origin"] == case
    assert f"restarted from {case}" in out("show", again)
    assert data("show", case)["origin"] is None
    assert [it["id"] for it in data("instances", "--origin", case)] == [again]
    [found] = data("instances", "p", "--running", "--version", "1", "-v", "amount=20")
    assert found["id"] == again
    assert [it["id"] for it in data("instances", "--over")] == [case]
    assert data("instances", "--offset", "1")[0]["id"] == again
    assert data("instances", "--started-after", "2999-01-01") == []
    assert len(data("instances", "--started-before", "2999-01-01")) == 2


def test_many_are_skipped_and_restarted_and_the_same_command_does_not_do_it_twice() -> None:
    failed()
    failed()
    told = data("bulk", "skip", "-p", "p", "--element", "bill", "--give", "invoice=none")
    assert told == {"done": 2, "failed": {}}
    assert "2 done" in out("bulk", "cancel", "-p", "p")
    assert "2 done" in out("bulk", "restart", "-p", "p", "--at", "bill", "--give", "amount=7")
    assert "0 done" in out("bulk", "restart", "-p", "p", "--at", "bill", "--give", "amount=7")
    assert "0 done" in out("bulk", "restart", "-p", "p", "--cancel")
    assert {it["variables"]["amount"] for it in data("instances", "--running")} == {7}


def test_what_is_deployed_is_listed(folder: Path) -> None:
    out("deploy", "p.bpmn")
    (folder / "p.bpmn").write_bytes(row("p", user("u")))
    out("deploy", "p.bpmn")
    assert [it["version"] for it in data("definitions", "process")] == [1, 2]
    assert "process" in out("definitions")
    assert "nothing is deployed" in out("definitions", "form")


def test_what_is_over_is_cleaned_away() -> None:
    case, _ = failed()
    out("cancel", case)
    assert "0 instances deleted" in out("clean", "--older-than", "P90D")
    assert data("clean", "--before", "2999-01-01", "-p", "q") == {"deleted": 0}
    assert data("clean", "--before", "2999-01-01") == {"deleted": 1}
    assert data("instances") == []
    assert "expected --before or --older-than" in out("clean", code=2)
    assert "expected a duration" in out("clean", "--older-than", "90", code=2)
    assert "longer than nothing" in out("clean", "--older-than", "PT0S", code=2)


# ---- workers ----------------------------------------------------------------------------------


@contextmanager
def working(*options: str) -> Iterator[subprocess.Popen[str]]:
    """A worker's process, ready to work."""
    command = [sys.executable, "-m", "flowkit", "worker", "--tasks", "handlers", *options]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as running:
        try:
            assert running.stderr is not None
            assert "Ctrl-C ends" in running.stderr.readline()
            yield running
        finally:
            running.kill()


def waited(*arguments: str, until: str) -> None:
    """Ask until it is there: another process works."""
    deadline = time.monotonic() + LONG
    while until not in out(*arguments):
        assert time.monotonic() < deadline, f"no {until} within {LONG} s"
        time.sleep(0.05)


def test_a_worker_writes_json_and_serves_metrics() -> None:
    pytest.importorskip("opentelemetry.exporter.prometheus")
    out("deploy", "p.bpmn")
    bad = out("start", "p", "-v", "amount=-1").strip()
    good = out("start", "p", "-v", "amount=20").strip()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = [
        "--log",
        "json",
        "--prometheus",
        str(port),
        "--limit",
        "bill=1",
        "--name",
        "w-1",
        "--poll",
        "PT0.05S",
    ]
    with working(*options) as running:
        waited("show", good, until="check")
        waited("jobs", bad, "--state", "failed", until="failed")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=LONG) as answer:
            metrics = answer.read().decode()
        assert "flowkit_jobs_failed_total{" in metrics
        assert "flowkit_handler_duration_seconds_count{" in metrics
        running.send_signal(signal.SIGTERM)
        _, errors = running.communicate(timeout=LONG)
        assert running.returncode == 0
    records = [json.loads(line) for line in errors.splitlines()]
    [attempt] = [record for record in records if record["logger"] == "flowkit.jobs"]
    assert attempt["level"] == "warning"
    assert "no paper" in attempt["message"]
    assert (attempt["instance_id"], attempt["element_id"]) == (bad, "bill")
    assert attempt["job_id"].startswith(f"{bad}:")


def test_a_worker_ends_though_a_handler_hangs(folder: Path) -> None:
    (folder / "h.bpmn").write_bytes(row("h", service("s", "hang")))
    out("deploy", "h.bpmn")
    case = out("start", "h").strip()
    with working("--grace", "PT0.2S") as running:
        waited("jobs", case, until="leased")
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate(timeout=LONG)
        assert running.returncode == 0
    assert "given back" in errors
    assert f"instance={case}" in errors
    [job] = data("jobs", case)
    assert (job["state"], job["attempt"]) == ("ready", 0)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--limit", "bill"], "expected TYPE=NUMBER"),
        (["--limit", "bill=0"], "expected TYPE=NUMBER"),
        (["--limit", "print=1"], "no handler does such jobs here"),
        (["--lease", "60"], "expected a duration"),
        (["--prometheus", "metrics"], "expected a port"),
        (["--prometheus", "99999"], "--prometheus 99999"),
    ],
)
def test_a_worker_refuses_what_it_can_not_do(options: list[str], problem: str) -> None:
    assert problem in out("worker", "--once", "--tasks", "handlers", *options, code=2)
