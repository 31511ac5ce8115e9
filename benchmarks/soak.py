"""Full load for half an hour on SQLite: does the memory of the engine stay flat? (Linux)

``python -m benchmarks soak [--minutes 30]``. In one process a worker does service tasks while fifty callers
start instances and complete their user tasks, as fast as they go. Finished instances are cleaned away after
a minute, as where a retention is set, so that the file stays small as well.
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.diagrams import service_tasks, user_tasks
from benchmarks.durable import TASKS, VARIABLES
from benchmarks.rows import Row
from flowkit import Engine, task
from flowkit.engine import Worker
from flowkit.engine.async_engine import AsyncEngine

LONG = True
CALLERS = 50
BACKLOG = 200
"""Instances of service tasks that are kept going."""
EVERY = 1.0
"""Seconds between two looks at the memory."""
RETENTION = timedelta(minutes=1)
STATM = Path("/proc/self/statm")


def measure(minutes: float = 30.0) -> Iterator[Row]:
    """How the resident memory grew after the first fifth of the time, and the throughput."""
    if not STATM.exists():
        return
    with tempfile.TemporaryDirectory() as folder:
        load = Load(f"sqlite:///{folder}/soak.db", minutes * 60)
        asyncio.run(load.run())
    tenth = max(len(load.memory) // 10, 1)
    early = statistics.median(load.memory[2 * tenth : 3 * tenth])
    late = statistics.median(load.memory[-tenth:])
    note = f"{early:.1f} to {late:.1f} MB in {minutes:g} minutes, last tenth to the third"
    yield Row("durable.soak_memory_growth", late / early, "times", "≤ 1.05", note)
    note = ", ".join(f"{count:,} {kind} tasks" for kind, count in load.done.items())
    yield Row("durable.soak_steps_per_s", load.done.total() / load.seconds, "steps/s", "", note)


class Load:
    """Both works at once, for ``duration`` seconds; what was done, and the memory (MB) over time."""

    def __init__(self, url: str, duration: float) -> None:
        self.url = url
        self.duration = duration
        self.seconds = 0.0
        self.done: Counter[str] = Counter()
        self.memory: list[float] = []
        self._end = 0.0

    async def run(self) -> None:
        @task("work")
        def work(n: int = 0) -> dict[str, int]:
            self.done["service"] += 1
            return {"n": n + 1}

        begun = time.monotonic()
        self._end = begun + self.duration
        with Engine(self.url, tasks=[work]) as engine:
            engine.deploy({"service.bpmn": _named("service", service_tasks(TASKS))})
            engine.deploy({"user.bpmn": _named("user", user_tasks(TASKS))})
            async with AsyncEngine(engine) as face:
                with Worker(engine, concurrency=16):
                    callers = [self._complete(face) for _ in range(CALLERS)]
                    await asyncio.gather(self._start(face), self._clean(face), self._watch(), *callers)
        self.seconds = time.monotonic() - begun

    @property
    def _going(self) -> bool:
        return time.monotonic() < self._end

    async def _complete(self, face: AsyncEngine) -> None:
        while self._going:
            case = await face.start("user", VARIABLES)
            [todo] = await face.tasks(case)
            for number in range(TASKS):
                await face.complete(todo, {f"r{number}": number})
                self.done["user"] += 1
                key = int(todo.id.rpartition(":")[2]) + 1
                todo = dataclasses.replace(todo, id=f"{case}:{key}")

    async def _start(self, face: AsyncEngine) -> None:
        started = 0
        while self._going:
            while self._going and started - self.done["service"] // TASKS < BACKLOG:
                await face.start("service", VARIABLES)
                started += 1
            await asyncio.sleep(0.01)

    async def _clean(self, face: AsyncEngine) -> None:
        while self._going:
            await face.clean_up(datetime.now(UTC) - RETENTION)
            await asyncio.sleep(EVERY)

    async def _watch(self) -> None:
        page = os.sysconf("SC_PAGE_SIZE")
        while self._going:
            self.memory.append(int(STATM.read_text().split()[1]) * page / 1e6)
            await asyncio.sleep(EVERY)


def _named(process: str, diagram: bytes) -> bytes:
    return diagram.replace(b'id="work"', f'id="{process}"'.encode())
