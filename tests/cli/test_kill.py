"""``kill -9`` of ``flowkit run`` at random moments: started again, it goes on and loses nothing."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PROCESS = ROOT / "processes" / "auto_4s.bpmn"
SCRIPT = ROOT / "processes" / "scripts" / "auto_4s.yaml"


def command(db: str, *more: str) -> list[str]:
    run = [sys.executable, "-m", "flowkit", "run", str(PROCESS), "--script", str(SCRIPT), "--db", db]
    return [*run, *more]


def kill_after(lines: int, db: str) -> bool:
    """Run until so many lines of the trail were told, then SIGKILL; False if the run ended before."""
    with subprocess.Popen(command(db), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        for _ in range(lines):
            if not process.stdout.readline():
                break
        process.kill()
    return process.returncode == -signal.SIGKILL


def finished(db: str) -> dict[str, object]:
    done = subprocess.run(command(db, "--json"), cwd=ROOT, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    result: dict[str, object] = json.loads(done.stdout)
    return result


def essence(result: dict[str, object]) -> object:
    """All that must be the same whether or not the run was interrupted."""
    trail = [
        (line["at"], line["depth"], line["kind"], line["element"], line["text"])
        for line in result["trail"]  # type: ignore[attr-defined]  # JSON
        if "interrupted" not in line["text"]
    ]
    notices = [(it["template"], it["to"], it["text"]) for it in result["notices"]]  # type: ignore[attr-defined]
    kept = {name: result[name] for name in ("status", "ends", "variables", "incidents", "open")}
    return kept, sorted(notices), sorted(trail)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> object:
    return essence(finished(f"sqlite:///{tmp_path_factory.mktemp('whole') / 'run.db'}"))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_killed_run_goes_on_and_ends_as_if_nothing_had_happened(
    tmp_path: Path, undisturbed: object, seed: int
) -> None:
    chance = random.Random(seed)
    db = f"sqlite:///{tmp_path / 'run.db'}"
    kills = sum(kill_after(lines, db) for lines in sorted(chance.sample(range(1, 190), 4)))
    assert kills >= 3
    assert essence(finished(db)) == undisturbed


def test_a_finished_run_is_told_again_and_not_started_twice(tmp_path: Path) -> None:
    db = f"sqlite:///{tmp_path / 'run.db'}"
    first, second = finished(db), finished(db)
    assert first["instance"] == second["instance"]
    assert essence(first) == essence(second)
