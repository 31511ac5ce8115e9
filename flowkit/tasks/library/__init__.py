"""Ready-made handlers for service processes, and the registry that holds them.

They are generic: a diagram names them by job type and tells by its input mappings what to check,
reserve, number, pay or notify. ``docs/tasks.md`` lists them all.
"""

from __future__ import annotations

from flowkit.tasks.library.standard import StandardTasks, standard_registry, standard_tasks

__all__ = ["StandardTasks", "standard_registry", "standard_tasks"]
