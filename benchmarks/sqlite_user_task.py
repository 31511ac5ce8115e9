"""Completing one of ten user tasks durably: flowkit on SQLite against SpiffWorkflow with its state in SQLite.

SpiffWorkflow has no engine; its users load the JSON state from a table, complete the task and save
it, once a task. Both sides run in turns in one process on one disk. Waiting for the disk is most of
the time with ``synchronous=FULL``, and other writers stretch it from 0.2 to 5 ms; what is compared
is therefore the undisturbed time of a whole case: for each of its ten tasks the fifth percentile over
all cases, added up. (The tasks differ: SpiffWorkflow's state grows from one to the next.)
"""

from __future__ import annotations

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.diagrams import user_tasks
from benchmarks.rows import Row
from flowkit import Engine

TASKS = 10
ROUNDS = 40
VARIABLES = {"order": "WO-1001", "amount": 12.5, "items": [1, 2, 3]}


def measure() -> Iterator[Row]:
    """Both durability levels."""
    yield Row("sqlite.user_task_vs_spiff", compare("full"), "times", "≥ 3.5", "synchronous=FULL")
    yield Row("sqlite.user_task_vs_spiff_normal", compare("normal"), "times", "≥ 10", "synchronous=NORMAL")


def compare(durability: str) -> float:
    """The time of SpiffWorkflow's completion divided by that of flowkit's."""
    with tempfile.TemporaryDirectory() as folder:
        ours = flowkit_completions(Path(folder), durability)
        theirs = spiff_completions(Path(folder), durability)
        times: list[list[list[float]]] = [[[] for _ in range(TASKS)] for _ in range(2)]
        for turn in range(ROUNDS * TASKS):
            for side, completions in enumerate((ours, theirs)):
                complete = next(completions)
                begun = time.perf_counter()
                complete()
                times[side][turn % TASKS].append(time.perf_counter() - begun)
    return undisturbed(times[1]) / undisturbed(times[0])


def undisturbed(times: list[list[float]]) -> float:
    """The sum of each task's fifth percentile."""
    return sum(statistics.quantiles(task, n=20)[0] for task in times)


def flowkit_completions(folder: Path, durability: str) -> Iterator[Callable[[], None]]:
    """Completions to be timed, one after the other; instances are started in between."""
    with Engine(f"sqlite:///{folder}/flowkit.db", durability=durability) as engine:
        engine.deploy({"work.bpmn": user_tasks(TASKS)})
        while True:
            case = engine.start("work", VARIABLES)
            for number in range(TASKS):
                [todo] = engine.tasks(case)
                yield lambda todo=todo, number=number: engine.complete(todo, {f"r{number}": number})


def spiff_completions(folder: Path, durability: str) -> Iterator[Callable[[], None]]:
    from SpiffWorkflow.bpmn import BpmnWorkflow  # noqa: PLC0415 the peer
    from SpiffWorkflow.bpmn.parser import BpmnParser  # noqa: PLC0415
    from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer  # noqa: PLC0415
    from SpiffWorkflow.util.task import TaskState  # noqa: PLC0415

    parser = BpmnParser()
    parser.add_bpmn_str(user_tasks(TASKS))
    spec = parser.get_spec("work")
    serializer = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure())
    database = sqlite3.connect(folder / "spiff.db", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute(f"PRAGMA synchronous={durability}")
    database.execute("CREATE TABLE workflow (id INTEGER PRIMARY KEY, state TEXT)")

    def complete(key: int, number: int) -> None:
        (state,) = database.execute("SELECT state FROM workflow WHERE id=?", (key,)).fetchone()
        workflow = serializer.deserialize_json(state)
        [task] = [t for t in workflow.get_tasks(state=TaskState.READY) if t.task_spec.manual]
        task.data[f"r{number}"] = number
        task.run()
        workflow.do_engine_steps()
        saved = serializer.serialize_json(workflow)
        database.execute("UPDATE workflow SET state=? WHERE id=?", (saved, key))

    key = 0
    while True:
        key += 1
        workflow = BpmnWorkflow(spec)
        for task in workflow.get_tasks(state=TaskState.READY):
            task.data.update(VARIABLES)  # a task's data is what expressions see; it is copied onwards
        workflow.do_engine_steps()
        database.execute("INSERT INTO workflow VALUES (?, ?)", (key, serializer.serialize_json(workflow)))
        for number in range(TASKS):
            yield lambda number=number, key=key: complete(key, number)
