"""Handlers that take their worker's process down, and a disk that takes no more: with real processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flowkit.engine import Engine
from flowkit.kernel.protocol import JobFailed
from tests.engine.diagrams import row, service

ROOT = Path(__file__).parents[2]
LONG = 60.0

HANDLERS = """
import os, signal
from flowkit import task

@task("exit")
def exit() -> None:
    os._exit(9)

@task("kill")
def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)  # as the kernel does for lack of memory

@task("greedy")
def greedy() -> None:
    bytearray(1 << 62)

@task("good")
def good() -> dict[str, bool]:
    return {"done": True}
"""


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def worker(folder: Path, url: str) -> subprocess.Popen[bytes]:
    options = ["--lease", "PT0.5S", "--poll", "PT0.05S", "--tasks", "handlers", "--db", url]
    command = [sys.executable, "-m", "flowkit", "worker", *options]
    return subprocess.Popen(command, cwd=folder, env=environment(), stderr=subprocess.DEVNULL)


@pytest.mark.parametrize(("poison", "code"), [("exit", 9), ("kill", -9)])
def test_a_handler_that_takes_its_process_down_ends_as_an_incident(
    tmp_path: Path, poison: str, code: int
) -> None:
    """Its worker is started again each time it dies, as a supervisor does; then it stays."""
    (tmp_path / "handlers.py").write_text(HANDLERS, encoding="utf-8")
    url = f"sqlite:///{tmp_path}/poison.db"
    soon = {"retryBackoff": "PT0.05S"}
    with Engine(url) as engine:
        engine.deploy(
            {
                "bad.bpmn": row("bad", service("s", poison, 2, soon)),
                "good.bpmn": row("good", service("s", "good", 9, soon)),
            }
        )
        bad = engine.start("bad")
        cases = [engine.start("good") for _ in range(5)]
        codes = []
        running = worker(tmp_path, url)
        try:
            deadline = time.monotonic() + LONG
            while not (engine.incidents() and not engine.instances("good", running=True)):
                assert time.monotonic() < deadline
                if running.poll() is not None:
                    codes.append(running.returncode)
                    running = worker(tmp_path, url)
                time.sleep(0.02)
            assert running.poll() is None
        finally:
            running.kill()
            running.wait()
        assert codes == [code, code]
        [incident] = engine.incidents()
        assert incident.instance_id == bad
        assert "did it crash?" in incident.message
        failed = [entry for entry in engine.history(bad) if isinstance(entry.event, JobFailed)]
        assert [entry.event.retries for entry in failed] == [1, 0]  # type: ignore[attr-defined]  # JobFailed
        assert {engine.instance(case).variables["done"] for case in cases} == {True}


def test_a_handler_that_wants_too_much_memory_fails_alone(tmp_path: Path) -> None:
    (tmp_path / "handlers.py").write_text(HANDLERS, encoding="utf-8")
    url = f"sqlite:///{tmp_path}/greedy.db"
    with Engine(url) as engine:
        engine.deploy(
            {
                "bad.bpmn": row("bad", service("s", "greedy", 1)),
                "good.bpmn": row("good", service("s", "good")),
            }
        )
        engine.start("bad")
        case = engine.start("good")
        command = [sys.executable, "-m", "flowkit", "worker", "--once", "--tasks", "handlers", "--db", url]
        subprocess.run(
            command, cwd=tmp_path, env=environment(), check=True, timeout=LONG, capture_output=True
        )
        assert "MemoryError" in engine.incidents()[0].message
        assert engine.instance(case).status == "completed"


FULL = """
import resource, signal, sys
from flowkit import Engine
from flowkit.errors import StoreUnavailable

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with Engine(sys.argv[1]) as engine:
    def fill(size):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        for _ in range(2000):
            print(engine.start("p", {"text": "x" * 3000}), flush=True)

    try:
        fill(600_000)
    except StoreUnavailable as error:
        print("refused", flush=True)
    fill(resource.RLIM_INFINITY)
"""


def test_a_file_that_can_not_grow_refuses_and_forgets_nothing(tmp_path: Path) -> None:
    """The operating system refuses to write, in the middle of a transaction; later it lets us again."""
    pytest.importorskip("resource")
    url = f"sqlite:///{tmp_path}/full.db"
    with Engine(url) as engine:
        engine.deploy({"p.bpmn": row("p", service("s", "nobody"))})
    done = subprocess.run(
        [sys.executable, "-c", FULL, url],
        env=environment(), capture_output=True, text=True, timeout=LONG, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stdout.split()
    assert 0 < lines.index("refused") < 2000
    lines.remove("refused")
    with Engine(url) as engine:
        assert {view.id for view in engine.instances()} == set(lines)
        assert len(engine.jobs()) == len(lines) > 2000
