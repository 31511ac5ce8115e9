"""Global tasks: a task that several processes call is compiled as a process of that one task."""

from __future__ import annotations

from typing import Any

from flowkit.bpmn import model as m

__all__ = ["process_of_global_task"]

_TASKS: dict[str, type[m.Task]] = {
    "globalTask": m.Task,
    "globalManualTask": m.ManualTask,
    "globalUserTask": m.UserTask,
    "globalScriptTask": m.ScriptTask,
    "globalBusinessRuleTask": m.BusinessRuleTask,
}


def process_of_global_task(task: m.GlobalTask) -> m.Process:
    """The process that runs the global task and ends with it (BPMN 2.0.2, 10.3.3)."""
    fields: dict[str, Any] = {}
    if task.kind == "globalScriptTask":
        fields = {"script": task.script, "script_format": task.script_format}
    elif task.kind in ("globalUserTask", "globalBusinessRuleTask"):
        fields = {"implementation": task.implementation}
    node = _TASKS[task.kind](
        id=f"{task.id}_task",
        name=task.name,
        documentation=task.documentation,
        location=task.location,
        extensions=task.extensions,
        io=task.io,
        resources=task.resources,
        resource_parameters=task.resource_parameters,
        **fields,
    )
    return m.Process(id=task.id, name=task.name, location=task.location, is_executable=True, nodes=(node,))
