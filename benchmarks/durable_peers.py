"""The durable engine on SQLite against DBOS, Temporal and bpmn-engine, whichever are installed.

Ours: all thousand instances, ``full`` durability. The peers' cost a step does not depend on how many
instances there are, so they run fewer. Each side takes part in every round and is judged by its best one.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from benchmarks import peers
from benchmarks.diagrams import service_tasks, user_tasks
from benchmarks.durable import TASKS, service_work, user_work
from benchmarks.rows import Row

T = TypeVar("T")

ROUNDS = 3


@dataclass
class Side:
    """A peer in one work: how to run it in a folder, and the seconds a step of each round."""

    name: str
    goal: str
    run: Callable[[Path], float | None]
    seconds: list[float] = field(default_factory=list)


def measure() -> Iterator[Row]:
    """W1 and W2, a row a peer."""
    yield from _compare(
        "w1",
        service_work,
        Side("dbos", "≥ 15", lambda folder: peers.dbos(_file(folder), "w1", 40, TASKS)),
        Side("temporal", "≥ 40", lambda folder: peers.temporal(folder, "w1", 100, TASKS)),
        Side("bpmn_engine", "", lambda folder: peers.bpmn_engine(service_tasks(TASKS), folder, "w1", 40)),
    )
    yield from _compare(
        "w2",
        lambda folder: user_work(folder)[0],
        Side("dbos", "≥ 40", lambda folder: peers.dbos(_file(folder), "w2", 20, TASKS)),
        Side("temporal", "≥ 25", lambda folder: peers.temporal(folder, "w2", 100, TASKS)),
        Side("bpmn_engine", "", lambda folder: peers.bpmn_engine(user_tasks(TASKS), folder, "w2", 40)),
    )


def _compare(work: str, ours: Callable[[Path], float], *sides: Side) -> Iterator[Row]:
    times: list[float] = []
    for _ in range(ROUNDS):
        times.append(_in_a_folder(ours))
        for side in sides:
            taken = _in_a_folder(side.run)
            if taken is not None:
                side.seconds.append(taken)
    for side in sides:
        if side.seconds:
            note = f"{min(times) * 1e6:.0f} against {min(side.seconds) * 1e6:,.0f} µs a step"
            ratio = min(side.seconds) / min(times)
            yield Row(f"durable.sqlite_{work}_vs_{side.name}", ratio, "times", side.goal, note)


def _in_a_folder(run: Callable[[Path], T]) -> T:
    with tempfile.TemporaryDirectory() as folder:
        return run(Path(folder))


def _file(folder: Path) -> str:
    return f"sqlite:///{folder}/dbos.db"
