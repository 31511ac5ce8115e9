"""One command with few and with many live instances in the store: completing a user task, SQLite, ``full``.

The three stores are filled through the engine's own commands, in groups and with ``normal`` durability,
then opened anew; so no instance is in the engine's memory, as after a restart. The files are read once,
so that the operating system has them in its cache: what is measured is the engine, not a cold disk.
Instances are drawn at random over the whole store, and the three stores take turns.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from benchmarks.diagrams import user_tasks
from benchmarks.rows import Row
from flowkit import Engine

LONG = True
"""Filling a store with a million instances takes minutes: only on demand."""
SIZES = {"1": 1, "1e4": 10_000, "1e6": 1_000_000}
COMMANDS = 1000
WARM = 50
"""Commands before those that count: statements are prepared, the first pages read."""
TASKS = 10
GROUP = 10_000
VARIABLES = {"order": "WO-1001", "amount": 12.5, "items": [1, 2, 3]}


def measure() -> Iterator[Row]:
    """The median of one command in each store, and how the largest compares."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        completions = []
        for name, size in SIZES.items():
            path = Path(folder) / f"{name}.db"
            cases = fill(path, size)
            _warm(path)
            engine = stack.enter_context(Engine(f"sqlite:///{path}"))
            completions.append(complete(engine, cases))
        times: list[list[float]] = [[] for _ in SIZES]
        for turn in range(WARM + COMMANDS):
            for side, completion in enumerate(completions):
                seconds = next(completion)
                if turn >= WARM:
                    times[side].append(seconds)
    medians = dict(zip(SIZES, map(statistics.median, times), strict=True))
    for name, seconds in medians.items():
        yield Row(f"durable.latency_{name}", seconds * 1e6, "µs", "", f"{SIZES[name]:,} live instances")
    ratio = medians["1e6"] / medians["1e4"]
    yield Row("durable.latency_1e6_vs_1e4", ratio, "times", "≤ 1.5", "median of completing one user task")


def fill(path: Path, size: int) -> list[str]:
    """A store with ``size`` instances; the ids of those that are going to be completed, at random."""
    chance = random.Random(size)
    cases: list[str] = []
    with Engine(f"sqlite:///{path}", durability="normal") as engine:
        engine.deploy({"work.bpmn": user_tasks(TASKS)})
        for begin in range(0, size, GROUP):
            works = [engine.starting("work", VARIABLES) for _ in range(min(GROUP, size - begin))]
            started = [outcome.get() for outcome in engine.committer.run_all(works)]
            cases.extend(chance.sample(started, min(len(started), 2 * (WARM + COMMANDS))))
    chance.shuffle(cases)
    return cases[: WARM + COMMANDS]


def _warm(path: Path) -> None:
    with path.open("rb") as file:
        while file.read(2**24):
            pass


def complete(engine: Engine, cases: list[str]) -> Iterator[float]:
    """Complete one task after the other; the seconds of each command. When every instance was given one,
    they are given the next; one that ends is replaced, so that their number stays."""
    ready = [(case, engine.tasks(case)[0].id) for case in cases]
    while True:
        for place, (case, task) in enumerate(ready):
            begun = time.perf_counter()
            engine.complete(task, {"r": 1})
            yield time.perf_counter() - begun
            left = engine.tasks(case)
            following = case if left else engine.start("work", VARIABLES)
            ready[place] = (following, engine.tasks(following)[0].id)
