"""SpiffWorkflow made durable as its users do it: JSON state in an SQLite table, saved after each step."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["complete_user_tasks", "run_service_tasks"]


class Peer:
    """A parsed process and its table."""

    def __init__(self, folder: Path, diagram: bytes, durability: str = "full") -> None:
        from SpiffWorkflow.bpmn.parser import BpmnParser  # noqa: PLC0415 the peer
        from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer  # noqa: PLC0415

        parser = BpmnParser()
        parser.add_bpmn_str(diagram)
        self.spec = parser.get_spec("work")
        self.serializer = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure())
        path = folder / "spiff.db"
        path.unlink(missing_ok=True)
        self.database = sqlite3.connect(path, isolation_level=None)
        self.database.execute("PRAGMA journal_mode=WAL")
        self.database.execute(f"PRAGMA synchronous={durability}")
        self.database.execute("CREATE TABLE workflow (id INTEGER PRIMARY KEY, state TEXT)")

    def begin(self, key: int, variables: Mapping[str, Any]) -> Any:
        from SpiffWorkflow.bpmn import BpmnWorkflow  # noqa: PLC0415
        from SpiffWorkflow.util.task import TaskState  # noqa: PLC0415

        workflow = BpmnWorkflow(self.spec)
        for ready in workflow.get_tasks(state=TaskState.READY):
            ready.data.update(variables)  # a task's data is what expressions see; it is copied onwards
        workflow.do_engine_steps()
        state = self.serializer.serialize_json(workflow)
        self.database.execute("INSERT OR REPLACE INTO workflow VALUES (?, ?)", (key, state))
        return workflow

    def load(self, key: int) -> Any:
        (state,) = self.database.execute("SELECT state FROM workflow WHERE id=?", (key,)).fetchone()
        return self.serializer.deserialize_json(state)

    def save(self, key: int, workflow: Any) -> None:
        state = self.serializer.serialize_json(workflow)
        self.database.execute("UPDATE workflow SET state=? WHERE id=?", (state, key))

    @staticmethod
    def ready(workflow: Any) -> Any:
        from SpiffWorkflow.util.task import TaskState  # noqa: PLC0415

        return workflow.get_tasks(state=TaskState.READY)[0]


def complete_user_tasks(folder: Path, diagram: bytes, instances: int, variables: Mapping[str, Any]) -> float:
    """Seconds a task: load, complete, save."""
    peer = Peer(folder, diagram)
    seconds, count = 0.0, 0
    for key in range(instances):
        workflow = peer.begin(key, variables)
        while not workflow.is_completed():
            begun = time.perf_counter()
            workflow = peer.load(key)
            todo = peer.ready(workflow)
            todo.data[f"r{count % 10}"] = count % 10
            todo.run()
            workflow.do_engine_steps()
            peer.save(key, workflow)
            seconds += time.perf_counter() - begun
            count += 1
    return seconds / count


def run_service_tasks(folder: Path, diagram: bytes, instances: int, variables: Mapping[str, Any]) -> float:
    """Seconds a step, the state saved after each; a manual task stands for the service call, since
    SpiffWorkflow leaves calling services to its user."""
    diagram = diagram.replace(b"serviceTask", b"manualTask")
    peer = Peer(folder, diagram)
    seconds, count = 0.0, 0
    for key in range(instances):
        workflow = peer.begin(key, variables)
        while not workflow.is_completed():
            begun = time.perf_counter()
            todo = peer.ready(workflow)
            todo.data["n"] = todo.data.get("n", 0) + 1
            todo.run()
            workflow.do_engine_steps()
            peer.save(key, workflow)
            seconds += time.perf_counter() - begun
            count += 1
    return seconds / count
