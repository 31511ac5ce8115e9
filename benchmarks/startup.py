"""How long a process of Python takes from nothing to the first step of a real diagram."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.rows import Row

ROOT = Path(__file__).resolve().parent.parent
DIAGRAM = ROOT / "processes" / "auto_4s.bpmn"
PROGRAM = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from flowkit.bpmn import parse
from flowkit.kernel import compile_process, new_instance, step
from flowkit.kernel.protocol import Start

path = Path(sys.argv[1])
definitions = parse(path.read_bytes(), file=path.name)
program = compile_process(definitions, path.stem)
start = next((trigger.node for trigger in program.starts if trigger.kind == "message"), None)
now = datetime(2025, 3, 3, tzinfo=UTC)
events = step(program, new_instance(program, "1"), Start(start_event=start), now=now)
assert events
"""
RUNS = 9


def _seconds(program: str) -> float:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", program, str(DIAGRAM)], check=True, cwd=ROOT, env=environment)
    return time.perf_counter() - begin


def measure() -> Iterator[Row]:
    """The fastest of nine whole processes, after one to fill the byte-code cache: the others tell what else
    the machine was doing."""
    _seconds(PROGRAM)
    bare = min(_seconds("pass") for _ in range(RUNS))
    cold = min(_seconds(PROGRAM) for _ in range(RUNS))
    yield Row(
        "startup.cold_run_ms", cold * 1000, "ms", "< 500", "import, parse, compile, first step of auto_4s"
    )
    yield Row("startup.bare_python_ms", bare * 1000, "ms", "", "the interpreter alone")
