"""Conditions by which things are found: a misspelt or wrongly typed one is seen by mypy, and at run time."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from flowkit.engine import Engine
from flowkit.errors import NotFound
from tests.engine.diagrams import row, user

ROOT = Path(__file__).parents[2]

USERS_FILE = """\
from datetime import UTC, datetime

from flowkit import Engine
from flowkit.engine import AsyncEngine
from flowkit.engine.conditions import TaskConditions

engine = Engine()
NOW = datetime.now(UTC)
mine: TaskConditions = {"group": "客服", "assigned": False}
engine.tasks("1", **mine)
engine.tasks(user="li", due_before=NOW)
engine.instances("p", business_key="k", variables={"a": 1}, running=None, limit=5, offset=5)
engine.incidents(kind="job", limit=3)
engine.jobs(type="t", state="ready")
engine.outbox(kind="mail", instance="1")
list(engine.select("p", with_incidents=True, started_after=NOW))
engine.tasks(gruop="客服")  # wrong
engine.tasks(due_before="2026-01-01")  # wrong
engine.tasks(limit="5")  # wrong
engine.instances(busines_key="k")  # wrong
engine.instances("p", version="2")  # wrong
engine.select("p", limit=3)  # wrong
engine.jobs(node="a")  # wrong
engine.incidents(kind=3)  # wrong
engine.outbox(state=1)  # wrong


async def serve(face: AsyncEngine) -> None:
    await face.start("p", {"a": 1}, business_key="k")
    await face.publish("m", message_id="1")
    await face.start("p", busines_key="k")  # wrong
    await face.publish("m", ttl=60)  # wrong
    async for _ in face.select("p", running=True):
        pass
    async for _ in face.select("p", runing=True):  # wrong
        pass
"""


def test_a_users_mypy_finds_them(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    script = tmp_path / "users_file.py"
    script.write_text(USERS_FILE, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", str(script)],
        cwd=ROOT, env={**os.environ, "MYPYPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = {int(line) for line in re.findall(r"users_file\.py:(\d+): error", done.stdout)}
    wrong = {number for number, line in enumerate(USERS_FILE.splitlines(), 1) if line.endswith("# wrong")}
    assert found == wrong, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda e: e.tasks(gruop="客服"),
            r"tasks\(\) has no condition 'gruop' \(did you mean 'group'\?\): it",
        ),
        (lambda e: e.instances(busines_key="k"), r"instances\(\) has no .*did you mean 'business_key'"),
        (lambda e: e.select("p", limit=3), r"select\(\) has no condition 'limit'"),
        (
            lambda e: e.jobs(node="a"),
            r"jobs\(\) has no condition 'node'.*: it has limit, offset, type, state",
        ),
        (lambda e: e.tasks(due_before="2026-01-01"), r"tasks\(due_before=…\) takes datetime, found str"),
        (lambda e: e.tasks(limit="5"), r"tasks\(limit=…\) takes int, found str '5'"),
        (lambda e: e.tasks(limit=True), r"tasks\(limit=…\) takes int, found bool"),
        (lambda e: e.tasks(offset=None), r"tasks\(offset=…\) takes int, found NoneType"),
        (lambda e: e.tasks(assigned=1), r"tasks\(assigned=…\) takes bool, found int"),
        (lambda e: e.tasks(7), r"tasks\(instance=…\) takes str, found int"),
        (lambda e: e.instances(7), r"instances\(process=…\) takes str, found int"),
        (lambda e: e.instances(variables=["a"]), r"instances\(variables=…\) takes Mapping, found list"),
        (lambda e: e.incidents(kind=3), r"incidents\(kind=…\) takes str, found int"),
        (lambda e: e.outbox(state=1), r"outbox\(state=…\) takes str, found int"),
    ],
)
def test_at_run_time_they_are_refused(call: Callable[[Any], object], words: str) -> None:
    with Engine() as engine, pytest.raises(TypeError, match=words):
        call(engine)


def test_what_can_not_be_stored_is_not_found_on_any_store(make: Callable[..., Engine]) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("u"))})
    case = engine.start("p", business_key="k")
    assert engine.instances("p", version=2**70) == []
    assert list(engine.select(version=-1)) == []
    assert [one.id for one in engine.instances(version=1, business_key=None)] == [case]
    assert engine.tasks(case, assigned=None, due_before=datetime.now(UTC)) == []
    for bad in ("\ud83d", "a\0"):
        for find in (engine.tasks, engine.instances, engine.jobs, engine.incidents):
            with pytest.raises(NotFound, match="There is no"):
                find(bad)
        with pytest.raises(NotFound, match="There is no business key"):
            engine.tasks(business_key=bad)
