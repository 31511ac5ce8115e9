"""``flowkit bulk``, and the operations on one instance."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_commands import PARTS, data, out

TWO = PARTS.replace('id="confirm"', 'id="confirmed"').replace('"confirm"', '"confirmed"')


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLOWKIT_DB", f"sqlite:///{tmp_path / 'service.db'}")
    (tmp_path / "parts.bpmn").write_text(PARTS, encoding="utf-8")
    return tmp_path


def started(count: int, *variables: str) -> list[str]:
    out("deploy", "parts.bpmn")
    options = [part for text in variables for part in ("-v", text)]
    return [out("start", "parts", "-v", f"order=T-{n}", *options).strip() for n in range(count)]


def statuses() -> list[str]:
    return sorted(it["status"] for it in data("instances"))


def test_one_instance_is_suspended_resumed_and_migrated(folder: Path) -> None:
    [case] = started(1, "parts=[]")
    out("worker", "--once")
    out("suspend", case)
    assert statuses() == ["suspended"]
    out("resume", case)
    assert statuses() == ["active"]
    (folder / "parts.bpmn").write_text(TWO, encoding="utf-8")
    out("deploy", "parts.bpmn")
    assert "has no 'confirm': map it" in out("migrate", case, "--dry-run", code=1)
    assert "nothing is in the way" in out("migrate", case, "--dry-run", "--map", "confirm=confirmed")
    assert "expected OLD=NEW" in out("migrate", case, "--map", "confirm", code=2)
    assert data("migrate", case, "--map", "confirm=confirmed")["to_version"] == 2
    assert data("show", case)["version"] == 2


def test_everything_that_matches_is_done_and_the_same_command_goes_on() -> None:
    started(3)
    out("worker", "--once")
    assert data("bulk", "retry", "--dry-run", "--all")["matching"] == 3
    assert "3 instances match" in out("bulk", "retry", "--dry-run", "-p", "parts", "--element", "take")
    assert data("bulk", "suspend", "-v", "order=T-1") == {"done": 1, "failed": {}}
    assert "0 done" in out("bulk", "suspend", "-v", "order=T-1")
    assert statuses() == ["active", "active", "suspended"]
    told = data("bulk", "retry", "-p", "parts", "--retries", "2", code=1)
    assert (told["done"], len(told["failed"])) == (2, 1)
    assert "1 done" in out("bulk", "resume", "--all")
    assert "3 done" in out("bulk", "move", "-p", "parts", "--element", "take", "--to", "confirm")
    assert {it["element_id"] for it in data("tasks")} == {"confirm"}
    assert "3 done" in out("bulk", "cancel", "--status", "active", "--reason", "试一试")
    assert statuses() == ["cancelled"] * 3


def test_what_is_not_said_is_asked_for() -> None:
    assert "or --all" in out("bulk", "cancel", code=2)
    assert "or --all" in out("bulk", "cancel", "--all", "-p", "parts", code=2)
    assert "move expects" in out("bulk", "move", "-p", "parts", code=2)
